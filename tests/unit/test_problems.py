"""Findings as people, editors, code scanning and workflows see them."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from omega_bridge.analysis import analyse
from omega_bridge.audit.drift import Drift, Drifted
from omega_bridge.catalog import Key, Kind
from omega_bridge.cli import formats
from omega_bridge.cli.app import app
from omega_bridge.cli.problems import Problem, Sources, Spot, of_drift, of_findings
from omega_bridge.lint import lint
from omega_bridge.planning.gaps import What
from omega_bridge.sources import load
from omega_bridge.steps import Place

MAIN = '''steps = [
    "SELECT 1",
    """
    ALTER TABLE t
        ADD COLUMN a int
    """,
    ("named", "TRUNCATE t"),
    "ALTER TABLE t "
    "ADD COLUMN b int",
    "SELECT 'x\\ny'; TRUNCATE u",
    Step(
        """DO $$ BEGIN
            ALTER TABLE t DROP COLUMN c;
        END $$""",
    ),
]
'''


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with a list that has problems."""
    (tmp_path / "main.py").write_text(MAIN)
    (tmp_path / "pyproject.toml").write_text('[tool.omega-bridge]\nsteps = "main.py:steps"\n')
    monkeypatch.chdir(tmp_path)
    return tmp_path


def problems(project: Path, *rules: str) -> list[Problem]:
    """What lint finds there."""
    return of_findings(lint(analyse(load("main.py:steps", root=project)), select=rules), Sources(project))


def test_a_problem_stands_where_its_words_stand(project: Path) -> None:
    """Line and column of the file, in a text of several lines, a pair and a Step; where the file spells it otherwise, the entry's line."""
    found = problems(project, "unguarded-statement", "destructive-drop")
    lines = MAIN.split("\n")
    told = [(p.subject, str(p.spot)) for p in found]
    assert told == [
        ("t-a", "main.py:4:5"),
        ("named", "main.py:7:16"),
        ("t-b", "main.py:8"),
        ("truncate-u", "main.py:10"),
        ("drop-t-c", "main.py:13:13"),
    ]
    for problem in found:
        if problem.spot is not None and problem.spot.column:
            words = lines[problem.spot.line - 1][problem.spot.column - 1 : problem.spot.end - 1]
            assert words in ("ALTER TABLE t", "TRUNCATE t", "ALTER TABLE t DROP COLUMN c")


def test_the_caret_stands_under_the_words(project: Path) -> None:
    """The source line with the file's number, and carets as long as the words."""
    shown = CliRunner().invoke(app, ["lint", "--select", "destructive-drop"]).output.split("\n")
    at = next(n for n, line in enumerate(shown) if "| TRUNCATE t" in line)
    assert shown[at].split("|")[0].strip() == "7"
    assert shown[at + 1].endswith("| " + "^" * len("TRUNCATE t"))
    assert len(shown[at].partition("|")[0]) == len(shown[at + 1].partition("|")[0])


def test_a_long_line_is_shown_around_its_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the caret is under is on the screen."""
    (tmp_path / "main.py").write_text(f"steps = [\"UPDATE t SET a = '{'x' * 300}' WHERE a IS NULL; TRUNCATE t\"]\n")
    monkeypatch.chdir(tmp_path)
    shown = CliRunner().invoke(app, ["lint", "--steps", "main.py:steps", "--select", "destructive-drop"]).output
    line, carets = re.findall(r"^.*\| (.*)$", shown, re.M)
    assert len(line) <= 140
    assert line[carets.index("^") : carets.rindex("^") + 1] == "TRUNCATE t"


def test_notes_that_repeat_are_named_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Thirty notes of one rule do not hide a warning; the count tells all, and JSON has each."""
    steps = [f"ALTER TABLE t ADD COLUMN IF NOT EXISTS c{n} int" for n in range(30)]
    (tmp_path / "main.py").write_text(f"steps = {steps!r}\n")
    monkeypatch.chdir(tmp_path)
    shown = CliRunner().invoke(app, ["lint", "--steps", "main.py:steps"]).output
    assert shown.count("lock-though-satisfied:") == 3
    assert "28 more: t-c2, t-c3" in shown
    assert shown.endswith("30 notes\n")
    assert len(json.loads(CliRunner().invoke(app, ["lint", "--steps", "main.py:steps", "--json"]).output)["findings"]) == 30


def test_without_a_line_a_problem_stands_in_the_list(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What Python computes has no line of its own: the list is named as the configuration names it."""
    (tmp_path / "computed_steps.py").write_text("steps = [f'TRUNCATE t{n}' for n in range(1)]\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    shown = CliRunner().invoke(app, ["lint", "--steps", "computed_steps:steps"]).output
    assert "computed_steps:steps: " in shown
    assert "no source" not in shown


def test_an_unreadable_step_is_shown_at_its_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The line that the parser rejects."""
    (tmp_path / "main.py").write_text('steps = ["""SELECT 1;\n  SELCT 2"""]\n')
    monkeypatch.chdir(tmp_path)
    shown = CliRunner().invoke(app, ["lint", "--steps", "main.py:steps"]).output
    assert "main.py:2:3: error unreadable-step" in shown
    assert "2 | SELCT 2" in shown


def required(log: dict[str, Any]) -> None:
    """What SARIF 2.1.0 demands of the objects that are used here (its schema's "required", and its text's MUSTs)."""
    assert log["version"] == "2.1.0"
    assert log["$schema"].endswith("sarif-schema-2.1.0.json")
    for run in log["runs"]:
        driver = run["tool"]["driver"]
        assert driver["name"]
        ids = [rule["id"] for rule in driver["rules"]]
        assert len(set(ids)) == len(ids)
        for rule in driver["rules"]:
            assert rule["defaultConfiguration"]["level"] in ("none", "note", "warning", "error")
            for part in ("shortDescription", "help"):
                assert part not in rule or rule[part]["text"]
        for result in run["results"]:
            assert result["message"]["text"]
            assert result["level"] in ("none", "note", "warning", "error")
            assert ids[result["ruleIndex"]] == result["ruleId"]
            for location in result.get("locations", ()):
                region = location.get("physicalLocation", {}).get("region", {"startLine": 1})
                assert all(type(n) is int and n >= 1 for name, n in region.items() if name != "snippet")
                assert region.get("endColumn", 1) >= region.get("startColumn", 1)
                if "physicalLocation" in location:
                    uri = location["physicalLocation"]["artifactLocation"]["uri"]
                    assert " " not in uri
                    assert "\\" not in uri


@pytest.mark.parametrize("verb", [("lint",), ("check", "--strict")])
def test_sarif_is_valid_and_points_to_the_words(project: Path, verb: tuple[str, ...]) -> None:
    """Code scanning takes it: each result with rule, level and place; exit code as in text."""
    shown = CliRunner().invoke(app, [*verb, "--format", "sarif"])
    assert shown.exit_code == CliRunner().invoke(app, list(verb)).exit_code
    log = json.loads(shown.output)
    required(log)
    by_rule = {r["ruleId"]: r for r in log["runs"][0]["results"]}
    region = by_rule["destructive-drop"]["locations"][0]["physicalLocation"]["region"]
    assert region["startLine"] in (7, 10, 13)
    if verb[0] == "check":
        assert "check-export" in by_rule


def test_annotations_are_workflow_commands(project: Path) -> None:
    """One line each, whatever stands in the message, and what would end a property is written otherwise."""
    for line in CliRunner().invoke(app, ["lint", "--format", "github"]).output.splitlines():
        assert re.fullmatch(r"::(error|warning|notice) file=main\.py,line=\d+(,col=\d+,endColumn=\d+)?,title=[a-z-]+::.+", line)
    told = formats.github([Problem("r", "note", "a", "50 %: x,\ny", spot=Spot("a:b,c.py", 1))])
    assert told == ["::notice file=a%3Ab%2Cc.py,line=1,title=r::a: 50 %25: x,%0Ay"]


def test_a_format_that_there_is_not(project: Path) -> None:
    """It is told with those that there are."""
    shown = CliRunner().invoke(app, ["lint", "--format", "xml"])
    assert shown.exit_code != 0
    assert "text, json, sarif, github" in str(getattr(shown.exception, "hint", ""))


def test_json_by_either_name(project: Path) -> None:
    """--json and --format json are one."""
    one, other = (CliRunner().invoke(app, ["lint", *form]).output for form in (["--json"], ["--format", "json"]))
    assert one == other
    assert json.loads(one)["findings"][0]["at"]["column"] >= 1


def test_drift_is_told_at_the_step_that_makes_it_otherwise() -> None:
    """A difference, with the step's place; what no start puts back, with what to append; a step that stands failed."""
    key = Key(Kind.COLUMN, "public", "t", "a")
    found = Drift(
        (
            Drifted(What.MISSING, key, by="t-a", place=Place("main.py", 3), is_repaired=True),
            Drifted(What.DIFFERENT, key, "type", "int", "text", instead="ALTER TABLE t ALTER a TYPE int"),
        ),
        (),
        ({"id": "t-b", "outcome": "failed", "reason": "no"},),
    )
    told = of_drift(found)
    assert [(p.rule, p.subject, str(p.spot)) for p in told] == [
        ("drift-missing", "t-a", "main.py:3"),
        ("drift-different", "", "None"),
        ("step-failed", "t-b", "None"),
    ]
    assert "next start" in told[0].hint
    assert told[1].hint.endswith("ALTER TABLE t ALTER a TYPE int")
    required(formats.sarif(told))
