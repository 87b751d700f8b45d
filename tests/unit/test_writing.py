"""Generated files: written whole or not at all, and Python whatever the list holds."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from omega_bridge import writing
from omega_bridge.analysis import analyse
from omega_bridge.errors import ConfigurationInvalid, HistoryTampered
from omega_bridge.revisions.files import export
from omega_bridge.revisions.rebase import rebase
from omega_bridge.revisions.squash import squash
from omega_bridge.revisions.sums import check, read_sum
from omega_bridge.steps import Registry, Step

FIRST = ["CREATE TABLE a (id int)"]
STEPS = [*FIRST, "CREATE TABLE b (id int)", "ALTER TABLE b ADD COLUMN c text", "CREATE INDEX i ON b (c)"]
CALLS = ("fsync", "replace")


class Killed(BaseException):
    """The end of a process, as far as one can be had within it."""


def contents(folder: Path) -> dict[str, bytes]:
    """Every file below the folder."""
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


@contextmanager
def ended_at(number: int, error: BaseException) -> Iterator[list[str]]:
    """Raise instead of the call of this number to the file system."""
    made: list[str] = []
    real = {name: getattr(os, name) for name in CALLS}

    def stand_in(name: str) -> Any:
        def call(*args: Any) -> Any:
            made.append(name)
            if len(made) == number:
                raise error
            return real[name](*args)

        return call

    with pytest.MonkeyPatch.context() as patch:
        for name in CALLS:
            patch.setattr(os, name, stand_in(name))
        yield made


def undisturbed(folder: Path) -> dict[str, bytes]:
    """What two exports leave, one after the other."""
    export(analyse(Registry.of(FIRST)), folder)
    export(analyse(Registry.of(STEPS)), folder)
    return contents(folder)


@pytest.mark.parametrize("error", [Killed(), OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))], ids=["killed", "full"])
def test_an_export_that_ends_anywhere_is_finished_by_the_next(tmp_path: Path, error: BaseException) -> None:
    """After each call to the file system in turn: the same bytes in the end as without the interruption."""
    wanted = undisturbed(tmp_path / "undisturbed")
    number, is_through = 0, False
    while not is_through:
        number += 1
        folder = tmp_path / str(number)
        export(analyse(Registry.of(FIRST)), folder)
        with ended_at(number, error) as made:
            try:
                export(analyse(Registry.of(STEPS)), folder)
            except (Killed, ConfigurationInvalid):
                assert len(made) == number
            is_through = len(made) < number
        export(analyse(Registry.of(STEPS)), folder)
        check(folder)
        assert contents(folder) == wanted
    assert number > 10


@pytest.mark.parametrize("number", [1, 2, 3, 5])
def test_an_export_that_is_killed_is_finished_by_the_next(tmp_path: Path, number: int) -> None:
    """By the operating system, between two files; meanwhile it is told as an interrupted export, not as another branch's."""
    code = f"""
import os, signal
from pathlib import Path
from omega_bridge.analysis import analyse
from omega_bridge.revisions.files import export
from omega_bridge.steps import Registry
real, made = os.replace, []
def replace(*args):
    real(*args)
    made.append(args)
    if len(made) == {number}:
        os.kill(os.getpid(), signal.SIGKILL)
os.replace = replace
export(analyse(Registry.of({STEPS!r})), Path({str(tmp_path / "alembic")!r}))
"""
    done = subprocess.run([sys.executable, "-c", code], check=False)
    assert done.returncode == -signal.SIGKILL
    if number > 1:
        with pytest.raises(HistoryTampered, match="an export was interrupted") as told:
            check(tmp_path / "alembic")
        assert "omega-bridge export" in told.value.hint
    export(analyse(Registry.of(STEPS)), tmp_path / "alembic")
    export(analyse(Registry.of(STEPS)), tmp_path / "whole")
    assert contents(tmp_path / "alembic") == contents(tmp_path / "whole")


def test_what_an_interrupted_export_left_goes_with_the_list_that_it_was_for(tmp_path: Path) -> None:
    """The list was taken back meanwhile: nothing of the export stays."""
    export(analyse(Registry.of(FIRST)), tmp_path)
    before = contents(tmp_path)
    with ended_at(5, Killed()), pytest.raises(Killed):
        export(analyse(Registry.of(STEPS)), tmp_path)
    assert contents(tmp_path) != before
    export(analyse(Registry.of(FIRST)), tmp_path)
    assert contents(tmp_path) == before


def test_a_full_disk_leaves_what_was_there(tmp_path: Path) -> None:
    """The error names the file and what to do; mode and link of the file stay."""
    real = tmp_path / "real.py"
    real.write_text("old")
    real.chmod(0o640)
    (tmp_path / "link.py").symlink_to(real)
    with ended_at(1, OSError(errno.ENOSPC, "No space left on device")), pytest.raises(ConfigurationInvalid) as told:
        writing.write(tmp_path / "link.py", "new")
    assert "link.py cannot be written: No space left on device" in told.value.message
    assert real.read_text() == "old"
    writing.write(tmp_path / "link.py", "new\r\n")
    assert (tmp_path / "link.py").is_symlink()
    assert real.read_bytes() == b"new\r\n"
    assert real.stat().st_mode & 0o777 == 0o640
    assert sorted(p.name for p in tmp_path.iterdir()) == ["link.py", "real.py"]


HEADING = "\nSQL of the step, as the list has it:\n\n"
WILD = st.lists(
    st.sampled_from([*"ab'\"\\\x00\n\r\t#{}%\x85\u2028\ufeff\ud800\udfff\U0001f600é", '"""', "'" * 3, "\\N", HEADING]),
    min_size=1,
    max_size=8,
).map("".join)


@given(id=WILD.filter(lambda text: text.strip() != ""), title=WILD, comment=WILD.filter(lambda text: "\x00" not in text))
@settings(max_examples=60, deadline=None)
def test_nothing_in_a_step_breaks_its_file(id: str, title: str, comment: str) -> None:
    """Each file is Python, and the next export finds the step again by its id and text."""
    told = "".join(f"-- {line}\n" for line in comment.splitlines())
    registry = Registry.of([Step(f"{told}CREATE TABLE t (id int)", id=id, title=title), Step("SELECT 1", id="two")])
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        export(analyse(registry), folder)
        for path in sorted((folder / "versions").glob("*.py")):
            found: dict[str, Any] = {}
            exec(compile(path.read_bytes(), path.name, "exec"), found)
            assert callable(found["upgrade"])
        assert {line.steps[0].label for line in read_sum(folder)} == {id, "two"}
        assert export(analyse(registry), folder).revisions == ()


def squashed(folder: Path) -> dict[str, bytes]:
    """A history of the list, squashed up to its third revision."""
    squash(folder, read_sum(folder)[2].revision)
    return contents(folder)


def test_a_squash_that_is_killed_is_made_anew(tmp_path: Path) -> None:
    """At any moment: the next squash ends as an undisturbed one, and an export finds the history that was there."""
    analysis = analyse(Registry.of(STEPS))
    export(analysis, tmp_path / "whole")
    before = contents(tmp_path / "whole")
    with ended_at(0, Killed()) as made:
        wanted = squashed(tmp_path / "whole")
    for number in range(1, len(made) + 1):
        for go_on in ("squash", "export", "rebase"):
            folder = tmp_path / f"{go_on}-{number}"
            export(analysis, folder)
            with pytest.raises(Killed), ended_at(number, Killed()):
                squashed(folder)
            is_written = len(read_sum(folder)) > len(STEPS)
            if go_on == "export":
                export(analysis, folder)
            elif go_on == "rebase":
                rebase(folder)
                export(analysis, folder)
            elif not is_written:
                squashed(folder)
            else:
                export(analysis, folder)
            check(folder)
            left = {name: text for name, text in contents(folder).items() if not name.endswith(".tmp")}
            assert left == (wanted if go_on == "squash" or is_written else before), (number, go_on)
