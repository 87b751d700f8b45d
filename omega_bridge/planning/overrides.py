"""What does a later step of the list certainly take away or replace? An earlier step does not make that again. Pure.

The naive loop makes such a thing and takes it away at every start: a burnt attribute number, a lock, for a moment an
overload that makes a call ambiguous.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from omega_bridge.analysis import Analysis, StepAnalysis, StepKind, statements
from omega_bridge.analysis.program import TYPES, Condition, Effect, Exists, If, Program, Sql, conditions, is_decidable
from omega_bridge.analysis.reading import matches_effect
from omega_bridge.catalog import Key, Kind
from omega_bridge.planning.evaluate import Evaluation, Provided, evaluate
from omega_bridge.planning.world import World
from omega_bridge.tags import Tag
from omega_bridge.values import dataclass

_Name = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class _Later:
    """What a step leaves of one object, whatever the catalog: the last word of its statements that run for certain."""

    index: int
    effect: Effect
    is_anew: bool
    """It takes the object away first."""
    needs_it: bool
    """It fails where the object is not there."""
    becomes: tuple[Effect, ...] = ()
    """What the same statement makes where it takes the object away: a rename's new name."""


class Overrides:
    """The last words of a list's steps, by object; made once for a list, each when it is asked for."""

    def __init__(self, analysis: Analysis, provided: Provided) -> None:
        self._steps = analysis.steps
        self._provided = provided
        self._naming: dict[str, list[int]] = {}
        for index, step in enumerate(analysis):
            for name in step.names:
                self._naming.setdefault(name, []).append(index)
        self._said: dict[int, tuple[_Later, ...]] = {}
        self._later: dict[_Name, tuple[_Later, ...]] = {}

    def _words(self, key: Key) -> tuple[_Later, ...]:
        """All about just this object: who speaks of it names it, and of a column its table."""
        name = _name(key)
        found = self._later.get(name)
        if found is None:
            naming = self._naming.get(key.table if key.kind is Kind.COLUMN else name[2], ())
            found = tuple(la for index in naming for la in self._last_words(index) if _name(la.effect.key) == name)
            self._later[name] = found
        return found

    def _last_words(self, index: int) -> tuple[_Later, ...]:
        if index not in self._said:
            self._said[index] = tuple(_last_words(index, self._steps[index].program))
        return self._said[index]

    def speak_of(self, index: int, found: Evaluation) -> bool:
        """Whether a later step says anything of the objects that step ``index`` is about."""
        about = found.residual if not found.fails else statements(self._steps[index].program)
        return any(la.index > index for s in about for e in s.effects for la in self.words_on(e))

    def words_on(self, effect: Effect) -> Iterator[_Later]:
        """All words about an effect's object, or about the table that it belongs to; the last first."""
        key = effect.key
        owner = key.table or (str(dict(effect.attributes).get("table") or "") if key.kind is Kind.INDEX else "")
        yield from reversed(self._words(key))
        if owner:
            yield from reversed(self._words(Key(Kind.TABLE, key.schema, "", owner)))

    def left_to(self, index: int, found: Evaluation, world: World, failing: Collection[int] = ()) -> tuple[int, ...]:
        """The later steps to which all is left that step ``index`` would still do in ``world``; none where it must do it.

        ``found`` is its evaluation; ``world`` stands as before it. ``failing``: steps that do not work, and so have no word.
        """
        return _Look(self, world, failing).left_to(index, found)


_LIMIT = 200
"""Steps that one question may look at: beyond, nothing is certain."""


class _Look:
    """One question."""

    def __init__(self, overrides: Overrides, world: World, failing: Collection[int]) -> None:
        self._all, self._world, self._failing = overrides, world, failing
        self._asked: set[int] = set()
        self._looks = 0

    def left_to(self, index: int, found: Evaluation) -> tuple[int, ...]:
        if found.unknown or found.touches_rows or found.raises or found.unmet or not (found.residual or found.fails):
            return ()
        several: set[int] = set()
        for effect in _undone(self._all._steps[index].program, found, self._world):
            words = (la for la in self._all.words_on(effect) if la.index > index and la.index not in self._failing)
            later = next((la for la in words if self._covers(index, la, effect)), None)
            if later is None:
                return ()
            several.add(later.index)
        return tuple(sorted(several))

    def _covers(self, index: int, later: _Later, effect: Effect) -> bool:
        return (
            self._says_otherwise(later, effect)
            and self._stands(later)
            and not self._is_rejected(later.index)
            and (not later.needs_it or self._is_idle(later.index))
            and self._is_unread(index, later, effect.key)
        )

    def _says_otherwise(self, later: _Later, effect: Effect) -> bool:
        """Whether nothing is left of the effect behind the later step."""
        own, other = self._world.place(effect.key), self._world.place(later.effect.key)
        if own.schema != other.schema or not _is_named(own, other):
            return False
        if not later.effect.present:
            return effect.present
        if own.kind is not other.kind:
            return False
        said = {name for name, _ in later.effect.attributes}
        if not effect.present:
            return later.is_anew
        return bool(effect.attributes) and (later.is_anew or "definition" in said or said >= {n for n, _ in effect.attributes})

    def _stands(self, later: _Later) -> bool:
        """Whether the later step's word is the state of things already, as far as the catalog tells."""
        key = later.effect.key
        found = self._world.find(key)
        there = found is not None and _name(found)[0] == _name(key)[0]  # a view of the name is not the table
        if later.effect.present:
            return there and self._world.holds(later.effect) is not False
        return not there and all(self._is_made(later, e) for e in later.becomes)

    def _is_rejected(self, index: int) -> bool:
        """Whether one of several statements makes what is there by another's doing, and otherwise: PostgreSQL takes none of the step's, and took
        none. It has no word.
        """
        certain = list(_certain(self._all._steps[index].program))
        mark, is_there = self._world.mark(), False
        for s in certain if len(certain) > 1 else ():
            is_another = bool(s.again and s.effects) and any(self._world.holds(e) is False for e in s.implied)
            is_there = is_there or (is_another and all(self._world.holds(e) is True for e in s.effects))
            for effect in s.results:
                self._world.apply(effect)
        self._world.rollback(mark)
        return is_there

    def _is_made(self, later: _Later, effect: Effect) -> bool:
        """Whether what a step makes of the object is there, or was taken on by a step behind it."""
        return self._world.holds(effect) is not False or any(
            not la.effect.present and self._stands(la) for la in self._all.words_on(effect) if la.index > later.index
        )

    def _is_unread(self, index: int, later: _Later, key: Key) -> bool:
        """Whether no step between the two, and no statement of the later one, would look at the object if it were made."""
        names = {n for n in (key.table, key.name.partition("(")[0]) if n}
        between = range(index + 1, later.index)
        if any(self._may_read(self._all._steps[n], names) for n in between):
            mark = self._world.mark()
            evaluate(self._all._steps[index].program, self._world, self._all._provided)
            are_idle = all(map(self._is_idle, between))
            self._world.rollback(mark)
            if not are_idle:
                return False
        return self._is_idle(later.index) or not _reads_first(self._all._steps[later.index].program, names)

    def _may_read(self, step: StepAnalysis, names: set[str]) -> bool:
        if not names.isdisjoint(step.names) or _is_doubtful(step):
            return True
        return step.kind is not StepKind.SCHEMA and any(
            k.kind is Kind.TRIGGER and k.table in step.names for k in self._world.catalog.objects
        )

    def _is_idle(self, index: int) -> bool:
        """Whether a step has nothing to do as the world is, or leaves what it has to later ones."""
        step = self._all._steps[index]
        self._looks += 1
        if step.kind is StepKind.DATA or index in self._asked or self._looks > _LIMIT:
            return False
        self._asked.add(index)  # asked again meanwhile: not known
        mark = self._world.mark()
        found = evaluate(step.program, self._world, self._all._provided)
        self._world.rollback(mark)
        is_idle = (found.is_nothing and not found.unknown) or self._is_done(index) or bool(self.left_to(index, found))
        self._asked.discard(index)
        return is_idle

    def _is_done(self, index: int) -> bool:
        """Whether a step leaves things as they are, if PostgreSQL takes it once more at all."""
        program = self._all._steps[index].program
        certain = list(_certain(program))
        is_whole = len(certain) == sum(1 for _ in statements(program, handlers=True)) and not any(s.data for s in certain)
        return is_whole and all(map(self._stands, _last_words(index, program)))


def _undone(program: Program, found: Evaluation, world: World) -> list[Effect]:
    """The effects that a step would still bring about; none where it would do more than that."""
    about = list(statements(program)) if found.fails else found.residual
    if any(s.data or s.opaque or s.destroys or s.cascade for s in about):
        return []
    return [e for s in about for e in s.effects if world.holds(e) is not True]


def _last_words(index: int, program: Program) -> Iterator[_Later]:
    """The objects that a program's certain statements are about, each with the last that is said of it."""
    last: dict[Key, _Later] = {}
    for s in _certain(program):
        for effect in s.effects:
            key = effect.key
            before = last.get(key) or last.get(key._replace(name=key.name.partition("(")[0]))
            is_anew = effect.present and before is not None and (not before.effect.present or before.is_anew)
            needs_it = before.needs_it if before is not None else key in s.needs
            becomes = tuple(e for e in s.effects if e.present) if s.tag == Tag.RENAME and not effect.present else ()
            last[key] = _Later(index, effect, is_anew, needs_it, becomes)
    yield from last.values()


def _certain(program: Program) -> Iterator[Sql]:
    """The statements that run whenever the program does: without a guard, or with one that only asks for what it takes away."""
    for node in program:
        match node:
            case Sql() if not node.opaque:
                yield node
            case If() if len(node.arms) == 1 and not node.otherwise and _asks_for_what_goes(*node.arms[0]):
                yield from (s for s in node.arms[0][1] if isinstance(s, Sql))
            case _:
                return


def _asks_for_what_goes(condition: Condition, arm: Program) -> bool:
    match condition:
        case Exists(pattern) if not pattern.filters:
            return all(isinstance(s, Sql) and not s.opaque for s in arm) and any(
                matches_effect(pattern, e) for s in arm if isinstance(s, Sql) for e in s.effects if not e.present
            )
    return False


def _reads_first(program: Program, names: set[str]) -> bool:
    """Whether a statement may look at an object of these names before, or while, the program takes it away or replaces it."""
    for s in _certain(program):
        if any(names & {e.key.name.partition("(")[0], e.key.table} for e in s.effects):
            return False
        if s.data or s.opaque or any(names & {k.name, k.table} for k in s.needs):
            return True
    return True


def _is_doubtful(step: StepAnalysis) -> bool:
    """Whether a step may look at objects that it does not name."""
    return (
        step.problem is not None or any(s.opaque for s in step.reading.statements) or not _are_decidable(conditions(step.program))
    )


def _are_decidable(found: Iterable[Condition]) -> bool:
    return all(map(is_decidable, found))


def _name(key: Key) -> _Name:
    """What the statements about one object have in common, whether they give its schema and argument types or not."""
    kind = Kind.ENUM if key.kind in TYPES else key.kind
    return (str(kind), key.table, key.name.partition("(")[0] if key.kind is Kind.FUNCTION else key.name)


def _is_named(one: Key, other: Key) -> bool:
    """Whether two placed keys are one object; of functions a bare name means any. A table stands for what belongs to it."""
    if one.kind is not Kind.FUNCTION or other.kind is not Kind.FUNCTION or "(" not in one.name or "(" not in other.name:
        return True
    return one.name == other.name
