"""The wheel alone, outside a checkout: what is installed runs."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from email import message_from_string
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LIST = 'migration_steps = ["CREATE TABLE IF NOT EXISTS t (id uuid PRIMARY KEY DEFAULT gen_random_uuid())"]\n'


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built wheel; nothing is asked of an index."""
    out = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--quiet", "--outdir", str(out), str(ROOT)]
    subprocess.run(command, check=True, capture_output=True)
    (found,) = out.glob("*.whl")
    return found


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what the wheel installs."""
    folder = tmp_path_factory.mktemp("site")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    return folder


def run(installed: Path, folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """The command line of the installed package, in a folder that is no checkout."""
    environment = {**os.environ, "PYTHONPATH": str(installed)}
    args = [sys.executable, "-m", "omega_bridge", *command]
    return subprocess.run(args, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def test_the_wheel_says_what_it_is(installed: Path) -> None:
    """Typed, with its licence, its command and its extras; the README is its description."""
    (info,) = installed.glob("*.dist-info")
    meta = message_from_string((info / "METADATA").read_text(encoding="utf-8"))
    assert (installed / "omega_bridge/py.typed").exists()
    assert (info / "licenses/LICENSE").exists()
    assert "omega-bridge = omega_bridge.cli:main" in (info / "entry_points.txt").read_text()
    extras = set(meta.get_all("Provides-Extra") or ())
    readme = meta.get_payload()
    assert isinstance(readme, str)
    assert {extra for extra in extras - {"dev", "site"} if f"`{extra}`" not in readme and f"[{extra}]" not in readme} == set()
    assert meta["Description-Content-Type"] == "text/markdown"


def test_the_verbs_run_outside_a_checkout(installed: Path, tmp_path: Path) -> None:
    """init, export, check and explain, with the pages and templates that the wheel carries."""
    (tmp_path / "main.py").write_text(LIST)
    for command in (
        ("init", "--yes"),
        ("export", "--no-prove"),
        ("explain", "create-t"),
        ("explain", "OB301"),
        ("explain", "no-way-back"),
    ):
        done = run(installed, tmp_path, *command)
        assert done.returncode == 0, done.stderr
    assert "# no-way-back" in done.stdout
    where = "import omega_bridge, sys; sys.exit(not omega_bridge.__file__.startswith(sys.argv[1]))"
    environment = {**os.environ, "PYTHONPATH": str(installed)}
    assert (
        subprocess.run([sys.executable, "-c", where, str(installed)], cwd=tmp_path, env=environment, check=False).returncode == 0
    )


def test_the_demo_has_its_orchestrator(installed: Path) -> None:
    """The reference orchestrator, its history and its configuration come along, as the demo looks for them."""
    example = installed / "omega_bridge/example"
    for name in ("examples/nexus/main.py", "examples/nexus/legacy.sql", "alembic/omega.sum", "pyproject.toml"):
        assert (example / name).is_file()
    revisions = {p.name for p in (ROOT / "alembic/versions").glob("*.py")}
    assert {p.name for p in (example / "alembic/versions").glob("*.py")} == revisions
