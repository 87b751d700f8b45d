"""What was not done is not remembered as done, and a start that has only that to do is nearly as quiet as one without work."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import Column, Integer, MetaData, Table, Text
from typer.testing import CliRunner

import omega_bridge
from omega_bridge import OmegaBridgeError, Step
from omega_bridge.analysis import analyse, statements
from omega_bridge.cli.app import app
from omega_bridge.embedded import Server
from omega_bridge.errors import StepFailed
from omega_bridge.ledger import Draft, Driver, Event
from omega_bridge.postgres import ledger_store
from omega_bridge.postgres.session import open_session
from omega_bridge.revisions import sums
from omega_bridge.revisions.files import export
from omega_bridge.startup.preview import Promise, look, surveyed
from omega_bridge.startup.start import promise_digest
from omega_bridge.steps import Registry
from omega_bridge.tags import Tag
from tests.fixtures.wire import Tape

STEPS = [
    ("make-orders", "CREATE TABLE IF NOT EXISTS orders (id int PRIMARY KEY)"),
    ("refer", "ALTER TABLE orders ADD COLUMN IF NOT EXISTS agent_id int REFERENCES agents (id)"),
    ("add-note", "ALTER TABLE orders ADD COLUMN IF NOT EXISTS note text"),
]
AGENTS = "CREATE TABLE agents (id int PRIMARY KEY)"


def execute(url: str, *texts: str) -> None:
    """Statements by another hand."""
    with psycopg.connect(url, autocommit=True) as conn:
        for text in texts:
            conn.execute(text.encode())


def version(url: str) -> list[str]:
    """What ``alembic_version`` says."""
    with psycopg.connect(url) as conn:
        if conn.execute("SELECT to_regclass('alembic_version')").fetchone() == (None,):
            return []
        return [r[0] for r in conn.execute("SELECT version_num FROM alembic_version")]


def test_only_what_failed_is_tried_again(sent: Tape) -> None:
    """Neither the parser nor the catalog: one question, one try, and the same end as before."""
    assert omega_bridge.boot(sent.url, STEPS, on_error="continue").outcome == "degraded"
    sent.clear()
    run = omega_bridge.boot(sent.url, STEPS, on_error="continue")
    assert run.outcome == "degraded"
    assert [(s.id, s.outcome, s.error.sqlstate if s.error else None) for s in run.steps] == [("refer", "failed", "42P01")]
    assert len([q for q in sent.queries if "ALTER TABLE" in q]) == 1
    assert sent.round_trips == run.round_trips == 4
    assert run.locks == ()


def test_what_failed_stops_each_start(database: str) -> None:
    """A start that finds its step failed once more ends as the first one did."""
    for _ in range(3):
        with pytest.raises(StepFailed) as told:
            omega_bridge.boot(database, STEPS)
        assert told.value.exit_code == 3
        assert [s.id for s in told.value.failures] == ["refer"]


def test_the_log_says_when_what_stands_is_tried_again(database: str, caplog: pytest.LogCaptureFixture) -> None:
    """What failed at the next start; what had no effect not before something changes. Each line can be found by its mark."""
    quiet = (
        "DO $$ BEGIN ALTER TABLE orders ADD COLUMN IF NOT EXISTS x int REFERENCES agents; EXCEPTION WHEN OTHERS THEN NULL; END $$"
    )
    steps = [*STEPS, ("quiet", quiet)]
    omega_bridge.boot(database, steps, on_error="continue")
    caplog.clear()
    with caplog.at_level("INFO", "omega_bridge"):
        omega_bridge.boot(database, steps, on_error="continue")
    assert all(line.startswith("[MIGRATION] ") for line in caplog.messages)
    again = {line.split()[2]: line.rpartition("(")[2] for line in caplog.messages if "tried again" in line}
    assert again == {
        "refer": "it is tried again at the next start)",
        "quiet": "it is tried again when the list or the schema changes, or with retry)",
    }
    assert "nothing else to do" in caplog.messages[-1]


def test_a_misspelled_table_is_asked_about(database: str) -> None:
    """The hint of the start that failed begins with the name that may be meant."""
    with pytest.raises(StepFailed) as told:
        omega_bridge.boot(database, [STEPS[0], ("note", "ALTER TABLE ordres ADD COLUMN IF NOT EXISTS note text")])
    assert str(told.value.hint).startswith("Is table orders meant by step note? Correct the statement")


def test_a_column_that_the_failed_step_adds_is_not_to_be_added_first(database: str) -> None:
    """The models lack it for the same reason; one that no step adds is named."""
    execute(database, "CREATE TABLE orders (id int PRIMARY KEY)")
    metadata = MetaData()
    Table("orders", metadata, Column("id", Integer, primary_key=True), Column("note", Text), Column("other", Text))
    step = ("note", "ALTER TABLE orders ADD COLUMN IF NOT EXISTS note text, ADD CHECK (nowhere > 0)")
    with pytest.raises(StepFailed) as told:
        omega_bridge.boot(database, [step], metadata=metadata)
    hint = told.value.hint or ""
    assert ("append first: ALTER TABLE orders ADD COLUMN IF NOT EXISTS other" in hint, "EXISTS note" in hint) == (True, False)


def test_what_would_go_through_now_is_repaired_at_once(database: str) -> None:
    """By a whole look at the list; the start after that has nothing to do."""
    omega_bridge.boot(database, STEPS, on_error="continue")
    execute(database, AGENTS.replace("agents", "other"))
    assert omega_bridge.boot(database, STEPS, on_error="continue").outcome == "degraded"
    execute(database, AGENTS)
    run = omega_bridge.boot(database, STEPS)
    assert (run.outcome, [s.id for s in run.steps if s.action == "run"]) == ("repaired", ["refer"])
    assert omega_bridge.boot(database, STEPS).round_trips == 1


def test_a_try_leaves_nothing(database: str) -> None:
    """It is taken back, whatever it did, before the list is worked through under the lock."""
    steps = [*STEPS, ("fill", "DO $$ BEGIN INSERT INTO orders VALUES (1); PERFORM 1 FROM nowhere; END $$")]
    omega_bridge.boot(database, steps, on_error="continue")
    omega_bridge.boot(database, steps, on_error="continue")
    with psycopg.connect(database) as conn:
        assert conn.execute("SELECT count(*) FROM orders").fetchone() == (0,)


def test_tries_can_be_spaced_out(database: str) -> None:
    """Within that time the failure is told from memory, in one round trip."""
    omega_bridge.boot(database, STEPS, on_error="continue")
    run = omega_bridge.boot(database, STEPS, on_error="continue", retry_after=3600)
    assert (run.outcome, run.round_trips, [s.id for s in run.steps]) == ("degraded", 1, ["refer"])
    assert omega_bridge.boot(database, STEPS, on_error="continue", retry_after=0.0).round_trips == 4
    assert omega_bridge.boot(database, STEPS, on_error="continue", retry_after=1e-6).outcome == "degraded"
    assert omega_bridge.boot(database, STEPS, on_error="continue", retry_after=3600).round_trips == 1


def test_a_step_that_hangs_on_settings_is_tried_in_its_place(database: str) -> None:
    """Where the list sets a search path, a later step means something only after that."""
    steps = ["CREATE SCHEMA IF NOT EXISTS app", "SET search_path = app", ("refer", "CREATE TABLE t (id int REFERENCES agents)")]
    omega_bridge.boot(database, steps, on_error="continue")
    execute(database, "CREATE TABLE app.agents (id int PRIMARY KEY)")
    assert omega_bridge.boot(database, steps).outcome == "repaired"


def test_a_data_step_that_fails_is_tried_like_the_others(database: str) -> None:
    """The data steps that work run meanwhile."""
    steps = [*STEPS[:1], ("fill", "INSERT INTO orders VALUES (1) ON CONFLICT DO NOTHING"), ("miss", "UPDATE nowhere SET a = 1")]
    omega_bridge.boot(database, steps, on_error="continue")
    execute(database, "DELETE FROM orders")
    run = omega_bridge.boot(database, steps, on_error="continue")
    assert {s.id: s.outcome for s in run.steps} == {"miss": "failed", "fill": "applied"}


def test_a_refused_step_is_judged_again_where_it_is_allowed(database: str) -> None:
    """The word of the caller is no change of list or schema, and counts all the same."""
    execute(database, "CREATE TABLE old (id int); INSERT INTO old VALUES (1)")
    steps = [("drop-old", "DROP TABLE IF EXISTS old")]
    omega_bridge.boot(database, steps)
    assert omega_bridge.boot(database, steps, allow_destructive=["drop-old"]).outcome == "repaired"


# --- how far the history is true -------------------------------------------------------------------------------


@pytest.fixture
def history(tmp_path: Path) -> Path:
    """The list, exported."""
    folder = tmp_path / "alembic"
    export(analyse(Registry.of(STEPS)), folder)
    return folder


def test_no_log_line_vouches_for_what_stands_refused(database: str, caplog: pytest.LogCaptureFixture) -> None:
    """A start that sends nothing says that a step stands refused, and not that the schema is as the list says."""
    execute(database, "CREATE TABLE old (id int)", "INSERT INTO old VALUES (1)")
    omega_bridge.boot(database, ["DROP TABLE IF EXISTS old"])
    with caplog.at_level("INFO", "omega_bridge"):
        assert omega_bridge.boot(database, ["DROP TABLE IF EXISTS old"]).round_trips == 1
    assert "stand as they did (1 refused)" in caplog.text
    assert "as the list says" not in caplog.text


def test_the_version_is_the_last_that_is_true(database: str, history: Path) -> None:
    """The revision before the first that is not; the ledger and the status name that one, and those behind it that hold."""
    first, second, third = (line.revision for line in sums.revisions(sums.read_sum(history)))
    run = omega_bridge.boot(database, STEPS, history=history, on_error="continue")
    assert (run.revision, version(database)) == (first, [first])
    again = omega_bridge.boot(database, STEPS, history=history, on_error="continue")
    assert (again.round_trips, again.revision) == (4, first)
    with open_session(database) as session:
        told = [e for e in ledger_store.read(session.connection) if e.draft.event == Event.BOOT][-1].draft.detail
    assert (told["revision"], told["not_true"], told["beyond"]) == (first, {"revision": second, "step": "refer"}, [third])
    analysis = analyse(Registry.of(STEPS))
    held = surveyed(database, analysis, history)
    assert (held.prefix, [g.revision for g in held.gaps], held.beyond) == (first, [second], (third,))
    seen = look(database, analysis, Promise(promise_digest(Registry.of(STEPS).digest(), None, third), third))
    assert ([s.analysis.id for s in seen.pending], [s["outcome"] for s in seen.standing]) == (["refer"], ["failed"])
    execute(database, AGENTS)
    assert omega_bridge.boot(database, STEPS, history=history).revision == third
    assert version(database) == [third]


def test_a_refused_step_holds_the_version_back(database: str, tmp_path: Path) -> None:
    """It was not done, and ``alembic upgrade head`` is told so."""
    steps = [STEPS[0], ("drop-old", "DROP TABLE IF EXISTS old"), STEPS[2]]
    folder = tmp_path / "alembic"
    export(analyse(Registry.of(steps)), folder)
    first, *_ = (line.revision for line in sums.revisions(sums.read_sum(folder)))
    execute(database, "CREATE TABLE old (id int); INSERT INTO old VALUES (1)")
    run = omega_bridge.boot(database, steps, history=folder)
    assert (run.outcome, run.revision, version(database)) == ("repaired", first, [first])
    again = omega_bridge.boot(database, steps, history=folder)
    assert (again.outcome, again.round_trips, again.revision) == ("current", 1, first)


def test_the_version_never_goes_back(database: str, history: Path) -> None:
    """A step that fails again after the head was reached leaves the version where it is."""
    execute(database, AGENTS)
    head = omega_bridge.boot(database, STEPS, history=history).revision
    execute(database, "ALTER TABLE orders DROP COLUMN agent_id; DROP TABLE agents")
    run = omega_bridge.boot(database, STEPS, history=history, on_error="continue")
    assert (run.outcome, run.revision, version(database)) == ("degraded", head, [head])


def test_an_older_image_leaves_the_version_of_a_newer_one(database: str, history: Path, tmp_path: Path) -> None:
    """Its list lacks steps that only add: it starts, and stamps nothing."""
    execute(database, AGENTS)
    older = tmp_path / "older"
    export(analyse(Registry.of(STEPS[:2])), older)
    head = omega_bridge.boot(database, STEPS, history=history).revision
    run = omega_bridge.boot(database, STEPS[:2], history=older)
    assert (run.revision, version(database)) == (head, [head])


# --- once ------------------------------------------------------------------------------------------------------


def test_once_counts_what_the_other_driver_ran(database: str) -> None:
    """A step that an upgrade sent is not sent by a start, also where the list has grown; in another schema it is."""
    once = Step("UPDATE orders SET note = note || 'x'", id="once", repeat="once")
    steps: list[Step | tuple[str, str]] = [STEPS[0], STEPS[2], once]
    omega_bridge.boot(database, [STEPS[0], STEPS[2]])
    execute(database, "INSERT INTO orders VALUES (1, '')")
    checksum = next(s.checksum for s in analyse(Registry.of([once])))
    with open_session(database) as session:
        draft = Draft(Driver.ALEMBIC, Event.UPGRADE, "00000000-0000-0000-0000-000000000001", "0a1b", checksum, "already-there")
        ledger_store.append(session.connection, [draft])
        assert checksum in ledger_store.done_once(session.connection)
        session.execute("CREATE SCHEMA elsewhere; SET search_path = elsewhere")
        assert checksum not in ledger_store.done_once(session.connection)
    omega_bridge.boot(database, steps)
    with psycopg.connect(database) as conn:
        assert conn.execute("SELECT note FROM orders").fetchone() == ("",)


@pytest.mark.parametrize("outcome", ["failed", "refused"])
def test_once_does_not_count_what_was_not_done(database: str, outcome: str) -> None:
    """A revision that PostgreSQL rejected, or that was refused for the sake of rows, ran nothing: the next start does."""
    once = Step("UPDATE orders SET note = note || 'x'", id="once", repeat="once")
    steps: list[Step | tuple[str, str]] = [STEPS[0], STEPS[2], once]
    omega_bridge.boot(database, [STEPS[0], STEPS[2]])
    execute(database, "INSERT INTO orders VALUES (1, '')")
    checksum = next(s.checksum for s in analyse(Registry.of([once])))
    with open_session(database) as session:
        draft = Draft(Driver.ALEMBIC, Event.UPGRADE, "00000000-0000-0000-0000-000000000001", "0a1b", checksum, outcome)
        ledger_store.append(session.connection, [draft])
    for _ in range(2):
        omega_bridge.boot(database, steps)
    with psycopg.connect(database) as conn:
        assert conn.execute("SELECT note FROM orders").fetchone() == ("x",)


def test_what_stands_is_told_by_its_code(database: str) -> None:
    """With ``strict`` a step without effect stops each start."""
    steps = ["DO $$ BEGIN ALTER TABLE nowhere ADD COLUMN a int; EXCEPTION WHEN OTHERS THEN NULL; END $$"]
    for _ in range(2):
        with pytest.raises(OmegaBridgeError) as told:
            omega_bridge.boot(database, steps, strict=True)
        assert told.value.code == "OB302"


MAKES = "CREATE TABLE made (id int); "
REJECTED = {
    "a function": f"CREATE FUNCTION f() RETURNS int LANGUAGE plpgsql AS $$ BEGIN {MAKES} RETURN 1; END $$; {MAKES}|SELECT f()",
    "a block": f"{MAKES}|DO $$ BEGIN EXECUTE 'CREATE TABLE ' || 'made (id int)'; END $$",
    "a trigger": f"CREATE FUNCTION g() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {MAKES} RETURN NEW; END $$; {MAKES} "
    "CREATE TABLE fed (id int); CREATE TRIGGER g BEFORE INSERT ON fed FOR EACH ROW EXECUTE FUNCTION g()|INSERT INTO fed VALUES (1)",
    "a column of rows twice": "CREATE TABLE fed (id int)|INSERT INTO fed (id, id) VALUES (1, 1)",
    "a column of its own twice": "SELECT 1|CREATE TABLE made (id int, id int)",
    "a query's column twice": "SELECT 1|CREATE TABLE made AS SELECT 1 AS id, 2 AS id",
}


@pytest.mark.parametrize("name", REJECTED)
def test_there_already_is_not_believed_of_what_was_never_taken(database: str, name: str) -> None:
    """The server says it of what a step calls, or of its own column: nothing of the step was done, and it stands failed."""
    start, step = REJECTED[name].split("|", 1) if name != "a block" else (MAKES, REJECTED[name].partition("|")[2])
    execute(database, start)
    for _ in range(2):
        run = omega_bridge.boot(database, [("step", step)], on_error="continue")
        assert (run.outcome, [(s.id, s.outcome) for s in run.steps]) == ("degraded", [("step", "failed")])


def test_what_was_taken_once_is_there_already(database: str) -> None:
    """A block that makes a table by a computed statement works once; sent again, because the list has grown, it did not fail."""
    step = ("step", "DO $$ BEGIN EXECUTE 'CREATE TABLE ' || 'made (id int)'; END $$")
    assert omega_bridge.boot(database, [step]).outcome == "repaired"
    run = omega_bridge.boot(database, [step, STEPS[0]])
    assert [(s.id, s.outcome) for s in run.steps] == [("step", "already-there"), ("make-orders", "applied")]


# --- everybody says the same -----------------------------------------------------------------------------------

UNDONE: dict[str, tuple[str, list[tuple[str, str]], dict[str, str]]] = {
    "failed": ("", [("step", "ALTER TABLE orders ADD COLUMN IF NOT EXISTS a int REFERENCES nowhere (id)")], {"step": "failed"}),
    "refused": (
        "CREATE TABLE old (id int); INSERT INTO old VALUES (1)",
        [("step", "DROP TABLE IF EXISTS old")],
        {"step": "refused"},
    ),
    "without effect": (
        "",
        [("step", "DO $$ BEGIN ALTER TABLE nowhere ADD COLUMN a int; EXCEPTION WHEN OTHERS THEN NULL; END $$")],
        {"step": "no-effect"},
    ),
    "held back": (
        "CREATE TABLE old (a int); INSERT INTO old VALUES (1); CREATE TABLE kept (a int, b int)",
        [
            ("copy", "INSERT INTO kept SELECT a, b FROM old"),
            ("clear", "TRUNCATE old"),
            ("step", "ALTER TABLE old ADD COLUMN IF NOT EXISTS b int REFERENCES nowhere (id)"),
        ],
        {"copy": "failed", "clear": "skipped", "step": "failed"},
    ),
}


def said(*arguments: str) -> tuple[int, Any]:
    """What a verb says as JSON, and its exit code."""
    done = CliRunner().invoke(app, [*arguments, "--json"])
    code = done.exit_code if done.exception is None or isinstance(done.exception, SystemExit) else 3
    return code, json.loads(done.stdout) if done.stdout else None


@pytest.mark.parametrize("name", UNDONE)
def test_everybody_says_that_a_step_stands_undone(
    database: str, server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """Each start, its record, ``status``, ``drift`` and ``report``: no "holds everything", no ``held``, and exit codes that agree."""
    start, undone, outcomes = UNDONE[name]
    steps = [STEPS[0], *undone]
    (tmp_path / "main.py").write_text(f"migration_steps = {steps!r}\n")
    (tmp_path / "pyproject.toml").write_text('[tool.omega-bridge]\nsteps = "main:migration_steps"\npython-path = ["."]\n')
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DATABASE_URL", database)
    monkeypatch.delitem(sys.modules, "main", raising=False)
    export(analyse(Registry.of(steps)), tmp_path / "alembic")
    execute(database, *filter(None, [start]))
    for _ in range(2):
        run = omega_bridge.boot(database, steps, history=tmp_path / "alembic", on_error="continue")
        assert {s.id: s.outcome for s in run.standing} == outcomes
        assert {s["id"]: s["outcome"] for s in run.as_dict()["standing"]} == outcomes
    assert (run.outcome == "degraded") == ("failed" in outcomes.values())
    with open_session(database) as session:
        told = [e for e in ledger_store.read(session.connection) if e.draft.event == Event.BOOT][-1].draft.detail
    assert told["standing"] == list(outcomes)
    code, status = said("status")
    assert (code, {s["id"]: s["outcome"] for s in status["database"]["standing"]}) == (1, outcomes)
    assert all(f"step {i} stands {o}" in status["database"]["told"] for i, o in outcomes.items())
    code, drift = said("drift", "--scratch-url", server.url)
    assert (code, {s["id"]: s["outcome"] for s in drift["standing"]}) == (1, outcomes)
    code, report = said("report", "--to", str(tmp_path / "report"))
    assert (code, report["ok"]) == (1, False)
    page = json.loads((tmp_path / "report" / "report.json").read_text())
    hows = {label: line["how"] for line in page["revisions"] for label in line["steps"]}
    assert all(hows[step] in (outcome, "not there") for step, outcome in outcomes.items())
    assert said("plan")[0] == (1 if "failed" in outcomes.values() else 0)
    assert said("boot")[0] == (3 if "failed" in outcomes.values() else 0)


DECLARED = {
    "a value of another type": "n int := 'abc'",
    "a value that is computed": "n int := 1 / 0",
    "a value that is too long": "n varchar(2) := 'long'",
    "null": "n int NOT NULL := NULL",
    "the rows of a missing table": "n missing%ROWTYPE",
    "the type of a missing column": "n t.missing%TYPE",
    "a missing type": "n missing",
}


@pytest.mark.parametrize("name", DECLARED)
def test_what_a_block_declares_may_be_rejected(database: str, name: str) -> None:
    """With the block goes all that it does, also where the start sends what is in it together with other steps."""
    block = f"DO $$ DECLARE {DECLARED[name]}; BEGIN CREATE TABLE IF NOT EXISTS made (id int); END $$"
    run = omega_bridge.boot(database, ["CREATE TABLE IF NOT EXISTS t (id int)", block], on_error="continue")
    assert [str(s.outcome) for s in run.steps] == ["applied", "failed"]
    assert run.standing[0].id == run.steps[1].id


WITHIN = {
    "a value of another type": "n := 'abc'",
    "what a look-up finds, of another type": "SELECT data_type INTO n FROM information_schema.columns WHERE column_name = 'id'",
    "another variable": "n := word",
    "what a notice computes": "RAISE NOTICE '%', 1 / 0",
    "the error, where there was none": "RAISE NOTICE '%', SQLERRM",
    "the error behind its handler": "BEGIN PERFORM 1; EXCEPTION WHEN OTHERS THEN NULL; END; RAISE NOTICE '%', SQLSTATE",
    "a variable that is not declared": "RAISE NOTICE '%', wrod",
}


@pytest.mark.parametrize("name", WITHIN)
def test_what_a_block_computes_may_be_rejected(database: str, name: str) -> None:
    """An assignment takes away what the block made before."""
    block = f"DO $$ DECLARE n int; word text := 'abc'; BEGIN CREATE TABLE IF NOT EXISTS made (id int); {WITHIN[name]}; END $$"
    run = omega_bridge.boot(database, ["CREATE TABLE IF NOT EXISTS t (id int)", block], on_error="continue")
    assert [str(s.outcome) for s in run.steps] == ["applied", "failed"]


def test_what_a_block_tells_of_its_own_is_no_reason_to_send_it(database: str) -> None:
    """Its variables, and in a handler the error: PostgreSQL takes them, and where all is there, so is the step."""
    block = 'DO $$ DECLARE "N x" int := 3; BEGIN CREATE TABLE IF NOT EXISTS made (id int); RAISE NOTICE \'% %\', "N x", Found;'
    block += " EXCEPTION WHEN OTHERS THEN BEGIN PERFORM 1; END; RAISE NOTICE '% %', SQLSTATE, SQLERRM; END $$"
    program = analyse(Registry.of([block])).steps[0].program
    assert [s.tag for s in statements(program, handlers=True) if s.tag is Tag.EXPRESSION] == []
    assert [str(s.outcome) for s in omega_bridge.boot(database, [block]).steps] == ["applied"]


ASSERTED = {
    "rows": "DO $$ BEGIN IF EXISTS (SELECT FROM t WHERE n IS NULL) THEN RAISE EXCEPTION 'first fill it'; END IF; END $$",
    "an assertion": "DO $$ BEGIN ASSERT (SELECT count(n) FROM t) > 0, 'first fill it'; END $$",
    "a count": "DO $$ DECLARE c int; BEGIN SELECT count(*) INTO c FROM t WHERE n IS NULL;"
    " IF c > 0 THEN RAISE EXCEPTION 'first fill it'; END IF; END $$",
}


@pytest.mark.parametrize("name", ASSERTED)
def test_a_step_that_only_asks_is_sent(database: str, name: str) -> None:
    """It makes nothing that could be there already: what it asks for, only the server knows."""
    with psycopg.connect(database, autocommit=True) as conn:
        conn.execute("CREATE TABLE t (id int, n int); INSERT INTO t VALUES (1)")
        steps = ["CREATE TABLE IF NOT EXISTS t (id int, n int)", ASSERTED[name]]
        told = [s.reason for s in omega_bridge.boot(database, steps, on_error="continue").standing]
        assert ["first fill it" in reason for reason in told] == [True]
        conn.execute("UPDATE t SET n = 1")
    assert omega_bridge.boot(database, steps, on_error="continue").standing == ()
    assert omega_bridge.boot(database, steps).outcome == "current"


@pytest.mark.parametrize(
    "text",
    [
        "ALTER ROLE no_such_role PASSWORD 's3cr3t-of-app'",
        "ALTER ROLE no_such_role SET PASSWORD 's3cr3t-of-app'",
        "CREATE ROLE no_such_role PASSWORD 's3cr3t-of-app",
        "DO $$ BEGIN EXECUTE 'ALTER ROLE no_such_role PASSWORD ''s3cr3t-of-app'''; END $$",
    ],
)
def test_a_password_of_a_step_that_fails_is_nowhere(database: str, text: str, caplog: pytest.LogCaptureFixture) -> None:
    """Not in the log, the error, the run or the record; and the step is tried again at each start."""
    caplog.set_level("DEBUG", "omega_bridge")
    for _ in range(2):
        with pytest.raises(StepFailed) as failed:
            omega_bridge.boot(database, ["CREATE TABLE IF NOT EXISTS t (id int)", text])
        assert "s3cr3t" not in f"{failed.value} {failed.value.run.as_dict()} {caplog.text}"
    assert caplog.text.count("failed in") >= 1
    with psycopg.connect(database) as conn:
        for table in ("ledger", "states"):
            rows = conn.execute(f"SELECT x::text FROM omega_bridge.omega_bridge_{table} x".encode()).fetchall()
            assert "s3cr3t" not in str(rows)
        assert conn.execute("SELECT FROM pg_proc WHERE prosrc LIKE '%s3cr3t%'").rowcount == 0
