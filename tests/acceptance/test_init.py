"""``omega-bridge init`` in an empty and in an existing project."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

LIST = """migration_steps = [
    # the first table
    "CREATE TABLE IF NOT EXISTS t (id int PRIMARY KEY)",
    "ALTER TABLE t ADD COLUMN IF NOT EXISTS a text",
]
"""


def run(folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """A module's command line in a folder."""
    return subprocess.run([sys.executable, "-m", *command], cwd=folder, capture_output=True, text=True, check=False)


def works(folder: Path, database: str) -> None:
    """export and stock alembic, at once."""
    done = run(folder, "omega_bridge", "export", "--no-prove")
    assert done.returncode == 0, done.stderr
    ini = folder / "alembic.ini"
    ini.write_text(ini.read_text().replace("[alembic]", "[alembic]\nsqlalchemy.url = " + database.replace("%", "%%"), 1))
    for arguments in (("upgrade", "head"), ("current",), ("history",), ("downgrade", "-1"), ("upgrade", "head", "--sql")):
        done = run(folder, "alembic", *arguments)
        assert done.returncode == 0, done.stderr
    assert "ADD COLUMN IF NOT EXISTS a TEXT" in done.stdout


def test_an_existing_project_is_wired(tmp_path: Path, database: str) -> None:
    """The list is found, the project's own settings stay, and what is written is shown."""
    (tmp_path / "main.py").write_text(LIST)
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "service"\nversion = "1"\n')
    done = run(tmp_path, "omega_bridge", "init", "--yes")
    assert done.returncode == 0, done.stderr
    text = (tmp_path / "pyproject.toml").read_text()
    assert text.startswith('[project]\nname = "service"\nversion = "1"\n')
    assert 'steps = "main.py:migration_steps"' in text
    for name in ("pyproject.toml", "alembic.ini", "alembic/env.py"):
        assert name in done.stdout
    works(tmp_path, database)


def test_an_empty_folder_is_wired(tmp_path: Path) -> None:
    """Even where there is nothing yet, export and alembic work afterwards."""
    assert run(tmp_path, "omega_bridge", "init", "--yes").returncode == 0
    assert run(tmp_path, "omega_bridge", "export", "--no-prove").returncode == 0
    assert run(tmp_path, "alembic", "history").returncode == 0


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    """A second init, or one over files of other hands, leaves every byte."""
    (tmp_path / "main.py").write_text(LIST)
    (tmp_path / "alembic").mkdir()
    (tmp_path / "alembic/env.py").write_text("# mine\n")
    (tmp_path / "alembic.ini").write_text("[alembic]\nscript_location = alembic\n# mine\n")
    run(tmp_path, "omega_bridge", "init", "--yes")
    assert (tmp_path / "alembic/env.py").read_text() == "# mine\n"
    assert (tmp_path / "alembic.ini").read_text() == "[alembic]\nscript_location = alembic\n# mine\n"
    before = {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()}
    assert run(tmp_path, "omega_bridge", "init", "--yes").returncode == 0
    assert {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()} == before
