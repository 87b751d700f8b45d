"""An edit that makes a fresh database another than one that lived through the text before is told when it is made."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from omega_bridge.analysis import analyse
from omega_bridge.cli.app import app
from omega_bridge.embedded import Server
from omega_bridge.revisions.files import export
from omega_bridge.steps import Registry

T = "CREATE TABLE IF NOT EXISTS t (id int PRIMARY KEY)"
INDEX = "CREATE INDEX IF NOT EXISTS t_i ON t (id)"
LOST = "ALTER TABLE gone ADD COLUMN IF NOT EXISTS x int"
EDITED = [T.replace("PRIMARY KEY", "PRIMARY KEY, b text"), INDEX.replace("(id)", "(id DESC)"), LOST]
COLUMN = "ALTER TABLE public.t ADD COLUMN IF NOT EXISTS b text"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A list that was exported, and then edited."""
    export(analyse(Registry.of([T, INDEX, LOST])), tmp_path / "alembic")
    (tmp_path / "pyproject.toml").write_text('[tool.omega-bridge]\nsteps = "main.py:steps"\n')
    write(tmp_path, EDITED)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(project: Path, steps: list[str]) -> None:
    """The list as it is from now on."""
    (project / "main.py").write_text(f"steps = {steps!r}\n")


def test_lint_and_an_export_without_a_server_tell_what_is_known_for_certain(project: Path) -> None:
    """Before the export and at it, and no more once the step that was told is there; what an index is only a server knows."""
    line = "a fresh database is not as one that lived through the past: step create-t: column public.t.b is in a fresh database alone\n"
    for arguments in (["lint"], ["export", "--check"], ["export", "--no-prove"], ["lint"]):
        told = CliRunner().invoke(app, arguments).stderr
        assert f"{line}  append: {COLUMN}\n" in told
    told = json.loads(CliRunner().invoke(app, ["lint", "--json"]).stdout)["splits"]
    assert [(s["step"], s["object"], s["attribute"], s["lived"], s["append"]) for s in told] == [
        ("create-t", "column public.t.b", "", None, COLUMN)
    ]
    write(project, [*EDITED, COLUMN])
    for arguments in (["lint"], ["export", "--no-prove"]):
        assert "a fresh database" not in CliRunner().invoke(app, arguments).stderr


def test_an_export_with_a_server_tells_all_of_it(project: Path, server: Server) -> None:
    """Both values of whatever PostgreSQL shows, with the step and what to append; of steps that fail on scratch nothing is logged."""
    done = CliRunner().invoke(app, ["export", "--json", "--scratch-url", server.url])
    assert (done.exit_code, "[MIGRATION]" in done.stderr) == (0, False)
    told = json.loads(done.stdout)["splits"]
    index = "CREATE INDEX t_i ON public.t USING btree (id DESC)"
    assert [(s["step"], s["object"], s["attribute"], s["append"]) for s in told] == [
        ("create-t", "column public.t.b", "", COLUMN),
        ("index-t-i", "index public.t_i", "definition", f"DROP INDEX public.t_i; {index}"),
    ]
    assert (told[1]["fresh"], told[1]["lived"]) == (index, "CREATE INDEX t_i ON public.t USING btree (id)")
    write(project, [*EDITED, COLUMN, f"DROP INDEX IF EXISTS t_i; {index}"])
    assert json.loads(CliRunner().invoke(app, ["export", "--json", "--scratch-url", server.url]).stdout)["splits"] == []


def test_verify_logs_nothing_of_its_scratch_databases(project: Path, server: Server) -> None:
    """Steps that fail on the way are in the result; no line on stderr frightens."""
    CliRunner().invoke(app, ["export", "--no-prove"])
    done = CliRunner().invoke(app, ["verify", "--scratch-url", server.url])
    assert (done.exit_code, done.stderr) == (1, "")
    assert "step gone-x is not proven: failed: 42P01" in done.stdout
