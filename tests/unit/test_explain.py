"""``omega-bridge explain``: the pages, and a step with all that is known of it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from omega_bridge import errors
from omega_bridge.analysis.rules import all_rules
from omega_bridge.cli.app import app
from omega_bridge.pages import page

LIST = """migration_steps = [
    "CREATE TABLE IF NOT EXISTS t (id int)",
    "DO $$ BEGIN IF NOT EXISTS (SELECT 1 FROM information_schema.columns WHERE table_name = 't' AND column_name = 'a') THEN"
    " ALTER TABLE t ADD COLUMN a int; END IF; END $$",
    "CREATE INDEX IF NOT EXISTS t_a ON t (a)",
]
"""


def test_every_code_and_every_rule_has_a_page_to_print() -> None:
    """Whatever an error or a finding names can be asked for."""
    codes = {kind.code for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, errors.OmegaBridgeError)}
    for name in (codes - {errors.OmegaBridgeError.code}) | {rule.name for rule in all_rules()}:
        assert page(name) is not None, name
    assert page("OB999") is None
    assert page("../README") is None


@pytest.mark.parametrize("name", ["OB301", "ob301"])
def test_a_code_prints_its_page(name: str) -> None:
    """As the documentation has it, in either case, without configuration or database."""
    shown = CliRunner().invoke(app, ["explain", name])
    assert (shown.exit_code, shown.output.splitlines()[0]) == (0, "# OB301: StepFailed")
    told = json.loads(CliRunner().invoke(app, ["explain", name, "--json"]).output)
    assert (told["kind"], told["text"].splitlines()[0]) == ("error", "# OB301: StepFailed")


def test_a_step_is_explained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What it makes true, which lock it takes, that no revision has it yet, and what the rules say of it."""
    (tmp_path / "main.py").write_text(LIST)
    (tmp_path / "pyproject.toml").write_text('[tool.omega-bridge]\nsteps = "main.py:migration_steps"\n')
    monkeypatch.chdir(tmp_path)
    shown = CliRunner().invoke(app, ["explain", "t-a", "--json"])
    assert shown.exit_code == 0, shown.output
    told = json.loads(shown.output)
    assert {"step", "statements", "locks", "revision", "findings"} <= set(told)
    assert told["locks"] == ["ACCESS EXCLUSIVE t"]
    assert told["revision"] is None
    assert told["statements"][0]["effects"][0].startswith("column t.a")
    assert [f["rule"] for f in told["findings"]] == ["guard-passed-at-once", "guard-without-schema"]
    text = CliRunner().invoke(app, ["explain", "t-a"]).output
    assert "lock when it runs: ACCESS EXCLUSIVE t" in text
    assert "omega-bridge explain guard-without-schema" in text


def test_an_unknown_name_is_told_what_was_meant(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither step nor code nor rule: OB107, with the nearest ids."""
    (tmp_path / "main.py").write_text(LIST)
    (tmp_path / "pyproject.toml").write_text('[tool.omega-bridge]\nsteps = "main.py:migration_steps"\n')
    monkeypatch.chdir(tmp_path)
    found = CliRunner().invoke(app, ["explain", "index-t-b"])
    assert isinstance(found.exception, errors.ConfigurationInvalid)
    assert "index-t-a" in str(found.exception)
