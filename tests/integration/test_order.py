"""The order of execution is the list's, as the naive loop has it: what waits, what is held back, what is not made again."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import psycopg
import pytest

import omega_bridge
from omega_bridge import Step, environment, errors
from omega_bridge.analysis import analyse
from omega_bridge.catalog import Catalog, diff
from omega_bridge.config import Config
from omega_bridge.planning.settling import settle
from omega_bridge.postgres.catalog_reader import read_catalog
from omega_bridge.revisions import alembic_border
from omega_bridge.revisions.files import export
from omega_bridge.steps import Registry
from tests.fixtures.databases import MakeDatabase
from tests.fixtures.roles import MakeRole


def scalar(url: str, query: str) -> object:
    """The one value of a query."""
    with psycopg.connect(url, autocommit=True) as conn:
        row = conn.execute(query.encode()).fetchone()
    assert row is not None
    return row[0]


def execute(url: str, *texts: str) -> None:
    """Each text on its own."""
    with psycopg.connect(url, autocommit=True) as conn:
        for text in texts:
            conn.execute(text.encode())


def catalog(url: str) -> Catalog:
    """Everything but the bridge's own."""
    with psycopg.connect(url, autocommit=True) as conn:
        return read_catalog(conn)


def looped(url: str, steps: Sequence[str]) -> Catalog:
    """The naive loop's fixed point."""
    before = None
    for _ in range(8):
        with psycopg.connect(url, autocommit=True) as conn:
            for step in steps:
                try:
                    conn.execute(step.encode())
                except psycopg.Error:
                    continue
        after = catalog(url)
        if before is not None and not diff(before, after, ignore=frozenset()):
            return after
        before = after
    raise AssertionError("the loop does not settle")


F = "CREATE OR REPLACE FUNCTION f() RETURNS int LANGUAGE sql AS 'select {}'"
T = "CREATE TABLE IF NOT EXISTS t (id int, a int)"
V = "CREATE OR REPLACE VIEW v AS SELECT id, a FROM t"

LISTS = {
    "a failing step does not repeat what later ones overwrote": [
        F.format(1),
        F.format(2),
        "ALTER TABLE nowhere ADD COLUMN c int",
    ],
    "a late step, and who overwrites it": [
        "CREATE TABLE IF NOT EXISTS x (id int REFERENCES y); " + F.format(1),
        F.format(2),
        "CREATE TABLE IF NOT EXISTS y (id int PRIMARY KEY)",
    ],
    "columns stand in the order of the passes": [
        "ALTER TABLE t ADD COLUMN IF NOT EXISTS late int",
        T,
        "ALTER TABLE t ADD COLUMN IF NOT EXISTS early int",
    ],
    "what a step takes away that always fails": [
        F.format(1),
        "DROP FUNCTION IF EXISTS f(); CREATE VIEW w AS SELECT * FROM nowhere",
    ],
    "a table whose column is renamed, dropped and made again": [
        "DO $$ BEGIN IF NOT EXISTS (SELECT 1 FROM information_schema.columns WHERE table_name = 't' AND column_name = 'a_v2') THEN "
        "EXECUTE 'ALTER TABLE t RENAME COLUMN a TO a_v2'; END IF; END $$",
        "DO $$ BEGIN PERFORM 1 FROM pg_class WHERE oid = to_regclass('t'); IF FOUND THEN DROP TABLE t; END IF; END $$",
        "CREATE TABLE t (id int, a int)",
    ],
    "two defaults": [T, "ALTER TABLE t ALTER a SET DEFAULT 1", "ALTER TABLE t ALTER a SET DEFAULT 2"],
    "a view read between two of its makers": [
        T,
        "DROP VIEW IF EXISTS v; CREATE VIEW v AS SELECT id FROM t",
        "CREATE TABLE IF NOT EXISTS copy AS SELECT * FROM v",
        "DROP VIEW IF EXISTS v; CREATE VIEW v AS SELECT a FROM t",
    ],
    "a step with work of its own on its second run": [
        T,
        "DO $$ BEGIN IF NOT EXISTS (SELECT 1 FROM information_schema.columns WHERE table_name = 't' AND column_name = 'b') THEN "
        "ALTER TABLE t ADD COLUMN b int; ELSE CREATE INDEX IF NOT EXISTS t_b ON t (b); END IF; END $$",
    ],
    "an index and its remover": [T + "; CREATE INDEX IF NOT EXISTS i ON t (a)", "DROP INDEX IF EXISTS i", V],
    "a function made safe, and replaced": [F.format(1), "ALTER FUNCTION f() SECURITY DEFINER", F.format(1)],
    "a column dropped before its table comes": [
        "ALTER TABLE t DROP COLUMN IF EXISTS c",
        "CREATE TABLE t (id int, c int DEFAULT 5, d int)",
    ],
    "a column dropped, and made otherwise": [
        "DO $$ BEGIN ALTER TABLE t DROP COLUMN IF EXISTS c; EXCEPTION WHEN undefined_column THEN NULL; END $$",
        "CREATE TABLE IF NOT EXISTS t (id int, c int DEFAULT 5, d int)",
        "DO $$ BEGIN IF NOT EXISTS (SELECT 1 FROM pg_attribute WHERE attrelid = 't'::regclass AND attname = 'c')"
        " AND random() < 2 THEN ALTER TABLE t ADD COLUMN c int UNIQUE; END IF; END $$",
    ],
    "a schema of the search_path that comes": [
        "SET search_path TO side, public",
        "CREATE TABLE o (id int)",
        "CREATE SCHEMA IF NOT EXISTS side",
    ],
    "a table of the schema that comes, and what is said of it": [
        "SELECT set_config('search_path', 'side,public', false)",
        "CREATE TABLE o (id int)",
        "CREATE SCHEMA IF NOT EXISTS side",
        "COMMENT ON TABLE o IS 'x'",
    ],
    "statistics wait, and hold nobody back": [
        "ALTER TABLE t ADD c int CONSTRAINT k CHECK (c IS NOT NULL)",
        "CREATE TABLE IF NOT EXISTS t (id int)",
        "CREATE STATISTICS s (dependencies) ON id, c FROM t",
        "ALTER TABLE t ADD COLUMN IF NOT EXISTS d int; UPDATE t SET d = 1 WHERE d IS NULL",
    ],
    "a column that others update holds nobody back": [
        "INSERT INTO kept SELECT id FROM t",
        "CREATE TABLE IF NOT EXISTS t (id int, a int)",
        "ALTER TABLE IF EXISTS t ADD COLUMN IF NOT EXISTS b int; UPDATE t SET a = 1",
        "CREATE TABLE IF NOT EXISTS kept (id int)",
    ],
    "a policy altered before it is made anew": [
        T,
        "ALTER POLICY p ON t USING (id IS NULL)",
        "DROP POLICY IF EXISTS p ON t; CREATE POLICY p ON t USING (id IS NOT NULL)",
    ],
    "who waits for one that waits for it": [
        "CREATE TABLE IF NOT EXISTS t (id int)",
        "DELETE FROM t a USING t b WHERE a.ctid < b.ctid AND a.id = b.id; ALTER POLICY p ON t USING (id IS NULL)",
        "DELETE FROM t WHERE id = 3; CREATE POLICY p ON t USING (true)",
    ],
    "a longer name is not meant": [
        "CREATE TABLE IF NOT EXISTS t (id int)",
        "ALTER TABLE child_t NO INHERIT t",
        "DROP TABLE IF EXISTS t CASCADE",
        "CREATE TABLE side.t (id int)",
    ],
    "who changes a column does not make it": [
        "CREATE TABLE IF NOT EXISTS t (id int)",
        "DO $$ BEGIN EXECUTE format('UPDATE t SET price = NULL'); END $$",
        "DO $$ BEGIN ALTER TABLE t ALTER COLUMN price TYPE numeric; EXCEPTION WHEN undefined_column THEN NULL; END $$",
        "DELETE FROM t; CREATE INDEX IF NOT EXISTS i ON t (id)",
    ],
    "dropped and remade, with a policy behind": [
        T,
        "DROP POLICY IF EXISTS p ON t",
        "DROP POLICY IF EXISTS p ON t; CREATE POLICY p ON t USING (true)",
        "DO $$ DECLARE n int; BEGIN SELECT count(*) INTO n FROM pg_policy WHERE polname = 'p';"
        " IF n = 0 THEN CREATE POLICY p ON t USING (false); END IF; END $$",
        "ALTER TABLE nowhere ADD COLUMN c int",
    ],
}


LISTS |= {
    "a body that was read when its function was made": [
        T,
        "CREATE TABLE IF NOT EXISTS kept (id int, a int)",
        "CREATE OR REPLACE FUNCTION keep() RETURNS void BEGIN ATOMIC INSERT INTO kept SELECT * FROM t; END",
        "ALTER TABLE kept ADD COLUMN IF NOT EXISTS b int",
        "ALTER TABLE t ADD COLUMN IF NOT EXISTS b int",
    ],
    "a body that calls a function which comes to mean another": [
        "CREATE OR REPLACE FUNCTION rate(n bigint) RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "CREATE OR REPLACE FUNCTION today() RETURNS int RETURN rate(1)",
        "CREATE OR REPLACE FUNCTION rate(n int) RETURNS int LANGUAGE sql AS 'SELECT 2'",
    ],
}
"""A server before 14 knows no such bodies: there both ways fail alike."""
MADE_OTHERWISE = {
    "constraint": (
        "FROM pg_constraint WHERE conname = 'x' AND pg_get_constraintdef(oid) LIKE '%10%'",
        "ALTER TABLE t DROP CONSTRAINT IF EXISTS x",
        "ALTER TABLE t ADD CONSTRAINT x CHECK (a < 10)",
        "ALTER TABLE t ADD CONSTRAINT x CHECK (a < 20)",
    ),
    "index": (
        "FROM pg_indexes WHERE indexname = 'x' AND indexdef LIKE '%(id)%'",
        "DROP INDEX IF EXISTS x",
        "CREATE INDEX x ON t (id)",
        "CREATE INDEX IF NOT EXISTS x ON t (a)",
    ),
    "view": (
        "FROM pg_views WHERE viewname = 'x' AND definition LIKE '%id%'",
        "DROP VIEW IF EXISTS x",
        "CREATE VIEW x AS SELECT id FROM t",
        "CREATE VIEW x AS SELECT a FROM t",
    ),
    "policy": (
        "FROM pg_policies WHERE policyname = 'x' AND qual LIKE '%id%'",
        "DROP POLICY IF EXISTS x ON t",
        "CREATE POLICY x ON t USING (id > 1)",
        "CREATE POLICY x ON t USING (a > 1)",
    ),
    "trigger": (
        "FROM pg_trigger WHERE tgname = 'x' AND pg_get_triggerdef(oid) LIKE '%INSERT%'",
        "DROP TRIGGER IF EXISTS x ON t",
        "CREATE TRIGGER x BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()",
        "CREATE TRIGGER x BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()",
    ),
    "function": (
        "FROM pg_proc WHERE proname = 'x' AND prosrc LIKE '%1%'",
        "DROP FUNCTION IF EXISTS x()",
        "CREATE FUNCTION x() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "CREATE FUNCTION x() RETURNS int LANGUAGE sql AS 'SELECT 2'",
    ),
    "domain": (
        "FROM pg_type WHERE typname = 'x' AND typdefault = '1'",
        "DROP DOMAIN IF EXISTS x",
        "CREATE DOMAIN x AS int DEFAULT 1",
        "CREATE DOMAIN x AS int DEFAULT 2",
    ),
}
"""By kind: how a guard asks for what an old step made, the way to take it away, the old statement, the one that a later step has."""
LISTS |= {
    f"a {kind} of an old guard, and what later steps make of it": [
        T,
        f"DO $$ BEGIN IF NOT EXISTS (SELECT 1 {asked}) THEN {drop}; {old}; END IF; END $$",
        drop,
        new,
    ]
    for kind, (asked, drop, old, new) in MADE_OTHERWISE.items()
}


@pytest.mark.parametrize("name", LISTS)
def test_the_last_writer_has_the_last_word(make_database: MakeDatabase, name: str) -> None:
    """One boot ends where the loop ends, columns in their order; a second one that judges everything anew changes nothing."""
    steps = LISTS[name]
    wanted = looped(make_database(), steps)
    url = make_database()
    omega_bridge.boot(url, steps, on_error="continue")
    assert diff(wanted, catalog(url), ignore=frozenset()) == ()
    omega_bridge.boot(url, steps, on_error="continue", retry=True)
    assert diff(wanted, catalog(url), ignore=frozenset()) == ()


def test_a_predicted_failure_postpones_nothing(database: str) -> None:
    """A step that seems to lack what it makes itself is sent in its place, before a later one drops what it reads."""
    execute(
        database,
        "CREATE TABLE region (code text PRIMARY KEY); INSERT INTO region VALUES ('eu')",
        "CREATE TABLE shop (id int, note text); INSERT INTO shop VALUES (1, 'eu')",
    )
    steps = [
        "ALTER TABLE shop ADD COLUMN region text, ADD CONSTRAINT c FOREIGN KEY (region) REFERENCES region; UPDATE shop SET region = note",
        Step("ALTER TABLE shop DROP COLUMN IF EXISTS note", destructive=True),
    ]
    run = omega_bridge.boot(database, steps)
    assert (run.misplaced, scalar(database, "SELECT region FROM shop")) == ((), "eu")


READER = "INSERT INTO kept SELECT note FROM shop"
DROPS = Step("ALTER TABLE shop DROP COLUMN IF EXISTS note", id="drops", destructive=True)


def test_rows_wait_with_who_reads_them(database: str) -> None:
    """Where the server rejected a step for what a later one makes, rows that it reads are not dropped before it was tried again."""
    execute(database, "CREATE TABLE shop (id int, note text); INSERT INTO shop VALUES (1, 'eu')")
    run = omega_bridge.boot(database, [Step(READER, id="reads"), DROPS, "CREATE TABLE IF NOT EXISTS kept (note text)"])
    assert run.misplaced == (("reads", "table kept"),)
    assert scalar(database, "SELECT string_agg(note, '') FROM kept") == "eu"
    assert {s.id: s.pass_ for s in run.steps}["drops"] == 2


def test_who_was_held_back_to_the_end_is_not_sent(database: str) -> None:
    """What the waiting step needs never comes: the rows stay, and the outcome names the step for whose sake."""
    execute(database, "CREATE TABLE shop (id int, note text); INSERT INTO shop VALUES (1, 'eu')")
    never = "CREATE TABLE kept (note text, other int REFERENCES nowhere)"
    run = omega_bridge.boot(database, [Step(READER, id="reads"), DROPS, never], on_error="continue")
    outcomes = {s.id: (s.outcome, s.reason) for s in run.steps}
    assert outcomes["drops"] == ("skipped", "not sent: it would change what step reads reads, which waits for table kept")
    assert scalar(database, "SELECT string_agg(note, '') FROM shop") == "eu"
    assert run.outcome == "degraded"


def test_who_only_touches_other_columns_is_not_held_back(database: str) -> None:
    """Only what may take rows from the one that waits is held back."""
    execute(database, "CREATE TABLE shop (id int, note text, other int); INSERT INTO shop VALUES (1, 'eu', 7)")
    other = Step("ALTER TABLE shop DROP COLUMN IF EXISTS other", id="other", destructive=True)
    run = omega_bridge.boot(database, [READER, other, "CREATE TABLE IF NOT EXISTS kept (note text)"])
    assert {s.id: s.pass_ for s in run.steps}["other"] == 1


def test_who_has_worked_in_this_start_waits_no_more(database: str) -> None:
    """A step that got its rows holds nobody back where a further pass sends it in vain."""
    execute(database, "CREATE TABLE t (id int, small int, kept text)")
    steps = [
        Step("UPDATE t SET kept = note; ALTER TABLE t DROP COLUMN note", id="reads", destructive=True),
        Step("DO $$ BEGIN ALTER TABLE t ADD COLUMN small int; EXCEPTION WHEN duplicate_column THEN NULL; END $$", id="adds"),
        Step("UPDATE t SET kept = small::text; ALTER TABLE t DROP COLUMN small", id="drops", destructive=True),
        Step(
            "ALTER TABLE t ADD COLUMN IF NOT EXISTS note text; CREATE STATISTICS IF NOT EXISTS st ON id, small FROM t", id="makes"
        ),
    ]
    run = omega_bridge.boot(database, steps, on_error="continue")
    assert [s.id for s in run.steps if s.outcome == "skipped"] == []


def test_what_a_later_step_takes_away_is_not_made_again(database: str) -> None:
    """Neither in a further pass nor at a later start nor when everything is judged anew; what is said is to whom it is left."""
    steps = [
        "CREATE OR REPLACE FUNCTION put(a int) RETURNS int LANGUAGE sql AS 'select 1'",
        "DROP FUNCTION IF EXISTS put(int); CREATE OR REPLACE FUNCTION put(a int, b int DEFAULT 0) RETURNS int LANGUAGE sql AS 'select 2'",
    ]
    omega_bridge.boot(database, steps)
    oid = "SELECT count(*)::text || max(oid) FROM pg_proc WHERE proname = 'put'"
    made = scalar(database, oid)
    run = omega_bridge.boot(database, [*steps, "CREATE TABLE IF NOT EXISTS other (id int)"])
    assert run.steps[0].reason == f"a later step takes away or replaces what it makes: {run.steps[1].id}"
    omega_bridge.boot(database, steps, retry=True, accept_newer=True)
    assert scalar(database, oid) == made
    assert scalar(database, "SELECT put(1)") == 2


@pytest.mark.pg(">= 14")  # CREATE OR REPLACE TRIGGER
def test_only_who_lacks_what_comes_waits(database: str) -> None:
    """What is missing is what the server names: a step that lacks something else for ever holds nobody back."""
    steps = [
        "CREATE TABLE IF NOT EXISTS t (id int); CREATE OR REPLACE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'begin return new; end'",
        "ALTER PUBLICATION never SET TABLE t; CREATE TRIGGER x BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION f(); UPDATE t SET id = 1",
        "CREATE OR REPLACE TRIGGER x AFTER INSERT ON t FOR EACH ROW EXECUTE FUNCTION f()",
        Step("DROP TRIGGER IF EXISTS x ON t; COMMENT ON TABLE t IS 'seen'", id="last"),
    ]
    run = omega_bridge.boot(database, steps, on_error="continue")
    assert {s.id: s.outcome for s in run.steps}["last"] == "applied"
    assert scalar(database, "SELECT obj_description('t'::regclass)") == "seen"


def test_the_last_word_is_had_on_what_is_not_read_too(database: str) -> None:
    """Where a further pass sends a remover whose work is not read again, the maker behind it is sent again, too."""
    steps = [
        "CREATE TABLE IF NOT EXISTS t (id int)",
        "DROP CAST IF EXISTS (t AS text)",
        "ALTER TABLE t ADD COLUMN IF NOT EXISTS a int",
        "CREATE CAST (t AS text) WITH INOUT",
    ]
    omega_bridge.boot(database, steps)
    assert scalar(database, "SELECT count(*) FROM pg_cast WHERE castsource = 't'::regtype") == 1


RENAMES = "DO $$ BEGIN IF to_regclass('{0}') IS NOT NULL THEN ALTER TABLE {0} RENAME TO {1}; END IF; END $$"
OLD = "CREATE TABLE IF NOT EXISTS old (id int)"
RENAMED = [
    [OLD, RENAMES.format("old", "new")],
    [OLD, RENAMES.format("old", "new"), RENAMES.format("new", "newest")],
]


@pytest.mark.parametrize("steps", RENAMED, ids=["once", "twice"])
def test_what_a_later_step_renames_is_made_first(database: str, steps: list[str]) -> None:
    """A name that a later step takes away is made where nothing bears the new one, and is not made again behind that."""
    tables = "SELECT string_agg(relname, ' ') FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
    omega_bridge.boot(database, steps)
    wanted = steps[-1].split("RENAME TO ")[1].partition(";")[0]
    assert scalar(database, tables) == wanted
    omega_bridge.boot(database, steps, retry=True)
    assert scalar(database, tables) == wanted


def test_a_reader_in_between_keeps_what_goes(make_database: MakeDatabase) -> None:
    """A step between maker and remover that looks at the object finds it, as in the loop."""
    steps = [
        "CREATE TABLE IF NOT EXISTS old (id int)",
        "DO $$ BEGIN IF to_regclass('old') IS NOT NULL THEN CREATE TABLE IF NOT EXISTS seen (id int); END IF; END $$",
        "DROP TABLE IF EXISTS old",
    ]
    wanted = looped(make_database(), steps)
    url = make_database()
    omega_bridge.boot(url, steps)
    assert diff(wanted, catalog(url)) == ()
    execute(url, "DROP TABLE seen")
    omega_bridge.boot(url, steps)
    assert diff(wanted, catalog(url)) == ()


UNDOING = [
    "CREATE TABLE IF NOT EXISTS t (id int)",
    Step("DO $$ BEGIN IF current_database() <> '' THEN ALTER TABLE t ADD COLUMN IF NOT EXISTS c int; END IF; END $$", id="adds"),
    Step("DO $$ BEGIN IF current_database() <> '' THEN ALTER TABLE t DROP COLUMN IF EXISTS c; END IF; END $$", id="drops"),
]


def test_steps_that_undo_one_another_are_reported(database: str) -> None:
    """A start ends at the end of a whole pass, names both steps and the object, once, and raises where that is asked for."""
    run = omega_bridge.boot(database, UNDOING)
    assert [u.as_dict() for u in run.unsettled] == [{"first": "adds", "last": "drops", "object": "column public.t.c"}]
    assert "the list does not settle: steps adds and drops undo one another at column public.t.c" in run.warnings
    assert omega_bridge.boot(database, UNDOING).round_trips == 1
    with pytest.raises(errors.ListDoesNotSettle, match="steps adds and drops undo one another"):
        omega_bridge.boot(database, UNDOING, retry=True, strict=True)


COUNTS = """DO $$ BEGIN
  EXECUTE format('COMMENT ON TABLE t IS %L', coalesce(obj_description('t'::regclass)::int, 0) + 1);
END $$"""


CHAIN = [f"CREATE TABLE IF NOT EXISTS t{n} (id int PRIMARY KEY REFERENCES t{n + 1})" for n in range(11)] + [
    "CREATE TABLE IF NOT EXISTS t11 (id int PRIMARY KEY)"
]


def test_a_list_backwards_is_worked_through_in_one_start(database: str) -> None:
    """A start goes on as long as a further pass makes a step work for the first time, and who thinks it through ends where it ends."""
    run = omega_bridge.boot(database, CHAIN)
    assert (run.outcome, run.passes, len(run.misplaced)) == ("repaired", 12, 11)
    settling = settle(analyse(Registry.of(CHAIN)))
    assert (settling.order, settling.unsettled, len(settling.waited)) == (tuple(range(11, -1, -1)), frozenset(), 11)


WAITING = {
    "late": ["ALTER TABLE t ADD COLUMN a int", "CREATE TABLE t (id int)", "ALTER TABLE t ADD COLUMN b int"],
    "held back": [
        "CREATE TABLE t (id int, note text)",
        "INSERT INTO u SELECT note FROM t",
        "ALTER TABLE t DROP COLUMN note",
        "CREATE TABLE u (n text)",
    ],
    "of two that wait": [
        "CREATE VIEW w AS SELECT * FROM v",
        "CREATE VIEW v AS SELECT id FROM t",
        "CREATE TABLE IF NOT EXISTS t (id int)",
        "COMMENT ON VIEW w IS 'w'",
    ],
}


@pytest.mark.parametrize("name", WAITING)
def test_a_start_takes_the_order_that_was_thought_out(database: str, name: str) -> None:
    """The steps that wait, and the passes in which all of them come, are the same in thought and on a server."""
    analysis = analyse(Registry.of(WAITING[name]))
    run, settling = omega_bridge.boot(database, WAITING[name]), settle(analysis)
    ids = [step.id for step in analysis]
    assert {s for s, _ in run.misplaced} == {ids[index] for index in settling.waited}
    assert [s.id for s in sorted(run.steps, key=lambda s: s.pass_)] == [ids[index] for index in settling.order]


def test_steps_that_give_each_other_work_end_after_eight_passes(database: str) -> None:
    """Two steps that change something each time that the other one has do not keep a start for ever."""
    steps = ["CREATE TABLE IF NOT EXISTS t (id int)", Step(COUNTS, id="one"), Step(COUNTS, id="other")]
    run = omega_bridge.boot(database, steps)
    assert run.passes == 8
    assert [u.as_dict() for u in run.unsettled] == [{"first": "one", "last": "other", "object": "table public.t"}]


def test_a_step_that_was_taken_once_did_not_fail(database: str) -> None:
    """Rejected at a later start because its objects are gone, or there, as it left them: it had nothing to do."""
    steps = [
        "CREATE TABLE IF NOT EXISTS a (id int)",
        "DROP FUNCTION g; ALTER TABLE a RENAME TO b; CREATE VIEW a AS SELECT * FROM b",
    ]
    execute(database, "CREATE FUNCTION g() RETURNS int LANGUAGE sql AS 'select 1'")
    assert omega_bridge.boot(database, steps).outcome == "repaired"
    again = omega_bridge.boot(database, steps, retry=True)
    assert [s.outcome for s in again.steps] == ["already-there", "already-there"]


@pytest.mark.parametrize("guarded", [False, True])
def test_rows_of_a_table_that_is_dropped_and_made_anew_stay(database: str, guarded: bool) -> None:
    """What a step would take away, and a later one bring back as it is, is not taken away again in a further pass."""
    steps = [
        Step("DROP TABLE IF EXISTS t", destructive=True),
        "CREATE TABLE t (id int)",
        "GRANT SELECT ON t TO PUBLIC",
        "INSERT INTO t VALUES (1)",
        "ALTER TABLE t ADD COLUMN IF NOT EXISTS c int REFERENCES other (id)",
        "CREATE TABLE IF NOT EXISTS other (id int PRIMARY KEY)",
        "COMMENT ON TABLE t IS 'made anew at every start'",
    ]
    if guarded:
        del steps[2]  # with who only the server knows what it reaches, the list's order is kept
        steps[0] = Step(
            "DO $$ BEGIN IF EXISTS (SELECT FROM pg_tables WHERE tablename = 't') THEN DROP TABLE t; END IF; END $$",
            destructive=True,
        )
    run = omega_bridge.boot(database, steps)
    assert (run.passes <= 3, run.unsettled, scalar(database, "SELECT count(*) FROM t")) == (True, (), 1)


def test_a_failing_step_does_not_keep_a_start_going(database: str) -> None:
    """Where a pass changes nothing the next one would do the same: it is the last, whatever fails."""
    steps = [
        "ALTER TABLE t ALTER COLUMN nowhere SET (n_distinct = 5)",
        "CREATE TABLE IF NOT EXISTS t (id int)",
        "DO $$ DECLARE n int; BEGIN SELECT count(*) INTO n FROM pg_policy WHERE polname = 'p';"
        " IF n = 0 THEN CREATE POLICY p ON t USING (true); END IF; END $$",
    ]
    omega_bridge.boot(database, steps, on_error="continue")
    assert omega_bridge.boot(database, steps, on_error="continue", retry=True).passes <= 2
    execute(database, "DROP TABLE t CASCADE")
    assert omega_bridge.boot(database, steps, on_error="continue").passes <= 3
    assert scalar(database, "SELECT count(*) FROM pg_policy") == 1


@pytest.mark.parametrize("driver", ["boot", "alembic"])
def test_a_role_that_a_step_sets_is_for_those_behind_it(driver: str, database: str, make_role: MakeRole, tmp_path: Path) -> None:
    """What they make is its own, what it may not do it does not do, and what the bridge writes down is written by who has connected."""
    with psycopg.connect(database, autocommit=True) as conn:
        name = psycopg.conninfo.conninfo_to_dict(make_role())["user"]
        conn.execute(f"GRANT ALL ON SCHEMA public TO {name}")
    steps = [
        f"SET ROLE {name}",
        "CREATE TABLE IF NOT EXISTS theirs (id int PRIMARY KEY)",
        "ALTER TABLE theirs ADD COLUMN IF NOT EXISTS a text",
        "RESET ROLE",
        "CREATE TABLE IF NOT EXISTS ours (id int PRIMARY KEY)",
    ]
    if driver == "boot":
        run = omega_bridge.boot(database, steps)
        assert [(s.id, s.reason) for s in run.steps if s.outcome in ("failed", "no-effect", "refused")] == []
        assert omega_bridge.boot(database, steps).outcome == "current"
    else:
        export(analyse(omega_bridge.Registry.of(steps)), tmp_path)
        config = alembic_border.alembic_config(tmp_path, database)
        config.attributes["omega_bridge_config"] = Config(root=tmp_path)
        config.attributes["omega_bridge_registry"] = (omega_bridge.Registry.of(steps), None)
        environment.upgrade(config, "head")
    with psycopg.connect(database) as conn:
        owners = conn.execute(
            "SELECT relname, pg_get_userbyid(relowner) = %s FROM pg_class WHERE relname IN ('theirs', 'ours') ORDER BY 1", (name,)
        )
        assert owners.fetchall() == [("ours", False), ("theirs", True)]
