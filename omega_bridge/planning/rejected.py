"""What became of a step that PostgreSQL rejected, by what is there: its work may be done all the same. Pure.

A start and an upgrade ask the same: a step does not fail at one and stand as done at the other.
"""

from __future__ import annotations

from collections.abc import Callable

from omega_bridge.analysis.already import GONE_ALREADY, THERE_ALREADY, speaks_of_its_own
from omega_bridge.analysis.program import Program, Sql, statements
from omega_bridge.analysis.reading import Reading
from omega_bridge.catalog import Catalog
from omega_bridge.ledger import Outcome
from omega_bridge.planning.evaluate import Provided, evaluate, lacking
from omega_bridge.planning.plan import unmet
from omega_bridge.planning.world import World


def became(
    reading: Reading, sqlstate: str | None, catalog: Catalog, provided: Provided, was_taken: Callable[[], bool] = lambda: False
) -> tuple[Outcome, str | None]:
    """A step that finds its objects there, or gone, already did not fail: all that it promises holds, and it was taken once. With what
    it lacks.

    A single statement whose object is there in another shape had not all the effect that it promises. ``was_taken``: whether what one
    calls was taken before.
    """
    program = reading.program
    is_certain = reading.is_certain and not any(s.data for s in reading.statements)
    alone = len(program) == 1 and isinstance(program[0], Sql)
    taken_once = is_certain and sqlstate in THERE_ALREADY | GONE_ALREADY
    if alone:
        taken_once = speaks_of_its_own(program, sqlstate) or was_taken()
    if not taken_once:
        return Outcome.FAILED, None
    missing = lack(program, catalog, provided)
    if missing and not alone:
        return Outcome.FAILED, missing
    return (Outcome.NO_EFFECT, missing) if missing else (Outcome.ALREADY_THERE, None)


def became_unasked(reading: Reading, sqlstate: str | None, catalog: Catalog) -> tuple[Outcome, str | None]:
    """The same of one that was sent whether or not there is anything to do, as a revision sends it: a start would not have sent it where
    all that it says is so.
    """
    is_certain = reading.is_certain and not any(s.data for s in reading.statements)
    if is_certain and sqlstate in THERE_ALREADY | GONE_ALREADY and lack(reading.program, catalog, reading.provides) is None:
        return Outcome.ALREADY_THERE, None
    return became(reading, sqlstate, catalog, reading.provides)


def lack(program: Program, catalog: Catalog, provided: Provided) -> str | None:
    """What a step that ran still does not hold; ``None`` where all is well."""
    end = World(catalog)
    after = evaluate(program, end, provided)
    if missing := lacking(after, World(catalog), end):
        return "; ".join(f"{e.key} is not there" if e.present and not e.attributes else f"not so: {e}" for e in missing)
    gone = after.swallowed or after.fails
    if gone in {e.key for s in statements(program, handlers=True) for e in s.effects if not e.present}:
        return None  # the step itself took it away: what it would lack a second time says nothing
    if gone:
        return f"{gone} is not there"
    return unmet(after) if after.unmet else None
