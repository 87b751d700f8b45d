"""Streams whose reader may go away (``| head -1``): what is written behind that is dropped, and who writes comes to an end of his own."""

from __future__ import annotations

import io
import os
from typing import TYPE_CHECKING, TextIO

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


def outliving(stream: TextIO) -> TextIO:
    """A stream to the same file that outlives its reader; the stream itself, where it is none of the process's own."""
    if not isinstance(stream, io.TextIOWrapper) or not isinstance(stream.buffer, io.BufferedWriter | io.FileIO):
        return stream
    stream.flush()
    raw = Unread(stream.fileno(), "w", closefd=False)
    return io.TextIOWrapper(
        io.BufferedWriter(raw),
        encoding=stream.encoding,
        errors=stream.errors,
        line_buffering=stream.line_buffering or stream.write_through,
    )
