"""A step as a small program: statements with their effects, guards, handlers. Pure values; ``planning`` reads them.

An unqualified name has the schema ``VISIBLE`` ("", to be found along the search_path); ``ANY_SCHEMA`` is what a guard
without a schema means.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import field
from typing import TypeAlias

from omega_bridge.catalog import Key, Kind
from omega_bridge.kinds import stored_in
from omega_bridge.tags import Tag
from omega_bridge.values import dataclass

VISIBLE = ""
ANY_SCHEMA = "*"
CURRENT = "."
"""The first schema of the search_path, in which an unqualified ``CREATE`` makes its object."""
PATH = "..."
"""Any schema of the search_path."""

RELATIONS = stored_in("pg_class")
"""The kinds that share the names of relations in a schema."""
TYPES = stored_in("pg_type")
"""The kinds that share the names of types, with the relations' rows."""


@dataclass(frozen=True, slots=True)
class Effect:
    """What a statement makes true: the object is there (or not), with these attributes.

    ``attributes`` use the catalog's names; a value of ``ANYTHING`` says "set to what we cannot predict". ``made``: a ``CREATE``,
    which looks for a name without a schema in the first schema of the search_path alone.
    """

    key: Key
    present: bool = True
    attributes: tuple[tuple[str, object], ...] = ()
    made: bool = False

    def __str__(self) -> str:
        if not self.present:
            return f"{self.key} does not exist"
        if not self.attributes:
            return f"{self.key} exists"
        told = ", ".join(f"{name} {value}" for name, value in self.attributes)
        return f"{self.key}: {told}"


class _Anything:
    """An attribute's value that only the server knows."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "(set by the server)"


ANYTHING = _Anything()

DOUBT = "in doubt"
"""The attribute of an object of which only the server can tell whether it is there, and how it looks."""


@dataclass(frozen=True, slots=True)
class Filter:
    """One more thing that a guard asks of an object.

    ``operator`` is ``=``, ``!=``, ``in``, ``not in``, ``null``, ``not null``, ``distinct`` or ``not distinct``; of a length also ``<``,
    ``<=``, ``>`` or ``>=``.
    """

    attribute: str
    operator: str
    value: object = None

    @property
    def values(self) -> tuple[object, ...]:
        """The constants that it is compared with."""
        return self.value if isinstance(self.value, tuple) else (self.value,)


@dataclass(frozen=True, slots=True)
class Pattern:
    """What a guard looks for. ``None`` for ``table`` or ``name`` means any.

    ``demands``: what has to be there for the question to be asked at all, as in ``'t'::regclass``. ``scope``: the relation or
    the function that is asked.
    """

    kinds: tuple[Kind, ...]
    schema: str = ANY_SCHEMA
    table: str | None = None
    name: str | None = None
    filters: tuple[Filter, ...] = ()
    demands: tuple[Key, ...] = ()
    scope: str = ""


@dataclass(frozen=True, slots=True)
class Exists:
    """The catalog holds something that matches."""

    pattern: Pattern


@dataclass(frozen=True, slots=True)
class Compared:
    """One attribute of the object that a pattern finds, compared with a constant: NULL where SQL has NULL."""

    pattern: Pattern
    filter: Filter


@dataclass(frozen=True, slots=True)
class Not:
    """The opposite of a condition."""

    condition: Condition


@dataclass(frozen=True, slots=True)
class All:
    """Every one of the conditions."""

    conditions: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    """At least one of the conditions."""

    conditions: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Constant:
    """Known beforehand."""

    value: bool


@dataclass(frozen=True, slots=True)
class Unknown:
    """A condition that only the server can answer. It stands, too, for a way out of a block that is not followed."""

    text: str


Condition: TypeAlias = "Exists | Compared | Not | All | AnyOf | Constant | Unknown"


@dataclass(frozen=True, slots=True)
class Sql:
    """One statement.

    ``effects`` decide whether there is anything to do; ``implied`` come along when it runs (the columns of a new
    table). ``needs`` must exist for it to work. ``destroys`` names tables, columns or schemas that may take rows along.
    ``data``: it touches rows. ``opaque``: its effects are not, or not wholly, known. ``additive``: it only ever adds.
    """

    text: str
    tag: Tag
    effects: tuple[Effect, ...] = ()
    implied: tuple[Effect, ...] = ()
    needs: tuple[Key, ...] = ()
    destroys: tuple[Key, ...] = ()
    data: bool = False
    opaque: bool = False
    transactional: bool = True
    cascade: bool = False
    lookahead: str | None = None
    offset: int | None = None
    again: tuple[str, ...] = ()
    results: tuple[Effect, ...] = field(init=False, repr=False, compare=False)
    """``effects`` and ``implied``, without those that only say that something is there of which ``implied`` tells more."""

    def __post_init__(self) -> None:
        told = {e.key for e in self.implied if e.present}
        first = (e for e in self.effects if not (e.key in told and e.present and not e.attributes))
        object.__setattr__(self, "results", (*first, *self.implied))


@dataclass(frozen=True, slots=True)
class If:
    """Guarded arms, tried in order, and what is done when none holds."""

    arms: tuple[tuple[Condition, Program], ...]
    otherwise: Program = ()


@dataclass(frozen=True, slots=True)
class Handled:
    """A block with exception handlers: ``(condition names, what is done)``."""

    body: Program
    handlers: tuple[tuple[tuple[str, ...], Program], ...]


@dataclass(frozen=True, slots=True)
class Raise:
    """``RAISE``: only ``EXCEPTION`` (and a bare ``RAISE``) changes the flow; a notice is nothing."""

    error: bool
    message: str = ""


Node: TypeAlias = "Sql | If | Handled | Raise"
Program: TypeAlias = tuple[Node, ...]


def statements(program: Program, *, handlers: bool = False) -> Iterator[Sql]:
    """Every statement of a program, in order, whatever its guards (those in handlers on request)."""
    for node in program:
        match node:
            case Sql():
                yield node
            case If():
                for _, arm in node.arms:
                    yield from statements(arm, handlers=handlers)
                yield from statements(node.otherwise, handlers=handlers)
            case Handled():
                yield from statements(node.body, handlers=handlers)
                if handlers:
                    for _, arm in node.handlers:
                        yield from statements(arm, handlers=handlers)


def conditions(program: Program) -> Iterator[Condition]:
    """Every guard of a program, outer ones first."""
    for node in program:
        match node:
            case If():
                for condition, arm in node.arms:
                    yield condition
                    yield from conditions(arm)
                yield from conditions(node.otherwise)
            case Handled():
                yield from conditions(node.body)
                for _, arm in node.handlers:
                    yield from conditions(arm)


def may_take_another_way(program: Program) -> bool:
    """Whether a program may do something else when it runs once more: it has guards, or handlers that do work."""
    return any(
        isinstance(node, If)
        or (
            isinstance(node, Handled)
            and (may_take_another_way(node.body) or any(any(statements(arm)) for _, arm in node.handlers))
        )
        for node in program
    )


def leaves(condition: Condition) -> Iterator[Condition]:
    """What a condition is put together of."""
    match condition:
        case Not(other):
            yield from leaves(other)
        case All(several) | AnyOf(several):
            for other in several:
                yield from leaves(other)
        case _:
            yield condition


def patterns(condition: Condition) -> Iterator[Pattern]:
    """What a condition looks for."""
    yield from (leaf.pattern for leaf in leaves(condition) if isinstance(leaf, Exists | Compared))


def raises(program: Program) -> bool:
    """Whether some way through a program ends in an error of its own (those in handlers are left out)."""
    for node in program:
        match node:
            case Raise(error=True):
                return True
            case If() if any(raises(arm) for arm in (*(a for _, a in node.arms), node.otherwise)):
                return True
            case Handled() if raises(node.body):
                return True
    return False


def is_decidable(condition: Condition) -> bool:
    """Whether the catalog alone answers the condition."""
    match condition:
        case Unknown():
            return False
        case Not(other):
            return is_decidable(other)
        case All(several) | AnyOf(several):
            return all(is_decidable(c) for c in several)
    return True
