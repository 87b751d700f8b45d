"""No step takes rows away unasked, whatever it does it with; what takes none is let through."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest

import omega_bridge
from omega_bridge import Step
from omega_bridge.analysis import analyse
from omega_bridge.cli.app import run
from omega_bridge.errors import StepFailed
from omega_bridge.startup.preview import Promise, preview
from omega_bridge.steps import Registry
from tests.fixtures.databases import MakeDatabase

WIPE = (
    "CREATE OR REPLACE FUNCTION wipe() RETURNS int LANGUAGE plpgsql AS "
    "$f$ BEGIN IF to_regclass('public.t') IS NOT NULL THEN EXECUTE 'DROP TABLE public.t'; END IF; RETURN 1; END $f$"
)
WIPE_TRIGGER = "CREATE OR REPLACE FUNCTION wipes() RETURNS trigger LANGUAGE plpgsql AS $f$ BEGIN TRUNCATE t; RETURN NEW; END $f$"
START = "CREATE TABLE t (id int, v int); INSERT INTO t SELECT g, g FROM generate_series(1, 10) g; CREATE TABLE log (n int);"


@dataclass(frozen=True)
class Loss:
    """A step that would take the ten rows of ``t``, or the values of its column ``v``, away."""

    step: str
    before: tuple[str, ...] = ()
    start: str = START
    asked: str = "SELECT count(v) FROM t"


LOSSES = {
    "drop": Loss("DROP TABLE IF EXISTS t"),
    "drop column": Loss("ALTER TABLE t DROP COLUMN IF EXISTS v"),
    "truncate": Loss("TRUNCATE t"),
    "truncate and insert": Loss("TRUNCATE t; INSERT INTO t VALUES (1, 1)"),
    "truncate and insert as many": Loss(
        "TRUNCATE t; INSERT INTO t SELECT g, -g FROM generate_series(1, 10) g", asked="SELECT count(*) FROM t WHERE v > 0"
    ),
    "rewrite, truncate and insert": Loss("ALTER TABLE t ALTER v TYPE bigint; TRUNCATE t; INSERT INTO t VALUES (1, 1)"),
    "own transaction": Loss("BEGIN; DROP TABLE IF EXISTS t; COMMIT;"),
    "own transaction with savepoints": Loss("BEGIN; SAVEPOINT a; DROP TABLE IF EXISTS t; RELEASE a; END"),
    "start transaction, truncate": Loss("START TRANSACTION; TRUNCATE t; INSERT INTO t VALUES (1, 1); COMMIT AND NO CHAIN"),
    "commit in the middle": Loss("DROP TABLE IF EXISTS t; COMMIT; CREATE TABLE IF NOT EXISTS other (id int)"),
    "commit inside a block": Loss("DO $$ BEGIN DROP TABLE t; COMMIT; END $$"),
    "a procedure that commits": Loss("CALL gone()", ("CREATE OR REPLACE PROCEDURE gone() LANGUAGE plpgsql AS $p$ BEGIN DROP TABLE t; COMMIT; END $p$",)),
    "beside concurrently": Loss("ALTER TABLE t DROP COLUMN IF EXISTS v; CREATE INDEX CONCURRENTLY IF NOT EXISTS t_id ON t (id)"),
    "beside vacuum": Loss("DROP TABLE t; VACUUM"),
    "beside reindex": Loss("TRUNCATE t; REINDEX TABLE CONCURRENTLY log"),
    "function in an insert": Loss("INSERT INTO log SELECT wipe() WHERE NOT EXISTS (SELECT 1 FROM log)", (WIPE,)),
    "function in an update": Loss("UPDATE log SET n = wipe()", ("INSERT INTO log VALUES (0)", WIPE)),
    "function in a delete": Loss("DELETE FROM log WHERE n = wipe()", ("INSERT INTO log VALUES (0)", WIPE)),
    "function in a select": Loss("SELECT wipe()", (WIPE,)),
    "function in values": Loss("VALUES (wipe())", (WIPE,)),
    "function in a view": Loss("SELECT * FROM seen", (WIPE, "CREATE OR REPLACE VIEW seen AS SELECT wipe() AS n")),
    "function in a default": Loss("INSERT INTO noted (id) VALUES (1)", (WIPE, "CREATE TABLE IF NOT EXISTS noted (id int, n int DEFAULT wipe())")),
    "function in a new column": Loss("ALTER TABLE log ADD COLUMN m int DEFAULT wipe()", ("INSERT INTO log VALUES (0)", WIPE)),
    "function in a text that is executed": Loss(
        "DO $$ BEGIN EXECUTE 'ALTER TABLE log ADD COLUMN m int DEFAULT wipe()'; END $$", ("INSERT INTO log VALUES (0)", WIPE)
    ),
    "function in a type": Loss("ALTER TABLE log ALTER n TYPE bigint USING wipe()", ("INSERT INTO log VALUES (0)", WIPE)),
    "function in a check": Loss("ALTER TABLE log ADD CONSTRAINT c CHECK (wipe() = 1)", ("INSERT INTO log VALUES (0)", WIPE)),
    "function in a domain": Loss(
        "ALTER TABLE log ADD COLUMN d dom", ("INSERT INTO log VALUES (0)", WIPE, "CREATE DOMAIN dom AS int CHECK (wipe() = 1)")
    ),
    "function in create table as": Loss("CREATE TABLE made AS SELECT wipe() AS n", (WIPE,)),
    "function in a materialized view": Loss("CREATE MATERIALIZED VIEW made AS SELECT wipe() AS n", (WIPE,)),
    "function in a condition": Loss("DO $$ BEGIN IF wipe() = 1 THEN CREATE TABLE IF NOT EXISTS made (id int); END IF; END $$", (WIPE,)),
    "function in a variable": Loss("DO $$ DECLARE x int := wipe(); BEGIN CREATE TABLE IF NOT EXISTS made (id int); END $$", (WIPE,)),
    "function in an assignment": Loss("DO $$ DECLARE x int; BEGIN x := wipe(); CREATE TABLE IF NOT EXISTS made (id int); END $$", (WIPE,)),
    "function in a notice": Loss("DO $$ BEGIN RAISE NOTICE '%', wipe(); END $$", (WIPE,)),
    "function in an operator": Loss(
        "SELECT 1 ?! 2",
        (WIPE, "CREATE OR REPLACE FUNCTION wipe2(int, int) RETURNS int LANGUAGE sql AS 'SELECT wipe()'",
         "DO $$ BEGIN CREATE OPERATOR ?! (FUNCTION = wipe2, LEFTARG = int, RIGHTARG = int); EXCEPTION WHEN duplicate_function THEN NULL; END $$"),
    ),
    "function in a cast": Loss(
        "ALTER TABLE log ALTER m TYPE int USING m::int",
        ("CREATE TYPE mood AS ENUM ('a')", "ALTER TABLE log ADD COLUMN m mood", "INSERT INTO log VALUES (0, 'a')", WIPE,
         "CREATE OR REPLACE FUNCTION number(mood) RETURNS int LANGUAGE sql AS 'SELECT wipe()'",
         "DO $$ BEGIN CREATE CAST (mood AS int) WITH FUNCTION number(mood); EXCEPTION WHEN duplicate_object THEN NULL; END $$"),
    ),
    "function in a check that holds again": Loss(
        "ALTER TABLE log ALTER n TYPE bigint",
        ("INSERT INTO log VALUES (0)", "CREATE OR REPLACE FUNCTION told(n bigint) RETURNS bool LANGUAGE sql AS 'SELECT true'",
         "ALTER TABLE log ADD CONSTRAINT c CHECK (told(n))",
         "CREATE OR REPLACE FUNCTION told(n bigint) RETURNS bool LANGUAGE plpgsql AS $f$ BEGIN TRUNCATE t; RETURN true; END $f$"),
    ),
    "trigger": Loss("INSERT INTO log VALUES (1)", (WIPE_TRIGGER, "CREATE OR REPLACE TRIGGER w BEFORE INSERT ON log FOR EACH ROW EXECUTE FUNCTION wipes()")),
    "trigger that waits for the commit": Loss(
        "INSERT INTO log VALUES (1)",
        (WIPE_TRIGGER, "CREATE CONSTRAINT TRIGGER w AFTER INSERT ON log DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION wipes()"),
    ),
    "rule": Loss("INSERT INTO log VALUES (1)", (WIPE, "CREATE OR REPLACE RULE r AS ON INSERT TO log DO ALSO SELECT wipe()")),
    "event trigger": Loss(
        "CREATE TABLE IF NOT EXISTS made (id int)",
        ("CREATE OR REPLACE FUNCTION on_ddl() RETURNS event_trigger LANGUAGE plpgsql AS "
         "$f$ BEGIN IF tg_tag = 'CREATE TABLE' AND to_regclass('t') IS NOT NULL THEN DROP TABLE t; END IF; END $f$",
         "DO $$ BEGIN CREATE EVENT TRIGGER gone ON ddl_command_end EXECUTE FUNCTION on_ddl(); EXCEPTION WHEN duplicate_object THEN NULL; END $$"),
    ),
    "dynamic": Loss("DO $$ BEGIN EXECUTE 'DR' || 'OP TABLE IF EXISTS t'; END $$"),
    "dynamic with a handler": Loss("DO $$ BEGIN EXECUTE format('TRUNCATE %I', 't'); EXCEPTION WHEN OTHERS THEN NULL; END $$"),
    "sql in a file of settings": Loss("SET search_path TO public; DROP TABLE IF EXISTS t"),
    "drop of the schema": Loss("DROP SCHEMA s CASCADE", start=START + "CREATE SCHEMA s; ALTER TABLE t SET SCHEMA s;", asked="SELECT count(v) FROM s.t"),
    "drop of the type": Loss(
        "DROP TYPE mood CASCADE",
        start=START + "CREATE TYPE mood AS ENUM ('a'); ALTER TABLE t ALTER v TYPE mood USING 'a'::mood;",
    ),
    "drop of the domain": Loss("DROP DOMAIN d CASCADE", start=START + "CREATE DOMAIN d AS int; ALTER TABLE t ALTER v TYPE d;"),
    "drop of a partition": Loss(
        "DROP TABLE p1",
        start="CREATE TABLE t (id int, v int) PARTITION BY RANGE (id); CREATE TABLE p1 PARTITION OF t FOR VALUES FROM (0) TO (100);"
        "INSERT INTO t SELECT g, g FROM generate_series(1, 10) g; CREATE TABLE log (n int)",
    ),
    "drop of a partitioned table": Loss(
        "DROP TABLE t",
        start="CREATE TABLE t (id int, v int) PARTITION BY RANGE (id); CREATE TABLE p1 PARTITION OF t FOR VALUES FROM (0) TO (100);"
        "INSERT INTO t SELECT g, g FROM generate_series(1, 10) g",
    ),
    "drop of a partitioned column": Loss(
        "ALTER TABLE t DROP COLUMN v",
        start="CREATE TABLE t (id int, v int) PARTITION BY RANGE (id); CREATE TABLE p1 PARTITION OF t FOR VALUES FROM (0) TO (100);"
        "INSERT INTO t SELECT g, g FROM generate_series(1, 10) g",
    ),
    "truncate of a partitioned table": Loss(
        "TRUNCATE t; INSERT INTO t VALUES (1, 1)",
        start="CREATE TABLE t (id int, v int) PARTITION BY RANGE (id); CREATE TABLE p1 PARTITION OF t FOR VALUES FROM (0) TO (100);"
        "INSERT INTO t SELECT g, g FROM generate_series(1, 10) g",
    ),
    "drop of a parent": Loss(
        "DROP TABLE parent CASCADE", start=START + "CREATE TABLE parent (id int, v int); ALTER TABLE t INHERIT parent;"
    ),
    "drop and make anew": Loss("DROP TABLE IF EXISTS t; CREATE TABLE t (id int, v int)"),
    "moved over": Loss("CREATE TABLE t2 AS SELECT id FROM t; DROP TABLE t; ALTER TABLE t2 RENAME TO t"),
    "unlogged": Loss("DROP TABLE t", start=START.replace("TABLE t", "UNLOGGED TABLE t")),
    "drop owned": Loss("DROP OWNED BY owner_of_{name}", start="CREATE ROLE owner_of_{name};" + START + "ALTER TABLE t OWNER TO owner_of_{name}"),
}  # fmt: skip


def value(url: str, question: str) -> object:
    """The one value that a query gives; the SQLSTATE where it is rejected."""
    with psycopg.connect(url, autocommit=True) as conn:
        try:
            row = conn.execute(question).fetchone()
        except psycopg.Error as error:
            return error.sqlstate
        return row[0] if row else None


def prepared(make_database: MakeDatabase, loss: Loss) -> tuple[str, str, list[str]]:
    """A database with the ten rows, the step that takes them, and the steps before it."""
    url = make_database()
    name = str(psycopg.conninfo.conninfo_to_dict(url)["dbname"])
    with psycopg.connect(url, autocommit=True) as conn:
        conn.execute(loss.start.replace("{name}", name).encode())
    return url, loss.step.replace("{name}", name), list(loss.before)


@pytest.mark.parametrize("loss", LOSSES.values(), ids=[k.replace(" ", "-") for k in LOSSES])
@pytest.mark.pg(">= 14")
def test_a_start_takes_no_rows_unasked(make_database: MakeDatabase, loss: Loss) -> None:
    """The step is refused with its reason, also at the next start; allowed by its id, it runs."""
    url, step, before = prepared(make_database, loss)
    steps = [*before, Step(step, id="danger")]
    assert value(url, loss.asked) == 10
    for options in ({}, {}, {"retry": True}):
        run = omega_bridge.boot(url, steps, on_error="continue", **options)  # type: ignore[arg-type]
        assert value(url, loss.asked) == 10, (options, [s.as_dict() for s in run.steps])
    refused = {s.id: s for s in run.steps}["danger"]
    if refused.outcome == "already-there":  # nothing of it is sent, allowed or not
        return
    assert refused.outcome == "refused"
    assert refused.destroyed or "transaction" in refused.reason
    omega_bridge.boot(url, steps, on_error="continue", allow_destructive=["danger"], retry=True)
    assert value(url, loss.asked) != 10
    if "drop owned" in step.lower():
        value(url, f"DROP ROLE {step.rpartition(' ')[2]}")


KEPT = {
    "empty table": ("CREATE TABLE t (id int)", "DROP TABLE t"),
    "empty table truncated": ("CREATE TABLE t (id int)", "TRUNCATE t"),
    "emptied table": ("CREATE TABLE t (id int); INSERT INTO t VALUES (1); DELETE FROM t", "DROP TABLE t"),
    "column without values": ("CREATE TABLE t (id int, v int); INSERT INTO t VALUES (1)", "ALTER TABLE t DROP COLUMN v"),
    "generated column": (
        "CREATE TABLE t (id int, v int GENERATED ALWAYS AS (id * 2) STORED); INSERT INTO t VALUES (1)", "ALTER TABLE t DROP COLUMN v"
    ),
    "rewrite": (START, "ALTER TABLE t ALTER v TYPE bigint"),
    "dynamic rewrite": (START, "DO $$ BEGIN EXECUTE 'ALTER TABLE t' || ' ALTER v TYPE bigint'; END $$"),
    "dynamic rewrite and insert": (START, "DO $$ BEGIN EXECUTE 'ALTER TABLE t' || ' ALTER v TYPE bigint'; INSERT INTO t VALUES (11, 11); END $$"),
    "rewrite and delete": (START, "DO $$ BEGIN EXECUTE 'ALTER TABLE t' || ' ALTER v TYPE bigint'; DELETE FROM t; END $$"),
    "cluster": (START + "CREATE INDEX i ON t (id)", "CLUSTER t USING i"),
    "unlogged": (START, "ALTER TABLE t SET UNLOGGED"),
    "detach": (
        "CREATE TABLE t (id int) PARTITION BY RANGE (id); CREATE TABLE p PARTITION OF t FOR VALUES FROM (0) TO (9); INSERT INTO t VALUES (1)",
        "ALTER TABLE t DETACH PARTITION p",
    ),
    "own transaction that only adds": (START, "BEGIN; ALTER TABLE t ADD COLUMN IF NOT EXISTS w int; COMMIT"),
    "own transaction on nothing": (START, "BEGIN; DROP TABLE IF EXISTS nothing; COMMIT"),
    "beside concurrently on nothing": (START, "DROP TABLE IF EXISTS nothing; CREATE INDEX CONCURRENTLY IF NOT EXISTS i ON t (id)"),
    "temporary": (START, "CREATE TEMP TABLE x AS SELECT * FROM t; DROP TABLE x"),
    "rename": (START, "ALTER TABLE t RENAME TO u"),
    "insert": (START, "INSERT INTO t VALUES (11, 11)"),
    "delete": (START, "DELETE FROM t WHERE id = 1"),
    "function that does nothing": (START + "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'", "SELECT f()"),
    "vacuum": (START, "VACUUM t"),
    "body of a function that ends": (START, "CREATE FUNCTION f() RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT 1; END; SELECT f()"),
}  # fmt: skip


@pytest.mark.parametrize(("start", "step"), KEPT.values(), ids=[k.replace(" ", "-") for k in KEPT])
@pytest.mark.pg(">= 14")
def test_what_takes_no_rows_runs(database: str, start: str, step: str) -> None:
    """A rewrite, a drop of what is empty, a change by name: none of them is refused."""
    with psycopg.connect(database, autocommit=True) as conn:
        conn.execute(start.encode())
    run = omega_bridge.boot(database, [Step(step, id="harmless")])
    assert [s.outcome for s in run.steps] == ["applied"], [s.as_dict() for s in run.steps]
    kept = {"t": value(database, "SELECT count(*) FROM t"), "u": value(database, "SELECT count(*) FROM u")}
    if start.startswith(START) and step != KEPT["rewrite and delete"][1]:
        assert 9 <= int(str(kept["t" if kept["t"] != "42P01" else "u"])) <= 11


def test_rows_that_the_role_may_not_see_are_rows(make_database: MakeDatabase) -> None:
    """FORCE ROW LEVEL SECURITY hides every row from the table's owner: a drop is refused all the same, and the switch stands."""
    url = make_database()
    role = f"owner_{psycopg.conninfo.conninfo_to_dict(url)['dbname']}"
    with psycopg.connect(url, autocommit=True) as conn:
        database = conn.info.dbname
        conn.execute(
            f"CREATE ROLE {role} LOGIN PASSWORD '{role}'; GRANT CREATE ON DATABASE {database} TO {role}; "
            f"GRANT CREATE ON SCHEMA public TO {role}"
        )
        conn.execute(START)
        conn.execute(
            f"ALTER TABLE t OWNER TO {role}; ALTER TABLE t ENABLE ROW LEVEL SECURITY; ALTER TABLE t FORCE ROW LEVEL SECURITY"
        )
        conn.execute(f"CREATE TABLE u AS SELECT * FROM t; ALTER TABLE u ENABLE ROW LEVEL SECURITY; GRANT TRUNCATE ON u TO {role}")
    steps = [Step("DROP TABLE t", id="drop"), Step("ALTER TABLE t DROP COLUMN v", id="column"), Step("TRUNCATE u", id="other")]
    with psycopg.connect(url) as conn:
        as_owner = psycopg.conninfo.make_conninfo(url, user=role, password=role)
    try:
        run = omega_bridge.boot(as_owner, steps)
        assert {s.id: [(d.column, d.rows) for d in s.destroyed] for s in run.steps} == {
            "drop": [(None, 10)], "column": [("v", 10)], "other": [(None, None)]
        }  # fmt: skip
        assert "may not see" in {s.id: s.reason for s in run.steps}["other"]
        assert value(url, "SELECT count(v) FROM t") == 10
        assert value(url, "SELECT count(v) FROM u") == 10
        assert value(url, "SELECT relforcerowsecurity FROM pg_class WHERE relname = 't'") is True
    finally:
        with psycopg.connect(url, autocommit=True) as conn:
            conn.execute(f"DROP OWNED BY {role} CASCADE; DROP ROLE {role}")


def test_a_later_row_of_another_session_counts(make_database: MakeDatabase) -> None:
    """Where the role keeps to a snapshot, what others committed meanwhile may be there: pages that hold something count as rows."""
    url = make_database()
    with psycopg.connect(url, autocommit=True) as conn:
        conn.execute(START + f"ALTER DATABASE {conn.info.dbname} SET default_transaction_isolation = 'repeatable read'")
    run = omega_bridge.boot(url, ["DROP TABLE t"])
    assert [s.outcome for s in run.steps] == ["refused"]
    assert run.steps[0].destroyed[0].rows == 10


def test_the_reason_says_how_to_go_on(database: str) -> None:
    """Beside what refuses a transaction: the advice to make two steps; for one that commits by itself: why it is not run."""
    with psycopg.connect(database, autocommit=True) as conn:
        conn.execute(START)
    run = omega_bridge.boot(
        database,
        [
            Step("ALTER TABLE t DROP COLUMN v; CREATE INDEX CONCURRENTLY i ON t (id)", id="beside"),
            Step("DO $$ BEGIN DROP TABLE t; COMMIT; END $$", id="commits"),
        ],
    )
    told = {s.id: s.reason for s in run.steps}
    assert "column t.v (10 rows)" in told["beside"]
    assert "two steps" in told["beside"]
    assert "ends its own transaction" in told["commits"]


def test_strict_raises(database: str) -> None:
    """With ``strict`` a refusal ends the start with OB303."""
    with psycopg.connect(database, autocommit=True) as conn:
        conn.execute(START)
    with pytest.raises(StepFailed, match="table t"):
        omega_bridge.boot(database, ["DROP TABLE t"], strict=True)


def test_the_plan_says_what_is_lost_without_a_drop(
    database: str, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """``omega-bridge plan`` tells it beside the step, before anything runs."""
    monkeypatch.chdir(tmp_path)
    with psycopg.connect(database, autocommit=True) as conn:
        conn.execute(START)
    (tmp_path / "main.py").write_text('steps = ["ALTER TABLE t ALTER v TYPE smallint USING v / 2"]\n')
    with pytest.raises(SystemExit):
        run(["plan", "--steps", f"{tmp_path}/main.py:steps", "--database-url", database])
    assert "-- loses data: changes the type of t.v with USING" in capsys.readouterr().out
    with pytest.raises(SystemExit):
        run(["plan", "--steps", f"{tmp_path}/main.py:steps", "--database-url", database, "--json"])
    (step,) = json.loads(capsys.readouterr().out)["steps"]
    assert step["loses"] == ["changes the type of t.v with USING: what the expression does not keep is gone"]


ROLE = "CREATE ROLE far PASSWORD 's3cr3t-of-app'"


def test_the_plan_shows_what_is_sent_without_a_password(
    database: str, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a block with a loop its text, and no name of the parser's; a password is covered in both forms."""
    monkeypatch.chdir(tmp_path)
    loop = "DO $$ BEGIN FOR n IN 1..2 LOOP EXECUTE 'CREATE TABLE t' || n || ' (id int)'; END LOOP; END $$"
    (tmp_path / "main.py").write_text(f"steps = {[loop, ROLE]!r}\n")
    shown = []
    for form in ([], ["--json"]):
        with pytest.raises(SystemExit):
            run(["plan", "--steps", f"{tmp_path}/main.py:steps", "--database-url", database, *form])
        shown.append(capsys.readouterr().out)
    assert f"{loop};\n" in shown[0]
    assert "CREATE ROLE far PASSWORD ********;\n" in shown[0]
    assert [step["sql"] for step in json.loads(shown[1])["steps"]] == [[loop], ["CREATE ROLE far PASSWORD ********"]]


def far_away(url: str) -> None:
    """The ten rows stand in a table that this database sees as foreign."""
    with psycopg.connect(url, autocommit=True) as conn:
        conn.execute(START)
        parts = psycopg.conninfo.conninfo_to_dict(url)
        known = {"host": parts.get("host"), "port": parts.get("port"), "dbname": parts["dbname"]}
        options = ", ".join(f"{name} '{text}'" for name, text in known.items() if text)
        mapped = ", ".join(f"{n} '{parts[n]}'" for n in ("user", "password") if parts.get(n))
        conn.execute(
            "CREATE EXTENSION postgres_fdw; ALTER TABLE t RENAME TO near;"
            f"CREATE SERVER far FOREIGN DATA WRAPPER postgres_fdw OPTIONS ({options});"
            f"CREATE USER MAPPING FOR CURRENT_USER SERVER far OPTIONS ({mapped});"
            "CREATE FOREIGN TABLE t (id int, v int) SERVER far OPTIONS (table_name 'near');"
            "CREATE FUNCTION empties() RETURNS int LANGUAGE plpgsql AS $f$ BEGIN TRUNCATE t; RETURN 1; END $f$"
        )


FAR = ["TRUNCATE t", "TRUNCATE t; INSERT INTO t SELECT g, g FROM generate_series(1, 10) g", "SELECT empties()",
       "INSERT INTO log SELECT empties()", "DO $$ BEGIN EXECUTE 'TRUNC' || 'ATE t'; END $$"]  # fmt: skip


@pytest.mark.parametrize("step", FAR)
@pytest.mark.pg(">= 14")
def test_rows_of_a_foreign_table_are_rows(database: str, step: str) -> None:
    """They go by TRUNCATE alone, in whatever words, and not unasked; what changes rows by name is let through."""
    far_away(database)
    run = omega_bridge.boot(database, [Step(step, id="danger")])
    assert [(s.outcome, [d.rows for d in s.destroyed]) for s in run.steps] == [("refused", [10])]
    assert value(database, "SELECT count(*) FROM near WHERE v = id") == 10
    for harmless in ("DELETE FROM t WHERE id > 5", "DROP FOREIGN TABLE IF EXISTS t"):
        assert omega_bridge.boot(database, [harmless]).outcome == "repaired"
    assert value(database, "SELECT count(*) FROM near") == 5


@pytest.mark.parametrize(
    "kind", ["pair", "pair[]", "checked", "holder"], ids=["itself", "in an array", "in a domain", "in another type"]
)
def test_an_attribute_that_values_hold_is_not_dropped_unasked(database: str, kind: str) -> None:
    """Rows keep their column, and lose a part of each value: wherever the type is held. Where nothing holds it, it goes."""
    with psycopg.connect(database, autocommit=True) as conn:
        conn.execute("CREATE TYPE pair AS (a int, b int); CREATE DOMAIN checked AS pair; CREATE TYPE holder AS (p pair)")
        conn.execute(f"CREATE TABLE held (id int, v {kind})".encode())
    drops = Step("ALTER TYPE pair DROP ATTRIBUTE IF EXISTS b CASCADE", id="drops")
    value_of = {"pair[]": "ARRAY[ROW(1, 2)]::pair[]", "holder": "ROW(ROW(1, 2)::pair)::holder"}.get(kind, "ROW(1, 2)::pair")
    with psycopg.connect(database, autocommit=True) as conn:
        conn.execute(f"INSERT INTO held VALUES (1, {value_of}), (2, NULL)".encode())
    (refused,) = omega_bridge.boot(database, [drops], on_error="continue").steps
    assert (refused.outcome, [(d.column, d.rows) for d in refused.destroyed]) == ("refused", [("v.b", 1)])
    with psycopg.connect(database, autocommit=True) as conn:
        conn.execute("UPDATE held SET v = NULL")
    assert omega_bridge.boot(database, [drops], retry=True).steps[0].outcome == "applied"


# --- ways out of the transaction -------------------------------------------------------------------------------

AWAY = {
    "another session": "SELECT dblink_exec('{dsn}', 'TRUNCATE t')",
    "in a block": "DO $$ BEGIN PERFORM dblink_exec('{dsn}', 'TRUNCATE t'); EXCEPTION WHEN OTHERS THEN NULL; END $$",
    "rows from there": "INSERT INTO log SELECT * FROM dblink('{dsn}', 'DELETE FROM t RETURNING id') AS gone (n int)",
    "a function": "SELECT away()",
    "a trigger": "INSERT INTO watched VALUES (1)",
    "a view": "CREATE TABLE made AS SELECT * FROM seen",
    "a view without a function of ours": "CREATE TABLE made AS SELECT * FROM direct",
    "a program": 'COPY log TO PROGRAM \'{psql} -c "TRUNCATE t" "{dsn}"\'',
    "a program in a function": "SELECT ran()",
}


def with_ways_out(url: str, psql: str) -> dict[str, str]:
    """The ten rows, and what goes out of the transaction that calls it; the steps that do."""
    dsn = psycopg.conninfo.make_conninfo(url)
    steps = {name: step.replace("{dsn}", dsn).replace("{psql}", psql) for name, step in AWAY.items()}
    with psycopg.connect(url, autocommit=True) as conn:
        conn.execute(
            (
                START + "CREATE EXTENSION dblink; CREATE TABLE watched (n int);"
                f"CREATE FUNCTION away() RETURNS text LANGUAGE sql AS $f$ SELECT dblink_exec('{dsn}', 'TRUNCATE t') $f$;"
                "CREATE FUNCTION notes() RETURNS trigger LANGUAGE plpgsql AS $f$ BEGIN PERFORM away(); RETURN NEW; END $f$;"
                "CREATE TRIGGER notes BEFORE INSERT ON watched FOR EACH ROW EXECUTE FUNCTION notes(); CREATE VIEW seen AS SELECT away();"
                f"CREATE VIEW direct AS SELECT dblink_exec('{dsn}', 'TRUNCATE t');"
                f"CREATE FUNCTION ran() RETURNS void LANGUAGE plpgsql AS $f$ BEGIN {steps['a program']}; END $f$"
            ).encode()
        )
    return steps


def test_what_goes_out_of_its_transaction_is_not_run_unasked(database: str, psql: str) -> None:
    """Another session, a program: nobody could see the rows that it takes. What does not call it, or is allowed to, runs."""
    steps = with_ways_out(database, psql)
    for name, step in steps.items():
        (refused,) = omega_bridge.boot(database, [Step(step, id="out")], on_error="continue").steps
        assert (name, refused.outcome, value(database, "SELECT count(*) FROM t")) == (name, "refused", 10)
        assert "goes out of its transaction with" in refused.reason
    near = [
        "INSERT INTO log SELECT 1 WHERE NOT EXISTS (SELECT FROM log)",
        "DO $$ BEGIN EXECUTE 'CREATE TABLE further (id int)'; END $$",
    ]
    assert [s.outcome for s in omega_bridge.boot(database, near).steps] == ["applied", "applied"]
    once = Step(steps["rows from there"], id="out", destructive=True)
    assert omega_bridge.boot(database, [once]).steps[0].outcome == "applied"
    assert value(database, "SELECT count(*) FROM t") == 0


def test_a_plan_names_each_steps_locks_and_the_rows_in_its_way(database: str) -> None:
    """The lock of a referenced table, too; and how many rows a SET NOT NULL would be rejected for."""
    with psycopg.connect(database, autocommit=True) as conn:
        conn.execute("CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE t (a int); INSERT INTO t VALUES (NULL), (1), (NULL)")
    steps = [
        'ALTER TABLE t ADD COLUMN IF NOT EXISTS p_id int REFERENCES "p" (id)',
        "ALTER TABLE t ALTER COLUMN a SET NOT NULL",
        "ALTER TABLE t ADD COLUMN IF NOT EXISTS up int CHECK (up > 0)",
    ]
    found = preview(database, analyse(Registry.of(steps)), Promise("x", None)).as_dict()["steps"]
    assert [s["locks"] for s in found] == [
        ["ACCESS EXCLUSIVE t", "SHARE ROW EXCLUSIVE p"],
        ["ACCESS EXCLUSIVE t"],
        ["ACCESS EXCLUSIVE t"],
    ]
    assert [s["meets"] for s in found] == [[], ["2 row(s) of t have no a: SET NOT NULL is rejected"], []]
