"""Would a later step of the list bring back what a step takes away? Then taking it away once more only loses its rows. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from types import MappingProxyType
from typing import Any

from omega_bridge.analysis import Analysis
from omega_bridge.catalog import Key, Kind
from omega_bridge.planning.attributes import same
from omega_bridge.planning.evaluate import Provided, evaluate
from omega_bridge.planning.reruns import hangs_on_the_rest
from omega_bridge.planning.words import words_of
from omega_bridge.planning.world import World

_NOBODY: Mapping[Key, int] = MappingProxyType({})


def comes_back(
    analysis: Analysis, index: int, now: World, provided: Provided, failing: Collection[str], makers: Mapping[Key, int] = _NOBODY
) -> bool | None:
    """Whether all that step ``index`` takes away is there again, as it is ``now``, when the steps behind it have run.

    ``failing``: the ids of those that do not work. Where one of them may make it without our knowing, it may be another; ``None``: then
    the list writes rows that would be lost. ``makers``: who made an object as it is now, where a step did.
    """
    world = now.copy()
    step = analysis.steps[index]
    evaluate(step.program, world, provided)
    gone = {key: before for key in world.touched(0) if world.get(key) is None and (before := now.get(key)) is not None}
    names = {key.name.partition("(")[0].lower() for key in gone}
    has_rows = any(q.data for s in analysis for q in s.reading.statements if names & words_of(s.step.sql))
    is_certain = True
    for later in analysis.steps[index + 1 :]:
        if later.id in failing:
            continue
        if not hangs_on_the_rest(later):
            evaluate(later.program, world, provided)
        elif names & words_of(later.step.sql):
            if has_rows:
                return None
            is_certain = False
    gone |= {column: now.get(column) or {} for key in gone if _has_columns(world, key) for column in now.columns(key)}
    return is_certain and all(
        _is_as_before(key, before, world.get(key), is_anothers=makers.get(key, index) < index) for key, before in gone.items()
    )


def _has_columns(world: World, key: Key) -> bool:
    """Whether it is a table that is there again, of which we know with what columns."""
    return key.kind is Kind.TABLE and (world.get(key) or {"columns known": False}).get("columns known") is not False


def _is_as_before(key: Key, before: Mapping[str, Any], after: Mapping[str, Any] | None, *, is_anothers: bool) -> bool:
    """Whether an object is back as it was. Where only the server could tell, it is, unless a step ahead of the one that takes it away made it
    so (``is_anothers``): what brings it back has another word for it.
    """
    if after is None or any(before.get(said) is not None and said not in after for said in ("comment", "grants")):
        return False
    if is_anothers and key.kind not in _WITHOUT_CONTENT and _OF_EACH.issuperset(before.keys() & after):
        return False
    otherwise = (False, None) if is_anothers else (False,)
    return not any(
        name != "position" and name in before and before[name] != value and same(key, name, before, value) in otherwise
        for name, value in after.items()
    )


_WITHOUT_CONTENT = (Kind.SCHEMA, Kind.EXTENSION, Kind.TABLE)
"""One of the name is as good as another; what is in it is told object by object, or is rows."""
_OF_EACH = frozenset({"position", "table", "valid"})
"""What tells nothing of how an object is made."""
