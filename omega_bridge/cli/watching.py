"""To look at something again and again: drawn anew on a terminal, else a line for each change, or a JSON document a line."""

from __future__ import annotations

import json as encoder
import os
import sys
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import NoReturn

from omega_bridge.errors import OmegaBridgeError

CLEAR = "\x1b[H\x1b[2J"


def watch(
    look: Callable[[], dict[str, object]], lines: Callable[[dict[str, object]], Iterable[str]], interval: float, *, json: bool
) -> NoReturn:
    """Until the person ends it. A database that cannot be had is said and tried again, once it was there."""
    last: list[str] | None = None
    while True:
        try:
            found = look()
            told = [encoder.dumps(found, ensure_ascii=False, default=str)] if json else list(lines(found))
        except OmegaBridgeError as error:
            if last is None or error.exit_code != 3:
                raise
            told = [encoder.dumps({"error": _of(error)}, ensure_ascii=False)] if json else [f"error {error}"]
        _show(told, last, json=json)
        last = told
        time.sleep(interval)


def _show(told: list[str], last: list[str] | None, *, json: bool) -> None:
    now = f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC"
    if json:
        shown = told
    elif sys.stdout.isatty() and os.environ.get("TERM") != "dumb":
        shown = [f"{CLEAR}{now}", *told]
    else:
        shown = [f"{now}  {line}" for line in told if last is None or line not in last]
    print(*shown, sep="\n", end="\n" if shown else "", flush=True)


def _of(error: OmegaBridgeError) -> dict[str, str]:
    return {"code": error.code, "message": error.message, "hint": error.hint}
