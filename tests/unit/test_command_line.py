"""The list of verbs: what the help says without loading them is what they say themselves."""

from __future__ import annotations

import importlib
import inspect
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

import omega_bridge.cli
from omega_bridge.cli import output
from omega_bridge.cli.app import VERBS, app, run
from omega_bridge.cli.setup import prepare


@pytest.mark.parametrize("verb", VERBS)
def test_a_verb_says_of_itself_what_the_list_says(verb: str) -> None:
    """Each verb's line is the first of its own documentation, or what its group is for; its help page opens with it."""
    module = importlib.import_module(f"omega_bridge.cli.{verb}")
    own = module.app.info.help if hasattr(module, "app") else (inspect.getdoc(getattr(module, verb)) or "").splitlines()[0]
    assert own == VERBS[verb]
    shown = CliRunner().invoke(app, [verb, "--help"])
    assert shown.exit_code == 0
    assert VERBS[verb].partition(",")[0] in " ".join(shown.output.split())


def test_every_module_of_a_verb_is_listed() -> None:
    """A verb that is written and not listed could not be called."""
    helpers = {
        "__init__",
        "app",
        "env_file",
        "finding",
        "formats",
        "interruption",
        "lint_fix",
        "lint_measured",
        "options",
        "output",
        "plain_values",
        "problems",
        "setup",
        "streams",
        "watching",
    }
    assert {path.stem for path in Path(omega_bridge.cli.__file__).parent.glob("*.py")} - helpers == set(VERBS)


def test_a_mistyped_verb_is_told_what_was_meant() -> None:
    """The suggestion comes from the list; nothing is loaded for it."""
    shown = CliRunner().invoke(app, ["verfiy"])
    assert shown.exit_code == 2
    assert "No such command 'verfiy'. Did you mean 'verify'?" in shown.output


def test_the_verb_ledger_has_verbs_of_its_own() -> None:
    """A group is loaded like a verb."""
    shown = CliRunner().invoke(app, ["ledger", "--help"])
    assert "log" in shown.output
    assert "verify" in shown.output


@pytest.mark.parametrize("columns", ["40", "80"])
def test_the_help_is_not_cut(columns: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each verb's line is whole, on as many lines as the terminal needs; so are those of the ledger's verbs."""
    monkeypatch.setenv("COLUMNS", columns)
    for verb, arguments in (("", ["--help"]), ("ledger", ["ledger", "--help"])):
        shown = " ".join(CliRunner().invoke(app, arguments, terminal_width=int(columns)).output.split())
        assert "..." not in shown.replace("[ARGS]...", "")
        assert verb or all(line in shown for line in VERBS.values())


@pytest.mark.parametrize(
    ("environment", "is_coloured"),
    [({}, False), ({"FORCE_COLOR": "1"}, True), ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, False), ({"FORCE_COLOR": "0"}, False)],
)
def test_the_environment_says_whether_there_is_colour(
    environment: dict[str, str], is_coloured: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not in a pipe, unless FORCE_COLOR asks for it; never with NO_COLOR."""
    for name in ("NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    (tmp_path / "main.py").write_text('migration_steps = ["CREATE TABLE t (id int)", "DROP TABLE IF EXISTS old"]\n')
    (tmp_path / "pyproject.toml").write_text('[tool.omega-bridge]\nsteps = "main.py:migration_steps"\n')
    monkeypatch.chdir(tmp_path)
    shown = CliRunner().invoke(app, ["lint"])
    assert "destructive-drop" in shown.output
    assert ("\x1b[" in shown.output) is is_coloured


def test_a_dumb_terminal_has_no_colour(monkeypatch: pytest.MonkeyPatch) -> None:
    """TERM=dumb, as editors set it."""
    for name in ("NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "dumb")
    assert output.colour_asked() is False


@pytest.mark.parametrize("asked", ["lint", "lint --json", "lint --format sarif", "--help", "explain config"])
@pytest.mark.parametrize("unbuffered", ["", "1"], ids=["buffered", "unbuffered"])
def test_a_reader_that_goes_away_changes_nothing(asked: str, unbuffered: str, tmp_path: Path) -> None:
    """``| head -1``: the verb's own exit code, and no traceback."""
    (tmp_path / "main.py").write_text(f"migration_steps = {[f'TRUNCATE t{n}' for n in range(400)]!r}\n")
    (tmp_path / "pyproject.toml").write_text('[tool.omega-bridge]\nsteps = "main.py:migration_steps"\n')
    command = [sys.executable, "-m", "omega_bridge", *asked.split()]
    environment = {**os.environ, "PYTHONUNBUFFERED": unbuffered}
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=tmp_path, env=environment) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        said, code = process.stderr.read().decode(), process.wait()
    assert (code, "Traceback" in said, "Broken" in said) == (0, False, False)


def test_a_full_disk_is_told() -> None:
    """What was printed is not whole, and no exit code says that it is."""
    done = subprocess.run(
        ["sh", "-c", f"{sys.executable} -m omega_bridge explain config > /dev/full"], stderr=subprocess.PIPE, check=False
    )
    assert (done.returncode, done.stderr.startswith(b"error: not all of it could be printed")) == (2, True)


def test_without_a_stdout_a_verb_does_its_work() -> None:
    """As daemons are started."""
    done = subprocess.run(
        ["sh", "-c", f"{sys.executable} -m omega_bridge explain config >&-"], stderr=subprocess.PIPE, check=False
    )
    assert (done.returncode, done.stderr) == (0, b"")


SPOKEN = [name for name in VERBS if name != "ledger"] + ["ledger log", "ledger verify"]


@pytest.mark.parametrize("verb", SPOKEN)
@pytest.mark.parametrize("misuse", ["--no-such-option", "--config=no/such.toml"], ids=["option", "file"])
def test_an_error_is_json_where_json_is_asked_for(verb: str, misuse: str, capsys: pytest.CaptureFixture[str]) -> None:
    """One object on stdout, with code, message and a hint; exit 2, which no check says."""
    with pytest.raises(SystemExit) as ended:
        run([*verb.split(), *(["a-step"] if verb == "explain" else []), misuse, "--json"])
    told = json.loads(capsys.readouterr().out)["error"]
    assert ended.value.code == 2
    assert told["code"] == "OB107"
    assert told["message"]
    assert told["hint"]


@pytest.mark.parametrize("asked", [["--format", "json"], ["--format=json"]], ids="".join)
def test_an_error_is_json_where_the_format_is_json(asked: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """The other way to ask for it."""
    with pytest.raises(SystemExit):
        run(["lint", *asked, "--config", "no/such.toml"])
    assert json.loads(capsys.readouterr().out)["error"]["code"] == "OB107"


def test_a_misused_verb_tells_no_password(capsys: pytest.CaptureFixture[str]) -> None:
    """A URL in the wrong place is not printed back with its secret, as text or as JSON."""
    for asked in ([], ["--json"]):
        with pytest.raises(SystemExit) as ended:
            run(["boot", "postgresql://app:zq7wxk9v@db/app", *asked])
        told = "".join(capsys.readouterr())
        assert ended.value.code == 2
        assert "unexpected extra argument" in told
        assert "zq7wxk9v" not in told


def test_every_verb_that_takes_a_url_takes_an_env_file() -> None:
    """Whoever has the URL in a file gives the file."""
    for verb in SPOKEN:
        module = importlib.import_module(f"omega_bridge.cli.{verb.split()[0]}")
        parameters = inspect.signature(getattr(module, verb.split()[-1])).parameters
        assert ("env_file" in parameters) or ("database_url" not in parameters), verb


@pytest.mark.parametrize(
    ("files", "asked", "code", "told"),
    [
        ({"alembic/omega.sum/x": b""}, "lint", "OB107", "Is a directory"),
        ({"alembic/omega.sum": b"\xff\n"}, "lint", "OB501", "not UTF-8"),
        ({"pyproject.toml": b"[tool.omega-bridge"}, "init --yes", "OB107", "not valid TOML"),
        ({"pyproject.toml/x": b""}, "init --yes", "OB107", "Is a directory"),
        ({}, "export --rebase", "OB107", "no history"),
        ({}, "explain OB301 --json-schema", "OB107", "explain config"),
        ({}, "status --interval 0 --watch", "OB107", "seconds"),
        ({}, "boot --on-busy degrade", "OB107", "on-busy"),
    ],
    ids=lambda v: v if isinstance(v, str) else "",
)
def test_what_cannot_be_had_is_told(
    files: dict[str, bytes],
    asked: str,
    code: str,
    told: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """As one of our errors, in JSON, with what to do; no traceback."""
    written = {"main.py": b"migration_steps = ['SELECT 1']\n", **files}
    if not any(name.startswith("pyproject") for name in files):
        written["pyproject.toml"] = b'[tool.omega-bridge]\nsteps = "main.py:migration_steps"\n'
    for name, content in written.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(content)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit):
        run([*asked.split(), "--json"])
    out, err = capsys.readouterr()
    error = json.loads(out)["error"]
    assert (error["code"], told in error["message"] or told in error["hint"]) == (code, True)
    assert error["hint"]
    assert "Traceback" not in err


def test_another_list_keeps_the_configured_models_and_foundation(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """``--steps`` names the list, and nothing else of the configuration is put aside."""
    models = (
        "from sqlalchemy import Column, Integer, MetaData, Table\n"
        "metadata = MetaData()\n"
        "Table('seen_by_models', metadata, Column('id', Integer, primary_key=True))\n"
    )
    (tmp_path / "models_of_another_list.py").write_text(models)
    (tmp_path / "other.py").write_text("steps = ['SELECT 1']\n")
    (tmp_path / "pyproject.toml").write_text(
        '[tool.omega-bridge]\nsteps = "main.py:steps"\nmetadata = "models_of_another_list:metadata"\nfoundation = "ground.sql"\n'
    )
    (tmp_path / "ground.sql").write_text("CREATE TABLE stands (id int);\n")
    monkeypatch.chdir(tmp_path)
    foundation = prepare(None, "other.py:steps").foundation
    assert foundation is not None
    assert [key.name for key in foundation.catalog if key.kind == "table"] == ["stands"]
    with pytest.raises(SystemExit):
        run(["explain", "model-seen-by-models", "--steps", "other.py:steps", "--json"])
    assert json.loads(capsys.readouterr().out)["step"]["place"] == "(models)"
