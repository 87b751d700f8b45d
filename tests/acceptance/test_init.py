"""``omega-bridge init`` in an empty and in an existing project."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

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
    """export and stock alembic, at once, which logs what it runs as its alembic.ini says."""
    done = run(folder, "omega_bridge", "export", "--no-prove")
    assert done.returncode == 0, done.stderr
    ini = folder / "alembic.ini"
    ini.write_text(ini.read_text().replace("[alembic]", "[alembic]\nsqlalchemy.url = " + database.replace("%", "%%"), 1))
    for arguments in (("upgrade", "head"), ("current",), ("history",), ("downgrade", "-1"), ("upgrade", "head", "--sql")):
        done = run(folder, "alembic", *arguments)
        assert done.returncode == 0, done.stderr
        assert ("Running" in done.stderr) == (arguments[0] in ("upgrade", "downgrade"))
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


def test_a_reader_of_the_sql_may_go_away(tmp_path: Path) -> None:
    """``alembic upgrade head --sql | head -1`` ends as it would, without a traceback; a full disk is told."""
    steps = [f"CREATE TABLE IF NOT EXISTS t{n} (id int PRIMARY KEY)" for n in range(100)]
    (tmp_path / "main.py").write_text(f"migration_steps = {steps!r}\n")
    for verb in ("init --yes", "export --no-prove"):
        assert run(tmp_path, "omega_bridge", *verb.split()).returncode == 0
    script = [sys.executable, "-m", "alembic", "upgrade", "head", "--sql"]
    with subprocess.Popen(script, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        said, code = process.stderr.read().decode(), process.wait()
    assert (code, "Traceback" in said, "Broken" in said, "Running upgrade" in said) == (0, False, False, True)
    with open("/dev/full", "w") as full:
        done = subprocess.run(script, cwd=tmp_path, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode != 0
    assert "[OB107] not all of the SQL could be written: No space left on device" in done.stderr


def test_a_revision_that_is_gone_is_told_by_alembic(tmp_path: Path, database: str) -> None:
    """Which file, and what to do; Alembic's own word would be a KeyError."""
    (tmp_path / "main.py").write_text(LIST)
    for verb in ("init --yes", "export --no-prove"):
        assert run(tmp_path, "omega_bridge", *verb.split()).returncode == 0
    ini = tmp_path / "alembic.ini"
    ini.write_text(ini.read_text().replace("[alembic]", "[alembic]\nsqlalchemy.url = " + database.replace("%", "%%"), 1))
    gone = min((tmp_path / "alembic/versions").glob("*.py"))
    gone.unlink()
    for verb in ("current", "upgrade head"):
        done = run(tmp_path, "alembic", *verb.split())
        assert done.returncode != 0
        assert f"{gone.name} is gone, and omega.sum names it" in done.stdout + done.stderr
        assert "Traceback" not in done.stderr


def test_an_empty_folder_is_wired(tmp_path: Path) -> None:
    """Even where there is nothing yet, export and alembic work afterwards."""
    assert run(tmp_path, "omega_bridge", "init", "--yes").returncode == 0
    assert run(tmp_path, "omega_bridge", "export", "--no-prove").returncode == 0
    assert run(tmp_path, "alembic", "history").returncode == 0


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    """A second init, or one over files of other hands, leaves every byte, and names what the list stands on."""
    (tmp_path / "main.py").write_text(LIST.replace("]", '    "ALTER TABLE legacy ADD COLUMN IF NOT EXISTS a int",\n]'))
    (tmp_path / "alembic").mkdir()
    (tmp_path / "alembic/env.py").write_text("# mine\n")
    (tmp_path / "alembic.ini").write_text("[alembic]\nscript_location = alembic\n# mine\n")
    run(tmp_path, "omega_bridge", "init", "--yes")
    assert (tmp_path / "alembic/env.py").read_text() == "# mine\n"
    assert (tmp_path / "alembic.ini").read_text() == "[alembic]\nscript_location = alembic\n# mine\n"
    before = {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()}
    again = run(tmp_path, "omega_bridge", "init", "--yes")
    assert (again.returncode, "the list stands on table legacy" in again.stderr) == (0, True)
    assert {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()} == before


@pytest.mark.parametrize("place", ["alembic.ini", "pyproject.toml"])
def test_where_alembic_has_its_history_it_stays(tmp_path: Path, place: str) -> None:
    """The folder that the project has is taken, its env.py left, and the two lines for it shown."""
    (tmp_path / "main.py").write_text(LIST)
    (tmp_path / "db/migrations/versions").mkdir(parents=True)
    (tmp_path / "db/migrations/env.py").write_text("# mine\n")
    written = "[alembic]\nscript_location = %(here)s/db/migrations\n"
    toml = '[tool.alembic]\nscript_location = "%(here)s/db/migrations"\n'
    (tmp_path / place).write_text(written if place == "alembic.ini" else toml)
    done = run(tmp_path, "omega_bridge", "init", "--yes")
    assert done.returncode == 0, done.stderr
    assert "with guarded(context), context.begin_transaction():" in done.stdout
    assert 'alembic = "db/migrations"' in (tmp_path / "pyproject.toml").read_text()
    assert (tmp_path / "db/migrations/env.py").read_text() == "# mine\n"
    assert not (tmp_path / "alembic").exists()
    assert (tmp_path / "alembic.ini").exists() == (place == "alembic.ini")
    assert run(tmp_path, "omega_bridge", "export", "--no-prove").returncode == 0
    assert (tmp_path / "db/migrations/omega.sum").exists()


def test_a_folder_of_its_own_gets_a_configuration_of_its_own(tmp_path: Path) -> None:
    """Beside a history that the project has elsewhere, which stays as it is."""
    (tmp_path / "main.py").write_text(LIST)
    (tmp_path / "alembic.ini").write_text("[alembic]\nscript_location = migrations\n")
    (tmp_path / "pyproject.toml").write_text('[tool.omega-bridge]\nsteps = "main.py:migration_steps"\nalembic = "bridge"\n')
    assert run(tmp_path, "omega_bridge", "init", "--yes").returncode == 0
    assert "script_location = %(here)s/bridge" in (tmp_path / "bridge.ini").read_text()
    assert (tmp_path / "alembic.ini").read_text() == "[alembic]\nscript_location = migrations\n"
    assert run(tmp_path, "omega_bridge", "export", "--no-prove").returncode == 0
    assert run(tmp_path, "alembic", "-c", "bridge.ini", "history").returncode == 0
