"""Step and Registry: the repair list as frozen values, with a checksum for each step.

A bare list of strings is enough; names and flags are there for those who want them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from enum import StrEnum
from typing import TypeAlias, cast

from omega_bridge import errors
from omega_bridge.options import STEP, fits, takes
from omega_bridge.values import dataclass


class Repeat(StrEnum):
    """When a data step runs: at every boot (what a bare list means), or until it succeeded once."""

    ALWAYS = "always"
    ONCE = "once"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a step stands: ``file`` as given, ``line`` 1-based; both ``None`` when unknown."""

    file: str | None = None
    line: int | None = None

    def __str__(self) -> str:
        if self.file is None:
            return "(no source)"
        return self.file if self.line is None else f"{self.file}:{self.line}"


@dataclass(frozen=True, slots=True)
class Step:
    """One entry of the repair list. ``sql`` reaches the server exactly as written; without a statement, there is nothing to do.

    ``id`` is optional: without one the registry's analysis derives a label from what the step does.
    ``repeat`` concerns data steps only. ``destructive=True`` lets the step drop what holds rows.
    ``optional=True`` lets a boot go on without the step when its table stays locked.
    """

    sql: str
    id: str | None = None
    title: str | None = None
    repeat: Repeat | str = Repeat.ALWAYS
    destructive: bool = False
    optional: bool = False
    place: Place = Place()

    def __post_init__(self) -> None:
        if type(self.sql) is not str or type(self.destructive) is not bool or type(self.optional) is not bool:
            self._check()
        if type(self.repeat) is not Repeat:
            self._check()
            object.__setattr__(self, "repeat", Repeat(self.repeat))

    def _check(self) -> None:
        """Raises ``NotAList`` for a text that is none, ``ConfigurationInvalid`` for a flag that there is not."""
        if not isinstance(self.sql, str):
            raise errors.NotAList(
                f"the SQL of a step is of type {type(self.sql).__name__}, not a string",
                hint="Write Step(sql), sql being a string.",
            )
        for name, option in STEP.items():
            if not fits(option, value := getattr(self, name)):
                raise errors.ConfigurationInvalid(
                    f"Step() does not take {name}={value!r}", hint=f"Give {name} {takes(option, in_python=True)}."
                )


StepLike: TypeAlias = "str | Step | tuple[str, str]"


@dataclass(frozen=True, slots=True)
class Registry:
    """The ordered steps. ``source`` says where they were read from, for messages."""

    steps: tuple[Step, ...]
    source: str = ""

    def __post_init__(self) -> None:
        seen: dict[str, int] = {}
        for position, step in enumerate(self.steps, start=1):
            if step.id is not None:
                if step.id in seen:
                    raise errors.DuplicateStepId(
                        f"steps {seen[step.id]} and {position} both carry the id {step.id!r}",
                        hint="An id names one step for ever: give the newer one an id of its own.",
                    )
                seen[step.id] = position

    @classmethod
    def of(cls, steps: Registry | Iterable[StepLike] | Mapping[str, Iterable[tuple[str, str]]], source: str = "") -> Registry:
        """Make a registry from a bare list: strings, ``Step``s, ``(name, sql)`` pairs, or ``{table: [(column, ddl)]}``.

        Raises ``NotAList``, ``DuplicateStepId``.
        """
        if isinstance(steps, Registry):
            return steps
        if isinstance(steps, str | bytes) or not isinstance(steps, Iterable):
            raise errors.NotAList(
                f"the steps are of type {type(steps).__name__}, not a list",
                hint="Pass a list of SQL strings, or of Step(...).",
            )
        if isinstance(steps, Mapping):
            return cls(tuple(_columns_of(steps)), source)
        return cls(tuple(_step(entry, n) for n, entry in enumerate(steps, start=1)), source)

    def __iter__(self) -> Iterator[Step]:
        return iter(self.steps)

    def __len__(self) -> int:
        return len(self.steps)

    def digest(self) -> str:
        """SHA-256 over the exact texts and flags, in order: cheap, and changes with any edit, cosmetic ones too."""
        return hashlib.sha256(
            _BETWEEN.join(f"{s.sql}\x1f{s.id or ''}\x1f{s.repeat}{s.destructive:d}{s.optional:d}" for s in self.steps).encode(
                "utf-8", "surrogatepass"
            )
        ).hexdigest()


def digest_of(steps: Registry | Sequence[StepLike]) -> str:
    """``Registry.of(steps).digest()``, without making a registry of a list of plain strings: a start computes it each time.

    It is kept for a process that starts again, as tests and retries do. Two lists are compared by their entries' identity
    first, which reads no entry: a cold start of 5,000 steps would wait for the memory of each.
    """
    if type(steps) is not list and type(steps) is not tuple:
        return Registry.of(steps).digest()
    for kept, digest in _digested:
        if kept == steps:
            return digest
    digest = _digest_of_entries(steps)
    with suppress(TypeError):  # an entry that no dictionary could hold may become another one in its place
        hash(tuple(steps))
        _digested[:] = [(steps[:], digest), *_digested[:3]]
    return digest


_digested: list[tuple[Sequence[StepLike], str]] = []


def _digest_of_entries(entries: Sequence[StepLike]) -> str:
    if not set(map(type, entries)) <= {str}:
        return Registry.of(entries).digest()
    found, between = hashlib.sha256(), _PLAIN + _BETWEEN
    for start in range(0, len(entries), _CHUNK):
        chunk = cast("Sequence[str]", entries[start : start + _CHUNK])
        end = between if start + _CHUNK < len(entries) else _PLAIN
        found.update((between.join(chunk) + end).encode("utf-8", "surrogatepass"))
    return found.hexdigest()


_BETWEEN = "\x1e"
_PLAIN = f"\x1f\x1f{Repeat.ALWAYS}00"
"""What a plain string's step adds to its text in the digest."""
_CHUNK = 64
"""Steps hashed at a time: one text of a whole long list would cost more in fresh memory than its hash costs."""


def _step(entry: StepLike, position: int) -> Step:
    match entry:
        case Step():
            return entry
        case str():
            return Step(entry)
        case (str(name), str(sql)):
            return Step(sql, id=name)
    raise errors.NotAList(
        f"entry {position} of the list is of type {type(entry).__name__}, not a string",
        hint="Each entry is a SQL string, a Step(...), or a (name, sql) pair.",
    )


def _columns_of(columns: Mapping[str, Iterable[tuple[str, str]]]) -> Iterator[Step]:
    """``{table: [(column, ddl)]}`` means: add each column where it is missing."""
    for table, wanted in columns.items():
        for column, ddl in _pairs(table, wanted):
            yield Step(f"ALTER TABLE {table} ADD COLUMN IF NOT EXISTS {column} {ddl}", id=f"{table}-{column}".replace("_", "-"))


def _pairs(table: str, wanted: object) -> Iterator[tuple[str, str]]:
    for entry in wanted if isinstance(wanted, Iterable) else (wanted,):
        match entry:
            case (str(column), str(ddl)):
                yield column, ddl
            case _:
                raise errors.NotAList(
                    f"what the list has of table {table} is no pair: {entry!r}", hint="Write {table: [(column, ddl), ...]}."
                )
