"""A step that has work again after a later one: in the history it runs once more there, so that history and start agree."""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path

import psycopg
import pytest

import omega_bridge
from omega_bridge import environment
from omega_bridge.analysis import analyse
from omega_bridge.audit.equivalence import verify
from omega_bridge.audit.proofs import prover
from omega_bridge.audit.verdict import PAST
from omega_bridge.catalog import Catalog, diff
from omega_bridge.config import Config
from omega_bridge.embedded import Server
from omega_bridge.errors import Irreversible
from omega_bridge.postgres.catalog_reader import read_catalog
from omega_bridge.revisions import alembic_border, sums
from omega_bridge.revisions.files import Export, PastList, export_past
from omega_bridge.steps import Registry
from tests.fixtures.databases import MakeDatabase

ENV = "from alembic import context\nfrom omega_bridge.environment import run\n\nrun(context)\n"
A, B, C = (f"CREATE TABLE IF NOT EXISTS {name} (id int PRIMARY KEY)" for name in "abc")
Y = "ALTER TABLE a ADD COLUMN IF NOT EXISTS y int"
STAMPS = """DO $$ DECLARE t record; BEGIN
  FOR t IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'alembic_version' LOOP
    EXECUTE format('ALTER TABLE %I ADD COLUMN IF NOT EXISTS created_at timestamptz', t.tablename);
  END LOOP;
END $$"""
GUARDED = """DO $$ BEGIN
  IF EXISTS (SELECT 1 FROM information_schema.tables WHERE table_name = 'b') THEN
    ALTER TABLE a ADD COLUMN IF NOT EXISTS x int;
  END IF;
END $$"""
STAR = "CREATE OR REPLACE VIEW v AS SELECT * FROM a"
NARROW, WIDE = "CREATE OR REPLACE VIEW v AS SELECT id FROM a", "CREATE OR REPLACE VIEW v AS SELECT id, y FROM a"
ANEW, OTHER = (f"DROP VIEW IF EXISTS v; CREATE VIEW v AS SELECT {column} FROM a" for column in ("id", "y"))
MADE = "DO $$ BEGIN FOR i IN 1..2 LOOP IF to_regclass('d') IS NULL THEN CREATE TABLE d (id int); END IF; END LOOP; END $$"

LATE = """DO $$ BEGIN IF current_setting('server_version_num')::int > 90000 THEN
  EXECUTE 'ALTER TABLE IF EXISTS a ADD COLUMN IF NOT EXISTS late int'; END IF; END $$"""

TARGET = """DO $$ BEGIN IF EXISTS (SELECT 1 FROM information_schema.tables WHERE table_name = 'a') THEN
  ALTER TABLE a ALTER COLUMN id SET STATISTICS 200; END IF; END $$"""

LISTS = {
    "loop": ([A, STAMPS, B, C], ["5 settle create-c"]),
    "loop-last": ([A, B, STAMPS], []),
    "guard-met-late": ([A, GUARDED, B, C], ["5 settle create-b"]),
    "chain": ([A, STAR, GUARDED, B], ["5 settle create-b", "6 settle a-x"]),
    "two-at-once": (
        [A, STAR, C, GUARDED, GUARDED.replace("TABLE a", "TABLE c"), B],
        ["7 settle create-b", "8 settle create-b", "9 settle a-x"],
    ),
    "view-of-star": ([A, STAR, Y, C], ["5 settle a-y"]),
    "view-widened": ([A, NARROW, Y, WIDE, C], []),
    "view-made-once": ([A, Y, STAR, "CREATE VIEW v AS SELECT id FROM a"], []),
    "view-made-anew": ([A, ANEW, Y, OTHER, C], []),
    "script": (["BEGIN; CREATE TABLE IF NOT EXISTS a (id int PRIMARY KEY); COMMIT", B, C], []),
    "rejected-at-first": (["CREATE OR REPLACE VIEW v AS SELECT id FROM d", MADE], ["3 settle step-dc12f307"]),
    "order-of-columns": ([LATE, "CREATE TABLE IF NOT EXISTS a (id int)", Y], ["4 settle a-y"]),
    "search-path-left": ([A, "CREATE SCHEMA IF NOT EXISTS side", "SET search_path TO side, public"], []),
    "concurrently-ahead-of-its-table": (
        ["CREATE INDEX CONCURRENTLY IF NOT EXISTS d_id ON d (id)", MADE],
        ["3 settle step-dc12f307"],
    ),
    "renamed-once-more": (
        [
            A,
            "DO $$ BEGIN FOR i IN 1..3 LOOP EXIT WHEN EXISTS (SELECT 1 FROM information_schema.columns WHERE table_name = 'a' AND"
            " column_name = 'y'); ALTER TABLE a ADD COLUMN y int; END LOOP; END $$",
            "DO $$ BEGIN IF to_regclass('d') IS NULL THEN ALTER TABLE a RENAME TO d; END IF; END $$",
            "DO $$ BEGIN IF to_regclass('a') IS NOT NULL AND NOT EXISTS (SELECT 1 FROM information_schema.columns WHERE table_name = 'a'"
            " AND column_name = 'y_v2') THEN ALTER TABLE a RENAME COLUMN y TO y_v2; END IF; END $$",
        ],
        ["5 settle rename-d", "6 settle rename-d", "7 settle step-3da6cf29", "8 settle rename-a-y-v2"],
    ),
    "target-met-late": ([TARGET, A], ["3 settle create-a"]),
    "schema-met-late": (["GRANT USAGE ON SCHEMA side TO PUBLIC", "CREATE SCHEMA side"], ["3 settle schema-side"]),
    "rejected-ahead-of-who-waits": (
        [
            "DO $$ DECLARE n int; BEGIN SELECT count(*) INTO n FROM pg_class WHERE relname = 'd';"
            " IF n = 0 THEN CREATE TABLE d (LIKE a INCLUDING ALL); END IF; END $$",
            "CREATE TABLE IF NOT EXISTS d (LIKE a, extra int)",
            A,
        ],
        ["3 settle create-a"],
    ),
    "script-before-its-table": (
        ["BEGIN; ALTER TABLE a ADD COLUMN IF NOT EXISTS inside int; COMMIT", A],
        ["3 settle create-a"],
    ),
    "script-and-more": (
        [
            "BEGIN; CREATE TABLE IF NOT EXISTS a (id int); COMMIT; ALTER TABLE a ADD COLUMN IF NOT EXISTS b int REFERENCES b (id)",
            B,
        ],
        ["3 settle create-b"],
    ),
    "handler-that-works-the-second-time": (
        [
            "DO $$ BEGIN CREATE TABLE a (id int PRIMARY KEY); EXCEPTION WHEN duplicate_table THEN"
            " ALTER TABLE a ADD COLUMN IF NOT EXISTS late int; END $$",
            B,
        ],
        ["2 settle create-a"],
    ),
    "unread-that-works-the-second-time": (
        [
            A,
            "DO $$ BEGIN IF NOT EXISTS (SELECT 1 FROM information_schema.columns WHERE table_name = 'a' AND column_name = 'x') THEN"
            " EXECUTE 'ALTER TABLE a ADD COLUMN x int';"
            " ELSIF (SELECT count(*) FROM information_schema.columns WHERE table_name = 'a') = 2 THEN"
            " EXECUTE 'ALTER TABLE a ADD COLUMN late int'; END IF; END $$",
            B,
        ],
        ["3 settle a-x"],
    ),
    "search-path-of-one-transaction": (
        [
            "CREATE SCHEMA IF NOT EXISTS side",
            "DO $$ BEGIN SET LOCAL search_path TO side; CREATE TABLE IF NOT EXISTS a (id int); END $$",
            A,
        ],
        [],
    ),
    "rows-that-come-and-go": (
        [
            A,
            "INSERT INTO a VALUES (1) ON CONFLICT DO NOTHING",
            "DO $$ BEGIN DELETE FROM a WHERE id = 1; IF NOT FOUND THEN CREATE TABLE c (id int); END IF; END $$",
        ],
        [],
    ),
    "loop-and-rows": ([A, STAMPS, "INSERT INTO a VALUES (1) ON CONFLICT DO NOTHING", B], ["5 settle create-b"]),
}


def compiled(folder: Path, server: Server | None, *lists: Sequence[str]) -> Export:
    """The history of lists that came one after the other; proven where there is a server."""
    folder.mkdir(exist_ok=True)
    (folder / "env.py").write_text(ENV)
    past = [PastList(analyse(Registry.of(steps))) for steps in lists]
    if server is None:
        return export_past(past, folder)
    with prover(server) as judge:
        return export_past(past, folder, prover=lambda _n: nullcontext(judge))


def again(done: Export) -> list[str]:
    """Number and kind of the revisions that run a step once more, and the step after which they do."""
    return [f"{r.number} {r.kind} {r.again.after}" for r in done.revisions if r.again]


def upgraded(url: str, folder: Path, registry: Registry | None = None, target: str = "head") -> Catalog:
    """The catalog after ``alembic upgrade``."""
    config = alembic_border.alembic_config(folder, url)
    config.attributes["omega_bridge_config"] = Config(root=folder)
    config.attributes["omega_bridge_registry"] = (registry, None)
    environment.upgrade(config, target)
    return catalog(url)


def catalog(url: str) -> Catalog:
    """Everything but the bridge's own."""
    with psycopg.connect(url, autocommit=True) as conn:
        return read_catalog(conn)


def looped(url: str, steps: Sequence[str], rounds: int = 3) -> Catalog:
    """The catalog that starts of the naive loop come to."""
    for _ in range(rounds):
        with psycopg.connect(url, autocommit=True) as conn:
            for step in steps:
                try:
                    conn.execute(step.encode())
                except psycopg.Error:
                    conn.rollback()
    return catalog(url)


@pytest.mark.parametrize("name", [pytest.param(n, marks=[pytest.mark.long] if k % 3 else []) for k, n in enumerate(LISTS)])
def test_history_start_and_loop_agree(tmp_path: Path, make_database: MakeDatabase, server: Server, name: str) -> None:
    """The revisions that are wanted and no others; upgraded, booted and looped databases are one; a start then sends nothing."""
    steps, wanted = LISTS[name]
    registry, folder = Registry.of(steps), tmp_path / "alembic"
    assert again(compiled(folder, server, steps)) == wanted
    url, booted = make_database(), make_database()
    found = upgraded(url, folder, registry)
    assert diff(found, looped(make_database(), steps)) == ()
    omega_bridge.boot(booted, registry, history=folder)
    assert diff(found, catalog(booted)) == ()
    after = omega_bridge.boot(url, registry, history=folder)
    assert after.outcome == "current"
    assert [s.id for s in after.steps if s.kind != "data"] == []
    assert diff(found, catalog(url)) == ()
    assert verify(registry, None, server, history=folder).equivalent
    assert compiled(folder, server, steps).revisions == ()


def test_the_file_says_why_and_what(tmp_path: Path, database: str, server: Server) -> None:
    """Who reads the history learns which step gave the work and what was done; the way back is refused with the reason."""
    folder = tmp_path / "alembic"
    compiled(folder, server, LISTS["loop"][0])
    text = next((folder / "versions").glob("0005_*")).read_text()
    assert re.search(r"^step-\w+: once more, now that create-c has run$", text, re.M)
    assert "Again: a start runs this step once more after create-c, where it\n  - creates column public.b.created_at\n" in text
    upgraded(database, folder, target=sums.read_sum(folder)[4].revision)
    config = alembic_border.alembic_config(folder, database)
    config.attributes["omega_bridge_config"] = Config(root=folder)
    with pytest.raises(Irreversible, match="has no way back"):
        environment.downgrade(config, "-1")


def test_what_is_appended_later_gives_work_to_what_stands(tmp_path: Path, make_database: MakeDatabase, server: Server) -> None:
    """A table appended after a release: the loop that stands in the history runs for it, too; a retired one does not."""
    folder = tmp_path / "alembic"
    compiled(folder, server, [A, STAMPS])
    assert again(compiled(folder, server, [A, STAMPS, B])) == ["4 settle create-b"]
    assert diff(upgraded(make_database(), folder), looped(make_database(), [A, STAMPS, B])) == ()
    assert again(compiled(folder, server, [A, B, C])) == []
    found = verify(Registry.of([A, B, C]), None, server, history=folder)
    assert [d for d in found.differences if d.start == PAST] == []


def test_a_past_is_taken_in_as_it_was_lived(tmp_path: Path, make_database: MakeDatabase, server: Server) -> None:
    """Lists of several commits at once: each table's commit is followed by what the loop did for it; later ids move along."""
    longer = STAMPS.replace("timestamptz", "timestamptz DEFAULT now()")
    lists = ([A, STAMPS], [A, STAMPS, B], [A, longer, B], [A, longer, B, C])
    done = compiled(tmp_path / "alembic", server, *lists)
    assert [str(r.kind) for r in done.revisions] == ["step", "step", "step", "settle", "amend", "step", "settle"]
    lines = sums.read_sum(tmp_path / "alembic")
    assert [r.down for r in done.revisions[1:]] == [line.revision for line in lines[:-1]]
    amended = done.revisions[4]
    assert amended.past is not None
    assert amended.past.revision in {line.revision for line in lines}
    lived = make_database()
    for steps in lists:
        looped(lived, steps)
    assert diff(upgraded(make_database(), tmp_path / "alembic"), catalog(lived)) == ()
    found = verify(Registry.of(lists[-1]), None, server, history=tmp_path / "alembic")
    assert [d for d in found.differences if d.start == PAST] == []


def test_rows_of_a_table_that_is_made_anew_are_written_again(tmp_path: Path, make_database: MakeDatabase, server: Server) -> None:
    """A mixed step wrote its rows into a table that was renamed away: as at a start, it runs once more on the new one."""
    steps = [
        "DO $$ BEGIN IF to_regclass('a_new') IS NULL THEN ALTER TABLE a RENAME TO a_new; END IF; END $$",
        "DO $$ BEGIN IF to_regclass('a') IS NULL THEN CREATE TABLE a (id int); END IF; END $$",
        "INSERT INTO a SELECT 2 WHERE NOT EXISTS (SELECT FROM a WHERE id = 2); ALTER TABLE a ADD COLUMN IF NOT EXISTS y int",
    ]
    registry, folder = Registry.of(steps), tmp_path / "alembic"
    compiled(folder, server, steps)
    assert any("  - writes rows of table a, which was made anew\n" in f.read_text() for f in (folder / "versions").glob("*.py"))
    upgraded_url, booted, naive = make_database(), make_database(), make_database()
    upgraded(upgraded_url, folder, registry)
    omega_bridge.boot(booted, registry)
    looped(naive, steps)
    for url in (upgraded_url, booted, naive):
        with psycopg.connect(url, autocommit=True) as conn:
            assert conn.execute("SELECT a, a_new FROM a, a_new").fetchall() == [("(2,)", "(2,)")]


@pytest.mark.parametrize("name", ["loop", "loop-last", "guard-met-late", "view-widened", "view-made-anew"])
def test_without_a_server_it_is_done_at_the_end(tmp_path: Path, make_database: MakeDatabase, name: str) -> None:
    """Nobody can try it: what may have work again runs once more at the end, so that the head is right all the same."""
    steps, wanted = LISTS[name]
    done = compiled(tmp_path / "alembic", None, steps)
    assert len(again(done)) == min(len(wanted), 1)
    assert diff(upgraded(make_database(), tmp_path / "alembic"), looped(make_database(), steps)) == ()


def test_a_widened_view_is_no_reason_to_fail(make_database: MakeDatabase) -> None:
    """A start that has to look again leaves the narrow view to the step that widens it."""
    url = make_database()
    omega_bridge.boot(url, [A, NARROW, Y, WIDE])
    with psycopg.connect(url, autocommit=True) as conn:
        conn.execute("ALTER TABLE a ADD COLUMN by_hand int")
    run = omega_bridge.boot(url, [A, NARROW, Y, WIDE], retry=True)
    assert {s.id: s.reason for s in run.steps}["view-v"] == "a later step takes away or replaces what it makes: view-v-2"
    with psycopg.connect(url, autocommit=True) as conn:
        conn.execute("DROP VIEW v")
    assert omega_bridge.boot(url, [A, NARROW, Y, WIDE]).outcome == "repaired"
    widened = {k: v for k, v in catalog(url).objects.items() if "v" in (k.table, k.name)}
    assert widened == {k: v for k, v in looped(make_database(), [A, NARROW, Y, WIDE]).objects.items() if k in widened}
    assert len(widened) == 3


def test_a_view_is_left_to_who_makes_it_anew(make_database: MakeDatabase) -> None:
    """A plain ``CREATE`` of a view that is there replaces nothing: what an earlier step says anew of it is done."""
    url = make_database()
    later = "CREATE VIEW v AS SELECT y FROM a"
    omega_bridge.boot(url, [A, Y, NARROW, later])
    assert omega_bridge.boot(url, [A, Y, WIDE, later]).outcome == "repaired"
    assert diff(catalog(url), looped(make_database(), [A, Y, WIDE, later])) == ()


@pytest.mark.parametrize(
    ("kind", "before", "after"),
    [
        ("view", "VIEW v AS SELECT id FROM a", "VIEW v AS SELECT y FROM a"),
        ("materialized view", "MATERIALIZED VIEW v AS SELECT id FROM a", "MATERIALIZED VIEW v AS SELECT y FROM a"),
        ("sequence", "SEQUENCE v INCREMENT 2", "SEQUENCE v INCREMENT 3"),
        ("domain", "DOMAIN v AS int", "DOMAIN v AS text"),
        ("type", "TYPE v AS (one int)", "TYPE v AS (one int, two int)"),
        ("enum", "TYPE v AS ENUM ('one')", "TYPE v AS ENUM ('one', 'two')"),
        (
            "function",
            "FUNCTION v() RETURNS int LANGUAGE sql AS 'SELECT 1'",
            "FUNCTION v() RETURNS int LANGUAGE sql AS 'SELECT 2'",
        ),
    ],
    ids=lambda value: value if " " not in value or value == "materialized view" else "",
)
def test_what_is_dropped_and_made_otherwise_is_made(make_database: MakeDatabase, kind: str, before: str, after: str) -> None:
    """``DROP`` and ``CREATE`` of one object in one step: edited, it is the new one that is there; unedited, nothing is sent."""
    url = make_database()
    drop = f"DROP {'TYPE' if kind == 'enum' else before.split(' v')[0]} IF EXISTS v"
    old, new = ([A, Y, f"{drop}; CREATE {made}"] for made in (before, after))
    omega_bridge.boot(url, old)
    assert omega_bridge.boot(url, new).outcome == "repaired"
    assert diff(catalog(url), looped(make_database(), new)) == ()
    assert omega_bridge.boot(url, new).round_trips == 1


def test_the_second_pass_is_in_the_lists_order(tmp_path: Path, make_database: MakeDatabase, server: Server) -> None:
    """What stands ahead of a step that waited, and has work again, comes ahead of it in the history, too."""
    steps = [
        "DO $$ BEGIN IF NOT EXISTS (SELECT 1 FROM pg_rules WHERE rulename = 'r_c') THEN"
        " CREATE RULE r_c AS ON DELETE TO c DO INSTEAD NOTHING; END IF; END $$",
        "DO $$ BEGIN IF to_regclass('c') IS NOT NULL AND to_regclass('d') IS NULL THEN ALTER TABLE c RENAME TO d; END IF; END $$",
        "DROP RULE IF EXISTS r_c ON c; ALTER TABLE a ADD COLUMN IF NOT EXISTS y int",
        A,
        "CREATE TABLE IF NOT EXISTS c (id int)",
    ]
    compiled(tmp_path / "alembic", server, steps)
    assert diff(upgraded(make_database(), tmp_path / "alembic"), looped(make_database(), steps)) == ()


def test_once_more_is_done_already_elsewhere(tmp_path: Path, make_database: MakeDatabase, server: Server) -> None:
    """What an empty database needs once more, one that stands on older tables has from the first time: the upgrade goes on."""
    steps = ["ALTER TABLE IF EXISTS orders RENAME TO orders_new", "CREATE TABLE IF NOT EXISTS orders (id int NOT NULL)"]
    assert again(compiled(tmp_path / "alembic", server, steps)) == ["3 settle create-orders", "4 settle rename-orders-new"]
    older, url = make_database(), make_database()
    for name in (older, url):
        with psycopg.connect(name, autocommit=True) as conn:
            conn.execute("CREATE TABLE orders (id int, seen_at timestamptz)")
    assert diff(upgraded(url, tmp_path / "alembic"), looped(older, steps)) == ()
