"""What a verification found, kept by content between runs: a start of which nothing has changed is not walked again.

A result is taken for the very content that it was found for, and for nothing else: the list with its flags, each file of the history, what
the list stands on, the bridge itself, what it is built on, the server with what a proof may meet on it, and the witness. Only what was
found right is kept: what differs, is rejected or was foreseen otherwise is tried each time. The files are this user's, as those of ``readings``.
Of a history with revisions written by hand nothing is kept: these may read anything.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from omega_bridge import writing
from omega_bridge.analysis import Analysis
from omega_bridge.audit.grounds import Ground
from omega_bridge.audit.lived import is_plain
from omega_bridge.audit.pairs import Begun
from omega_bridge.audit.prefixes import Point
from omega_bridge.audit.verdict import PAST, Predictions, Start
from omega_bridge.cache_folder import make_private, private_bytes
from omega_bridge.postgres.queries import query
from omega_bridge.postgres.session import Session
from omega_bridge.revisions import sums

log = logging.getLogger("omega_bridge")

_FORMAT = "omega-bridge verified 1"
_BUILT_ON = ("psycopg", "psycopg-binary", "psycopg-c", "SQLAlchemy", "alembic", "postgast", "protobuf")
_END = ".verified"
_MANY = 1000
"""Results of some hundred bytes; the oldest beyond them go."""
_PACKAGE = Path(__file__).parents[1]


class Results:
    """Those of one list and history. ``place``: the folder; ``None`` for nowhere. ``takes``: whether any is taken; what is found is kept
    all the same. ``beneath``: what all of them hang on but list and history; ``content``: these.
    """

    def __init__(self, place: Path | None, beneath: bytes, content: bytes, *, takes: bool = True) -> None:
        self._place, self._beneath, self._content, self._takes = place, beneath, content, takes

    def start(self, ground: Ground) -> Begun | None:
        """What was found from there."""
        found = self._read(self._key(ground))
        return Begun(Start(ground.name, 1, kept=1), predictions=Predictions(found["predictions"])) if found else None

    def keep_start(self, ground: Ground, found: Begun) -> None:
        """If all of it was right."""
        if _is_right(found):
            self._write(self._key(ground), {"predictions": found.predictions.made})

    def past(self, ground: Ground) -> tuple[Begun, str] | None:
        """What was found of the list's whole past, and the digest of the catalog to which it led."""
        found = self._read(self._key(ground, PAST))
        return (Begun(Start(PAST, found["prefixes"], kept=found["prefixes"])), found["catalog"]) if found else None

    def keep_past(self, ground: Ground, found: Begun, catalog: str) -> None:
        """If all of it was right, and walked from its beginning."""
        if _is_right(found) and found.start.since is None:
            self._write(self._key(ground, PAST), {"prefixes": found.start.prefixes, "catalog": catalog})

    def since(self, ground: Ground, points: Sequence[Point]) -> str | None:
        """The furthest revision up to which an earlier run of a shorter history found everything alike."""
        if self._place is None or not self._takes:
            return None
        known = [revision for revision, key in self._prefixes(ground, points) if self._read(key) is not None]
        return known[-1] if known else None

    def keep_prefix(self, ground: Ground, points: Sequence[Point], revision: str) -> None:
        """That everything was alike up to this revision, where the catalogs say all there is to say of what the steps have left."""
        key = dict(self._prefixes(ground, points)).get(revision) if self._place is not None else None
        if key is not None:
            self._write(key, {"revision": revision})

    def _prefixes(self, ground: Ground, points: Sequence[Point]) -> Iterator[tuple[str, str]]:
        """The key of each prefix, by its revision, while every step is plain: of others the schema does not show all that they leave."""
        found = hashlib.sha256(self._beneath + _of_ground(ground))
        for point in points:
            if not all(map(is_plain, point.steps)):
                return
            found.update(_digest([point.revision, point.is_loaded, point.sealed, *((s.id, s.sql) for s in point.steps)]))
            if point.is_loaded:
                yield point.revision, found.hexdigest()

    def _key(self, ground: Ground, name: str = "") -> str:
        return hashlib.sha256(self._beneath + self._content + _of_ground(ground) + name.encode()).hexdigest()

    def _read(self, key: str) -> dict[str, Any] | None:
        if self._place is None or not self._takes:
            return None
        try:
            head, _, body = private_bytes(self._path(key)).partition(b"\n")
            return dict(json.loads(body)) if head == _head(key, body) else None
        except (OSError, ValueError, TypeError):
            return None

    def _write(self, key: str, value: dict[str, Any]) -> None:
        if self._place is None:
            return
        body = json.dumps(value).encode()
        try:
            make_private(self._place)
            writing.write_private(self._path(key), _head(key, body) + b"\n" + body)
            for old in sorted(self._place.glob(f"*{_END}"), key=lambda path: path.stat().st_mtime)[:-_MANY]:
                old.unlink(missing_ok=True)
        except OSError as exc:
            log.debug("what was found is not kept: %s", exc)

    def _path(self, key: str) -> Path:
        assert self._place is not None
        return self._place / f"{key[:32]}{_END}"


def results(
    place: Path | None, analysis: Analysis, folder: Path, session: Session, witness: object, *, takes: bool = True
) -> Results:
    """Those of this list, and of the history in ``folder``, on the server of ``session``."""
    beneath = _bridge() if place is not None else None
    if place is None or beneath is None:
        return Results(None, b"", b"")
    row = session.execute(query("proving_ground")).fetchone()
    around = [sorted((n, v) for n, v in os.environ.items() if n.startswith("PG") or n in ("TZ", "LANG", "LC_ALL"))]
    steps = [(s.id, s.step.sql, str(s.step.repeat), s.step.destructive, s.step.optional) for s in analysis]
    files = [(str(p.relative_to(folder)), p.read_bytes().hex()) for p in _files(folder)]
    return Results(place, beneath + _digest([row, str(witness), around]), _digest([steps, files]), takes=takes)


def _files(folder: Path) -> list[Path]:
    """Every file of a history that an upgrade may read."""
    return sorted(p for p in (folder / sums.NAME, *folder.rglob("*.py")) if p.is_file())


@cache
def _bridge() -> bytes | None:
    """Who proves: the bridge's own source, and what it is built on; ``None`` where that cannot be had."""
    found = hashlib.sha256(_digest([_FORMAT, sys.version_info[:3], list(_versions())]))
    try:
        for path in sorted(p for p in _PACKAGE.rglob("*") if p.suffix in (".py", ".sql")):
            found.update(_digest([str(path.relative_to(_PACKAGE)), hashlib.sha256(path.read_bytes()).hexdigest()]))
    except OSError:
        return None
    return found.digest()


def _versions() -> Iterator[tuple[str, str]]:
    for name in _BUILT_ON:
        try:
            yield name, version(name)
        except PackageNotFoundError:
            yield name, ""


def _is_right(found: Begun) -> bool:
    return not (found.differences or found.order_only or found.rejected or found.predictions.mistaken)


def _of_ground(ground: Ground) -> bytes:
    beneath = (ground.foundation.text, ground.foundation.tables) if ground.foundation is not None else ()
    return _digest([ground.name, ground.schema, ground.versions, beneath, ground.in_history])


def _digest(values: Iterable[object]) -> bytes:
    return hashlib.sha256(repr(list(values)).encode("utf-8", "surrogatepass")).digest()


def _head(key: str, body: bytes) -> bytes:
    return f"{_FORMAT} {key} {hashlib.sha256(body).hexdigest()}".encode()
