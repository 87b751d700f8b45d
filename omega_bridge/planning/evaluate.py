"""What a step's program would do in a world: which statements would change something, and which would fail."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import field

from omega_bridge.analysis.program import (
    Condition,
    Constant,
    Effect,
    Exists,
    Handled,
    If,
    Not,
    Program,
    Raise,
    Sql,
    raises,
    statements,
)
from omega_bridge.analysis.reading import matches_effect
from omega_bridge.catalog import Key, Kind
from omega_bridge.planning.world import World
from omega_bridge.tags import Tag
from omega_bridge.values import dataclass

Provided = frozenset[tuple[Kind, str]]


@dataclass(slots=True)
class Evaluation:
    """The outcome of a thought experiment.

    ``residual``: the statements that would change something (or might), in order. ``missing``: the effects behind them
    that do not hold, ``absent`` those of their objects that are not there at all. ``unknown``: only the server can tell.
    ``rebuilds``: the statements would only put back what they take away. ``fails``: what the step needs and does not
    find. ``swallowed``: the same, caught by a handler. ``unmet``: effects whose guard is satisfied by something else.
    ``may_fail``: something that changes nothing may be rejected all the same, and end the way through the program.
    """

    residual: list[Sql] = field(default_factory=list)
    missing: list[Effect] = field(default_factory=list)
    absent: set[Key] = field(default_factory=set)
    unmet: list[Effect] = field(default_factory=list)
    unknown: bool = False
    touches_rows: bool = False
    fails: Key | None = None
    swallowed: Key | None = None
    raises: str | None = None
    rebuilds: bool = False
    may_fail: bool = False
    blurred: bool = False
    """The catalog is no longer known: no guard is answered from here on."""
    is_vague: bool = False
    """Whether a statement may take away, or change, something that this world does not hold."""
    is_dynamic: bool = False
    """Whether a statement ran whose text is not known: it may have made what is not here."""
    in_doubt: bool = False
    """Whether the rest runs at all is not known."""
    is_open: bool = False
    """Whether something that may run, or not, is not so yet."""
    only_asserts: bool = False
    """Whether the program is there to be rejected alone, by an answer that only the server has."""

    @property
    def is_nothing(self) -> bool:
        """Whether running the step would change nothing that the catalog shows."""
        if self.fails or self.swallowed or self.raises or self.only_asserts:
            return False
        return not self.residual or self.rebuilds

    @property
    def is_certain(self) -> bool:
        """Whether every way through the program was read: its residual statements alone do what the whole text does."""
        return not (self.unknown or self.fails or self.swallowed or self.raises or self.may_fail)


class _Fails(Exception):
    def __init__(self, key: Key | None, message: str = "") -> None:
        self.key = key
        self.message = message


def evaluate(program: Program, world: World, provided: Provided = frozenset()) -> Evaluation:
    """Run a program in thought. ``world`` is changed by what the program would do; ``world.rollback`` takes it back.

    ``provided`` is what the registry itself makes: only of those, and of tables and columns, can we say that they are
    missing. Everything else (types, functions) may be built in.
    """
    found = Evaluation()
    mark = world.mark()
    try:
        _run(program, world, found, provided)
    except _Fails as failure:
        found.fails, found.raises = failure.key, failure.message or None
        world.rollback(mark)
    found.only_asserts = found.in_doubt and not any(map(_does, statements(program, handlers=True)))
    found.rebuilds = _may_rebuild(found) and not world.differs_since(mark)
    if found.rebuilds:
        found.missing.clear()
    return found


def _may_rebuild(found: Evaluation) -> bool:
    """Whether what runs may only put back what it takes away: not where it makes something that was not there, and drops nothing."""
    if not found.residual or found.unknown or found.is_vague or found.touches_rows or found.fails or found.swallowed:
        return False
    return not found.absent or any(not e.present for s in found.residual for e in s.effects)


def lacking(evaluation: Evaluation, start: World, end: World) -> list[Effect]:
    """What a step that ran should have made true and did not.

    ``start`` is the world that it was evaluated in, ``end`` the one that it left in thought. What a later statement of
    the step takes back was not promised: ``DROP`` and ``ADD`` of one object promise the object.
    """
    if evaluation.rebuilds:
        return []
    if evaluation.fails or evaluation.swallowed:
        return list(evaluation.missing)
    return [e for e in evaluation.missing if end.holds(e) is not False and start.holds(e) is not True]


def _run(program: Program, world: World, found: Evaluation, provided: Provided) -> None:
    for node in program:
        match node:
            case Sql():
                _statement(node, world, found, provided)
            case If():
                _branch(node, world, found, provided)
            case Handled():
                _handled(node, world, found, provided)
            case Raise(error=True, message=message):
                raise _Fails(None, message or "RAISE EXCEPTION")


def _statement(s: Sql, world: World, found: Evaluation, provided: Provided) -> None:
    if found.in_doubt:
        if _does(s):
            _may_run((s,), world, found)
        return
    answers = [] if s.opaque or s.data else [(e, world.holds(e)) for e in s.effects]
    wanting = [e for e, answer in answers if answer is not True and not _is_put_back(e, s, world)]
    if s.effects and not wanting and not s.opaque and not s.data:
        is_refused = not all(e.present for e in s.effects) and any(world.has(key) is not True for key in s.needs)
        found.may_fail = found.may_fail or bool(s.again) or is_refused
        return
    for key in s.needs:
        if world.has(key) is False and _is_telling(key, provided):
            if not found.is_dynamic:
                raise _Fails(key)
            _may_run((s,), world, found)
            return
    if not _does(s):
        found.may_fail = True
        return
    found.residual.append(s)
    found.is_vague = found.is_vague or any(answer is None and (not e.present or world.is_passed_down(e)) for e, answer in answers)
    found.missing.extend(e for e, answer in answers if answer is False)
    found.absent.update(e.key for e in wanting if world.find(e.key) is None)
    found.unknown = found.unknown or s.opaque
    found.is_dynamic = found.is_dynamic or s.tag is Tag.EXECUTE_COMPUTED
    found.blurred = found.blurred or s.opaque or _takes_along(s)
    found.touches_rows = found.touches_rows or s.data
    for effect in s.results:
        world.apply(effect)


def _does(s: Sql) -> bool:
    """Whether a statement may change anything."""
    return bool(s.effects or s.data or s.opaque or s.destroys)


def _is_put_back(effect: Effect, s: Sql, world: World) -> bool:
    """Whether a statement drops a constraint to add it in the same breath, and it is there as it would be then."""
    if effect.present or effect.key.kind is not Kind.CONSTRAINT or world.comment(effect.key):
        return False
    made = [e for e in (*s.effects, *s.implied) if e.present and e.key == effect.key]
    return bool(made) and any(e.attributes for e in made) and all(world.holds(e) is True for e in made)


_WITH_PARTS = frozenset({Kind.COLUMN, Kind.SCHEMA, Kind.EXTENSION, Kind.ENUM, Kind.DOMAIN, Kind.COMPOSITE})


def _takes_along(s: Sql) -> bool:
    """Whether more goes, or is named anew, than the statement says: the indexes of a column, the columns of a table."""
    return s.cascade or s.tag == Tag.RENAME or any(not e.present and e.key.kind in _WITH_PARTS for e in s.effects)


def _may_run(several: Iterable[Sql], world: World, found: Evaluation) -> None:
    """Statements of which only the server can tell whether they run."""
    found.unknown = found.blurred = True
    for s in several:
        found.residual.append(s)
        found.touches_rows = found.touches_rows or s.data
        found.is_open = found.is_open or any(world.holds(e) is not True for e in s.effects)
        for effect in s.results:
            world.doubt(effect)


def _is_telling(key: Key, provided: Provided) -> bool:
    """Whether the absence of a thing from our catalog means that it is missing."""
    if key.kind in (Kind.TABLE, Kind.COLUMN):
        return True
    return (key.kind, key.name) in provided


def _branch(node: If, world: World, found: Evaluation, provided: Provided) -> None:
    for number, (condition, arm) in enumerate(node.arms):
        if not found.in_doubt and (need := world.demanded(condition)) is not None:
            raise _Fails(need)
        answer = None if found.in_doubt or (found.blurred and not isinstance(condition, Constant)) else world.answer(condition)
        if answer is True:
            _run(arm, world, found, provided)
            return
        if answer is None:
            _in_doubt([*(arm for _, arm in node.arms[number:]), node.otherwise], world, found)
            return
        found.unmet.extend(_unmet(condition, arm, world))
    _run(node.otherwise, world, found, provided)


def _in_doubt(arms: list[Program], world: World, found: Evaluation) -> None:
    """One of the arms is run, and only the server can tell which."""
    found.may_fail = True
    several = [s for arm in arms for s in statements(arm, handlers=True)]
    if any(map(_does, several)):
        _may_run(several, world, found)
    if any(raises(arm) for arm in arms):
        found.unknown = found.in_doubt = True


def _unmet(condition: Condition, arm: Program, world: World) -> list[Effect]:
    """A guard said "there already", and what it protects is not there: something else satisfied it."""
    if not isinstance(condition, Not) or not isinstance(condition.condition, Exists):
        return []
    pattern = condition.condition.pattern
    effects = [e for s in statements(arm) if not s.opaque for e in s.effects if e.present]
    if not any(matches_effect(pattern, e) for e in effects):
        return []
    return [e for e in effects if world.find(e.key) is None]


_MISSING = {Kind.TABLE: "undefined_table", Kind.COLUMN: "undefined_column", Kind.FUNCTION: "undefined_function"}


def _handled(node: Handled, world: World, found: Evaluation, provided: Provided) -> None:
    mark, length, gone = world.mark(), len(found.residual), len(found.missing)
    before = found.unknown, found.may_fail
    found.unknown = found.may_fail = False
    try:
        _run(node.body, world, found, provided)
    except _Fails as failure:
        found.unknown, found.may_fail = found.unknown or before[0], found.may_fail or before[1]
        lost = [e for s in statements(node.body) for e in s.effects if e.present]
        world.rollback(mark)
        del found.residual[length:], found.missing[gone:]
        names = {"others", _MISSING.get(failure.key.kind, "undefined_object") if failure.key else "raise_exception"}
        for caught, arm in node.handlers:
            if names & set(caught):
                found.swallowed = failure.key
                found.missing.extend(e for e in lost if world.holds(e) is False)
                _run(arm, world, found, provided)
                return
        raise
    is_idle = len(found.residual) == length
    may_fail = found.unknown or found.may_fail or not is_idle
    work = [s for _, arm in node.handlers for s in statements(arm, handlers=True)] if may_fail else []
    if is_idle and not found.unknown and any("others" in caught and not raises(arm) for caught, arm in node.handlers):
        found.may_fail = False  # what may fail is let pass, and takes nothing with it
    found.unknown, found.may_fail = found.unknown or before[0], found.may_fail or before[1]
    if any(map(_does, work)):
        _may_run(work, world, found)
