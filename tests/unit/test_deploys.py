"""Which steps reach databases together, and what the rules on long locks make of it."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from omega_bridge.analysis import analyse
from omega_bridge.audit.deployed import deployed
from omega_bridge.lint import lint
from omega_bridge.planning.deploys import Line, deploys
from omega_bridge.revisions.files import export
from omega_bridge.revisions.sums import NAME
from omega_bridge.steps import Registry

TABLE = ("made", "CREATE TABLE IF NOT EXISTS t (id uuid PRIMARY KEY, a int, b varchar(10))")
LATER = {
    "blocking-index": "CREATE INDEX IF NOT EXISTS ix ON t (a)",
    "type-change-rewrites": "ALTER TABLE t ALTER COLUMN a TYPE bigint",
    "volatile-default": "ALTER TABLE t ADD COLUMN IF NOT EXISTS c float DEFAULT random()",
    "not-null-reads-table": "ALTER TABLE t ALTER COLUMN a SET NOT NULL",
    "unique-builds-index": "ALTER TABLE t ADD CONSTRAINT one UNIQUE (a)",
    "constraint-not-validated-in-two": "ALTER TABLE t ADD CONSTRAINT positive CHECK (a > 0)",
}


@pytest.mark.parametrize(("rule", "text"), LATER.items(), ids=list(LATER))
def test_a_table_of_an_earlier_deploy_has_rows(rule: str, text: str) -> None:
    """A step that comes with a later deploy than the table of its list is warned of its lock; one that comes with the table is not."""

    def tells(*steps: tuple[str, str], **came: int) -> bool:
        found = lint(analyse(Registry.of(list(steps))), deploys=came, select=[rule])
        return [f.step for f in found if f.severity == "warning"] == ["later"]

    later = ("later", text)
    assert not tells(TABLE, later)
    assert not tells(TABLE, later, made=3, later=3)
    assert not tells(TABLE, later, other=1)
    assert tells(TABLE, later, made=0)
    assert tells(TABLE, later, made=0, later=1)
    assert not tells(("later", f"{TABLE[1]}; {text}"), later=0)
    assert not tells(TABLE, ("again", "CREATE TABLE IF NOT EXISTS t (a int)"), later, made=0)


def test_a_table_of_the_models_that_comes_with_the_step_is_empty() -> None:
    """Where a history says what came before; where there is none, it stands for one that was there."""
    listed = analyse(Registry.of([("model-t", TABLE[1]), ("later", LATER["blocking-index"])]))
    for came, told in (({}, 1), ({"model-t": 0}, 1), ({"other": 0}, 0)):
        assert len(lint(listed, models=1, deploys=came, select=["blocking-index"])) == told


def test_a_deploy_is_what_one_commit_brings() -> None:
    """By a step's name, or by its text under another name; a line that no commit has brought counts for the next one."""
    listed = analyse(Registry.of([TABLE, ("b", "SELECT 1"), ("c", "SELECT 2"), ("d", "SELECT 3")]))
    by_text = next(s.checksum for s in listed if s.id == "b")
    lines = [
        Line("x", [("made", "")]),
        Line("x", [("was-b", by_text)]),
        Line("y", [("c", ""), ("made", "")]),
        Line(None, [("d", "")]),
    ]
    assert deploys(lines, listed) == {"made": 0, "b": 0, "c": 1}


def test_git_says_which_commit_brought_a_line_of_the_history(tmp_path: Path) -> None:
    """Committed, not committed yet, and not kept in git at all."""

    def git(*arguments: str) -> None:
        subprocess.run(["git", "-c", "user.name=a", "-c", "user.email=a@b.c", *arguments], cwd=tmp_path, check=True)

    def exported(*steps: tuple[str, str]) -> dict[str, int]:
        listed = analyse(Registry.of(list(steps)))
        export(listed, tmp_path / "alembic")
        return dict(deployed(tmp_path / "alembic", analyse(Registry.of([*steps, ("next", "SELECT 9")]))))

    assert deployed(tmp_path / "alembic", analyse(Registry.of([TABLE]))) == {}
    steps = [TABLE, ("b", "CREATE TABLE b (id int)")]
    assert exported(*steps) == {"made": 0, "b": 0}
    git("init", "-q")
    assert exported(*steps) == {}
    git("add", "-A")
    assert exported(*steps) == {}
    git("commit", "-qm", "one")
    steps.append(("c", "CREATE TABLE c (id int)"))
    assert exported(*steps) == {"made": 0, "b": 0}
    git("commit", "-qam", "two")
    assert exported(*steps) == {"made": 0, "b": 0, "c": 1}
    assert (tmp_path / "alembic" / NAME).is_file()
