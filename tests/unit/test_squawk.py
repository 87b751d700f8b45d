"""The general rules of squawk, over each statement of a list on its own."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from omega_bridge import squawk as module
from omega_bridge.analysis import analyse
from omega_bridge.analysis.findings import Finding
from omega_bridge.cli.app import app
from omega_bridge.errors import ConfigurationInvalid
from omega_bridge.lint import lint
from omega_bridge.squawk import squawk
from omega_bridge.steps import Registry

BLOCK = """DO $$
BEGIN
    IF to_regclass('ñandú') IS NULL THEN
        CREATE TABLE ñandú (
            é char(3));
    END IF;
END $$"""


def found(*steps: str, select: tuple[str, ...] = (), ignore: tuple[str, ...] = ()) -> list[Finding]:
    """What it says about a list."""
    return list(squawk(analyse(Registry.of(list(steps))), select=select, ignore=ignore))


def test_statements_in_blocks_are_judged_at_their_place() -> None:
    """Line, column and length in the step's text, in characters."""
    (finding,) = found(BLOCK)
    assert (finding.rule, str(finding.severity)) == ("squawk-ban-char-field", "note")
    assert finding.span is not None
    line = BLOCK.split("\n")[finding.span.line - 1]
    assert line[finding.span.column - 1 :][: finding.span.length] == "char(3)"


def test_each_finding_belongs_to_its_step() -> None:
    """Of many steps, those that it is about, in the list's order."""
    steps = [f"ALTER TABLE t ADD COLUMN IF NOT EXISTS c{n} {'char(3)' if n % 5 == 0 else 'text'}" for n in range(20)]
    assert [f.step for f in found(*steps)] == ["t-c0", "t-c5", "t-c10", "t-c15"]


def test_what_the_rules_here_know_better_is_not_said_twice() -> None:
    """Guards, locks, releases and time limits: it sees neither the guard nor the list."""
    steps = [
        "CREATE INDEX i ON t (a)",
        "ALTER TABLE t RENAME a TO b",
        "ALTER TABLE t ALTER a SET NOT NULL",
        "DROP TABLE IF EXISTS t",
    ]
    assert found(*steps) == []
    assert lint(analyse(Registry.of(steps)))


def test_it_is_passed_over_as_other_rules_are() -> None:
    """By a comment in the step, by --ignore, and by --select of another."""
    text = "ALTER TABLE t ADD COLUMN IF NOT EXISTS a char(3)"
    assert len(found(text)) == 1
    assert found(f"-- omega-bridge: ignore squawk-ban-char-field\n{text}") == []
    assert found(text, ignore=("squawk-ban-char-field",)) == []
    assert found(text, select=("duplicate-step",)) == []
    assert lint(analyse(Registry.of([text])), select=("duplicate-step",), ignore=("squawk-ban-char-field",)) == ()


def test_a_secret_is_not_handed_on() -> None:
    """A step that holds one is not written to a file for another program."""
    assert found("ALTER ROLE app PASSWORD 's3cr3t-of-app'; CREATE TABLE t (a char(3))") == []


def test_the_verb_shows_them_beside_the_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the source line, in every format."""
    (tmp_path / "main.py").write_text('steps = ["ALTER TABLE t ADD COLUMN IF NOT EXISTS a char(3)"]\n')
    monkeypatch.chdir(tmp_path)
    assert (
        "main.py:1:52: note squawk-ban-char-field"
        in CliRunner().invoke(app, ["lint", "--steps", "main.py:steps", "--squawk"]).output
    )
    assert "squawk" not in CliRunner().invoke(app, ["lint", "--steps", "main.py:steps"]).output


def test_without_it_the_command_that_installs_it_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is an extra."""
    monkeypatch.setattr(shutil, "which", lambda *_args, **_kwargs: None)
    with pytest.raises(ConfigurationInvalid) as told:
        found("SELECT 1")
    assert told.value.hint == "pip install 'omega-bridge[squawk]'"


def test_what_is_not_understood_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another version that prints something else is not taken for one without findings."""
    monkeypatch.setattr(module, "_told", lambda *_: "no json")
    with pytest.raises(ConfigurationInvalid):
        found("SELECT 1")
