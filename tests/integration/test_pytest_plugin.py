"""``pytest --omega`` in a project of its own: what is promised, and in what words a broken promise is told."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fixtures.server import Server

GOOD = """migration_steps = [
    "CREATE TABLE IF NOT EXISTS t (id int PRIMARY KEY)",
    "ALTER TABLE t ADD COLUMN IF NOT EXISTS a text",
    "INSERT INTO t VALUES (1, 'one') ON CONFLICT DO NOTHING",
]
"""
NAMES = ["repeatable", "equivalent", "no_drift", "downgrade_leaves_no_trace", "one_head"]


def python(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """A module's command line in the project, without what this run was given."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("PYTEST_", "COV_"))}
    return subprocess.run(
        [sys.executable, "-m", *arguments], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


@pytest.fixture
def project(tmp_path: Path, server: Server) -> Path:
    """A project with a list and its history."""
    (tmp_path / "main.py").write_text(GOOD)
    (tmp_path / "pyproject.toml").write_text('[tool.omega-bridge]\nsteps = "main.py:migration_steps"\n')
    export(tmp_path, server)
    return tmp_path


def export(project: Path, server: Server) -> None:
    """The history, with what the list leads to beside it."""
    done = python(project, "omega_bridge", "export", "--scratch-url", server.url)
    assert done.returncode == 0, done.stderr


def promises(project: Path, server: Server, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The promises on the server of this run, in a project whose settings are strict."""
    strict = ("-W", "error", "--strict-markers", "-p", "no:cacheprovider")
    return python(project, "pytest", "--omega", "--omega-scratch-url", server.url, "-v", *strict, *arguments)


def test_a_sound_project_keeps_each_promise(project: Path, server: Server) -> None:
    """Each is a test with its name, beside the project's own."""
    (project / "test_own.py").write_text("def test_own():\n    pass\n")
    done = promises(project, server)
    assert done.returncode == 0, done.stdout + done.stderr
    for name in NAMES:
        assert f"omega-bridge::{name} PASSED" in done.stdout
    assert "6 passed" in done.stdout


def test_without_the_option_nothing_is_tested_and_nothing_loaded(project: Path) -> None:
    """Who has the bridge installed, and does not ask for it, pays nothing."""
    (project / "test_own.py").write_text(
        "import sys\n\ndef test_own():\n    assert [m for m in sys.modules if m.startswith('omega_bridge')]"
        " == ['omega_bridge', 'omega_bridge.pytest_plugin']\n"
        "    assert not {'typer', 'psycopg', 'alembic', 'sqlalchemy', 'postgast'} & sys.modules.keys()\n"
    )
    done = python(project, "pytest", "-p", "no:pytest_alembic")
    assert done.returncode == 0, done.stdout
    assert "1 passed" in done.stdout


@pytest.mark.long
def test_a_promise_can_be_chosen(project: Path, server: Server) -> None:
    """By its name, and all of them by their mark."""
    assert "1 passed, 4 deselected" in promises(project, server, "-k", "one_head").stdout
    assert "5 deselected" in promises(project, server, "-m", "not omega").stdout


def edited(project: Path, steps: str) -> None:
    """Another list, and no history of it yet."""
    (project / "main.py").write_text(f"migration_steps = {steps}")
    for old in (*(project / "alembic" / "versions").glob("*.py"), *(project / "alembic").glob("omega.*")):
        old.unlink()


@pytest.mark.parametrize(
    ("name", "steps", "is_exported", "told"),
    [
        ("repeatable", '["CREATE TABLE IF NOT EXISTS t (id int)", "INSERT INTO t VALUES (1)"]', True, "changes the rows of t"),
        pytest.param(
            "repeatable",
            '["CREATE TABLE IF NOT EXISTS t (id int)", "ALTER TABLE t ADD COLUMN IF NOT EXISTS a nonsense"]',
            True,
            "failed",
            marks=pytest.mark.long,
        ),
        ("equivalent", '["CREATE TABLE IF NOT EXISTS t (id int)"]', False, "does not hold the list as it is now"),
        ("no_drift", '["CREATE TABLE IF NOT EXISTS t (id int)"]', False, "run: omega-bridge export"),
    ],
    ids=["rows", "failing", "stale", "stale-expectation"],
)
def test_what_breaks_a_promise_is_told_in_our_words(
    name: str, steps: str, is_exported: bool, told: str, project: Path, server: Server
) -> None:
    """With the step or the command, and without a traceback."""
    if is_exported:
        edited(project, steps)
        export(project, server)
    else:
        (project / "main.py").write_text(f"migration_steps = {steps}")
    done = promises(project, server, "-k", name)
    assert done.returncode == 1, done.stdout + done.stderr
    assert f"not kept: {name.replace('_', ' ')}" in done.stdout
    assert told in done.stdout
    assert "Traceback" not in done.stdout


def test_a_history_with_two_heads_is_told(project: Path, server: Server) -> None:
    """With both, and the command that makes them one."""
    (project / "alembic" / "versions" / "abc_other.py").write_text(
        "revision = 'abc'\ndown_revision = None\n\ndef upgrade():\n    pass\n\ndef downgrade():\n    pass\n"
    )
    done = promises(project, server, "-k", "one_head")
    assert done.returncode == 1
    assert "the history has 2 heads" in done.stdout
    assert "alembic merge" in done.stdout


def test_what_a_downgrade_leaves_is_told(project: Path, server: Server) -> None:
    """A revision of the project's own whose downgrade forgets something: the object, and between which revisions."""
    edited(project, GOOD.partition("= ")[2])
    (project / "alembic" / "versions" / "abc_first.py").write_text(
        "from alembic import op\n\nrevision = 'abc'\ndown_revision = None\n\n"
        "def upgrade():\n    op.execute('CREATE TABLE forgotten (id int)')\n\ndef downgrade():\n    pass\n"
    )
    export(project, server)
    done = promises(project, server, "-k", "downgrade")
    assert done.returncode == 1, done.stdout + done.stderr
    assert "leaves a trace" in done.stdout
    assert "forgotten" in done.stdout


@pytest.mark.long
def test_below_what_has_no_way_back_it_is_gone_down_all_the_same(project: Path, server: Server) -> None:
    """A revision that drops something says that there is no way back: that is no trace."""
    edited(
        project, '["CREATE TABLE IF NOT EXISTS t (id int)", "DROP TABLE IF EXISTS t", "CREATE TABLE IF NOT EXISTS u (id int)"]'
    )
    export(project, server)
    texts = [path.read_text() for path in (project / "alembic" / "versions").glob("*.py")]
    assert any("raise Irreversible" in text for text in texts)
    done = promises(project, server, "-k", "downgrade")
    assert done.returncode == 0, done.stdout


@pytest.mark.long
def test_a_database_that_is_named_is_the_one_that_may_not_have_drifted(project: Path, server: Server, database: str) -> None:
    """It is read, and what it lacks is told."""
    done = promises(project, server, "-k", "no_drift", "--omega-database-url", database)
    assert done.returncode == 1
    assert "not kept: no drift" in done.stdout
    assert "missing: " in done.stdout
    assert "public.t" in done.stdout
