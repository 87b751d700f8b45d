"""A step as parts, one for each statement of its text: operations with their way back, or the text itself."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from alembic.operations.ops import MigrateOperation

from omega_bridge.analysis import StepAnalysis, read_program
from omega_bridge.analysis.context import changes_search_path
from omega_bridge.analysis.program import (
    Condition,
    Effect,
    Exists,
    Handled,
    If,
    Not,
    Pattern,
    Program,
    Raise,
    Sql,
    statements,
)
from omega_bridge.analysis.reading import asks_for_existence, matches_effect
from omega_bridge.catalog import Key, Kind
from omega_bridge.planning import World, evaluate
from omega_bridge.planning.settling import empty_catalog
from omega_bridge.revisions.lifting.common import Lifting, NotLifted
from omega_bridge.revisions.lifting.rows import hangs_on_rows
from omega_bridge.revisions.lifting.statements import lift_statement
from omega_bridge.revisions.operations import AttemptStepOp, RunStepOp
from omega_bridge.sql import may_commit, parse
from omega_bridge.tags import Tag


@dataclass(frozen=True, slots=True)
class Part:
    """One statement of a step's text (a whole ``DO`` block is one).

    ``operations`` is ``None`` where the text is carried verbatim, for ``reason``. ``reverse`` undoes them, last first;
    ``None`` where there is no way back, for ``irreversible``. ``inside`` counts the statements within. ``attempt``: it may
    fail, as it does in the loop, because what it makes is there or can never be.
    """

    text: str
    operations: tuple[MigrateOperation, ...] | None
    reverse: tuple[MigrateOperation, ...] | None
    inside: int = 1
    reason: str = ""
    irreversible: str = ""
    transactional: bool = True
    attempt: bool = False

    @property
    def is_apart(self) -> bool:
        """Whether it runs outside the revision's transaction: it refuses one, or would leave its ``search_path`` behind."""
        return not self.transactional or (self.operations is None and changes_search_path(self.text))


@dataclass(frozen=True, slots=True)
class Lifted:
    """A step's parts, in order."""

    parts: tuple[Part, ...]

    @property
    def is_whole(self) -> bool:
        """Whether every statement became an operation."""
        return all(p.operations is not None for p in self.parts)

    @property
    def is_verbatim(self) -> bool:
        """Whether none did."""
        return all(p.operations is None for p in self.parts)

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why statements are verbatim, each reason once."""
        return tuple(dict.fromkeys(p.reason for p in self.parts if p.operations is None))

    @property
    def irreversible(self) -> str | None:
        """Why the step cannot be taken back; ``None`` where it can."""
        return next((p.irreversible for p in self.parts if p.reverse is None), None)


def verbatim_operation(part: Part) -> MigrateOperation:
    """The operation that carries a part's text."""
    return AttemptStepOp(part.text) if part.attempt else RunStepOp(part.text)


UNSETTLED = "nothing in the list makes what it needs"


def verbatim(step: StepAnalysis, reason: str, *, attempt: bool = False) -> Lifted:
    """The step as it stands, for a reason. ``attempt``: see ``Part``."""
    inside = max(1, sum(1 for _ in statements(step.program)))
    told = f"the step's own SQL was run ({reason})"
    transactional = step.transactional and not may_commit(step.step.sql) and not _is_reindex(step)
    return Lifted((Part(step.step.sql, None, None, inside, reason, told, transactional, attempt),))


def _is_reindex(step: StepAnalysis) -> bool:
    """Whether it is one ``REINDEX``: of what is partitioned, which its words do not say, it refuses a transaction."""
    return len(step.program) == 1 and isinstance(step.program[0], Sql) and step.program[0].tag == Tag.REINDEX


def irrevocable(lifted: Lifted, why: str) -> Lifted:
    """The same operations without a way back."""
    return Lifted(tuple(replace(p, reverse=None, irreversible=why) for p in lifted.parts))


def once_more(lifted: Lifted) -> Lifted:
    """For a revision that runs a step again: where a database has what that would do already, its own SQL may be rejected."""
    return Lifted(tuple(replace(p, attempt=True) if p.operations is None else p for p in lifted.parts))


def lift(step: StepAnalysis, world: World | None = None, *, settled: bool = True) -> Lifted:
    """The step's operations. ``world`` is the schema before it, and becomes the one after it.

    A step that an empty database does not settle is verbatim: it fails, or swallows its failure, as its author had it.
    """
    world = world if world is not None else World(empty_catalog())
    return _lift(step, world) if settled else verbatim(step, UNSETTLED, attempt=True)


def lift_attempted(step: StepAnalysis, world: World) -> Lifted | None:
    """A step of one statement that needs what nothing makes, as an operation that may fail where that is missing; ``None``: it is none.

    ``world`` is the schema before it, and stays so.
    """
    mark, lifting = world.mark(), Lifting(world, attempts=True)
    try:
        _program(step.program, lifting)
    except NotLifted:
        return None
    finally:
        world.rollback(mark)
    return Lifted((Part(step.step.sql, tuple(lifting.operations), tuple(lifting.reverse)),)) if lifting.operations else None


def _lift(step: StepAnalysis, world: World) -> Lifted:
    if step.problem is not None:
        evaluate(step.program, world)
        return verbatim(step, "its text does not parse", attempt=True)  # a rejected text must not end every upgrade for ever
    if any(isinstance(n, Sql) and n.tag is Tag.SCRIPT for n in step.program):
        evaluate(step.program, world)
        return verbatim(step, "it sets variables or controls transactions")
    parts: list[Part] = []
    written = parse(step.step.sql)
    for statement in written:
        program = step.program if len(written) == 1 else read_program(statement.text)
        inside = max(1, sum(1 for _ in statements(program)))
        transactional = all(s.transactional for s in statements(program, handlers=True)) and not _is_reindex(step)
        mark = world.mark()
        try:
            lifting = Lifting(world)
            _program(program, lifting)
            way_back = lifting.way_back()
            parts.append(
                Part(
                    statement.text,
                    tuple(lifting.operations),
                    way_back,
                    inside,
                    "",
                    lifting.irreversible if way_back is None else "",
                    transactional,
                )
            )
        except NotLifted as no:
            world.rollback(mark)
            found = evaluate(program, world)
            data = any(s.data for s in statements(program))
            back = "rows were written" if data else f"the step's own SQL was run ({no})"
            attempt = found.is_nothing and not found.unknown and not data
            is_inside = transactional and not may_commit(statement.text)
            parts.append(Part(statement.text, None, None, inside, str(no), back, is_inside, attempt))
    lifted = Lifted(_with_rebuilds(parts))
    if lifted.is_verbatim:
        attempt = bool(lifted.parts) and all(p.attempt for p in lifted.parts)
        return verbatim(step, "; ".join(lifted.reasons) or "it holds no statement", attempt=attempt)
    return lifted


def _with_rebuilds(parts: Sequence[Part]) -> tuple[Part, ...]:
    """``DROP ... IF EXISTS x`` right before ``CREATE x`` takes nothing away that does not come back."""
    found = list(parts)
    for index, part in enumerate(found[:-1]):
        if part.reverse is None and part.operations is not None and _gone(part) & _made(found[index + 1]):
            found[index] = Part(part.text, part.operations, (), part.inside, part.reason, "", part.transactional)
    return tuple(found)


def _gone(part: Part) -> set[tuple[str, str]]:
    return {(e.key.table, e.key.name) for s in statements(read_program(part.text)) for e in s.effects if not e.present}


def _made(part: Part) -> set[tuple[str, str]]:
    return {(e.key.table, e.key.name) for s in statements(read_program(part.text)) for e in s.effects if e.present}


# --- programs --------------------------------------------------------------------------------------------------

_DUPLICATES = {
    "duplicate_column", "duplicate_object", "duplicate_table", "duplicate_function", "duplicate_schema", "duplicate_alias",
    "duplicate_database", "unique_violation", "invalid_table_definition",
}  # fmt: skip
_BY_ROWS = {"others", "unique_violation"}
"""Conditions of these that rows cause."""


def _program(program: Program, lifting: Lifting) -> None:
    for node in program:
        match node:
            case Sql():
                lift_statement(node, lifting)
            case If():
                _branch(node, lifting)
            case Handled():
                _handled(node, lifting)
            case Raise(error=True):
                raise NotLifted("it raises an exception of its own")


def _branch(node: If, lifting: Lifting) -> None:
    if len(node.arms) != 1 or any(True for _ in statements(node.otherwise)):
        raise NotLifted("a choice between several arms is kept as it is")
    condition, arm = node.arms[0]
    _check_guard(condition, arm)
    _program(arm, lifting)


def _check_guard(condition: Condition, arm: Program) -> None:
    """Raise ``NotLifted`` unless the guard asks for exactly what each statement of its arm does."""
    inside = list(statements(arm))
    if any(s.data or s.opaque for s in inside):
        raise NotLifted(
            "rows are touched under a guard" if any(s.data for s in inside) else "a guarded statement is not understood"
        )
    match condition:
        case Not(Exists(pattern)) if asks_for_existence(pattern):
            wanted = True
        case Exists(pattern) if asks_for_existence(pattern):
            wanted = False
        case _:
            raise NotLifted("its guard asks for more than whether an object is there")
    made: set[Key] = set()
    for s in inside:
        if not _is_guarded(pattern, s, made, present=wanted):
            raise NotLifted("its guard protects another object than the statement is about")
        made |= {e.key for e in (*s.effects, *s.implied)}


def _is_guarded(pattern: Pattern, s: Sql, made: Iterable[Key], *, present: bool) -> bool:
    if any(e.present is present and matches_effect(pattern, e) for e in s.effects):
        return True
    return bool(present and s.effects) and all(_belongs(e, made) for e in s.effects)


def _belongs(effect: Effect, made: Iterable[Key]) -> bool:
    """Whether an object is part of one that was just made under the same guard: an index of a new table."""
    owner = effect.key.table or str(dict(effect.attributes).get("table", ""))
    return any(k.kind is Kind.TABLE and k.name == owner for k in made)


def _handled(node: Handled, lifting: Lifting) -> None:
    names = {name for conditions, _ in node.handlers for name in conditions}
    for _, arm in node.handlers:
        if any(True for _ in statements(arm)):
            raise NotLifted("its exception handler does work of its own")
        if any(isinstance(n, Raise) and n.error for n in arm):
            raise NotLifted("its exception handler raises")
    if not names <= _DUPLICATES | {"others"}:
        raise NotLifted("its exception handler lets other errors pass: " + ", ".join(sorted(names - _DUPLICATES)))
    if len(list(statements(node.body))) > 1 and any(_may_be_there(node.body)):
        raise NotLifted("where one of its statements fails, its handler undoes the others, too")
    if names & _BY_ROWS and any(map(hangs_on_rows, statements(node.body))):
        raise NotLifted("rows that are there may make it fail, and its handler lets that pass")
    before, lifting.tolerant = lifting.tolerant, lifting.tolerant or "others" in names
    _program(node.body, lifting)
    lifting.tolerant = before


def _may_be_there(program: Program) -> Iterator[bool]:
    """For each statement that runs unguarded, whether it fails where its object is there: one that was just dropped is not."""
    gone: set[Key] = set()
    for node in program:
        if isinstance(node, Sql):
            yield bool(node.again) and not {e.key for e in node.effects if e.present} <= gone
            gone |= {e.key for e in node.effects if not e.present}
