"""Work in a process of its own: its results, its errors and its log come over; one that breaks off is never taken for one that is through."""

from __future__ import annotations

import logging
import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from omega_bridge import errors
from omega_bridge.audit.beside import beside


def counts(until: int) -> Iterator[tuple[int, int]]:
    """The process, and a number."""
    print("what is printed is no result")
    for n in range(until):
        yield os.getpid(), n


def raises_ours(hint: str) -> Iterator[int]:
    """An error with a hint, after a result."""
    yield 1
    raise errors.NotScratch("it leads elsewhere", hint=hint)


class Unsendable(Exception):
    """One that cannot be made again of what it holds."""

    def __init__(self, one: str, other: str) -> None:
        super().__init__(f"{one} and {other}")


def raises_from(_: None) -> Iterator[int]:
    """An error of ours that comes from another."""
    yield from ()
    try:
        int("nothing")
    except ValueError as exc:
        raise errors.NotScratch("it leads elsewhere") from exc


def exits(_: None) -> Iterator[int]:
    """As an ``env.py`` may."""
    yield 1
    sys.exit("enough of it")


def says_and_dies(text: str) -> Iterator[int]:
    """Its last words, to standard error."""
    yield 1
    print(text, file=sys.stderr, flush=True)
    os._exit(9)


def says(text: str) -> Iterator[int]:
    """Something beside its results."""
    print(text, file=sys.stderr)
    yield 1


def raises_another(_: None) -> Iterator[int]:
    """An error that does not go over a pipe."""
    yield from ()
    raise Unsendable("this", "that")


def dies(how: str) -> Iterator[int]:
    """Ends in the midst of its work."""
    yield 1
    if how == "exits":
        os._exit(0)
    os.kill(os.getpid(), signal.SIGKILL)


def logs(text: str) -> Iterator[int]:
    """A line, and what is below the level."""
    log = logging.getLogger("omega_bridge.some")
    log.debug("not this")
    log.warning("%s of %d", text, 3)
    yield 1


def waits(_: None) -> Iterator[int]:
    """Says who it is, and does not end."""
    yield os.getpid()
    time.sleep(600)


def is_there(pid: int) -> bool:
    """Whether the process has not been waited for."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_results_come_from_another_process_in_order() -> None:
    """More than a pipe holds, too, and what is printed there is not among them."""
    with beside(counts, 20_000) as results:
        found = list(results)
    assert [n for _, n in found] == list(range(20_000))
    assert {pid for pid, _ in found}.isdisjoint({os.getpid()})


def test_an_error_of_ours_is_raised_where_its_result_was_due() -> None:
    """With its hint."""
    with beside(raises_ours, "Look there.") as results:
        assert next(results) == 1
        with pytest.raises(errors.NotScratch, match="leads elsewhere") as raised:
            next(results)
    assert raised.value.hint == "Look there."


def test_an_error_that_cannot_be_sent_comes_as_its_text() -> None:
    """And never as the end of the results."""
    with beside(raises_another, None) as results, pytest.raises(RuntimeError, match="Unsendable: this and that"):
        next(results)


def test_an_error_comes_with_what_it_came_from() -> None:
    """The traceback of the other process is its cause."""
    with beside(raises_from, None) as results, pytest.raises(errors.NotScratch) as raised:
        next(results)
    assert "ValueError: invalid literal for int() with base 10: 'nothing'" in str(raised.value.__cause__)


def test_whoever_ends_the_other_process_ends_the_work_alone() -> None:
    """``sys.exit`` there is an error here, with its words."""
    with beside(exits, None) as results:
        assert next(results) == 1
        with pytest.raises(RuntimeError, match="SystemExit: enough of it"):
            next(results)


def test_last_words_are_told_without_secrets(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    """Of a process that ends too soon: with its exit code, once."""
    monkeypatch.setenv("SOME_URL", "postgresql://me:s3cret@db/x")
    with beside(says_and_dies, "no memory at postgresql://me:s3cret@db/x") as results:
        assert next(results) == 1
        with pytest.raises(errors.ProcessEnded, match=r"exit code 9; it said:\nno memory at \*\*\*\n  hint"):
            next(results)
    assert capfd.readouterr().err == ""


def test_what_it_says_beside_its_results_is_said_here(capsys: pytest.CaptureFixture[str]) -> None:
    """A warning, say."""
    with beside(says, "look out") as results:
        assert list(results) == [1]
    assert capsys.readouterr().err == "look out\n"


@pytest.mark.parametrize(("how", "told"), [("exits", "exit code 0"), ("killed", "SIGKILL")])
def test_a_process_that_ends_too_soon_is_an_error(how: str, told: str) -> None:
    """One that exits with 0, too: it has not said that it is through."""
    with beside(dies, how) as results:
        assert next(results) == 1
        with pytest.raises(errors.ProcessEnded, match=told):
            next(results)


def test_a_process_that_does_not_begin_is_an_error(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Nothing was read of what it was told, nor was anything sent."""
    other = tmp_path / "python"
    other.write_text("#!/bin/sh\nexit 7\n")
    other.chmod(0o700)
    monkeypatch.setattr("sys.executable", str(other))
    with pytest.raises(errors.ProcessEnded, match="exit code 7"), beside(counts, 1) as results:
        list(results)


def test_it_logs_through_this_process(caplog: pytest.LogCaptureFixture) -> None:
    """At the level that is set here."""
    with caplog.at_level(logging.INFO, "omega_bridge"), beside(logs, "two") as results:
        assert list(results) == [1]
    assert [r.getMessage() for r in caplog.records] == ["two of 3"]


def test_it_ends_with_the_block() -> None:
    """Where the block is interrupted, while the work goes on."""
    found: list[int] = []

    def take() -> None:
        with beside(waits, None) as results:
            found.append(next(results))
            assert is_there(found[0])
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        take()
    assert not is_there(found[0])
