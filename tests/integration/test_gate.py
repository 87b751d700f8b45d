"""``check``: each check says yes and no for itself; ``lint`` on the command line."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import Column, Integer, MetaData, Table, Text

from omega_bridge.analysis import analyse
from omega_bridge.audit.gate import Check, check_export, check_findings, check_models
from omega_bridge.audit.held import Setting
from omega_bridge.audit.scratch import scratch_server
from omega_bridge.cli.app import run
from omega_bridge.embedded import Server
from omega_bridge.errors import NoServerFound
from omega_bridge.expectation import Expectation
from omega_bridge.expectation_file import keep
from omega_bridge.planning.settling import empty_catalog
from omega_bridge.revisions.files import export
from omega_bridge.revisions.models import every_table
from omega_bridge.steps import Registry

ROOT = Path(__file__).parents[2]
TABLE = "CREATE TABLE IF NOT EXISTS t (id serial PRIMARY KEY)"
COLUMN = "ALTER TABLE t ADD COLUMN IF NOT EXISTS a text"
DYNAMIC = "DO $$ BEGIN EXECUTE format('ALTER TABLE %I ADD COLUMN IF NOT EXISTS {} text', 't'); END $$"


def nobody() -> None:
    """Where there is no server."""
    raise NoServerFound("no server", hint="Install one.")


def against_models(*steps: str, server: Server | None = None) -> Check:
    """A list held against the model of a table with the columns id and a."""
    metadata = MetaData()
    Table("t", metadata, Column("id", Integer, primary_key=True), Column("a", Text))
    registry = Registry.of(list(steps))
    servers = partial(scratch_server, server.url) if server is not None else nobody
    return check_models(Setting(registry, analyse(registry), metadata, analyse(every_table(metadata))), servers)  # type: ignore[arg-type]


def missing(check: Check) -> list[str]:
    """The columns that the models have and nothing makes."""
    return [d["name"] for d in check.details["differences"] if d["what"] == "missing"]


def test_models_against_steps_needs_no_server_where_the_steps_can_be_read() -> None:
    """A column that no step makes is named; with it the check passes."""
    assert against_models(TABLE, COLUMN).ok
    lacking = against_models(TABLE)
    assert (lacking.ok, missing(lacking)) == (False, ["a"])
    assert "column public.t.a" in lacking.told


def test_how_far_a_history_is_behind_is_what_the_next_export_is_sure_to_write(tmp_path: Path) -> None:
    """What runs once more is known where it was tried: a step that looks at every table does not count once for each."""
    loop = "DO $$ DECLARE n text; BEGIN FOR n IN SELECT relname FROM pg_class LOOP EXECUTE format('COMMENT ON TABLE %I IS NULL', n); END LOOP; END $$"
    listed = analyse(Registry.of([loop, TABLE, TABLE.replace(" t ", " u ")]))
    assert check_export(listed, tmp_path, "it").told == "3 revision(s) behind the list; run: omega-bridge export"


def test_what_only_a_server_can_tell_is_asked_of_a_scratch_database(server: Server) -> None:
    """A column that dynamic SQL makes is there, one that it does not make is missing, and without a server nothing is claimed."""
    assert against_models(TABLE, DYNAMIC.format("a"), server=server).ok
    assert missing(against_models(TABLE, DYNAMIC.format("b"), server=server)) == ["a"]
    undecided = against_models(TABLE, DYNAMIC.format("b"))
    assert (undecided.ok, len(undecided.details["undecided"])) == (True, 1)
    assert undecided.told.startswith("undecided")


def test_the_history_holds_the_list_or_is_behind_or_was_touched(tmp_path: Path) -> None:
    """Each says so, and the catalog file beside it, in a line that ends in something to do."""
    listed = analyse(Registry.of([TABLE]))
    export(listed, tmp_path, listed="one")
    assert check_export(listed, tmp_path, "one").ok
    behind = check_export(analyse(Registry.of([TABLE, COLUMN])), tmp_path, "two")
    assert (behind.ok, behind.details["missing"]) == (False, [["t-a"]])
    assert "omega-bridge export" in behind.told
    keep(Expectation(empty_catalog(), "postgres", "two"), tmp_path)
    aside = check_export(listed, tmp_path, "one")
    assert (aside.ok, "omega.catalog.json is of another list" in aside.told) == (False, True)
    keep(Expectation(empty_catalog(), "postgres", "one"), tmp_path)
    assert check_export(listed, tmp_path, "one").ok
    (revision,) = (tmp_path / "versions").glob("0001*.py")
    revision.write_text(revision.read_text() + "# touched\n")
    touched = check_export(listed, tmp_path, "one")
    assert (touched.ok, revision.name in touched.told) == (False, True)


@pytest.mark.parametrize(
    ("options", "ok"), [({}, False), ({"ignore": ["not-null-without-default"]}, True)], ids=["as-it-is", "ignored"]
)
def test_an_error_among_the_findings_fails(options: dict[str, list[str]], ok: bool) -> None:
    """It is named with its place; a rule that the project does not hold to fails nothing."""
    listed = analyse(Registry.of([TABLE, COLUMN + " NOT NULL"]))
    check = check_findings(listed, 0, options.get("ignore", []), strict=False)
    assert check.ok is ok
    assert ("not-null-without-default" in check.told) is not ok


def test_the_reference_project_passes_the_gate(capsys: pytest.CaptureFixture[str]) -> None:
    """Committed as it is: no error, a history that is fresh, steps that lead to the models."""
    with pytest.raises(SystemExit) as ended:
        run(["check", "--config", str(ROOT / "pyproject.toml"), "--json"])
    found = json.loads(capsys.readouterr().out)
    assert (ended.value.code, found["ok"]) == (0, True)
    assert [(c["name"], c["ok"]) for c in found["checks"]] == [("lint", True), ("export", True), ("models", True)]


@pytest.fixture
def listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project in the working directory, with a list that has a warning and a note."""
    (tmp_path / "main.py").write_text('steps = [\n    "SELECT 1",\n    "TRUNCATE t",\n    "SELECT 1",\n]\n')
    (tmp_path / "pyproject.toml").write_text('[tool.omega-bridge]\nsteps = "main.py:steps"\n')
    monkeypatch.chdir(tmp_path)
    return tmp_path


def linted(*options: str) -> int | str | None:
    """The exit code of ``lint``."""
    with pytest.raises(SystemExit) as ended:
        run(["lint", *options])
    return ended.value.code


@pytest.mark.usefixtures("listed")
def test_lint_speaks_to_people_and_editors(capsys: pytest.CaptureFixture[str]) -> None:
    """A line is file:line:column: severity rule: step: message, with the source, a caret and a hint below, and why where that is asked for."""
    assert linted() == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "main.py:3:6: warning destructive-drop: truncate-t: empties table t with the rows in it"
    assert lines[1].endswith("| TRUNCATE t")
    assert lines[3].startswith("    hint: ")
    assert lines[-1] == "1 warning, 1 note"
    linted("--instead", "--select", "destructive-drop")
    assert "    why: " in capsys.readouterr().out


@pytest.mark.usefixtures("listed")
def test_lint_says_the_same_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    """With file and line apart, for those who annotate a change with them."""
    assert linted("--json") == 0
    (first, _) = json.loads(capsys.readouterr().out)["findings"]
    assert (first["rule"], first["severity"], first["step"], first["file"], first["line"]) == (
        "destructive-drop",
        "warning",
        "truncate-t",
        "main.py",
        3,
    )


def test_what_fails_lint(listed: Path) -> None:
    """Errors do, with --strict warnings, too; notes never, and not what the options or the configuration pass over."""
    assert linted("--select", "destructive-drop") == 0
    assert linted("--strict", "--select", "destructive-drop") == 1
    assert linted("--strict", "--select", "duplicate-step") == 0  # a note
    assert linted("--strict", "--ignore", "duplicate-step", "--ignore", "destructive-drop") == 0
    with (listed / "pyproject.toml").open("a") as config:
        config.write('lint-ignore = ["duplicate-step", "destructive-drop"]\n')
    assert linted("--strict") == 0
    (listed / "main.py").write_text("steps = ['SELCT 1']\n")
    assert linted() == 1
