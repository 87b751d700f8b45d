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
from omega_bridge.postgres import ledger_store
from omega_bridge.postgres.executor import OURS
from omega_bridge.postgres.fast_path import sentinel
from omega_bridge.postgres.session import open_session
from omega_bridge.revisions import alembic_border
from omega_bridge.revisions.files import export
from omega_bridge.steps import Registry

STEPS = ["CREATE TABLE IF NOT EXISTS t (id int PRIMARY KEY)", "ALTER TABLE t ADD COLUMN IF NOT EXISTS a int"]
MORE = [*STEPS, "CREATE TABLE IF NOT EXISTS u (id int)"]
LAYOUT_1 = (Path(__file__).parents[1] / "data" / "layout-1.sql").read_text()


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
    ["UPDATE omega_bridge.ledger SET outcome = 'skipped'", "DELETE FROM omega_bridge.ledger", "TRUNCATE omega_bridge.ledger"],
    ids=["update", "delete", "truncate"],
)
def test_an_entry_cannot_be_changed_or_removed(database: str, change: str) -> None:
    """Not by who owns the ledger, and not by a superuser, unless he takes the bar away first."""
    omega_bridge.boot(database, STEPS)
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        execute(database, change)
    assert verdict(database) == (True, "")


CUTS = {
    "the last entry": ("DELETE FROM omega_bridge.ledger WHERE seq = 3", "entry 3 is gone"),
    "the end": ("DELETE FROM omega_bridge.ledger WHERE seq > 1", "entries 2 to 3 are gone"),
    "all": ("TRUNCATE omega_bridge.ledger", "entries 1 to 3 are gone"),
    "the table": ("DROP TABLE omega_bridge.ledger", "entries 1 to 3 are gone"),
    "one in between": ("DELETE FROM omega_bridge.ledger WHERE seq = 2", "entry 2 does not follow from the one before"),
}


@pytest.mark.parametrize("cut", CUTS)
def test_a_cut_record_is_seen(database: str, cut: str) -> None:
    """A chain that ends early, an empty one and none at all are broken, not new; and the next start does not mend that."""
    change, told = CUTS[cut]
    omega_bridge.boot(database, STEPS)
    execute(database, "ALTER TABLE omega_bridge.ledger DISABLE TRIGGER append_only", change)
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


def test_a_record_of_the_first_layout_is_lifted(database: str) -> None:
    """Its entries stay as they are and readable, its state is known, new entries follow the old ones, and they are barred."""
    execute(database, LAYOUT_1)
    with open_session(database) as session:
        old = list(ledger_store.read(session.connection))
        known = ledger_store.recall(session.connection)
    assert len(old) == 2
    assert known is not None
    assert known.names == ("old",)
    assert verdict(database) == (True, "")
    omega_bridge.boot(database, STEPS, accept_newer=True)
    assert omega_bridge.boot(database, STEPS).round_trips == 1
    with open_session(database) as session:
        new = list(ledger_store.read(session.connection))
    assert new[:2] == old
    assert len(new) == 5
    assert verdict(database) == (True, "")
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        execute(database, "DELETE FROM omega_bridge.ledger")


def test_a_later_list_is_known_from_the_first_layout(database: str) -> None:
    """A start of an older list does not judge a database that a later one has repaired, whichever release recorded that."""
    execute(database, LAYOUT_1)
    with pytest.raises(omega_bridge.OmegaBridgeError) as told:
        omega_bridge.boot(database, [])
    assert told.value.code == "OB304"


def test_an_older_release_does_not_write_into_a_newer_record(database: str) -> None:
    """The error says so, and nothing was sent."""
    omega_bridge.boot(database, STEPS)
    execute(database, "UPDATE omega_bridge.chain SET layout = layout + 1")
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
        session.execute("UPDATE omega_bridge.chain SET seq = %s, hash = %s", (end.seq, end.hash))
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
        holder.execute("LOCK TABLE omega_bridge.states IN EXCLUSIVE MODE")
        run = omega_bridge.boot(database, STEPS, retry=True)
        assert run.outcome == "current"
        assert "the record of this start was given up" in " ".join(run.warnings)
    assert omega_bridge.boot(database, MORE).outcome == "repaired"
    assert verdict(database) == (True, "")


GUARDED = (
    "DO $$ BEGIN IF NOT EXISTS (SELECT 1 FROM information_schema.tables WHERE table_name = '{0}'{1}) THEN CREATE TABLE {0} (id int); "
    "END IF; END $$"
)


@pytest.mark.parametrize("table", OURS)
def test_a_guard_that_our_own_table_answers_is_told(database: str, table: str) -> None:
    """It asks in every schema, and finds ours: the step stands without effect, at every start, and says what to write."""
    omega_bridge.boot(database, ["CREATE TABLE t (id int)"])
    with open_session(database) as session:
        sentinel.install(session)
    for _ in range(2):
        run = omega_bridge.boot(database, [GUARDED.format(table, "")])
        assert any(f"{OURS[table]}.{table}" in warning and "table_schema" in warning for warning in run.warnings)
    run = omega_bridge.boot(database, [GUARDED.format(table, " AND table_schema = current_schema()")])
    assert [s.outcome for s in run.steps] == ["applied"]
    assert run.warnings == ()


def test_our_tables_are_these(database: str) -> None:
    """All that a guard could find of ours."""
    omega_bridge.boot(database, ["CREATE TABLE t (id int)"])
    with open_session(database) as session:
        sentinel.install(session)
        found = session.rows("SELECT tablename, schemaname FROM pg_tables WHERE schemaname LIKE 'omega%%'")
    assert dict(found) == OURS
