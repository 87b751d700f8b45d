"""The record: it only grows, it says who, it comes from older releases, and nobody who reads holds it up."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from typer.testing import CliRunner

import omega_bridge
from omega_bridge import Step, environment
from omega_bridge.analysis import analyse
from omega_bridge.cli.app import app
from omega_bridge.config import Config
from omega_bridge.ledger import judge
from omega_bridge.postgres import ledger_store, states
from omega_bridge.postgres.fast_path import sentinel
from omega_bridge.postgres.session import open_session
from omega_bridge.revisions import alembic_border
from omega_bridge.revisions.files import export
from omega_bridge.steps import Registry

STEPS = ["CREATE TABLE IF NOT EXISTS t (id int PRIMARY KEY)", "ALTER TABLE t ADD COLUMN IF NOT EXISTS a int"]
MORE = [*STEPS, "CREATE TABLE IF NOT EXISTS u (id int)"]
DATA = Path(__file__).parents[1] / "data"
LAYOUT_1, LAYOUT_2 = ((DATA / f"layout-{n}.sql").read_text() for n in (1, 2))
LEDGER, STATES = "omega_bridge.omega_bridge_ledger", "omega_bridge.omega_bridge_states"


def execute(url: str, *texts: str) -> None:
    """Statements by another hand."""
    with psycopg.connect(url, autocommit=True) as conn:
        for text in texts:
            conn.execute(text.encode())


def verdict(url: str) -> tuple[bool, str]:
    """What ``ledger verify`` says: whether the record is whole, and what is the matter."""
    done = CliRunner().invoke(app, ["ledger", "verify", "--database-url", url, "--json"])
    found = json.loads(done.stdout)
    assert done.exit_code == (0 if found["intact"] else 1)
    return found["intact"], found["told"]


# --- it only grows ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE omega_bridge.omega_bridge_ledger SET outcome = 'skipped'",
        "DELETE FROM omega_bridge.omega_bridge_ledger",
        "TRUNCATE omega_bridge.omega_bridge_ledger",
    ],
    ids=["update", "delete", "truncate"],
)
def test_an_entry_cannot_be_changed_or_removed(database: str, change: str) -> None:
    """Not by who owns the ledger, and not by a superuser, unless he takes the bar away first."""
    omega_bridge.boot(database, STEPS)
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        execute(database, change)
    assert verdict(database) == (True, "")


CUTS = {
    "the last entry": ("DELETE FROM omega_bridge.omega_bridge_ledger WHERE seq = 3", "entry 3 is gone"),
    "the end": ("DELETE FROM omega_bridge.omega_bridge_ledger WHERE seq > 1", "entries 2 to 3 are gone"),
    "all": ("TRUNCATE omega_bridge.omega_bridge_ledger", "entries 1 to 3 are gone"),
    "the table": ("DROP TABLE omega_bridge.omega_bridge_ledger", "entries 1 to 3 are gone"),
    "one in between": (
        "DELETE FROM omega_bridge.omega_bridge_ledger WHERE seq = 2",
        "entry 2 does not follow from the one before",
    ),
}


@pytest.mark.parametrize("cut", CUTS)
def test_a_cut_record_is_seen(database: str, cut: str) -> None:
    """A chain that ends early, an empty one and none at all are broken, not new; and the next start does not mend that."""
    change, told = CUTS[cut]
    omega_bridge.boot(database, STEPS)
    execute(database, "ALTER TABLE omega_bridge.omega_bridge_ledger DISABLE TRIGGER omega_bridge_append_only", change)
    assert verdict(database) == (False, told)
    omega_bridge.boot(database, MORE)
    assert verdict(database)[0] is False


def test_two_starts_in_two_schemas_write_one_chain(database: str) -> None:
    """Who appends follows what another start has appended meanwhile."""
    execute(database, "CREATE SCHEMA one; CREATE SCHEMA two")
    with open_session(database) as first, open_session(database) as second:
        omega_bridge.boot(database, STEPS)
        early = ledger_store.tip(first.connection)
        entries = list(ledger_store.read(second.connection))
        draft = entries[0].draft
        ledger_store.append(second.connection, [draft, draft])
        ledger_store.append(second.connection, [draft])
        end = ledger_store.append(first.connection, [draft], early)
        assert end.seq == len(entries) + 4
        assert judge(list(ledger_store.read(first.connection)), ledger_store.end_of(first.connection)).is_intact


def test_an_entry_says_who(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The database's role, the account, the machine, the application and the release behind each entry; by hash, too."""
    monkeypatch.setenv("GIT_COMMIT", "0a1b2c3")
    omega_bridge.boot(database, STEPS)
    with open_session(database) as session:
        entries, role = list(ledger_store.read(session.connection)), session.connection.info.user
    for entry in entries:
        by = entry.draft.detail["by"]
        assert by["role"] == role
        assert by["schema"] == "public"
        assert by["release"] == "0a1b2c3"
        assert by["application"].startswith("omega-bridge")
        assert {"os_user", "host", "client"} <= by.keys()


def test_the_log_of_a_start_that_wrote_tells_the_end_of_the_chain(database: str, caplog: pytest.LogCaptureFixture) -> None:
    """So that a record that was written anew can be told from this one."""
    caplog.set_level("INFO", "omega_bridge")
    omega_bridge.boot(database, STEPS)
    with open_session(database) as session:
        end = ledger_store.end_of(session.connection)
    assert f"[MIGRATION] the ledger ends at {end}" in caplog.text


# --- from older releases, and to newer ones ----------------------------------------------------------------------


def test_what_was_changed_is_a_value_and_of_older_entries_in_words(database: str) -> None:
    """A downgrade takes back what the record says that the bridge changed, whatever the words about it contain."""
    steps = Registry.of([*STEPS, "ALTER TABLE t ALTER COLUMN a SET DEFAULT 7"])
    for several in (STEPS, steps):
        omega_bridge.boot(database, several)
    older = json.dumps({"created": [], "changes": ["dropped index public.i", "changed column public.t.b: default None -> 'x'"]})
    execute(
        database,
        f"INSERT INTO {LEDGER} VALUES (99, now(), 'boot', 'step', gen_random_uuid(), 's', 'old', 'applied', '{older.replace(chr(39), chr(39) * 2)}', 'p', 'h')",
    )
    with open_session(database) as session:
        found = ledger_store.created_by(session.connection, (), tuple(s.checksum for s in analyse(steps)))
        assert found is not None
        assert {"column public.t.a", "column public.t.a: default"} <= found
        assert ledger_store.created_by(session.connection, (), ("old",)) == {"column public.t.b: default"}


@pytest.mark.parametrize(("layout", "names"), [(LAYOUT_1, ("old",)), (LAYOUT_2, ("t", "t_pkey"))], ids=["1", "2"])
def test_a_record_of_an_older_layout_is_lifted(database: str, layout: str, names: tuple[str, ...]) -> None:
    """Its entries stay as they are and readable, before and after, its state is known, who was let in stays in, new entries follow
    the old ones, all of them are barred, and nothing is left under the old names.
    """
    execute(database, layout, "GRANT SELECT ON omega_bridge.ledger TO pg_monitor")
    with open_session(database) as session:
        old = list(ledger_store.read(session.connection))
        known = states.recall(session.connection)
        assert known is not None
        assert known.names == names
        assert ledger_store.last_boot(session.connection) is not None
    assert verdict(database) == (True, "")
    run = omega_bridge.boot(database, MORE, accept_newer=True)
    assert [s.id for s in run.steps if s.outcome == "applied"] == (
        ["create-u"] if "t" in names else ["create-t", "t-a", "create-u"]
    )
    assert omega_bridge.boot(database, MORE).round_trips == 1
    with open_session(database) as session:
        new = list(ledger_store.read(session.connection))
        left = session.rows(
            "SELECT relname FROM pg_class WHERE relnamespace = 'omega_bridge'::regnamespace AND relkind IN ('r', 'v')"
        )
        may = session.rows(f"SELECT has_table_privilege('pg_monitor', '{LEDGER}', 'SELECT')")
    assert new[: len(old)] == old
    assert len(new) > len(old)
    assert may == [(True,)]
    assert sorted(left) == [(f"omega_bridge_{name}",) for name in ("catalogs", "chain", "ledger", "states")]
    assert verdict(database) == (True, "")
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        execute(database, f"DELETE FROM {LEDGER}")


@pytest.mark.parametrize("layout", ["", LAYOUT_1, LAYOUT_2], ids=["none", "1", "2"])
def test_a_publication_of_all_tables_bars_no_start(database: str, layout: str) -> None:
    """Rows of the bridge's own tables have an identity, so that they can be changed where everything is published."""
    with open_session(database) as session:
        sentinel.install(session)
    execute(database, *([layout] if layout else []), "CREATE PUBLICATION everything FOR ALL TABLES")
    for _ in range(2):
        omega_bridge.boot(database, STEPS)
        execute(database, "DROP TABLE t")
    assert omega_bridge.boot(database, STEPS).outcome == "repaired"
    with psycopg.connect(database) as conn:
        assert conn.execute("SELECT count(*) FROM omega_bridge_sentinel.omega_bridge_marks").fetchone() == (0,)


@pytest.mark.parametrize("layout", [LAYOUT_1, LAYOUT_2], ids=["1", "2"])
def test_a_later_list_is_known_from_an_older_layout(database: str, layout: str) -> None:
    """A start of an older list does not judge a database that a later one has repaired, whichever release recorded that: nor the second."""
    execute(database, layout.replace('"additive": true', '"additive": false'))
    for _ in range(2):
        with pytest.raises(omega_bridge.OmegaBridgeError) as told:
            omega_bridge.boot(database, [])
        assert told.value.code == "OB304"


def test_a_record_that_was_cut_before_it_was_lifted_stays_cut(database: str) -> None:
    """What was missing is missing still."""
    execute(
        database,
        LAYOUT_2,
        "ALTER TABLE omega_bridge.ledger DISABLE TRIGGER append_only; DELETE FROM omega_bridge.ledger WHERE seq = 3",
    )
    omega_bridge.boot(database, MORE)
    assert verdict(database)[0] is False


def test_a_release_that_knows_an_older_layout_makes_no_record_beside_this_one(database: str) -> None:
    """It cannot make its tables here, though nothing bears their names: its statements end, and nothing of them stands."""
    omega_bridge.boot(database, STEPS)
    with pytest.raises(psycopg.errors.DuplicateObject):
        execute(database, LAYOUT_2.partition("-- made by it")[0])
    with open_session(database) as session:
        assert session.rows("SELECT to_regclass('omega_bridge.ledger'), to_regclass('omega_bridge.chain')") == [(None, None)]


def test_what_a_reader_keeps_of_an_older_layout_takes_no_entry_and_goes_later(database: str) -> None:
    """A view on it, or a long reader: a release of that layout is told so, and the first start after that clears it away."""
    execute(database, LAYOUT_2, "CREATE VIEW mine AS SELECT * FROM omega_bridge.ledger")
    assert omega_bridge.boot(database, MORE).outcome == "repaired"
    with psycopg.connect(database) as conn:
        assert conn.execute("SELECT layout FROM omega_bridge.chain").fetchone() == (3,)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            conn.execute(
                "INSERT INTO omega_bridge.ledger SELECT 9, at, driver, event, run, subject, checksum, outcome, detail, 'p', 'h' FROM mine"
            )
    execute(database, "DROP VIEW mine")
    assert omega_bridge.boot(database, MORE, retry=True).outcome == "current"
    with open_session(database) as session:
        assert session.rows("SELECT to_regclass('omega_bridge.ledger')") == [(None,)]
    assert verdict(database) == (True, "")


def test_an_older_release_does_not_write_into_a_newer_record(database: str) -> None:
    """The error says so, and nothing was sent."""
    omega_bridge.boot(database, STEPS)
    execute(database, "UPDATE omega_bridge.omega_bridge_chain SET layout = layout + 1")
    with pytest.raises(omega_bridge.OmegaBridgeError) as told:
        omega_bridge.boot(database, MORE)
    assert told.value.code == "OB304"
    with psycopg.connect(database) as conn:
        assert conn.execute("SELECT to_regclass('u')").fetchone() == (None,)


def test_entries_of_an_older_release_that_came_between_are_followed(database: str) -> None:
    """It knows nothing of the end that is kept beside the ledger."""
    omega_bridge.boot(database, STEPS)
    with open_session(database) as session:
        draft = next(ledger_store.read(session.connection)).draft
        end = ledger_store.end_of(session.connection)
        ledger_store.append(session.connection, [draft])
        assert end is not None
        session.execute("UPDATE omega_bridge.omega_bridge_chain SET seq = %s, hash = %s", (end.seq, end.hash))
    omega_bridge.boot(database, MORE)
    assert verdict(database) == (True, "")


# --- nobody who reads holds it up ------------------------------------------------------------------------------

EVERYTHING = (
    "DO $$ DECLARE name text; BEGIN FOR name IN SELECT c.oid::regclass::text FROM pg_class c WHERE relkind IN ('r', 'v', 'm')"
    " AND (relnamespace = to_regnamespace('omega_bridge') OR relname = 'alembic_version')"
    " LOOP EXECUTE 'LOCK TABLE ' || name || ' IN ACCESS SHARE MODE'; END LOOP; END $$"
)


def test_who_reads_everything_of_ours_holds_no_start_up(database: str) -> None:
    """As ``pg_dump`` does for hours: starts with work and without end all the same, and record what they did."""
    execute(database, LAYOUT_1)
    with psycopg.connect(database) as reader:
        reader.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        reader.execute(EVERYTHING)
        omega_bridge.boot(database, STEPS, accept_newer=True)
        assert omega_bridge.boot(database, STEPS).round_trips == 1
        reader.execute(EVERYTHING)
        assert omega_bridge.boot(database, MORE).outcome == "repaired"
        assert omega_bridge.boot(database, MORE).round_trips == 1
    assert verdict(database) == (True, "")


@contextmanager
def dumping(pg_dump: str, url: str) -> Iterator[None]:
    """A real ``pg_dump`` in the middle of its work: nobody takes what it writes, so that it keeps what it has locked."""
    execute(url, "CREATE TABLE ballast AS SELECT n, repeat('x', 1000) FROM generate_series(1, 20000) n")
    done = subprocess.Popen([pg_dump, "-d", url], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    waits = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'pg_dump' AND wait_event = 'ClientWrite'"
    with psycopg.connect(url, autocommit=True) as conn:
        while done.poll() is None and conn.execute(waits).fetchone() != (1,):
            time.sleep(0.02)
    try:
        if done.poll() is not None and "server version mismatch" in done.communicate()[1]:
            pytest.skip("this pg_dump is older than the server")
        assert done.poll() is None
        yield
        assert done.poll() is None
    finally:
        assert done.communicate()[1] == ""
    assert done.returncode == 0


def test_a_dump_holds_no_start_up(database: str, pg_dump: str, tmp_path: Path) -> None:
    """While ``pg_dump`` works, starts with work and without end within their budget, record, and stamp; so does an upgrade."""
    export(analyse(Registry.of(STEPS)), tmp_path)
    omega_bridge.boot(database, STEPS, history=tmp_path)
    export(analyse(Registry.of(MORE)), tmp_path)
    filled = [*MORE, Step("INSERT INTO u VALUES (1)", id="fill", repeat="once")]
    with dumping(pg_dump, database):
        assert omega_bridge.boot(database, STEPS).outcome == "current"
        run = omega_bridge.boot(database, MORE, history=tmp_path, boot_timeout=5.0)
        assert (run.outcome, run.warnings) == ("repaired", ())
        assert omega_bridge.boot(database, MORE, history=tmp_path).round_trips == 1
        export(analyse(Registry.of(filled)), tmp_path)
        alembic = alembic_border.alembic_config(tmp_path, database)
        alembic.attributes["omega_bridge_config"] = Config(root=tmp_path)
        alembic.attributes["omega_bridge_registry"] = (Registry.of(filled), None)
        environment.upgrade(alembic, "head")
        assert omega_bridge.boot(database, filled, history=tmp_path).outcome == "current"
    assert verdict(database) == (True, "")


def test_a_record_that_is_locked_is_given_up(database: str, caplog: pytest.LogCaptureFixture) -> None:
    """After a bounded wait: what the steps did stands, and the next start looks again."""
    omega_bridge.boot(database, STEPS)
    with psycopg.connect(database) as holder:
        holder.execute("LOCK TABLE omega_bridge.omega_bridge_states IN EXCLUSIVE MODE")
        run = omega_bridge.boot(database, STEPS, retry=True)
        assert run.outcome == "current"
        assert "the record of this start was given up" in " ".join(run.warnings)
    assert omega_bridge.boot(database, MORE).outcome == "repaired"
    assert verdict(database) == (True, "")


# --- nothing of a list's is taken for ours -------------------------------------------------------------------------

GUARDED = (
    "DO $$ BEGIN IF NOT EXISTS (SELECT 1 FROM information_schema.tables WHERE table_name = '{0}') THEN CREATE TABLE {0} (id int); "
    "END IF; END $$"
)


def test_a_guard_without_a_schema_finds_nothing_of_ours(database: str) -> None:
    """Whatever the list calls its tables: they are made, by the first start and by one that finds our record there."""
    with open_session(database) as session:
        sentinel.install(session)
    omega_bridge.boot(database, STEPS)
    steps = [GUARDED.format(name) for name in ("ledger", "chain", "states", "state", "catalogs", "marks", "seen", "watch")]
    run = omega_bridge.boot(database, [*STEPS, *steps])
    assert (run.outcome, run.warnings) == ("repaired", ())
    assert [s.outcome for s in run.steps if s.action == "run"] == ["applied"] * 8


def test_every_object_of_ours_bears_our_name(database: str) -> None:
    """Tables, indexes, constraints, functions and triggers, the event trigger's too: no list asks for one of these names."""
    execute(database, "CREATE SCHEMA other")
    with open_session(database) as session:
        sentinel.install(session)
    omega_bridge.boot(database, STEPS)
    omega_bridge.boot(
        f"{database}{'&' if '?' in database else '?'}options=-csearch_path%3Dother", STEPS
    )  # and so the other function
    ours = "IN ('omega_bridge'::regnamespace, 'omega_bridge_sentinel'::regnamespace)"
    with open_session(database) as session:
        names = session.rows(
            f"SELECT relname FROM pg_class WHERE relnamespace {ours} UNION ALL SELECT proname FROM pg_proc WHERE pronamespace {ours}"
            f" UNION ALL SELECT conname FROM pg_constraint WHERE connamespace {ours} UNION ALL SELECT tgname FROM pg_trigger t"
            f" JOIN pg_class c ON c.oid = t.tgrelid WHERE relnamespace {ours} UNION ALL SELECT evtname FROM pg_event_trigger"
        )
    assert len(names) > 20
    assert [name for (name,) in names if not name.startswith("omega_bridge_")] == []


def test_the_first_revision_is_no_change_to_look_into(database: str, tmp_path: Path) -> None:
    """The first start behind an export makes ``alembic_version``, and the second has nothing to do, although a step may reach anywhere."""
    steps = [*STEPS, "GRANT SELECT ON t TO PUBLIC"]
    omega_bridge.boot(database, steps)
    export(analyse(Registry.of(steps)), tmp_path)
    assert omega_bridge.boot(database, steps, history=tmp_path).revision is not None
    assert omega_bridge.boot(database, steps, history=tmp_path).round_trips == 1
