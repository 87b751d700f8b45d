"""``--env-file``: what is read of a file of ``KEY=VALUE`` lines, and what is said of a line that is none."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from omega_bridge.cli.env_file import environment, read
from omega_bridge.errors import ConfigurationInvalid

NAMES = ("OMEGA_BRIDGE_DATABASE_URL", "DATABASE_URL")


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("A=b", {"A": "b"}),
        ("  A = b  ", {"A": "b"}),
        ("export A=b", {"A": "b"}),
        ("export=b", {"export": "b"}),
        ("A=", {"A": ""}),
        ("A= # nothing", {"A": ""}),
        ("A=b # said", {"A": "b"}),
        ("A=b#c", {"A": "b#c"}),
        ("A=postgresql://u:p%40w@h/d?options=-csearch_path%3Dx", {"A": "postgresql://u:p%40w@h/d?options=-csearch_path%3Dx"}),
        ("A=pa$$w0rd", {"A": "pa$$w0rd"}),
        ("A='x # ${y} \\n'  # said", {"A": "x # ${y} \\n"}),
        ('A="x # \\"y\\" \\$ \\\\ \\n" # said', {"A": 'x # "y" $ \\ \n'}),
        ('A="\\${y}"', {"A": "${y}"}),
        ("# A=b", {}),
        ("   ", {}),
        ("A=b\nA=c", {"A": "c"}),
        ("A=b\r\nB=c\r\n", {"A": "b", "B": "c"}),
        ("\ufeffA=b", {"A": "b"}),
        ("A=ñandú", {"A": "ñandú"}),
    ],
)
def test_what_a_line_says(line: str, expected: dict[str, str], tmp_path: Path) -> None:
    """As a shell would have it, but that nothing is expanded."""
    (tmp_path / ".env").write_bytes(line.encode())
    assert read(tmp_path / ".env") == expected


@pytest.mark.parametrize(
    "line",
    [
        "sesame",
        "1A=sesame",
        "A-B=sesame",
        "A='sesame",
        'A="sesame',
        "A='sesame' x",
        "A='sesame'x",
        "A=${sesame}",
        'A="$(sesame)"',
        "A=s\0esame",
    ],
)
def test_a_line_that_is_none_is_named_by_its_number(line: str, tmp_path: Path) -> None:
    """And by nothing else: whatever stands there may be a secret."""
    (tmp_path / ".env").write_text(f"OK=1\n# said\n{line}\n")
    with pytest.raises(ConfigurationInvalid, match=r"\.env, line 3: ") as told:
        read(tmp_path / ".env")
    assert "esame" not in str(told.value)
    assert told.value.hint


def test_a_file_that_is_not_there_or_not_text_is_an_error(tmp_path: Path) -> None:
    """With its name."""
    (tmp_path / "latin1").write_bytes("A=señal".encode("latin-1"))
    for name in ("latin1", "nowhere", "."):
        with pytest.raises(ConfigurationInvalid):
            read(tmp_path / name)


def test_a_file_that_names_the_database_names_it_alone() -> None:
    """Neither another variable for the URL nor the way past the pooler of another database speaks beside it."""
    around = {"OMEGA_BRIDGE_DATABASE_URL": "a", "DATABASE_URL": "b", "OMEGA_BRIDGE_DIRECT_URL": "c", "HOME": "/"}
    assert environment({"DATABASE_URL": "d"}, around, NAMES) == {"HOME": "/", "DATABASE_URL": "d"}
    assert environment({"SECRET": "d"}, around, NAMES) == around | {"SECRET": "d"}


def _told(folder: Path, *arguments: str) -> str:
    """The error of a start that asks a port on which nobody listens."""
    environment = {k: v for k, v in os.environ.items() if k != "DATABASE_URL"}
    command = [sys.executable, "-m", "omega_bridge", "boot", "--json", "--steps", "main.py:migration_steps", *arguments]
    ended = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert "zq7wxk9v" not in ended.stdout + ended.stderr
    told: str = json.loads(ended.stdout)["error"]["message"]
    return told


def test_the_file_is_read_where_it_is_asked_for_and_never_by_itself(tmp_path: Path) -> None:
    """The URL in it is the one that is asked, and its password is not told; an option goes before it."""
    (tmp_path / "main.py").write_text('migration_steps = ["SELECT 1"]')
    (tmp_path / ".env").write_text("DATABASE_URL=postgresql://app:zq7wxk9v@127.0.0.1:1/of_the_file\n")
    assert "nothing says which database" in _told(tmp_path)
    assert "of_the_file" in _told(tmp_path, "--env-file", ".env")
    option = ("--database-url", "postgresql://app@127.0.0.1:1/of_the_option")
    assert "of_the_option" in _told(tmp_path, "--env-file", ".env", *option)
