"""Ctrl-C, and being told to end (SIGTERM, or SIGHUP where the terminal goes away): each ends a verb as an exception does.

What is open is closed on the way, the server stops what it works on, and scratch databases are dropped. One line says in which state things are.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence
from types import FrameType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sys import UnraisableHookArgs

_FRAGILE = {("omega_bridge.sql.messages", name) for name in ("_made", "__getattr__")}
"""protobuf's code in C ends the process, where an exception falls into a class that it is making."""
_MOMENT = 0.01
"""Seconds after which an interruption that was lost is sent once more."""
_NOTHING = "nothing was changed"
_FILES = "each file is as it was, or written whole: run it again"
LEFT = {
    "boot": "what was done is committed and on record (omega-bridge ledger log), nothing is half-applied, and the next start goes on",
    "adopt": "the record is whole, with the stamp or without it: run it again",
    "verify": "nothing is proven; a scratch database that could not be dropped is dropped by the next one",
    "export": f"{_FILES}, and it begins anew",
    "report": _FILES,
    "add": _FILES,
    "init": _FILES,
    "lint": _FILES,
    "demo": "its database and its files are its own",
}
"""In which state a verb leaves things."""


class Terminated(KeyboardInterrupt):
    """The process was told to end. ``number``: by which signal."""

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.number = number


def heed() -> None:
    """End by these signals as by an exception, where nobody has said otherwise (``nohup``)."""
    for name, usual in (("SIGINT", signal.default_int_handler), ("SIGTERM", signal.SIG_DFL), ("SIGHUP", signal.SIG_DFL)):
        number = getattr(signal, name, None)  # Windows has no SIGHUP
        if number is not None and signal.getsignal(number) == usual:
            signal.signal(number, _end)
    sys.unraisablehook = _not_lost


def interruption(error: BaseException) -> KeyboardInterrupt | None:
    """The one that an error came from, or that its way out was interrupted by; ``None`` where there was none."""
    seen: set[int] = set()
    found: BaseException | None = error
    while found is not None and id(found) not in seen:
        if isinstance(found, KeyboardInterrupt):
            return found
        seen.add(id(found))
        found = found.__cause__ or found.__context__
    return None


def ended(why: BaseException | None, verb: str) -> int:
    """Say so in one line; the exit code."""
    number = _signal_of(why)
    by = "" if number == signal.SIGINT else f" by {signal.Signals(number).name}"
    print(f"interrupted{by}, before it was through: {LEFT.get(verb, _NOTHING)}", file=sys.stderr)
    return exit_code(why)


def exit_code(why: BaseException | None) -> int:
    """As a shell gives it: 130 after Ctrl-C, 143 after SIGTERM."""
    return 128 + _signal_of(why)


def verb_of(arguments: Sequence[str]) -> str:
    """The verb that was called."""
    return next((argument for argument in arguments if not argument.startswith("-")), "")


def _signal_of(why: BaseException | None) -> int:
    return why.number if isinstance(why, Terminated) else int(signal.SIGINT)


def _end(number: int, frame: FrameType | None) -> None:
    while frame is not None:
        if (frame.f_globals.get("__name__"), frame.f_code.co_name) in _FRAGILE:
            _send_again(number)
            return
        frame = frame.f_back
    raise Terminated(number)


def _not_lost(ignored: UnraisableHookArgs) -> None:
    """Python drops an exception that falls into a finalizer; an interruption is sent once more, when that is over."""
    if isinstance(ignored.exc_value, KeyboardInterrupt):
        _send_again(_signal_of(ignored.exc_value))
    else:
        sys.__unraisablehook__(ignored)


def _send_again(number: int) -> None:
    from threading import Timer

    again = Timer(_MOMENT, os.kill, (os.getpid(), number))
    again.daemon = True
    again.start()
