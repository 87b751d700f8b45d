"""A list that has grown, on a database that holds the rest of it: only what is new is judged, and only where that is safe."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest

import omega_bridge
from omega_bridge.planning.plan import Planner
from omega_bridge.postgres import lock
from omega_bridge.postgres.catalog_reader import CatalogReader, read_catalog
from omega_bridge.startup import repair, rest
from omega_bridge.startup.run import Run
from omega_bridge.steps import Step

STEPS = [
    "CREATE TABLE IF NOT EXISTS t (id int PRIMARY KEY)",
    "ALTER TABLE t ADD COLUMN IF NOT EXISTS a text",
    "CREATE TABLE IF NOT EXISTS u (id int PRIMARY KEY)",
    "ALTER TABLE u ADD COLUMN IF NOT EXISTS a text",
]
NEW = "ALTER TABLE u ADD COLUMN IF NOT EXISTS b int"
AS_LEFT = "everything it makes is there: nothing has changed since an earlier start saw it"
Start = Any


@pytest.fixture
def start(database: str, monkeypatch: pytest.MonkeyPatch) -> Start:
    """One start, with the places of the steps that it has judged."""
    judged: list[int] = []
    plan = Planner.plan
    monkeypatch.setattr(
        Planner, "plan", lambda self, index, *args, **given: judged.append(index) or plan(self, index, *args, **given)
    )

    def started(steps: list[str | Step], **options: Any) -> tuple[Run, set[int]]:
        judged.clear()
        return omega_bridge.boot(database, steps, on_error="continue", **options), set(judged)

    return started


def test_only_what_is_new_is_judged(start: Start) -> None:
    """Steps that share no name with a new one are not looked at; those that do are, once it has changed something."""
    start(STEPS)
    run, judged = start([*STEPS, NEW])
    assert [(s.outcome, s.reason) for s in run.steps[:4]] == [("already-there", AS_LEFT)] * 4
    assert (run.outcome, judged) == ("repaired", {4})
    assert start([*STEPS, NEW])[1] == set()


def test_what_was_sent_by_itself_is_judged_once_more(start: Start) -> None:
    """A step that ran in the last start was never seen to have nothing to do; nor what it touched since."""
    start(STEPS)
    start([*STEPS, NEW])
    assert start([*STEPS, NEW, "CREATE TABLE IF NOT EXISTS w (id int)"])[1] == {2, 3, 4, 5}
    assert start([*STEPS, NEW, "CREATE TABLE IF NOT EXISTS w (id int)", "CREATE TABLE IF NOT EXISTS x ()"])[1] == {5, 6}


def test_a_changed_database_is_judged_whole(start: Start, database: str) -> None:
    """What a hand has changed is put back by the start of a list that has grown, too."""
    start(STEPS)
    with psycopg.connect(database, autocommit=True) as conn:
        conn.execute("ALTER TABLE t DROP COLUMN a")
    run, judged = start([*STEPS, NEW])
    assert ([str(s.outcome) for s in run.steps], judged) == (
        ["already-there", "applied", "already-there", "already-there", "applied"],
        {0, 1, 2, 3, 4},
    )


@pytest.mark.parametrize(
    "steps",
    [
        [STEPS[0], *STEPS[2:], NEW],
        [*STEPS[:2], NEW, *STEPS[2:]],
        [STEPS[1], STEPS[0], *STEPS[2:], NEW],
        [STEPS[0], STEPS[1].replace("text", "varchar(9)"), *STEPS[2:], NEW],
    ],
    ids=["one-gone", "one-between", "another-order", "one-edited"],
)
def test_a_list_that_changed_before_its_end_is_judged_whole(start: Start, steps: list[str]) -> None:
    """A step that comes, goes or changes ahead of others may mean another thing for them."""
    start(STEPS)
    run, judged = start(steps)
    assert judged >= set(range(len(steps)))
    assert AS_LEFT not in [s.reason for s in run.steps]


def test_a_retry_judges_everything(start: Start) -> None:
    """Whatever is recorded."""
    start(STEPS)
    assert start([*STEPS, NEW], retry=True)[1] == {0, 1, 2, 3, 4}


@pytest.mark.parametrize(
    "step",
    [
        "COMMENT ON COLUMN t.a IS 'x'; SELECT 1",
        "DO $$ BEGIN EXECUTE 'ALTER TABLE t ALTER a SET DEFAULT ' || quote_literal('x'); END $$",
        "UPDATE t SET a = 'x' WHERE a IS NULL",
        "DO $$ BEGIN ALTER TABLE nowhere ADD COLUMN b int; EXCEPTION WHEN undefined_table THEN NULL; END $$",
        "ALTER TABLE nowhere ADD COLUMN b int",
    ],
    ids=["not-read", "dynamic", "data", "without-effect", "failing"],
)
def test_what_is_not_certain_is_judged_at_each_start(start: Start, step: str) -> None:
    """What is not read, is about rows, or has not worked, no record vouches for."""
    start([*STEPS, step])
    assert 4 in start([*STEPS, step, NEW])[1]


def test_a_new_step_that_takes_away_is_seen_by_those_before(start: Start) -> None:
    """What makes it is judged after it, and left to it."""
    start(STEPS)
    gone = Step("ALTER TABLE u DROP COLUMN IF EXISTS a", destructive=True)
    run, judged = start([*STEPS, gone])
    assert (3 in judged, 1 in judged) == (True, False)
    assert [str(s.outcome) for s in run.steps] == ["already-there"] * 4 + ["applied"]
    run, judged = start([*STEPS, gone, NEW])
    assert judged == {2, 3, 4, 5}
    assert "a later step takes away" in run.steps[3].reason


def test_who_changes_it_while_a_start_is_at_work_is_not_vouched_for(start: Start, database: str) -> None:
    """The record is then of a schema that no step was judged in."""
    start(STEPS)
    whole = repair._as_it_stands
    with pytest.MonkeyPatch.context() as patch, psycopg.connect(database, autocommit=True) as other:

        def changed(*args: Any) -> Any:
            other.execute("ALTER TABLE t DROP COLUMN a")
            return whole(*args)

        patch.setattr(repair, "_as_it_stands", changed)
        start([*STEPS, NEW])
    run, judged = start([*STEPS, NEW, "CREATE TABLE IF NOT EXISTS w (id int)"])
    assert 1 in judged
    assert run.steps[1].outcome == "applied"


def test_who_changes_it_while_a_start_waits_is_seen(start: Start, database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The token is asked for once more behind the reading: the start before may have left something half done, and no record."""
    start(STEPS)
    exclusive = lock.exclusive

    def changed(*args: Any, **given: Any) -> Any:
        with psycopg.connect(database, autocommit=True) as other:
            other.execute("ALTER TABLE t DROP COLUMN a")
        return exclusive(*args, **given)

    with monkeypatch.context() as patch:
        patch.setattr(lock, "exclusive", changed)
        run, judged = start([*STEPS, NEW])
    assert (1 in judged, str(run.steps[1].outcome)) == (True, "applied")


@pytest.mark.parametrize("first", [(), ("CREATE SCHEMA IF NOT EXISTS side", "SET search_path = side, public")])
def test_who_changes_it_behind_the_reading_is_seen(
    start: Start, database: str, monkeypatch: pytest.MonkeyPatch, first: tuple[str, ...]
) -> None:
    """What the steps were judged in is held against what is there in the end."""
    steps = [*STEPS, *first]
    start(steps)
    _behind_the_reading(monkeypatch, database, "ALTER TABLE t DROP COLUMN a", times=1)
    run, _ = start([*steps, NEW.replace("u ", "public.u ")])
    assert (str(run.steps[1].outcome), run.warnings) == ("applied", ())
    with psycopg.connect(database) as conn:
        conn.execute("SELECT a FROM t")
    assert start([*steps, NEW.replace("u ", "public.u ")])[1] == set()


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[frozenset[str]]:
    """By which names the catalog is read, by starts that take a short list for a long one."""
    monkeypatch.setattr(rest, "_MANY", 0)
    found: list[frozenset[str]] = []
    reads = CatalogReader.read
    monkeypatch.setattr(CatalogReader, "read", lambda self, names: found.append(frozenset(names)) or reads(self, names))
    return found


def test_the_rest_is_not_read_again(start: Start, database: str, read: list[frozenset[str]]) -> None:
    """Of what no new step names the token is asked: the catalog that is recorded is the whole one all the same."""
    start(STEPS)
    read.clear()
    run, _ = start([*STEPS, NEW])
    assert all("t" not in names for names in read)
    with psycopg.connect(database) as conn:
        _is_what_was_read(conn, run)
    assert omega_bridge.boot(database, [*STEPS, NEW]).outcome == "current"


def test_a_view_is_read_that_prints_a_new_column(start: Start, database: str, read: list[frozenset[str]]) -> None:
    """PostgreSQL gives the columns of a join in parentheses names of their own, where they would meet."""
    steps = [
        *STEPS,
        "CREATE TABLE IF NOT EXISTS w (id int, c int)",
        "DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_views WHERE viewname = 'v') THEN "
        "CREATE VIEW v AS SELECT j.id, j.a, j.c FROM (t JOIN w USING (id)) j; END IF; END $$",
    ]
    start(steps)
    start([*steps, "CREATE TABLE IF NOT EXISTS x ()"])  # of the view's step, too, it is seen now that it has nothing to do
    read.clear()
    run, judged = start([*steps, "CREATE TABLE IF NOT EXISTS x ()", "ALTER TABLE w ADD COLUMN IF NOT EXISTS a text"])
    assert all("u" not in names for names in read)
    assert 5 in judged  # behind the new column
    with psycopg.connect(database) as conn:
        _is_what_was_read(conn, run)


@pytest.mark.parametrize(
    "new",
    [
        "ALTER TABLE u RENAME COLUMN a TO b",  # what else prints it is printed in other words
        "CREATE TABLE IF NOT EXISTS first.side (id int)",  # what names it by itself means another one
        "DO $$ BEGIN EXECUTE 'ALTER TABLE t ADD COLUMN IF NOT EXISTS z int'; END $$",
        "UPDATE u SET a = 'x' WHERE a IS NULL",
    ],
)
def test_what_may_change_the_rest_has_it_read(start: Start, database: str, read: list[frozenset[str]], new: str) -> None:
    """The catalog that is recorded is the one that is there."""
    with psycopg.connect(database, autocommit=True) as conn:
        name = conn.info.dbname
        conn.execute(
            f'CREATE SCHEMA first; CREATE SCHEMA second; ALTER DATABASE "{name}" SET search_path = first, second, public'
        )
    first = [
        "CREATE TABLE IF NOT EXISTS second.side (id int PRIMARY KEY)",
        "CREATE TABLE IF NOT EXISTS public.u (id int PRIMARY KEY, a text)",
        "CREATE TABLE IF NOT EXISTS public.t (id int PRIMARY KEY)",
        "CREATE OR REPLACE VIEW public.v AS SELECT u.a, side.id FROM public.u, second.side",
    ]
    start(first)
    read.clear()
    run, _ = start([*first, new])
    assert any("v" in names for names in read)
    with psycopg.connect(database) as conn:
        _is_what_was_read(conn, run)


FF = "CREATE OR REPLACE FUNCTION ff(a int{}) RETURNS int IMMUTABLE LANGUAGE sql AS 'SELECT 1'"


@pytest.mark.parametrize(
    ("first", "new"),
    [
        (
            [
                "CREATE TABLE IF NOT EXISTS whole (id int, k int NOT NULL) PARTITION BY RANGE (k)",
                "CREATE TABLE IF NOT EXISTS part PARTITION OF whole FOR VALUES FROM (0) TO (10)",
            ],
            "CREATE INDEX IF NOT EXISTS whole_id ON whole (id)",
        ),
        (
            [FF.format(", b int DEFAULT 1"), "CREATE TABLE IF NOT EXISTS o (id int, CONSTRAINT o_is CHECK (ff(id) > 0))"],
            FF.format(""),
        ),
        (
            [
                FF.format(", b text"),
                FF.format(", b int DEFAULT 1"),
                "CREATE TABLE IF NOT EXISTS o (id int, CONSTRAINT o_is CHECK (ff(id) > 0))",
            ],
            FF.format(", b text DEFAULT 'x'"),
        ),
    ],
    ids=["index-of-a-partition", "overloaded", "overloaded-by-a-default"],
)
def test_what_a_new_step_changes_elsewhere_is_recorded(
    start: Start, database: str, read: list[frozenset[str]], first: list[str], new: str
) -> None:
    """A partition gets an index, though no row of the partition changes; a call that may mean two functions is printed with its schema."""
    start([*STEPS, *first])
    run, _ = start([*STEPS, *first, new])
    assert run.steps[-1].outcome == "applied"
    with psycopg.connect(database) as conn:
        _is_what_was_read(conn, run)


def test_what_only_this_start_looks_at_is_read_again(
    start: Start, database: str, read: list[frozenset[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A table of which the last start recorded nothing may be changed before the token is asked."""
    with psycopg.connect(database, autocommit=True) as conn:
        conn.execute("CREATE TABLE apart (id int)")
        start(STEPS)
        asks = repair.rest_of

        def changed(*args: Any) -> Any:
            conn.execute("ALTER TABLE apart ADD COLUMN a int")
            return asks(*args)

        monkeypatch.setattr(repair, "rest_of", changed)
        run, _ = start([*STEPS, NEW], critical_tables=("apart",))
        _is_what_was_read(conn, run)


def test_what_somebody_else_hides_behind_the_reading_is_seen(
    start: Start, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A guard that finds it, finds another thing than before."""
    steps = [
        "CREATE TABLE IF NOT EXISTS t (id int)",
        "DO $$ BEGIN IF EXISTS (SELECT FROM pg_class WHERE relname = 'seen') THEN ALTER TABLE t ADD COLUMN IF NOT EXISTS b int; END IF; END $$",
    ]
    start(steps[:1])
    with psycopg.connect(database, autocommit=True) as other:
        _behind_the_reading(monkeypatch, other, "CREATE TEMPORARY TABLE seen ()", times=1)
        run, _ = start(steps)
        assert run.steps[1].outcome == "applied"


def test_who_goes_on_changing_it_leaves_no_clean_record(start: Start, database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A start gives up after some looks; the next one judges everything."""
    start(STEPS)
    with monkeypatch.context() as patch:
        _behind_the_reading(patch, database, "ALTER TABLE t DROP COLUMN IF EXISTS a", times=99)
        run, _ = start([*STEPS, NEW])
    assert [w for w in run.warnings if w.startswith("somebody else goes on changing")]
    run, judged = start([*STEPS, NEW])
    assert (str(run.steps[1].outcome), judged) == ("applied", {0, 1, 2, 3, 4})
    assert start([*STEPS, NEW])[1] == set()


def test_who_takes_away_just_what_came_behind_a_batch_is_seen(
    start: Start, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The schema is then as the batch left it, but not as the steps after it did."""
    steps = [
        "CREATE TABLE IF NOT EXISTS t (id int)",
        "CREATE SCHEMA IF NOT EXISTS side",
        "SET search_path = side, public",
        "CREATE TABLE IF NOT EXISTS z (id int)",
    ]
    _behind_the_reading(monkeypatch, database, "DROP TABLE side.z", times=1)
    run, _ = start(steps)
    with psycopg.connect(database) as conn:
        conn.execute("SELECT FROM side.z")
        _is_what_was_read(conn, run)
    assert start(steps)[0].outcome == "current"


def test_what_ends_with_the_start_is_nobody_elses_doing(start: Start) -> None:
    """A temporary table of the list's own, of which no text says so."""
    steps = [
        "CREATE TABLE IF NOT EXISTS t (id int)",
        "CREATE TABLE IF NOT EXISTS pg_temp.first (id int)",
        "SET search_path = pg_temp, public",
        "CREATE TABLE IF NOT EXISTS passing (id int)",
        "RESET search_path",
        "ALTER TABLE t ADD COLUMN IF NOT EXISTS b int",
    ]
    run, _ = start(steps)
    assert repair._OVERTAKEN not in run.warnings
    assert start(steps)[0].outcome == "current"


def test_a_step_is_not_sent_again_without_the_temporary_table_that_it_reads(
    start: Start, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next start makes that one again, too."""
    steps = [
        *STEPS,
        "CREATE TEMPORARY TABLE IF NOT EXISTS passing AS SELECT 1 AS id",
        "CREATE TABLE IF NOT EXISTS kept AS SELECT * FROM passing",
    ]
    _behind_the_reading(monkeypatch, database, "DROP TABLE kept", times=1)
    run, _ = start(steps)
    assert [str(s.outcome) for s in run.steps] == ["applied"] * 6
    assert run.warnings == (repair._OVERTAKEN,)
    assert start(steps)[0].steps[-1].outcome == "applied"
    with psycopg.connect(database) as conn:
        assert conn.execute("SELECT id FROM kept").fetchall() == [(1,)]


def _is_what_was_read(conn: psycopg.Connection[Any], run: Run) -> None:
    """What a start has recorded is the catalog that is there, read whole."""
    ((names, digest),) = conn.execute("SELECT names, catalog_digest FROM omega_bridge.omega_bridge_states")
    assert run.catalog_digest == digest == read_catalog(conn, names).digest()


def _behind_the_reading(monkeypatch: pytest.MonkeyPatch, database: Any, text: str, times: int) -> None:
    """Another session sends ``text`` just before a start looks at what its steps have left, so many times."""
    left = [times]
    at_the_end = repair._as_it_stands

    def changed(*args: Any) -> Any:
        if left[0]:
            left[0] -= 1
            if isinstance(database, psycopg.Connection):
                database.execute(text)
            else:
                with psycopg.connect(database, autocommit=True) as other:
                    other.execute(text)
        return at_the_end(*args)

    monkeypatch.setattr(repair, "_as_it_stands", changed)
