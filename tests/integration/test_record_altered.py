"""Tables of ours that a hand has altered: no traceback, nothing lost, and words that say what to type."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest

import omega_bridge
from omega_bridge.cli.app import run
from omega_bridge.errors import LedgerBroken, StatementRejected
from omega_bridge.postgres import ledger_store
from omega_bridge.postgres.session import open_session

STEPS = [
    "CREATE TABLE IF NOT EXISTS t (id int PRIMARY KEY)",
    "DO $$ BEGIN ALTER TABLE missing ADD COLUMN a int; EXCEPTION WHEN OTHERS THEN NULL; END $$",
    "UPDATE t SET id = id WHERE id < 0",
    "DO $$ DECLARE r record; BEGIN FOR r IN SELECT 1 LOOP EXECUTE 'CREATE TABLE IF NOT EXISTS looped (a int)'; END LOOP; END $$",
]
MORE = [*STEPS, "ALTER TABLE t ADD COLUMN IF NOT EXISTS b int"]
STATES, CATALOGS, CHAIN = (f"omega_bridge.omega_bridge_{name}" for name in ("states", "catalogs", "chain"))
LEFT = ("digest", "names", "token", "catalog_digest", "steps", "data", "standing", "inspection")
SHAPES = ("null", "{}", '"x"', "3", "[1]", "[null]", "[{}]", "[[1, 2]]", '[{"id": 1}]', '{"a": {"b": 1}}')
FEW = ("null", "[[1, 2]]", '[{"id": 1}]')
UNREADABLE = {
    **{f"{column} NULL": f"ALTER {column} DROP NOT NULL; UPDATE {STATES} SET {column} = NULL" for column in LEFT},
    **{
        f"names {value}": f"ALTER digest SET NOT NULL; UPDATE {STATES} SET names = '{value}'"
        for value in ("{NULL}", "{{a,b},{c,d}}")
    },
    **{
        f"{column} {shape}": f"ALTER digest SET NOT NULL; UPDATE {STATES} SET {column} = '{shape}'"
        for column in ("steps", "standing")
        for shape in SHAPES
    },
}
"""What somebody put into the state of the last start, behind ``ALTER TABLE``."""
UNREADABLE["steps of many digits"] = (
    f"ALTER digest SET NOT NULL; UPDATE {STATES} SET steps = jsonb_build_array(jsonb_build_object('id', ('1' || repeat('0', 5000))::numeric))"
)
UNREADABLE["steps of many levels"] = (
    f"ALTER digest SET NOT NULL; UPDATE {STATES} SET steps = (repeat('[', 3000) || repeat(']', 3000))::jsonb"
)
REMADE = {
    "no names": "DROP COLUMN names",
    "names as numbers": "ALTER names TYPE int[] USING '{1}'",
    "no schema": "DROP COLUMN schema",
    "no key": "DROP CONSTRAINT omega_bridge_states_pkey",
    "no question": "DROP COLUMN question",
}
END = {
    "seq NULL": "ALTER seq DROP NOT NULL; UPDATE omega_bridge.omega_bridge_chain SET seq = NULL",
    "hash NULL": "ALTER hash DROP NOT NULL; UPDATE omega_bridge.omega_bridge_chain SET hash = NULL",
    "seq as text": "ALTER seq TYPE text",
    "seq at its end": "ALTER hash SET NOT NULL; UPDATE omega_bridge.omega_bridge_chain SET seq = 9223372036854775807",
    "no hash": "DROP COLUMN hash",
    "no layout": "DROP COLUMN layout",
}


def execute(url: str, *texts: str) -> None:
    """Statements by another hand."""
    with psycopg.connect(url, autocommit=True) as conn:
        for text in texts:
            conn.execute(text.encode())


def entries(url: str) -> int:
    """How many the ledger has."""
    with open_session(url) as session:
        return len(list(ledger_store.read(session.connection)))


def said(folder: Path, capsys: pytest.CaptureFixture[str], url: str, *verb: str) -> tuple[int, str]:
    """The exit code of a verb, and what it printed."""
    (folder / "main.py").write_text(f"steps = {MORE!r}\n")
    (folder / "pyproject.toml").write_text('[tool.omega-bridge]\nsteps = "main.py:steps"\n')
    with pytest.raises(SystemExit) as ended:
        run([*verb, "--config", str(folder / "pyproject.toml"), "--database-url", url])
    told = capsys.readouterr()
    assert "Traceback" not in told.err
    return int(ended.value.code or 0), told.out + told.err


def _long(altered: str) -> object:
    """One of many that are alike: not for every run."""
    column, _, shape = altered.partition(" ")
    return (
        pytest.param(altered, marks=pytest.mark.long)
        if column in ("steps", "standing") and shape in {*SHAPES} - {*FEW}
        else altered
    )


@pytest.mark.parametrize("altered", [_long(altered) for altered in UNREADABLE])
def test_a_state_that_cannot_be_read_is_none(
    altered: str, database: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    """Everything is judged anew, the ledger goes on, and the next start finds a state again."""
    omega_bridge.boot(database, STEPS)
    execute(database, f"ALTER TABLE {STATES} {UNREADABLE[altered]}")
    assert said(tmp_path, capsys, database, "status")[0] == 1
    assert omega_bridge.boot(database, MORE).outcome == "repaired"
    assert "omega_bridge_states cannot be read (somebody has changed it)" in caplog.text
    caplog.clear()
    assert omega_bridge.boot(database, MORE).outcome == "current"
    assert omega_bridge.boot(database, [*MORE, "ALTER TABLE t ADD COLUMN IF NOT EXISTS c int"]).outcome == "repaired"
    assert "cannot be read" not in caplog.text


@pytest.mark.parametrize("altered", REMADE)
def test_a_table_of_states_that_was_altered_is_made_anew_by_what_is_typed(altered: str, database: str) -> None:
    """The error says so, nothing is half-applied, and the next start goes on."""
    omega_bridge.boot(database, STEPS)
    execute(database, f"ALTER TABLE {STATES} {REMADE[altered]}")
    with pytest.raises(StatementRejected) as told:
        omega_bridge.boot(database, MORE)
    typed = told.value.hint.partition("make anew: ")[2].partition(";")[0]
    assert typed == f"DROP TABLE IF EXISTS {STATES}, {CATALOGS}"
    before = entries(database)
    execute(database, typed)
    assert omega_bridge.boot(database, MORE).outcome in ("repaired", "current")
    assert omega_bridge.boot(database, MORE).outcome == "current"
    assert entries(database) >= before


@pytest.mark.parametrize("altered", END)
def test_an_end_of_the_chain_that_no_start_wrote_ends_every_start_at_once(
    altered: str, database: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing can follow it: no start waits for it, goes round, or ends in a traceback, and what was done before is there."""
    omega_bridge.boot(database, STEPS)
    before = entries(database)
    execute(database, f"ALTER TABLE {CHAIN} {END[altered]}")
    with pytest.raises(LedgerBroken, match=r"somebody has (altered|changed)"):
        omega_bridge.boot(database, MORE)
    assert entries(database) == before
    assert said(tmp_path, capsys, database, "ledger", "verify")[0] == {"no layout": 0, "no hash": 3}.get(altered, 1)


def test_a_chain_without_its_end_is_broken(database: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Though every entry follows from the one before."""
    omega_bridge.boot(database, STEPS)
    execute(database, f"DELETE FROM {CHAIN}")
    assert said(tmp_path, capsys, database, "ledger", "verify") == (
        1,
        "broken: the end of the chain, which is kept beside the ledger, is gone\n",
    )


@pytest.mark.parametrize("kept", ["'garbage'", "''", "substring(catalog for 20)", "'\\x789c8b06000000ffff'"])
def test_what_a_start_saw_is_not_on_record_where_it_was_changed(
    kept: str, database: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """``drift`` says what it says without it."""
    omega_bridge.boot(database, MORE)
    execute(database, f"UPDATE {CATALOGS} SET catalog = {kept}")
    code, told = said(tmp_path, capsys, database, "drift")
    assert (code in (0, 1), "error [" in told) == (True, False)


@pytest.mark.parametrize("at", ["'infinity'", "'-infinity'", "'0044-01-01 BC'", "NULL"])
def test_a_time_of_no_calendar_is_none(at: str, database: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """When the last start was is not known then; the rest is."""
    omega_bridge.boot(database, MORE)
    execute(database, f"ALTER TABLE {STATES} ALTER at DROP NOT NULL; UPDATE {STATES} SET at = {at}")
    for verb in ("status", "drift"):
        code, told = said(tmp_path, capsys, database, verb)
        assert (code in (0, 1), "error [" in told) == (True, False)
    assert omega_bridge.boot(database, MORE).outcome == "current"


ENTRIES = {
    "at NULL": "ALTER at DROP NOT NULL; UPDATE {0} SET at = NULL WHERE seq = 2",
    "at as text": "ALTER at TYPE text USING 'yesterday'",
    "detail NULL": "ALTER detail DROP NOT NULL; UPDATE {0} SET detail = NULL WHERE seq = 2",
    "detail a list": "ALTER detail SET NOT NULL; UPDATE {0} SET detail = '[1]' WHERE seq = 2",
    "detail of others": """ALTER detail SET NOT NULL; UPDATE {0} SET detail = '{{"by": 3, "error": 3, "created": 3}}' WHERE seq = 2""",
    "subject NULL": "ALTER subject DROP NOT NULL; UPDATE {0} SET subject = NULL WHERE seq = 2",
    "driver as bytes": "ALTER driver TYPE bytea USING driver::bytea",
    "event NULL": "ALTER event DROP NOT NULL; UPDATE {0} SET event = NULL WHERE seq = 2",
    "hash NULL": "ALTER hash DROP NOT NULL; UPDATE {0} SET hash = NULL WHERE seq = 2",
    "run as text": "ALTER run TYPE text USING 'x'",
}


@pytest.mark.parametrize("altered", ENTRIES)
def test_an_entry_that_was_altered_is_shown_and_breaks_the_chain(
    altered: str, database: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whatever reads it says what it can, and ``ledger verify`` that it is not what was written."""
    omega_bridge.boot(database, STEPS)
    ledger = "omega_bridge.omega_bridge_ledger"
    execute(database, f"ALTER TABLE {ledger} DISABLE TRIGGER ALL; GRANT ALL ON {ledger} TO CURRENT_USER")
    execute(database, f"ALTER TABLE {ledger} {ENTRIES[altered].format(ledger)}")
    for verb in (["status"], ["drift"], ["ledger", "log"], ["report", "--to", str(tmp_path / "report")]):
        code, told = said(tmp_path, capsys, database, *verb)
        assert (code in (0, 1), "error [" in told) == (True, False)
    code, told = said(tmp_path, capsys, database, "ledger", "verify")
    assert (code, "broken: " in told) == (1, True)


@pytest.mark.parametrize("column", ["seq", "at", "driver", "run", "detail", "hash"])
def test_a_ledger_that_lacks_a_column_is_told(
    column: str, database: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It can neither be read nor followed; nothing of the list is half-applied."""
    omega_bridge.boot(database, STEPS)
    execute(database, f"ALTER TABLE omega_bridge.omega_bridge_ledger DROP COLUMN {column}")
    with pytest.raises(LedgerBroken, match="somebody has altered"):
        omega_bridge.boot(database, MORE)
    for verb in (["ledger", "log"], ["ledger", "verify"]):
        code, told = said(tmp_path, capsys, database, *verb)
        assert (code, "error [OB306] somebody has altered" in told) == (3, True)
    with psycopg.connect(database) as conn:
        assert conn.execute("SELECT FROM information_schema.columns WHERE table_name = 't' AND column_name = 'b'").rowcount == 0


PROBE = "omega_bridge.omega_bridge_probe()"
OTHER = {
    "another type": "RETURNS int LANGUAGE sql AS 'SELECT 1'",
    "an error": "RETURNS int LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''no''; END'",
    "no JSON": "RETURNS TABLE (versions text, told text) LANGUAGE sql AS $$ SELECT 'x'::text, 'no json'::text $$",
    "other JSON": "RETURNS TABLE (versions text, told text) LANGUAGE sql AS $$ SELECT '[]'::text, '[3]'::text $$",
}


@pytest.mark.parametrize("body", OTHER)
def test_another_function_in_the_place_of_the_probe_is_no_answer(
    body: str, database: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The list is judged by the catalog; what to type stands in the error, and then the next start goes on."""
    omega_bridge.boot(database, STEPS)
    execute(database, f"DROP FUNCTION {PROBE}", f"CREATE FUNCTION {PROBE} {OTHER[body]}")
    assert said(tmp_path, capsys, database, "status")[0] == 1
    with pytest.raises(StatementRejected) as told:
        omega_bridge.boot(database, MORE)
    typed = told.value.hint.partition(": ")[2].partition(";")[0]
    assert typed == f"DROP FUNCTION {PROBE}"
    execute(database, typed)
    assert omega_bridge.boot(database, MORE).outcome in ("repaired", "current")
    assert omega_bridge.boot(database, MORE).outcome == "current"


@pytest.mark.parametrize("value", ["version_num TYPE int USING 3", "version_num DROP NOT NULL"])
def test_a_version_that_is_none_is_shown_as_it_is(
    value: str, database: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """``status`` and ``report`` say where the database stands, or that nothing does."""
    omega_bridge.boot(database, MORE)
    execute(
        database, "CREATE TABLE alembic_version (version_num varchar(32) NOT NULL)", "INSERT INTO alembic_version VALUES ('1')"
    )
    execute(
        database,
        f"ALTER TABLE alembic_version ALTER {value}",
        "INSERT INTO alembic_version VALUES (NULL)" if "DROP" in value else "",
    )
    for verb in (["status"], ["report", "--to", str(tmp_path / "report")]):
        code, told = said(tmp_path, capsys, database, *verb)
        assert (code in (0, 1), "error [" in told) == (True, False)
