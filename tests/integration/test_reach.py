"""Tenants of one database start beside one another; what reaches beyond a schema takes turns."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

import omega_bridge
from omega_bridge import OmegaBridgeError, environment
from omega_bridge.analysis import analyse
from omega_bridge.catalog import Catalog, Key, Kind
from omega_bridge.config import Config
from omega_bridge.planning import reach
from omega_bridge.postgres.lock_keys import CLASS, DATABASE, Wanted, to_lock
from omega_bridge.revisions import alembic_border
from omega_bridge.revisions.files import export
from omega_bridge.steps import Registry

T = "CREATE TABLE IF NOT EXISTS t (id int PRIMARY KEY, a int)"
FILL = "INSERT INTO t VALUES (1, 1) ON CONFLICT DO NOTHING"


@pytest.fixture
def tenants(database: str) -> dict[str, str]:
    """A URL for each tenant."""
    with psycopg.connect(database, autocommit=True) as conn:
        conn.execute("CREATE SCHEMA one; CREATE SCHEMA two")
    return {name: make_conninfo(database, options=f"-csearch_path={name}") for name in ("one", "two")}


@contextmanager
def held(database: str, table: str) -> Iterator[psycopg.Connection]:
    """A table that somebody reads, until the transaction ends."""
    with psycopg.connect(database) as conn:
        conn.execute(f"SELECT * FROM {table}".encode())
        yield conn


@contextmanager
def at_work(database: str, url: str, steps: list[str], **options: Any) -> Iterator[list[str]]:
    """A start in a thread, which has sent something that waits; what it ended as, after the block."""
    ended: list[str] = []

    def start() -> None:
        try:
            ended.append(str(omega_bridge.boot(url, steps, **options).outcome))
        except OmegaBridgeError as error:
            ended.append(error.code)

    thread = threading.Thread(target=start)
    thread.start()
    waits = (
        "SELECT count(*) > 0 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND application_name LIKE 'omega-bridge%'"
        " AND datname = current_database()"
    )
    with psycopg.connect(database, autocommit=True) as conn:
        while thread.is_alive() and conn.execute(waits).fetchone() != (True,):
            time.sleep(0.01)
    yield ended
    thread.join()


@pytest.mark.parametrize(
    "slow",
    [
        "UPDATE t SET a = 2 WHERE id = 1",
        "ALTER TABLE t ADD COLUMN IF NOT EXISTS b int",
        "CREATE INDEX IF NOT EXISTS t_a ON t (a)",
        pytest.param(
            "CREATE INDEX CONCURRENTLY IF NOT EXISTS t_a ON t (a)", marks=pytest.mark.long
        ),  # waits for the watcher, too
        "DO $$ BEGIN IF (SELECT count(*) FROM t) > 0 THEN UPDATE t SET a = 2; END IF; END $$",
    ],
    ids=["data", "column", "index", "concurrently", "block"],
)
def test_a_tenant_waits_for_no_other(database: str, tenants: dict[str, str], slow: str) -> None:
    """While one tenant's data step or DDL is at work, another one repairs from beginning to end."""
    for url in tenants.values():
        omega_bridge.boot(url, [T, FILL])
    with psycopg.connect(database) as holder:
        holder.execute("LOCK TABLE one.t IN ROW EXCLUSIVE MODE; UPDATE one.t SET a = a")
        with at_work(database, tenants["one"], [T, FILL, slow], table_lock_timeout=20.0) as ended:
            run = omega_bridge.boot(tenants["two"], [T, FILL, slow], lock_timeout=0.0, boot_timeout=20.0)
            assert (run.outcome, ended) == ("repaired", [])
            holder.rollback()
    assert ended == ["repaired"]


@pytest.mark.parametrize(
    "wide",
    [
        "ALTER TABLE public.shared ADD COLUMN IF NOT EXISTS b int",
        "DO $$ DECLARE r record; BEGIN FOR r IN SELECT 1 LOOP EXECUTE 'ALTER TABLE public.shared ADD COLUMN IF NOT EXISTS b int'; END LOOP; END $$",
        "CREATE EXTENSION IF NOT EXISTS citext SCHEMA public; ALTER TABLE public.shared ADD COLUMN IF NOT EXISTS b int",
        "SELECT public.reaching()",
        "ALTER TABLE public.shared ADD COLUMN IF NOT EXISTS b int; CREATE INDEX CONCURRENTLY IF NOT EXISTS t_a ON t (a)",
    ],
    ids=["qualified", "dynamic", "extension", "function", "outside"],
)
def test_what_reaches_beyond_takes_turns(database: str, tenants: dict[str, str], wide: str) -> None:
    """Two tenants never send such a step at the same moment: the second waits, as long as it may, and names the first."""
    with psycopg.connect(database, autocommit=True) as conn:
        conn.execute("CREATE TABLE public.shared (id int)")
        conn.execute(
            "CREATE FUNCTION public.reaching() RETURNS void LANGUAGE plpgsql AS"
            " $$ BEGIN ALTER TABLE public.shared ADD COLUMN IF NOT EXISTS b int; END $$"
        )
    for url in tenants.values():
        omega_bridge.boot(url, [T])
    with (
        held(database, "public.shared") as reader,
        at_work(database, tenants["one"], [T, wide], table_lock_timeout=20.0) as ended,
    ):
        with pytest.raises(OmegaBridgeError) as told:
            omega_bridge.boot(tenants["two"], [T, wide], lock_timeout=0.3)
        assert (told.value.code, ended) == ("OB401", [])
        assert "omega-bridge" in told.value.message
        reader.rollback()
    assert ended == ["repaired"]
    assert omega_bridge.boot(tenants["two"], [T, wide]).outcome in ("repaired", "current")
    with psycopg.connect(database) as conn:
        mine = "database = (SELECT oid FROM pg_database WHERE datname = current_database())"
        assert conn.execute(f"SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND {mine}".encode()).fetchone() == (0,)


def test_replicas_of_many_tenants_start_at_once(database: str) -> None:
    """Three replicas of each of six tenants, on a database without a record: what a list makes is made once, and the chain holds."""
    names = [f"tenant{n}" for n in range(6)]
    with psycopg.connect(database, autocommit=True) as conn:
        for name in names:
            conn.execute(f"CREATE SCHEMA {name}".encode())
    urls = [make_conninfo(database, options=f"-csearch_path={name}") for name in names for _ in range(3)]
    steps = [
        "CREATE EXTENSION IF NOT EXISTS citext SCHEMA public",
        T,
        "ALTER TABLE t ADD COLUMN IF NOT EXISTS b public.citext",
        FILL,
    ]
    with ThreadPoolExecutor(len(urls)) as pool:
        runs = list(pool.map(lambda url: omega_bridge.boot(url, steps), urls))
    assert {str(run.outcome) for run in runs} <= {"repaired", "current"}
    with psycopg.connect(database) as conn:
        applied = conn.execute(
            "SELECT detail #>> '{by,schema}', subject, count(*) FROM omega_bridge.omega_bridge_ledger"
            " WHERE event = 'step' AND outcome = 'applied' AND subject IN ('create-t', 't-b') GROUP BY 1, 2 ORDER BY 1, 2"
        ).fetchall()
        broken = conn.execute(
            "SELECT count(*) FROM omega_bridge.omega_bridge_ledger l WHERE seq > 1"
            " AND NOT EXISTS (SELECT FROM omega_bridge.omega_bridge_ledger b WHERE b.seq = l.seq - 1 AND b.hash = l.previous)"
        ).fetchone()
    assert applied == [(name, subject, 1) for name in names for subject in ("create-t", "t-b")]
    assert broken == (0,)
    assert [omega_bridge.boot(url, steps).outcome for url in urls] == ["current"] * len(urls)


def test_replicas_agree_where_the_list_makes_their_schema(database: str) -> None:
    """A role whose search path leads to a schema that the list makes: who connects before and after that wait for one another."""
    url = make_conninfo(database, options="-csearch_path=app,public")
    steps = ["CREATE SCHEMA IF NOT EXISTS app", "CREATE TABLE IF NOT EXISTS app.t (id int)"]
    with held_schema(database, "app"), pytest.raises(OmegaBridgeError) as told:
        omega_bridge.boot(url, steps, lock_timeout=0.2)
    assert told.value.code == "OB401"
    with ThreadPoolExecutor(8) as pool:
        runs = list(pool.map(lambda _: omega_bridge.boot(url, steps), range(8)))
    assert sorted(str(r.outcome) for r in runs) == ["current"] * 7 + ["repaired"]


@contextmanager
def held_schema(database: str, name: str) -> Iterator[None]:
    """Another start holds the lock of a schema."""
    with psycopg.connect(database, autocommit=True) as conn:
        for take in Wanted((name,)).keys:
            conn.execute(f"SELECT {take}".encode())
        yield


@pytest.mark.parametrize(
    ("path", "schema", "wanted"),
    [
        ('"$user", public', "public", Wanted(("public",), ("me",))),
        ('"$user", public', "me", Wanted(("me",))),
        ('app, "Other one"', None, Wanted(("app", "Other one"))),
        ('a, "b, ""c""", D', "d", Wanted(("d",), ("a", 'b, "c"'))),
        ("", None, Wanted(("",))),
    ],
)
def test_what_a_start_locks(path: str, schema: str | None, wanted: Wanted) -> None:
    """The schema that it works in, and those that are ahead of it on the search path and may come to be."""
    assert to_lock(path, "me", schema) == wanted


@pytest.mark.parametrize(
    "text",
    [
        "CREATE ROLE r", "GRANT a TO b", "GRANT SELECT ON t TO r", "ALTER DATABASE d SET x.y = 1", "COMMENT ON DATABASE d IS 'x'",
        "CREATE EXTENSION IF NOT EXISTS citext", "CREATE SCHEMA IF NOT EXISTS s", "CREATE PUBLICATION p FOR ALL TABLES", "VACUUM",
        "SET search_path = other", "SELECT set_config('search_path', 'other', false)", "LOCK TABLE o.t", "REINDEX TABLE o.t",
        "DROP TABLE t CASCADE", "ALTER TABLE t INHERIT o.p", "ALTER TABLE t SET SCHEMA o", "UPDATE shared SET a = 1", "COPY t FROM '/x'",
        "CREATE TABLE u (id int REFERENCES public.shared (id))", "WITH x AS (DELETE FROM o.t RETURNING *) INSERT INTO t SELECT * FROM x",
        "DO $$ BEGIN EXECUTE format('DROP TABLE %s', 'o.t'); END $$", "CREATE EVENT TRIGGER e ON sql_drop EXECUTE FUNCTION f()",
        "SELECT query_to_xml('DROP TABLE o.t', true, true, '')", "CREATE INDEX ON public.shared (id)", "DROP INDEX o.i", "not SQL",
        "DO $$ BEGIN IF g() > 1 THEN UPDATE t SET a = 1; END IF; END $$",
    ],
)  # fmt: skip
def test_what_may_reach_beyond(text: str) -> None:
    """Extensions, roles, publications, other schemas, and what is not read for certain."""
    assert _calls(text) is None


@pytest.mark.parametrize(
    ("text", "called"),
    [
        ("UPDATE t SET a = 1 FROM pg_sleep(1)", {"pg_sleep"}),
        ("SELECT pg_sleep(3)", {"pg_sleep"}),
        ("DO $$ BEGIN PERFORM slug('x'); END $$", {"slug"}),
        ("ALTER TABLE t ADD COLUMN b int DEFAULT f()", {"f"}),
        ("DO $$ BEGIN IF (SELECT count(*) FROM t) > 1 THEN UPDATE t SET a = 1; END IF; END $$", {"count"}),
        ("INSERT INTO t SELECT * FROM o.t", set()),
        ("INSERT INTO t SELECT * FROM shared", set()),
        ("CREATE INDEX CONCURRENTLY i ON t (a)", set()),
        ("CREATE TABLE IF NOT EXISTS one.u (id int REFERENCES t (id))", set()),
        ("DROP TABLE IF EXISTS u", set()),
        ("REFRESH MATERIALIZED VIEW m", set()),
        ("VACUUM t", set()),
    ],
)
def test_what_keeps_to_its_schema(text: str, called: set[str]) -> None:
    """Rows and objects of the schema's own; a function that is called is one of PostgreSQL's own, or may do anything."""
    assert _calls(text) == called


def _calls(text: str) -> frozenset[str] | None:
    there = {Key(Kind.TABLE, "public", "", "shared"): {"kind": "r"}, Key(Kind.TABLE, "one", "", "t"): {"kind": "r"}}
    (step,) = analyse(Registry.of([text]))
    return reach.calls(step, Catalog(there, ("one", "public")), ("one",))


def test_an_upgrade_waits_for_no_other_tenant(
    database: str, tenants: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """``alembic upgrade`` in a schema goes on beside a start in another; what reaches beyond waits for its turn."""
    for waits in ("environment", "environment.recorder"):
        monkeypatch.setattr(f"omega_bridge.{waits}.LOCK_TIMEOUT", 0.2)
    for url in tenants.values():
        omega_bridge.boot(url, [T])
    lists = {"narrow": [T, FILL], "wide": [T, "CREATE EXTENSION IF NOT EXISTS citext SCHEMA public"]}
    for name, steps in lists.items():
        export(analyse(Registry.of(steps)), tmp_path / name)
    with held_schema(database, "two"), psycopg.connect(database, autocommit=True) as other:
        other.execute(f"SELECT pg_advisory_lock({CLASS}, {DATABASE})")
        _upgrade(tmp_path / "narrow", tenants["one"])
        assert other.execute("SELECT count(*) FROM one.t").fetchone() == (1,)
        with pytest.raises(OmegaBridgeError) as told:
            _upgrade(tmp_path / "narrow", tenants["two"])
        assert told.value.code == "OB401"
        other.execute("DELETE FROM one.alembic_version")
        with pytest.raises(OmegaBridgeError) as told:
            _upgrade(tmp_path / "wide", tenants["one"])
        assert told.value.code == "OB401"
        assert f"pid {other.info.backend_pid}" in told.value.message
        other.execute(f"SELECT pg_advisory_unlock({CLASS}, {DATABASE})")
        _upgrade(tmp_path / "wide", tenants["one"])


def _upgrade(folder: Path, url: str) -> None:
    alembic = alembic_border.alembic_config(folder, url)
    alembic.attributes["omega_bridge_config"] = Config(root=folder)
    environment.upgrade(alembic, "head")
