"""A start with nothing to do: what it costs on the wire, in locks and in WAL, and what it sees."""

from __future__ import annotations

import subprocess
import sys

import psycopg
import pytest

import omega_bridge
from benchmarks.lists import many_steps
from omega_bridge.planning import PlannedStep, Planner, World
from omega_bridge.postgres.fast_path import sentinel, token
from omega_bridge.postgres.session import open_session
from tests.fixtures.wire import Tape


def sent_steps(run: omega_bridge.Run) -> list[str]:
    """The ids of the steps that a run sent."""
    return [s.id for s in run.steps if s.action == "run"]


@pytest.mark.parametrize("count", [10, 1000, pytest.param(5000, marks=pytest.mark.slow)])
def test_one_round_trip_whatever_the_length(sent: Tape, count: int) -> None:
    """Counted on the wire: one statement, one round trip, one connection."""
    steps = many_steps(count)
    omega_bridge.boot(sent.url, steps)
    sent.clear()
    run = omega_bridge.boot(sent.url, steps)
    assert run.outcome == "current"
    assert (sent.round_trips, len(sent.queries), run.round_trips, run.statements) == (1, 1, 1, 1)


def test_data_steps_take_one_more_round_trip(sent: Tape) -> None:
    """However many there are: one question for all of them, and nothing where no row would change."""
    steps = [*many_steps(20), *(f"INSERT INTO bench_0 (name) SELECT 'x{n}' WHERE false" for n in range(3))]
    steps += ["UPDATE bench_0 SET name = 'a' WHERE name IS NULL", "UPDATE bench_1 SET name = 'b' WHERE name IS NULL"]
    omega_bridge.boot(sent.url, steps[:20] + steps[23:])
    sent.clear()
    run = omega_bridge.boot(sent.url, steps[:20] + steps[23:])
    assert (run.outcome, sent.round_trips) == ("current", 2)


def test_no_lock_and_no_wal(database: str) -> None:
    """A current start waits for nobody, not even for an ACCESS EXCLUSIVE lock on each table, and writes nothing."""
    steps = many_steps(30)
    omega_bridge.boot(database, steps)
    with psycopg.connect(database) as holder:
        holder.execute("LOCK TABLE bench_0, bench_1, bench_2 IN ACCESS EXCLUSIVE MODE")
        row = holder.execute("SELECT pg_current_wal_insert_lsn()").fetchone()
        run = omega_bridge.boot(database, steps, lock_timeout=0.0)
        assert run.outcome == "current"
        assert run.locks == ()
        assert holder.execute("SELECT pg_current_wal_insert_lsn()").fetchone() == row


CHANGES = {
    "column dropped": "ALTER TABLE t DROP COLUMN a",
    "default changed": "ALTER TABLE t ALTER COLUMN a SET DEFAULT 8",
    "default dropped": "ALTER TABLE t ALTER COLUMN a DROP DEFAULT",
    "type changed": "ALTER TABLE t ALTER COLUMN b TYPE varchar(9)",
    "not null": "ALTER TABLE t ALTER COLUMN b SET NOT NULL",
    "column renamed": "ALTER TABLE t RENAME COLUMN b TO c",
    "table renamed": "ALTER TABLE t RENAME TO s",
    "table moved": "CREATE SCHEMA other; ALTER TABLE t SET SCHEMA other",
    "table dropped": "DROP TABLE t CASCADE",
    "table made anew": "DROP TABLE t CASCADE; CREATE TABLE t (id int PRIMARY KEY)",
    "index dropped": "DROP INDEX t_a",
    "index renamed": "ALTER INDEX t_a RENAME TO t_x",
    "key dropped": "ALTER TABLE t DROP CONSTRAINT t_pkey CASCADE",
    "check dropped": "ALTER TABLE t DROP CONSTRAINT positive",
    "check renamed": "ALTER TABLE t RENAME CONSTRAINT positive TO negative",
    "foreign key dropped": "ALTER TABLE u DROP CONSTRAINT u_t",
    "trigger dropped": "DROP TRIGGER touched ON t",
    "trigger disabled": "ALTER TABLE t DISABLE TRIGGER touched",
    "function replaced": "CREATE OR REPLACE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN OLD; END'",
    "function dropped": "DROP FUNCTION touch() CASCADE",
    "enum dropped": "ALTER TABLE u DROP COLUMN mood; DROP TYPE mood",
    "comment changed": "COMMENT ON TABLE t IS 'other'",
    "comment on an index changed": "COMMENT ON INDEX t_a IS 'other'",
    "row security": "ALTER TABLE t ENABLE ROW LEVEL SECURITY",
    "view dropped": "DROP VIEW v",
}
STEPS = [
    "CREATE TABLE IF NOT EXISTS t (id int PRIMARY KEY, a int DEFAULT 7, b varchar(5), CONSTRAINT positive CHECK (a > 0))",
    "DO $$ BEGIN CREATE TYPE mood AS ENUM ('calm', 'cross'); EXCEPTION WHEN duplicate_object THEN NULL; END $$",
    "CREATE TABLE IF NOT EXISTS u (id int PRIMARY KEY, t_id int, mood mood)",
    "DO $$ BEGIN IF NOT EXISTS (SELECT 1 FROM pg_constraint WHERE conname = 'u_t') THEN"
    " ALTER TABLE u ADD CONSTRAINT u_t FOREIGN KEY (t_id) REFERENCES t(id); END IF; END $$",
    "CREATE INDEX IF NOT EXISTS t_a ON t (a)",
    "CREATE OR REPLACE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
    "DO $$ BEGIN IF NOT EXISTS (SELECT 1 FROM pg_trigger WHERE tgname = 'touched') THEN"
    " CREATE TRIGGER touched BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION touch(); END IF; END $$",
    "COMMENT ON TABLE t IS 'things'",
    "COMMENT ON INDEX t_a IS 'by a'",
    "DO $$ BEGIN IF to_regclass('v') IS NULL THEN CREATE VIEW v AS SELECT 1 AS one; END IF; END $$",
]


@pytest.mark.parametrize("watched", ["scans", "look-ups", "sentinel"])
@pytest.mark.parametrize("change", CHANGES.values(), ids=[c.replace(" ", "-") for c in CHANGES])
def test_what_a_hand_changed_is_seen(database: str, change: str, watched: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every change of what the list promises makes the next start look again, however the catalogs are watched."""
    if watched == "sentinel":
        with open_session(database) as session:
            sentinel.install(session)
    else:
        monkeypatch.setattr(token, "scans_classes", lambda sizes, names: watched == "scans" and sizes.can_hash)
        monkeypatch.setattr(token, "scans_attributes", lambda sizes: watched == "scans" and sizes.can_hash)
    omega_bridge.boot(database, STEPS)
    assert omega_bridge.boot(database, STEPS).round_trips == 1
    with psycopg.connect(database, autocommit=True) as conn:
        conn.execute(change.encode())
    assert omega_bridge.boot(database, STEPS, on_error="continue").round_trips > 1


@pytest.mark.parametrize("place", range(4))
@pytest.mark.parametrize("table", ["t0", "t1", "t2"])
def test_a_table_is_watched_whenever_it_came(database: str, place: int, table: str) -> None:
    """Together with others or after a step that runs by itself: a column that goes from it is seen by the next start."""
    steps = [f"CREATE TABLE IF NOT EXISTS t{n} (id int); ALTER TABLE t{n} ADD COLUMN IF NOT EXISTS a int" for n in range(3)]
    steps.insert(place, "DO $$ DECLARE n int; BEGIN FOR n IN SELECT 1 LOOP EXECUTE 'SELECT 1'; END LOOP; END $$")
    omega_bridge.boot(database, steps)
    assert omega_bridge.boot(database, steps).round_trips == 1
    with psycopg.connect(database, autocommit=True) as conn:
        conn.execute(f"ALTER TABLE {table} DROP COLUMN a")
    run = omega_bridge.boot(database, steps)
    assert run.outcome == "repaired"
    assert run.round_trips > 1


@pytest.mark.parametrize("watched", ["catalogs", "sentinel"])
def test_what_is_no_change_is_none(database: str, watched: str) -> None:
    """VACUUM, ANALYZE, rows, temporary tables: the next start is still one round trip."""
    if watched == "sentinel":
        with open_session(database) as session:
            sentinel.install(session)
    omega_bridge.boot(database, STEPS)
    with psycopg.connect(database, autocommit=True) as conn:
        conn.execute("INSERT INTO t SELECT n, n, 'x' FROM generate_series(1, 500) n")
        conn.execute("UPDATE t SET b = 'y'")
        conn.execute("VACUUM ANALYZE")
        conn.execute("CREATE TEMPORARY TABLE scratch (a int)")
    run = omega_bridge.boot(database, STEPS)
    assert (run.outcome, run.round_trips) == ("current", 1)


def test_a_change_elsewhere_is_looked_at_and_recorded(database: str) -> None:
    """Another column on a table of the list is seen once; the start after it is one round trip again."""
    omega_bridge.boot(database, STEPS)
    with psycopg.connect(database, autocommit=True) as conn:
        conn.execute("ALTER TABLE t ADD COLUMN other int")
    again = omega_bridge.boot(database, STEPS)
    assert (again.outcome, sent_steps(again)) == ("current", [])
    assert omega_bridge.boot(database, STEPS).round_trips == 1


def test_another_search_path_is_another_question(database: str) -> None:
    """The same names may mean other tables there."""
    omega_bridge.boot(database, STEPS)
    with psycopg.connect(database, autocommit=True) as conn:
        conn.execute("CREATE SCHEMA other")
        conn.execute("DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET search_path = other', current_database()); END $$")
    run = omega_bridge.boot(database, STEPS)
    assert run.outcome == "repaired"
    with psycopg.connect(database) as conn:
        assert conn.execute("SELECT to_regclass('other.t') IS NOT NULL").fetchone() == (True,)


def test_a_current_start_loads_no_parser(database: str) -> None:
    """Neither Alembic nor SQLAlchemy nor the parser: a fresh process starts on what it needs."""
    omega_bridge.boot(database, STEPS)
    code = (
        f"import sys, omega_bridge\nrun = omega_bridge.boot({database!r}, {STEPS!r})\n"
        "heavy = {'alembic', 'sqlalchemy', 'postgast', 'google', 'omega_bridge.sql', 'typer', 'omega_bridge.analysis', 'omega_bridge.planning'}\n"
        "print(run.outcome, run.round_trips, *sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["current", "1"]


def test_the_sentinel_needs_a_role_that_may(database: str) -> None:
    """Without the right to create an event trigger, the error says so, and nothing is left half-made."""
    with psycopg.connect(database, autocommit=True) as conn:
        conn.execute("DO $$ BEGIN CREATE ROLE plain_role; EXCEPTION WHEN duplicate_object THEN NULL; END $$")
        conn.execute("DO $$ BEGIN EXECUTE format('GRANT CREATE ON DATABASE %I TO plain_role', current_database()); END $$")
    with open_session(database) as session:
        session.execute("SET ROLE plain_role")
        with pytest.raises(omega_bridge.OmegaBridgeError) as told:
            sentinel.install(session)
        assert told.value.code == "OB203"
        assert session.rows("SELECT to_regnamespace('omega_bridge') IS NULL") == [(True,)]


def test_a_guard_that_names_no_table_is_watched_on_every_table(database: str) -> None:
    """Another table's constraint satisfied the guard; where it goes, the step is due, as it would be in the loop."""
    listed = [
        "CREATE TABLE IF NOT EXISTS t (id int PRIMARY KEY)",
        "DO $$ BEGIN IF NOT EXISTS (SELECT 1 FROM pg_constraint WHERE conname = 'positive') THEN"
        " ALTER TABLE t ADD CONSTRAINT positive CHECK (id > 0); END IF; END $$",
    ]
    with psycopg.connect(database, autocommit=True) as conn:
        conn.execute("CREATE TABLE elsewhere (n int CONSTRAINT positive CHECK (n > 0))")
        omega_bridge.boot(database, listed)
        assert omega_bridge.boot(database, listed).round_trips == 1
        conn.execute("ALTER TABLE elsewhere DROP CONSTRAINT positive")
        assert sent_steps(omega_bridge.boot(database, listed)) == ["t-positive"]


def test_a_look_at_what_is_there_decides_each_step_twice_at_most(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the record does not hold and nothing is missing, the work grows with the list, and not with its square."""
    steps = many_steps(300)
    omega_bridge.boot(database, steps)
    decided: list[str] = []

    plan = Planner.plan

    def counted(planner: Planner, index: int, world: World) -> PlannedStep:
        decided.append(planner.analysis.steps[index].id)
        return plan(planner, index, world)

    monkeypatch.setattr(Planner, "plan", counted)
    assert omega_bridge.boot(database, steps, retry=True).outcome == "current"
    assert len(decided) <= 2 * len(steps)


def test_an_event_trigger_that_comes_later_is_asked_from_the_next_start_on(database: str) -> None:
    """What was recorded before it came is recorded anew, so that a start reads its marks instead of the catalogs."""
    steps = ["CREATE TABLE IF NOT EXISTS t (id int)"]
    omega_bridge.boot(database, steps)
    with open_session(database) as session:
        sentinel.install(session)
    assert omega_bridge.boot(database, steps).round_trips > 1
    assert omega_bridge.boot(database, steps).round_trips == 1
    with psycopg.connect(database) as conn:
        asked = conn.execute("SELECT prosrc FROM pg_proc WHERE proname = 'omega_bridge_probe'").fetchone()
    assert asked is not None
    assert "omega_bridge_sentinel.omega_bridge_marks" in asked[0]
    assert "pg_attribute" not in asked[0]


@pytest.mark.parametrize("watched", ["catalogs", "sentinel"])
@pytest.mark.parametrize(
    ("made", "lost", "asked"),
    [
        (
            "DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{r}') THEN CREATE ROLE {r}; END IF; END $$",
            "DROP ROLE {r}",
            "SELECT count(*) FROM pg_roles WHERE rolname = '{r}'",
        ),
        ("GRANT pg_monitor TO {s}", "REVOKE pg_monitor FROM {s}", "SELECT count(*) FROM pg_auth_members WHERE member = '{s}'::regrole"),
        (
            "ALTER ROLE {s} SET work_mem = '7MB'",
            "ALTER ROLE {s} RESET work_mem",
            "SELECT count(*) FROM pg_roles WHERE rolname = '{s}' AND rolconfig IS NOT NULL",
        ),
        (
            "ALTER DATABASE {d} SET work_mem = '7MB'",
            "ALTER DATABASE {d} RESET work_mem",
            "SELECT count(*) FROM pg_db_role_setting JOIN pg_database d ON d.oid = setdatabase WHERE datname = current_database()",
        ),
        ("GRANT TEMPORARY ON DATABASE {d} TO {s}", "REVOKE ALL ON DATABASE {d} FROM {s}", "SELECT has_database_privilege('{s}', '{d}', 'TEMPORARY')::int"),
        ("ALTER ROLE {s} CREATEDB", "ALTER ROLE {s} NOCREATEDB", "SELECT rolcreatedb::int FROM pg_roles WHERE rolname = '{s}'"),
    ],
    ids=["role", "membership", "role setting", "database setting", "database privilege", "attribute"],
)  # fmt: skip
def test_what_fires_no_event_trigger_is_made_again(database: str, watched: str, made: str, lost: str, asked: str) -> None:
    """Roles and the database's settings: a start is quiet while they are there, also when other roles come, and not after their loss."""
    name = str(psycopg.conninfo.conninfo_to_dict(database)["dbname"])
    told = {"r": f"r_{name}", "s": f"s_{name}", "d": name}
    made, lost, asked = (
        "".join(text).replace("{r}", told["r"]).replace("{s}", told["s"]).replace("{d}", told["d"])
        for text in (made, lost, asked)
    )
    with psycopg.connect(database, autocommit=True) as conn:
        conn.execute(f"REVOKE TEMPORARY ON DATABASE {name} FROM PUBLIC; CREATE ROLE s_{name}".encode())
        try:
            if watched == "sentinel":
                with open_session(database) as session:
                    sentinel.install(session)
            steps = ["CREATE TABLE IF NOT EXISTS t (id int)", made]
            omega_bridge.boot(database, steps)
            conn.execute(f"CREATE ROLE x_{name}; ALTER ROLE x_{name} SET work_mem = '1MB'; GRANT pg_monitor TO x_{name}".encode())
            assert omega_bridge.boot(database, steps).round_trips == 1
            assert conn.execute(asked.encode()).fetchone() == (1,)
            conn.execute(lost.encode())
            assert conn.execute(asked.encode()).fetchone() == (0,)
            omega_bridge.boot(database, steps)
            assert conn.execute(asked.encode()).fetchone() == (1,)
            assert omega_bridge.boot(database, steps).round_trips == 1
        finally:
            conn.execute(f"DROP OWNED BY s_{name}; DROP ROLE s_{name}; DROP ROLE IF EXISTS x_{name}, r_{name}".encode())
