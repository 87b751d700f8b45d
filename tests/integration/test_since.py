"""``drift`` says what has changed since the last start, and what was right then."""

from __future__ import annotations

import psycopg

import omega_bridge
from omega_bridge.analysis import analyse
from omega_bridge.audit.drift import Drift, drift
from omega_bridge.audit.expected import make
from omega_bridge.audit.scratch import GivenServer
from omega_bridge.audit.since import changed
from omega_bridge.embedded import Server
from omega_bridge.postgres import catalog_store, ledger_store
from omega_bridge.steps import Registry
from tests.fixtures.roles import MakeRole

STEPS = [
    "CREATE TABLE IF NOT EXISTS tt (id int PRIMARY KEY, a varchar(20), b text)",
    "CREATE INDEX IF NOT EXISTS ix ON tt (a)",
    "CREATE TABLE IF NOT EXISTS old (id bigint)",
]


def connected(database: str) -> psycopg.Connection[tuple[object, ...]]:
    """A connection that commits at once."""
    return psycopg.connect(database, autocommit=True)


def compared(database: str, server: Server, steps: list[str]) -> Drift:
    """The drift of a database."""
    analysis = analyse(Registry.of(steps))
    return drift(database, analysis, analyse(Registry(())), make(analysis, "", GivenServer(server.url)))


def test_what_changed_since_the_last_start_is_told(database: str, server: Server) -> None:
    """What is gone, new or changed; of each difference when it was last seen right, and nothing of what was wrong by then."""
    with connected(database) as conn:
        conn.execute("CREATE TABLE old (id int)")
    omega_bridge.boot(database, STEPS)
    found = compared(database, server, STEPS)
    assert found.since is not None
    assert found.since.changes == ()
    with connected(database) as conn:
        conn.execute(
            "DROP INDEX ix; ALTER TABLE tt ALTER a TYPE varchar(99); ALTER TABLE tt ADD by_hand int; CREATE TABLE no_ones (id int)"
        )
    found = compared(database, server, STEPS)
    assert found.since is not None
    told = {(str(c.key), c.attribute, changed(c)) for c in found.since.changes}
    assert told == {
        ("index public.ix", "", "gone"),
        ("column public.tt.a", "type", "changed"),
        ("column public.tt.by_hand", "", "new"),
    }
    (kind,) = (c for c in found.as_dict()["since_last_start"]["changes"] if c["attribute"])
    assert (kind["then"], kind["now"]) == ("character varying(20)", "character varying(99)")
    right = {str(d.key): d.last_right for d in found.differences}
    at = found.since.at
    assert right == {"index public.ix": at, "column public.tt.a": at, "column public.tt.by_hand": at, "column public.old.id": ""}


def test_what_a_step_rejected_on_scratch_left_behind_is_drift_when_it_changes(database: str, server: Server) -> None:
    """What an unread statement leads to is not known where the list cannot run: what it left when it ran here is what is held against."""
    with connected(database) as conn:
        conn.execute("CREATE TABLE theirs (id int, n int); CREATE TABLE others (id int)")
    named = [f"ALTER TABLE {name} ADD COLUMN IF NOT EXISTS ours int" for name in ("theirs", "others")]
    steps = [*STEPS, *named, "ALTER TABLE theirs SET (fillfactor = 70, autovacuum_enabled = false)"]
    omega_bridge.boot(database, steps)
    found = compared(database, server, steps)
    assert (found.is_clean, len(found.unseen)) == (True, 3)
    with connected(database) as conn:
        conn.execute("ALTER TABLE theirs RESET (autovacuum_enabled); ALTER TABLE others SET (fillfactor = 50)")
    found = compared(database, server, steps)
    (one,) = found.differences
    assert (str(one.key), one.what, one.is_repaired, one.last_right != "") == ("table public.theirs", "different", None, True)
    assert (one.by, one.attribute) == (analyse(Registry.of(steps)).steps[-1].id, "options")
    assert omega_bridge.boot(database, steps).outcome == "repaired"
    assert compared(database, server, steps).is_clean


def test_a_start_with_nothing_to_do_leaves_the_record_of_the_last_one(database: str, server: Server) -> None:
    """It writes nothing: what it found is what is on record."""
    omega_bridge.boot(database, STEPS)
    first = compared(database, server, STEPS).since
    assert omega_bridge.boot(database, STEPS).outcome == "current"
    second = compared(database, server, STEPS).since
    assert first is not None
    assert second == first


def test_without_a_start_nothing_is_told(database: str, server: Server) -> None:
    """A database that was never started on has no such moment; nor has one whose state another release has written since."""
    assert compared(database, server, STEPS).as_dict()["since_last_start"] is None
    omega_bridge.boot(database, STEPS)
    with connected(database) as conn:
        conn.execute("UPDATE omega_bridge.omega_bridge_states SET catalog_digest = 'of another'")
    assert compared(database, server, STEPS).since is None


def test_a_record_from_before_gets_its_place(database: str) -> None:
    """Where our schema is of an earlier release, the next start that writes anything makes room, and keeps what it saw."""
    omega_bridge.boot(database, STEPS)
    with connected(database) as conn:
        conn.execute("DROP TABLE omega_bridge.omega_bridge_catalogs")
    assert omega_bridge.boot(database, STEPS).outcome == "current"
    omega_bridge.boot(database, [*STEPS, "CREATE TABLE IF NOT EXISTS uu (id int)"])
    with connected(database) as conn:
        seen = catalog_store.recall(conn)
    assert seen is not None
    assert "uu" in seen.names


def test_a_role_that_may_create_nothing_there_starts_all_the_same(database: str, make_role: MakeRole) -> None:
    """An administrator made our schema for it, by an earlier release: it records its state, and no catalog."""
    role = make_role("GRANT CREATE ON SCHEMA public TO {}")
    name = psycopg.conninfo.conninfo_to_dict(role)["user"]
    with connected(database) as conn:
        ledger_store.prepare(conn)
        conn.execute(
            f"DROP TABLE omega_bridge.omega_bridge_catalogs; GRANT USAGE ON SCHEMA omega_bridge TO {name}; "
            f"GRANT SELECT, INSERT ON omega_bridge.omega_bridge_ledger TO {name}; "
            f"GRANT SELECT, INSERT, UPDATE, DELETE ON omega_bridge.omega_bridge_chain, omega_bridge.omega_bridge_states TO {name}"
        )
    with connected(role) as conn:
        assert ledger_store.lacking(conn) == ""
        assert catalog_store.recall(conn) is None
