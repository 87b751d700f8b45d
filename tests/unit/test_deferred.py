"""Work that is put off until the server is waited for."""

from __future__ import annotations

import select
import socket
import sys
import time
from collections.abc import Iterator

import pytest

from omega_bridge.postgres.deferred import Deferred


@pytest.fixture
def ends() -> Iterator[tuple[socket.socket, select.poll]]:
    """The end that answers, and a poll of the other one."""
    ours, theirs = socket.socketpair()
    poller = select.poll()
    poller.register(ours, select.POLLIN)
    with ours, theirs:
        yield theirs, poller


def test_the_work_is_done_in_order_till_the_answer_is_there(ends: tuple[socket.socket, select.poll]) -> None:
    """What is left when it comes stays, and is done where somebody asks for it."""
    theirs, poller = ends
    done: list[str] = []
    deferred = Deferred()
    deferred.add(lambda: done.append("a"), lambda: done.append("b") or theirs.send(b"x"), lambda: done.append("c"))
    deferred.first(lambda: done.append("first"))
    assert deferred.until(poller)
    assert done == ["first", "a", "b"]
    assert deferred
    deferred.finish()
    assert done[3:] == ["c"]
    assert not deferred


def test_an_answer_that_is_there_is_not_kept_waiting(ends: tuple[socket.socket, select.poll]) -> None:
    """Then no work is begun."""
    theirs, poller = ends
    theirs.send(b"x")
    deferred = Deferred()
    deferred.add(pytest.fail)
    assert deferred.until(poller)


def test_without_an_answer_it_waits_till_the_deadline(ends: tuple[socket.socket, select.poll]) -> None:
    """Whatever work there was; a deadline that has passed meanwhile is the end of it."""
    _, poller = ends
    deferred = Deferred()
    assert not deferred.until(poller, time.monotonic() + 0.01)
    done: list[str] = []
    deferred.add(lambda: done.append("late"))
    assert not deferred.until(poller, time.monotonic() - 1)
    assert done == ["late"]


def test_a_module_is_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    """By its name."""
    monkeypatch.delitem(sys.modules, "this", raising=False)
    deferred = Deferred()
    deferred.load(["this"])
    assert "this" not in sys.modules
    deferred.finish()
    assert "this" in sys.modules


def test_work_in_parts_goes_on_where_it_stopped(ends: tuple[socket.socket, select.poll]) -> None:
    """An answer that comes between two of them is not kept waiting; what comes behind is done behind it."""
    theirs, poller = ends
    done: list[str] = []

    def parts() -> Iterator[None]:
        done.append("one")
        yield
        done.append("two")
        theirs.send(b"x")
        yield
        done.append("three")

    deferred = Deferred()
    deferred.in_parts(parts())
    deferred.add(lambda: done.append("behind"))
    assert deferred.until(poller)
    assert done == ["one", "two"]
    deferred.finish()
    assert done[2:] == ["three", "behind"]
