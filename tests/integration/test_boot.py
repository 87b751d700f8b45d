"""The self-repair at start: outcomes, convergence, rows, transactions, data, and what stops it."""

from __future__ import annotations

import asyncio
import gc
import inspect
import logging
import re
import time
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import CheckConstraint, Column, ForeignKey, Integer, MetaData, String, Table, create_engine

import omega_bridge
from omega_bridge import OmegaBridgeError, Run, Step
from omega_bridge.catalog import diff
from omega_bridge.config import load_config
from omega_bridge.postgres.catalog_reader import read_catalog
from omega_bridge.sources import load
from omega_bridge.startup.run import BootOptions
from tests.fixtures.databases import MakeDatabase

ROOT = Path(__file__).parents[2]
T = "CREATE TABLE IF NOT EXISTS t (id int PRIMARY KEY, name text)"
A = "ALTER TABLE t ADD COLUMN IF NOT EXISTS a int DEFAULT 7"


def query(url: str, text: str) -> Any:
    """The first row of a query."""
    with psycopg.connect(url, autocommit=True) as conn:
        return conn.execute(text.encode()).fetchone()


def execute(url: str, *texts: str) -> None:
    """Statements by another hand."""
    with psycopg.connect(url, autocommit=True) as conn:
        for text in texts:
            conn.execute(text.encode())


def outcomes(run: Run) -> dict[str, str]:
    """Outcome by id."""
    return {s.id: str(s.outcome) for s in run.steps}


def swallowed(statement: str) -> str:
    """A block that hides its error."""
    return f"DO $$ BEGIN {statement}; EXCEPTION WHEN OTHERS THEN RAISE NOTICE 'hidden: %', SQLERRM; END $$"


# --- convergence -----------------------------------------------------------------------------------------------


def test_one_boot_reaches_what_the_loop_needs_three_starts_for(make_database: MakeDatabase) -> None:
    """A list in the wrong order settles at once, and the steps that stand wrong are named with what they need."""
    listed = [
        swallowed("CREATE INDEX IF NOT EXISTS t_b ON t (b)"),
        swallowed("ALTER TABLE t ADD COLUMN IF NOT EXISTS b int"),
        T,
    ]
    looped, booted = make_database(), make_database()
    with psycopg.connect(looped, autocommit=True) as conn:
        for _ in range(3):
            for text in listed:
                conn.execute(text.encode())
        wanted = read_catalog(conn)
    run = omega_bridge.boot(booted, listed)
    with psycopg.connect(booted, autocommit=True) as conn:
        assert diff(wanted, read_catalog(conn)) == ()
    assert dict(run.misplaced) == {"index-t-b": "table t", "t-b": "table t"}
    assert [str(w) for w in run.warnings if "stands before what it needs" in w] != []


def test_what_is_there_is_not_sent(database: str, caplog: pytest.LogCaptureFixture) -> None:
    """A column dropped by hand comes back; nothing else is sent, and what is sent is logged with its reason and time."""
    omega_bridge.boot(database, [T, A])
    execute(database, "ALTER TABLE t DROP COLUMN a")
    with caplog.at_level(logging.INFO, "omega_bridge"):
        run = omega_bridge.boot(database, [T, A])
    assert outcomes(run) == {"create-t": "already-there", "t-a": "applied"}
    assert "[MIGRATION] Applying step t-a (column t.a is missing)" in caplog.messages
    assert any(m.startswith("[MIGRATION] step t-a: applied in ") for m in caplog.messages)


def test_a_guard_satisfied_by_another_table_is_told(database: str) -> None:
    """information_schema without a schema: another schema's table satisfies the guard, and the column never comes."""
    execute(database, "CREATE SCHEMA other; CREATE TABLE other.t (flag boolean)")
    guarded = (
        "DO $$ BEGIN IF NOT EXISTS (SELECT 1 FROM information_schema.columns WHERE table_name = 't' AND column_name = 'flag')"
        " THEN ALTER TABLE t ADD COLUMN flag boolean; END IF; END $$"
    )
    run = omega_bridge.boot(database, [T, guarded])
    told = next(s for s in run.steps if s.id == "t-flag")
    assert "flag" not in str(query(database, "SELECT array_agg(attname) FROM pg_attribute WHERE attrelid = 'public.t'::regclass"))
    assert told.outcome in ("already-there", "no-effect")
    assert any("guard is satisfied by something else" in w for w in run.warnings) or "guard" in told.reason


def test_tables_that_only_the_models_know(database: str) -> None:
    """Created table by table and retried with the steps: one that refers to a step's table waits for it."""
    metadata = MetaData()
    Table("alone", metadata, Column("id", Integer, primary_key=True))
    Table("t", metadata, Column("id", Integer, primary_key=True), Column("name", String), Column("missing", Integer))
    Table("child", metadata, Column("id", Integer, primary_key=True), Column("t_id", ForeignKey("t.id")))
    run = omega_bridge.boot(database, [T], metadata=metadata, critical_tables=["t", "alone", "nowhere"], on_gap="degraded")
    assert outcomes(run) == {"model-alone": "applied", "model-child": "applied", "create-t": "applied"}
    assert [(c.name, c.state) for c in run.inspection] == [("t", "old-shape"), ("alone", "present"), ("nowhere", "missing")]
    assert not run.ready
    unready = "critical table nowhere is missing at the end: the start is not ready"
    assert unready in run.warnings
    again = omega_bridge.boot(database, [T, A], metadata=metadata, critical_tables=["t"], on_gap="degraded")
    assert [(c.name, c.state, c.lacks) for c in again.inspection] == [("t", "old-shape", ("missing",))]


def test_a_start_with_nothing_to_do_tells_a_critical_table_that_is_missing(
    database: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Beside the word that the schema is as the list says: who reads the log must not take it for ready."""
    caplog.set_level("INFO", "omega_bridge")
    for outcome in ("repaired", "current"):
        caplog.clear()
        run = omega_bridge.boot(database, [T], critical_tables=["t", "nowhere"])
        assert (run.outcome, run.ready) == (outcome, False)
        assert run.warnings == ("critical table nowhere is missing at the end: the start is not ready",)
        assert f"[MIGRATION] {run.warnings[0]}" in [r.getMessage() for r in caplog.records if r.levelname == "WARNING"]


# --- outcomes --------------------------------------------------------------------------------------------------


def test_models_are_written_as_they_are(database: str) -> None:
    """No driver formats the text of a table, so that a percent sign is one, in names, too."""
    metadata = MetaData()
    share = Column("share %", Integer, CheckConstraint('"share %" % 2 = 0'), index=True)
    Table("t", metadata, Column("id", Integer, primary_key=True), Column("told", String, server_default="100 %"), share)
    assert omega_bridge.boot(database, [T.replace("t (", "other (")], metadata=metadata).outcome == "repaired"
    execute(database, 'INSERT INTO t ("share %") VALUES (4)')
    assert query(database, 'SELECT told, "share %" FROM t') == ("100 %", 4)
    assert query(database, "SELECT count(*) FROM pg_indexes WHERE indexname = 'ix_t_share %'") == (1,)


def test_an_index_without_a_name_is_told(database: str) -> None:
    """A naming convention that forgets indexes leaves the models' own without one."""
    metadata = MetaData(naming_convention={"pk": "pk_%(table_name)s"})
    Table("t", metadata, Column("id", Integer, primary_key=True), Column("a", Integer, index=True))
    with pytest.raises(OmegaBridgeError, match=r"t \(a\)") as told:
        omega_bridge.boot(database, [T.replace("t (", "other (")], metadata=metadata)
    assert "naming convention" in told.value.hint
    assert query(database, "SELECT to_regclass('other')") == (None,)


def test_a_step_without_effect_shows_what_it_hides(database: str) -> None:
    """It ran, its promise is not there, and the swallowed error stands beside it; strict makes that an error."""
    listed = [T, swallowed("ALTER TABLE t ADD COLUMN bad nosuchtype")]
    run = omega_bridge.boot(database, listed)
    told = run.steps[1]
    assert (run.outcome, told.outcome) == ("repaired", "no-effect")
    assert 'it hides: 42704: type "nosuchtype" does not exist' in told.reason
    assert any("hidden: " in n for n in told.notices)
    with pytest.raises(OmegaBridgeError) as stopped:
        omega_bridge.boot(database, listed, strict=True)
    assert stopped.value.code == "OB302"
    assert query(database, "SELECT count(*) FROM pg_attribute WHERE attname = 'bad'") == (0,)


def test_a_failing_step_stops_the_start_and_nothing_else(database: str) -> None:
    """One error with id, SQLSTATE and message; the rest is committed and recorded; nothing is half-applied."""
    half = "CREATE TABLE half (a int); ALTER TABLE nowhere ADD COLUMN b int"
    with pytest.raises(OmegaBridgeError) as told:
        omega_bridge.boot(database, [T, ("half", half), A])
    assert told.value.code == "OB301"
    assert 'half: 42P01: relation "nowhere" does not exist' in told.value.message
    assert "on_error" in told.value.hint
    assert query(database, "SELECT to_regclass('half'), to_regclass('t') IS NOT NULL") == (None, True)
    assert query(database, "SELECT count(*) FROM information_schema.columns WHERE column_name = 'a'") == (1,)
    rows = query(
        database,
        "SELECT array_agg(subject || ' ' || outcome ORDER BY seq) FROM omega_bridge.omega_bridge_ledger WHERE event = 'step'",
    )
    assert "half failed" in rows[0]
    assert "t-a applied" in rows[0]
    run = omega_bridge.boot(database, [T, ("half", half), A], on_error="continue")
    assert (run.outcome, run.ready) == ("degraded", True)


# --- rows ------------------------------------------------------------------------------------------------------

DESTROYERS = {
    "drop table": "DROP TABLE t",
    "drop table in a block": "DO $$ BEGIN EXECUTE 'DROP TABLE ' || 't'; END $$",
    "drop column": "ALTER TABLE t DROP COLUMN name",
    "truncate": "TRUNCATE t",
    "drop schema": "DROP SCHEMA s CASCADE",
}


@pytest.mark.parametrize("text", DESTROYERS.values(), ids=[d.replace(" ", "-") for d in DESTROYERS])
def test_rows_are_never_lost_silently(database: str, text: str) -> None:
    """Refused with table and row count, the start goes on; allowed by id, by flag, or on an empty table, it passes."""
    execute(
        database,
        T,
        "INSERT INTO t VALUES (1, 'a'), (2, 'b')",
        "CREATE SCHEMA s; CREATE TABLE s.u (a int); INSERT INTO s.u VALUES (1)",
    )
    run = omega_bridge.boot(database, [("danger", text), "CREATE TABLE IF NOT EXISTS after (a int)"])
    assert outcomes(run)["danger"] == "refused"
    assert "row" in run.steps[0].reason
    assert query(database, "SELECT count(*), count(name) FROM t") == (2, 2)
    assert query(database, "SELECT count(*) FROM s.u") == (1,)
    with pytest.raises(OmegaBridgeError) as told:
        omega_bridge.boot(database, [("danger", text)], strict=True, retry=True)
    assert told.value.code == "OB303"
    assert (
        outcomes(omega_bridge.boot(database, [("danger", text)], allow_destructive=["danger"], retry=True))["danger"] == "applied"
    )


def test_empty_tables_may_go(database: str) -> None:
    """What holds no row is no loss."""
    execute(database, T)
    run = omega_bridge.boot(database, ["DROP TABLE IF EXISTS t"])
    assert [s.outcome for s in run.steps] == ["applied"]
    assert query(database, "SELECT to_regclass('t')") == (None,)


def test_a_flag_lets_it_pass(database: str) -> None:
    """Step(destructive=True) is the list's own word for it."""
    execute(database, T, "INSERT INTO t VALUES (1, 'a')")
    assert [s.outcome for s in omega_bridge.boot(database, [Step("DROP TABLE IF EXISTS t", destructive=True)]).steps] == [
        "applied"
    ]


def test_no_row_of_the_legacy_database_is_lost(database: str) -> None:
    """Every row of every table, before and after, column by column."""
    execute(database, (ROOT / "examples/nexus/legacy.sql").read_text())

    def rows() -> dict[str, list[dict[str, Any]]]:
        with psycopg.connect(database, row_factory=psycopg.rows.dict_row) as conn:
            names = [
                r["relname"]
                for r in conn.execute(
                    "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
                )
            ]
            return {n: conn.execute(f'SELECT * FROM "{n}" ORDER BY 1'.encode()).fetchall() for n in names}

    before = rows()
    config = load_config(start=ROOT)
    registry = load(str(config.steps), root=ROOT, python_path=config.python_paths)
    omega_bridge.boot(database, registry, metadata=config.load_metadata())
    after = rows()
    for table, old in before.items():
        names = {"id": "legacy_id"} if table == "credentials" else {}
        key = next(iter(old[0])) if old else "id"
        now = {row[names.get(key, key)]: row for row in after[table]}
        lost = [
            (table, row[key], column, value, now.get(row[key], {}).get(names.get(column, column)))
            for row in old
            for column, value in row.items()
            if value is not None and now.get(row[key], {}).get(names.get(column, column)) != value
        ]
        assert lost == []


# --- transactions ----------------------------------------------------------------------------------------------


def test_statements_that_refuse_a_transaction(database: str) -> None:
    """CREATE INDEX CONCURRENTLY, VACUUM and a new enum value run, each by itself, and are judged by the catalog."""
    listed = [
        T,
        "CREATE INDEX CONCURRENTLY IF NOT EXISTS t_name ON t (name)",
        "CREATE TYPE mood AS ENUM ('calm')",
        "ALTER TYPE mood ADD VALUE IF NOT EXISTS 'cross'; ALTER TABLE t ADD COLUMN IF NOT EXISTS mood mood DEFAULT 'calm'",
        "VACUUM t",
    ]
    run = omega_bridge.boot(database, listed)
    assert set(outcomes(run).values()) == {"applied"}
    assert omega_bridge.boot(database, listed).outcome == "current"


def test_a_step_may_take_away_what_a_session_has_prepared(database: str) -> None:
    """Within a transaction, or outside of one: the catalog is read on, each step is judged by it, and planned as ever."""
    execute(database, "CREATE TABLE t (id int)", "CREATE TABLE seen (mode text)")
    steps = [
        "ALTER TABLE t ADD COLUMN IF NOT EXISTS a int",
        "DO $$ BEGIN ALTER TABLE t ADD COLUMN IF NOT EXISTS b int; EXECUTE 'DEALLOCATE ALL'; END $$",
        "CREATE INDEX CONCURRENTLY IF NOT EXISTS t_b ON t (b); DEALLOCATE ALL",
        "ALTER TABLE t ADD COLUMN IF NOT EXISTS c int",
        "INSERT INTO seen SELECT current_setting('plan_cache_mode') WHERE NOT EXISTS (SELECT FROM seen)",
    ]
    run = omega_bridge.boot(database, steps)
    assert set(outcomes(run).values()) == {"applied"}
    assert [d.key.name for s in run.steps for d in s.differences] == ["a", "b", "t_b", "c"]
    assert query(database, "SELECT mode FROM seen") == ("auto",)


def test_a_step_may_break_what_reads_the_catalog_after_it(database: str) -> None:
    """It takes away what was prepared, and leaves no time to prepare it again: that step fails, and no other."""
    execute(database, "CREATE TABLE t (id int)")
    breaks = "DO $$ BEGIN EXECUTE 'DEALLOCATE ALL'; PERFORM set_config('statement_timeout', '1ms', true); END $$"
    steps = [breaks, "ALTER TABLE t ADD COLUMN IF NOT EXISTS a int", "ALTER TABLE t ADD COLUMN IF NOT EXISTS b int"]
    run = omega_bridge.boot(database, steps, on_error="continue")
    assert [str(s.outcome) for s in run.steps][1:] == ["applied", "applied"]


def test_names_like_placeholders_are_names(database: str) -> None:
    """What a list names is put into the question once, and not looked through again."""
    execute(database, 'CREATE TABLE "{type_filter}" (id int)')
    with psycopg.connect(database, autocommit=True) as conn:
        assert read_catalog(conn, ["{type_filter}", "{names}", "$1"]).relations == {"{type_filter}"}


def test_an_interrupted_start_leaves_nobody_behind(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C while the server waits for a lock: its work is stopped, the lock of the start is free, and the next one goes on."""

    def interrupted(*_: Any, **__: Any) -> None:
        time.sleep(0.2)
        raise KeyboardInterrupt

    with psycopg.connect(database) as other:
        other.execute("CREATE SCHEMA omega_bridge")
        monkeypatch.setattr("omega_bridge.startup.situation.understood", interrupted)
        with pytest.raises(KeyboardInterrupt):
            omega_bridge.boot(database, [T])
        monkeypatch.undo()
        (count,) = query(
            database,
            "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE datname = current_database())",
        )
        assert count == 0
        assert query(
            database,
            "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'omega-bridge%' AND datname = current_database()",
        ) == (0,)
        other.rollback()
    assert omega_bridge.boot(database, [T]).outcome == "repaired"


def test_a_bad_list_touches_nothing(database: str) -> None:
    """It is refused before the ledger is made."""
    with pytest.raises(OmegaBridgeError):
        omega_bridge.boot(database, [T, ("one", "SELECT 1"), ("one", "SELECT 2")])
    assert query(database, "SELECT to_regnamespace('omega_bridge')") == (None,)


# --- data ------------------------------------------------------------------------------------------------------


def test_data_steps_run_at_every_boot_unless_they_say_otherwise(database: str) -> None:
    """The list's meaning is kept; repeat="once" is once."""
    listed = [
        T,
        ("always", "UPDATE t SET name = 'x' WHERE name IS NULL"),
        Step("INSERT INTO t VALUES (1, NULL)", id="seed", repeat="once"),
    ]
    omega_bridge.boot(database, listed)
    execute(database, "INSERT INTO t VALUES (2, NULL)")
    run = omega_bridge.boot(database, listed)
    assert query(database, "SELECT array_agg(name ORDER BY id) FROM t") == (["x", "x"],)
    assert outcomes(run)["always"] == "applied"
    assert query(database, "SELECT count(*) FROM t") == (2,)


HARD = (
    "100 % %s %(x)s :name {braces} ''quotes'' \"double\" \\d \\n back\\\\slash\nnew line\ttab $1 $$ $tag$ – ñandú 🧵 /* */ -- ;"
)


@pytest.mark.parametrize("form", ["insert", "comment", "block"])
def test_text_arrives_exactly(database: str, form: str) -> None:
    """Percent signs, colons, braces, backslashes, dollar signs, accents: as they were written."""
    literal = "'" + HARD.replace("''", "\x00").replace("'", "''").replace("\x00", "''''") + "'"
    texts = {
        "insert": f"INSERT INTO t SELECT 1, {literal} WHERE NOT EXISTS (SELECT FROM t)",
        "comment": f"COMMENT ON TABLE t IS {literal}",
        "block": f"DO $outer$ BEGIN IF NOT EXISTS (SELECT FROM t) THEN INSERT INTO t VALUES (1, {literal}); END IF; END $outer$",
    }
    omega_bridge.boot(database, [T, texts[form]])
    read = "SELECT obj_description('t'::regclass)" if form == "comment" else "SELECT name FROM t"
    assert query(database, read) == (HARD,)


# --- inputs ----------------------------------------------------------------------------------------------------


def test_hard_names_and_long_steps(database: str) -> None:
    """Quoted and mixed-case names, other schemas, 300 columns, a step of a megabyte, comments that hold ; and $$."""
    columns = ", ".join(f'"Col {n}" int' for n in range(300))
    listed = [
        'CREATE SCHEMA IF NOT EXISTS "My Schema"',
        f'CREATE TABLE IF NOT EXISTS "My Schema"."Tab" ({columns})',
        'ALTER TABLE "My Schema"."Tab" ADD COLUMN IF NOT EXISTS "select" text; /* ; $$ */ -- $$ ; \'\n',
        f"{T}; -- {'x' * 1_000_000}",
        "CREATE TABLE IF NOT EXISTS a (id int PRIMARY KEY); CREATE TABLE IF NOT EXISTS b (id int REFERENCES a(id))",
    ]
    assert omega_bridge.boot(database, listed).outcome == "repaired"
    assert omega_bridge.boot(database, listed).round_trips == 1


UNSENDABLE = {
    "NUL": "SELECT 'a\x00b'",
    "half a surrogate pair": "SELECT '\ud800'",
    "rows from the client": "COPY t FROM STDIN",
    "rows to the client": "SELECT 1; COPY (SELECT * FROM t) to /* it */ stdout WITH CSV",
}


@pytest.mark.parametrize("text", UNSENDABLE.values(), ids=UNSENDABLE)
def test_what_no_server_can_be_sent_is_named(database: str, text: str) -> None:
    """A text that would arrive cut short is not sent: the step fails with the reason, and the others stand."""
    run = omega_bridge.boot(database, [T, ("broken", text), A], on_error="continue")
    assert outcomes(run) == {"create-t": "applied", "broken": "failed", "t-a": "applied"}
    assert re.search("the text holds|rows with the client", next(s.reason for s in run.steps if s.id == "broken"))
    assert omega_bridge.boot(database, [T, ("broken", text), A], on_error="continue").outcome == "degraded"


@pytest.mark.parametrize("depth", [40, 60, 240, 400])
def test_what_nests_too_deep_to_be_read_runs_as_it_is(database: str, depth: int) -> None:
    """A block of whatever depth is no error: the server takes it, and the next start knows that it ran."""
    ifs, ends = "IF true THEN " * depth, "END IF; " * depth
    deep = f"DO $$ BEGIN {ifs} ALTER TABLE t ADD COLUMN IF NOT EXISTS deep int; {ends} END $$"
    assert omega_bridge.boot(database, [T, ("deep", deep)]).outcome == "repaired"
    assert query(database, "SELECT count(*) FROM pg_attribute WHERE attname = 'deep'") == (1,)
    assert omega_bridge.boot(database, [T, ("deep", deep)]).round_trips == 1


def test_engines_are_taken(database: str) -> None:
    """An SQLAlchemy engine is as good as its URL, password included."""
    engine = create_engine(database.replace("postgresql://", "postgresql+psycopg://"))
    assert omega_bridge.boot(engine, [T]).outcome == "repaired"
    engine.dispose()


def test_roles_without_rights_and_read_only_servers(database: str, make_database: MakeDatabase) -> None:
    """Each is told with what to grant, or where to go; a current database needs neither."""
    execute(database, "DO $$ BEGIN CREATE ROLE humble LOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$")
    with pytest.raises(OmegaBridgeError) as told:
        omega_bridge.boot(psycopg.conninfo.make_conninfo(database, user="humble"), [T])
    if told.value.code != "OB202":  # a server that asks for passwords never comes to that
        assert told.value.code == "OB203"
        assert "GRANT CREATE" in told.value.hint
    read_only = psycopg.conninfo.make_conninfo(database, options="-c default_transaction_read_only=on")
    with pytest.raises(OmegaBridgeError) as told:
        omega_bridge.boot(read_only, [T])
    assert told.value.code == "OB204"
    omega_bridge.boot(database, [T])
    assert omega_bridge.boot(read_only, [T]).outcome == "current"


def test_an_older_list_on_a_newer_database(database: str) -> None:
    """What only adds is a warning; anything else is refused with the reason; nothing is undone."""
    omega_bridge.boot(database, [T, A])
    assert omega_bridge.boot(database, [T]).outcome == "current"
    omega_bridge.boot(database, [T, A, "ALTER TABLE t RENAME COLUMN name TO label"])
    with pytest.raises(OmegaBridgeError) as told:
        omega_bridge.boot(database, [T, A])
    assert told.value.code == "OB304"
    assert query(
        database, "SELECT count(*) FROM information_schema.columns WHERE table_name = 't' AND column_name = 'label'"
    ) == (1,)


def test_an_event_loop_goes_on(database: str) -> None:
    """boot_async is the same boot."""
    assert asyncio.run(omega_bridge.boot_async(database, [T])).outcome == "repaired"


def test_both_starts_take_the_same_arguments() -> None:
    """What ``boot`` takes by keyword, ``boot_async`` takes, too."""
    names = [p.name for p in inspect.signature(omega_bridge.boot).parameters.values() if p.kind is p.KEYWORD_ONLY]
    assert list(BootOptions.__annotations__) == names


def test_an_entry_without_a_statement_is_passed_over(database: str) -> None:
    """It is told as nothing to do, once; the next start asks its one question."""
    steps = ["CREATE TABLE IF NOT EXISTS t (id int)", "", "-- CREATE TABLE u (id int)"]
    run = omega_bridge.boot(database, steps)
    assert [(s.outcome, s.reason) for s in run.steps[1:]] == [
        ("already-there", "there is nothing to do: it holds no statement")
    ] * 2
    assert omega_bridge.boot(database, steps).round_trips == 1


def test_a_start_leaves_the_collector_of_garbage_as_it_was(database: str) -> None:
    """While it repairs, Python looks for garbage less often."""
    before = gc.isenabled(), gc.get_threshold(), gc.get_freeze_count()
    omega_bridge.boot(database, ["CREATE TABLE IF NOT EXISTS parcels (id int)"])
    assert (gc.isenabled(), gc.get_threshold(), gc.get_freeze_count()) == before
