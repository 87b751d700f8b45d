"""The streams that a verb prints to. Whoever reads them may go away (``omega-bridge lint | head -1``): the verb goes on to its own exit code."""

from __future__ import annotations

import io
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing_extensions import Buffer


class Unread(io.FileIO):
    """A file of which what cannot be written any more is dropped. ``lost``: why, where it is not for want of a reader."""

    lost = ""

    def write(self, data: Buffer, /) -> int:
        """As of any file, but without an error."""
        try:
            return super().write(data)
        except OSError as error:
            if not isinstance(error, BrokenPipeError):
                Unread.lost = error.strerror or str(error)
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self.fileno())
            os.close(nowhere)
            return memoryview(data).nbytes


def go_on_unread() -> None:
    """Make stdout and stderr outlive their readers; where there is none (``>&-``), what is printed goes nowhere."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, Path(os.devnull).open("w", encoding="utf-8"))  # noqa: SIM115
        elif isinstance(stream, io.TextIOWrapper) and isinstance(stream.buffer, io.BufferedWriter | io.FileIO):
            setattr(sys, name, _unread(stream))


def end() -> None:
    """Write what is left. Ends the process with 2 where the disk, and not the reader, was at fault."""
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    if Unread.lost:
        print(f"error: not all of it could be printed: {Unread.lost}", file=sys.stderr)
        sys.exit(2)


def _unread(stream: io.TextIOWrapper) -> io.TextIOWrapper:
    stream.flush()
    raw = Unread(stream.fileno(), "w", closefd=False)
    return io.TextIOWrapper(
        io.BufferedWriter(raw),
        encoding=stream.encoding,
        errors=stream.errors,
        line_buffering=stream.line_buffering or stream.write_through,
    )
