"""Work in a process of its own, whose results are taken while this one goes on: two sides of a proof that share nothing use two cores.

The other process is told what to do through its standard input, so no password is seen among its arguments or in its environment, and
sends one pickle a result. It logs through this one, is not interrupted by the terminal, and is ended with the block. Where it breaks off
before it has said that it is through, that is an error: what it has sent until then is never all that there was. What it wrote to its
standard error is told with that error, since it may say why; else it goes to ours when the block ends.
"""

from __future__ import annotations

import logging
import os
import pickle
import signal
import subprocess
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from logging.handlers import QueueHandler
from tempfile import TemporaryFile
from typing import IO, Any, TypeVar

from omega_bridge import errors
from omega_bridge.redaction import known_here, without_secrets

Task = TypeVar("Task")
Result = TypeVar("Result")

_MOMENT = 5.0
"""Seconds that a process which has closed its output is given to end by itself."""
_MUCH = 2000
"""Characters of its last words."""
_RESULT, _LOGGED, _RAISED, _THROUGH = "result", "logged", "raised", "through"


class InTheOtherProcess(Exception):
    """What an error came from, in the other process: its traceback, as text."""


@contextmanager
def beside(work: Callable[[Task], Iterator[Result]], task: Task) -> Iterator[Iterator[Result]]:
    """The results of ``work(task)``, a function of a module; task, results and errors are pickled.

    What the work raises is raised where its result would have been taken, from where it was raised there. Raises ``ProcessEnded`` where
    the process ends before that.
    """
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    with TemporaryFile() as said:
        process = subprocess.Popen(
            [sys.executable, "-P", "-X", "faulthandler", "-m", __name__],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=said,
            start_new_session=True,  # the terminal interrupts us alone
        )
        try:
            _tell(process, said, (logging.getLogger("omega_bridge").getEffectiveLevel(), work, task))
            yield _results(process, said)
        finally:
            process.kill()  # what it is connected to is ours, and is dropped whoever is connected
            for pipe in (process.stdin, process.stdout):
                with suppress(BrokenPipeError):
                    pipe.close()  # type: ignore[union-attr]  # both are pipes
            process.wait()
            sys.stderr.write(_taken(said))


def _tell(process: subprocess.Popen[bytes], said: IO[bytes], told: tuple[object, ...]) -> None:
    assert process.stdin is not None
    with _broken_off(process, said), process.stdin as pipe:
        pickle.dump(told, pipe, pickle.HIGHEST_PROTOCOL)


def _results(process: subprocess.Popen[bytes], said: IO[bytes]) -> Iterator[Any]:
    assert process.stdout is not None
    while True:
        with _broken_off(process, said):
            kind, value = pickle.load(process.stdout)
        if kind == _THROUGH:
            return
        if kind == _RAISED:
            error, where = value
            raise error from InTheOtherProcess(where)
        if kind == _LOGGED:
            logging.getLogger(value.name).handle(value)
        else:
            yield value


@contextmanager
def _broken_off(process: subprocess.Popen[bytes], said: IO[bytes]) -> Iterator[None]:
    try:
        yield
    except (EOFError, pickle.UnpicklingError, BrokenPipeError) as exc:
        with suppress(subprocess.TimeoutExpired):
            process.wait(_MOMENT)  # it may be ending, and its own end says more than ours
        process.kill()
        code = process.wait()
        told = f"exit code {code}" if code >= 0 else signal.Signals(-code).name
        last = without_secrets(_taken(said).strip()[-_MUCH:], known_here(sys.argv))
        raise errors.ProcessEnded(
            f"a process of the proof ended before it was through: {told}" + (f"; it said:\n{last}" if last else ""),
            hint="Nothing is proven. Run the command again; where the process was killed, the machine may have lacked memory.",
        ) from exc


def _taken(said: IO[bytes]) -> str:
    """What the process wrote to its standard error, once."""
    said.seek(0)
    text = said.read().decode(errors="replace")
    said.seek(0)
    said.truncate()
    return text


# --- the other process -------------------------------------------------------------------------------------------


class _Sender(QueueHandler):
    """Sends what is logged, as values alone."""

    def enqueue(self, record: logging.LogRecord) -> None:
        """See ``QueueHandler``."""
        _send(self.queue, _LOGGED, record)  # type: ignore[arg-type]  # its queue is the pipe


def serve(taken: IO[bytes], given: IO[bytes]) -> None:
    """Do what is asked for, and send what comes of it."""
    log = logging.getLogger("omega_bridge")
    log.handlers[:], log.propagate = [_Sender(given)], False  # type: ignore[arg-type]
    try:
        level, work, task = pickle.load(taken)
        log.setLevel(level)
        for result in work(task):
            _send(given, _RESULT, result)
    except BrokenPipeError:
        raise
    except (Exception, SystemExit) as exc:
        _send(given, _RAISED, (_portable(exc), "".join(traceback.format_exception(exc))))
    else:
        _send(given, _THROUGH, None)


def _send(pipe: IO[bytes], kind: str, value: object) -> None:
    pipe.write(pickle.dumps((kind, value), pickle.HIGHEST_PROTOCOL))
    pipe.flush()


def _portable(error: BaseException) -> Exception:
    """An error that can be sent, and that ends nothing but the work."""
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:
        return RuntimeError(f"{type(error).__name__}: {error}")
    return error if isinstance(error, Exception) else RuntimeError(f"{type(error).__name__}: {error}")


def _main() -> None:
    given = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # what is printed is no result
    with suppress(BrokenPipeError):
        serve(sys.stdin.buffer, given)


if __name__ == "__main__":
    _main()
