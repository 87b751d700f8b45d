"""A guard that asks for another object than its statement creates."""

from __future__ import annotations

from collections.abc import Iterator

from omega_bridge.analysis.findings import Hit, Listed, Rule, Severity
from omega_bridge.analysis.lookup_text import Unwritable, absent
from omega_bridge.analysis.paths import branches, denied, guarded
from omega_bridge.analysis.program import Condition, Pattern, Program, Sql, statements
from omega_bridge.analysis.reading import matches_effect
from omega_bridge.analysis.writing import unless_there
from omega_bridge.catalog import Key


def find(listed: Listed) -> Iterator[Hit]:
    """Arms behind ``IF NOT EXISTS (x)`` that create something that may not be there already, and x is none of it.

    Where an ``ELSE`` says what to do otherwise, the guard chooses between two ways, and protects nothing.
    """
    for _, step in listed.steps():
        for condition, arm in branches(step.program, choices=False):
            asked = list(denied(condition))
            made = [(s, key) for s, guards in guarded(arm) if not guards and s.again for key in _made(s)]
            if asked and made and not _is_own(condition, arm):
                s, key = made[0]
                yield Hit(
                    step,
                    f"the guard looks for {_told(asked[0])}, and the statement makes {key}",
                    f"Ask for what the statement makes: {key}.",
                    _instead(s, key, len(made)),
                    at=s.text,
                )
                break


def _made(s: Sql) -> Iterator[Key]:
    return (e.key for e in s.effects if e.present)


def _is_own(condition: Condition, arm: Program) -> bool:
    """Whether one of the objects asked for is made, changed or taken away: then the guard speaks of its own arm."""
    effects = [e for s in statements(arm) for e in (*s.effects, *s.implied)]
    opaque = any(s.opaque for s in statements(arm))
    return opaque or any(matches_effect(pattern, e) for pattern in denied(condition) for e in effects)


def _told(pattern: Pattern) -> str:
    return f"{pattern.kinds[0]} {'.'.join(part for part in (pattern.table, pattern.name) if part)}"


def _instead(s: Sql, key: Key, made: int) -> tuple[str, ...]:
    try:
        return (unless_there(absent(key), s.text),) if made == 1 else ()
    except Unwritable:
        return ()


RULE = Rule(
    "guard-protects-other-object",
    Severity.ERROR,
    "Where the one is there and the other is not, the step is never done; the other way round it fails at every start.",
    find,
)
