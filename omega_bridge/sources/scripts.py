"""The text of a SQL file, as people and ``pg_dump`` write them."""

from __future__ import annotations

from pathlib import Path

from omega_bridge.errors import SourceNotFound, SourceSyntaxError


def read_sql(path: Path, shown: str | None = None) -> str:
    """``shown``: the path in messages. Raises ``SourceNotFound``, and ``SourceSyntaxError`` for what is no text in UTF-8."""
    shown = shown or str(path)
    try:
        raw = path.read_bytes()
    except OSError as exc:
        raise SourceNotFound(f"{shown} cannot be read: {exc.strerror}", hint="Give the path of a file with SQL.") from exc
    if raw.startswith(b"PGDMP"):
        raise SourceSyntaxError(
            f"{shown} is a dump in PostgreSQL's own format, not SQL",
            hint=f"Make SQL of it: pg_restore --schema-only --no-owner --no-privileges --file=schema.sql {shown}",
        )
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as exc:
        line = raw.count(b"\n", 0, exc.start) + 1
        raise SourceSyntaxError(
            f"{shown}:{line} is no UTF-8: byte {raw[exc.start]:#04x}",
            hint="Save the file as UTF-8: iconv -f latin1 -t utf-8, or -f utf-16 where an editor wrote that.",
        ) from exc
