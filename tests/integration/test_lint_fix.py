"""``lint --fix``: a patch whose list leads to the same catalog, which a server has said."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from omega_bridge.analysis import analyse
from omega_bridge.audit.fixed import disproven
from omega_bridge.audit.scratch import GivenServer
from omega_bridge.cli.app import app
from omega_bridge.fixing import rewrite
from omega_bridge.steps import Registry
from tests.fixtures.server import Server

MAIN = '''steps = [
    "CREATE TABLE IF NOT EXISTS t (id uuid PRIMARY KEY)",
    "ALTER TABLE t ADD COLUMN a int",
    """
    DO $$ BEGIN
        IF NOT EXISTS (SELECT 1 FROM information_schema.columns WHERE table_name = 't' AND column_name = 'b') THEN
            ALTER TABLE t ADD COLUMN b text;
        END IF;
    END $$
    """,
    """
    DO $$ BEGIN
        CREATE TYPE mood AS ENUM ('x');
        ALTER TABLE nowhere ADD COLUMN a int;
    EXCEPTION WHEN OTHERS THEN NULL;
    END $$
    """,
]
'''


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project whose list has something to rewrite."""
    (tmp_path / "main.py").write_text(MAIN)
    (tmp_path / "pyproject.toml").write_text('[tool.omega-bridge]\nsteps = "main.py:steps"\n')
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_patch_is_printed_and_nothing_written(server: Server, project: Path) -> None:
    """A unified diff on stdout; what would lead elsewhere is left, and said."""
    shown = CliRunner().invoke(app, ["lint", "--fix", "--scratch-url", server.url])
    assert shown.exit_code == 0, shown.output
    assert "+++ b/main.py" in shown.output
    assert "ADD COLUMN IF NOT EXISTS b text" in shown.output
    assert "the list leads to the same catalog" in shown.output
    assert (project / "main.py").read_text() == MAIN


def test_what_is_written_is_the_list_that_was_proven(server: Server, project: Path) -> None:
    """The file holds it, a second --fix has nothing to do, and the step that would fail aloud is as it was."""
    told = CliRunner().invoke(app, ["lint", "--fix", "--write", "--json", "--scratch-url", server.url])
    found = json.loads(told.stdout)
    assert found["written"] == ["main.py"]
    assert [r["step"] for r in found["rewrites"]] == ["t-a", "t-b"]
    text = (project / "main.py").read_text()
    assert "EXCEPTION WHEN OTHERS THEN NULL" in text
    again = json.loads(CliRunner().invoke(app, ["lint", "--fix", "--json", "--scratch-url", server.url]).stdout)
    assert again["patch"] == ""


def test_a_rewrite_that_leads_elsewhere_is_refused(server: Server) -> None:
    """It is found among others that do not, and they are kept."""
    steps = [
        "CREATE TABLE t (id uuid PRIMARY KEY)",
        "ALTER TABLE t ADD COLUMN IF NOT EXISTS a int",
        "ALTER TABLE t ADD COLUMN IF NOT EXISTS b int",
    ]
    done = rewrite(analyse(Registry.of(steps)))
    wrong = replace(done.rewrites[-1], after=replace(done.rewrites[-1].after, sql="SELECT 1"))
    registry = Registry((*done.registry.steps[:-1], wrong.after))
    bad = replace(done, registry=registry, rewrites=(*done.rewrites[:-1], wrong))
    assert disproven(done, (), GivenServer(server.url)) == frozenset()
    assert disproven(bad, (), GivenServer(server.url)) == {2}


def test_write_goes_with_fix(project: Path) -> None:
    """Alone it would do nothing, and so it is told."""
    assert CliRunner().invoke(app, ["lint", "--write"]).exit_code == 2
