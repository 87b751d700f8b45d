"""A statement that fails when it runs a second time."""

from __future__ import annotations

from collections.abc import Iterator

from omega_bridge.analysis.findings import Hit, Listed, Rule, Severity
from omega_bridge.analysis.lookup_text import Unwritable, absent
from omega_bridge.analysis.program import Sql
from omega_bridge.analysis.writing import guarded_in_place, unless_there
from omega_bridge.analysis.written import Written, written
from omega_bridge.catalog import Key


def find(listed: Listed) -> Iterator[Hit]:
    """Statements without a guard, an IF NOT EXISTS or a handler, of what no statement of the list takes away before."""
    gone: set[Key] = set()
    for _, step in listed.steps():
        told = False
        for w in written(step):
            errors = [name for name in dict.fromkeys(w.sql.again) if name not in w.caught]
            if errors and not w.catches_all and not w.guards and not told and not any(e.key in gone for e in w.sql.effects):
                told = True
                yield Hit(
                    step,
                    f"fails with {errors[0]} when it runs again: {_told(w.sql)}",
                    "Write IF NOT EXISTS, or put it behind a guard that asks for what it makes.",
                    _instead(w.sql),
                    at=w.sql.text,
                    edit=_edit(w),
                )
            gone |= {e.key for e in w.sql.effects if not e.present}


def _told(s: Sql) -> str:
    return f"it makes {s.effects[0].key} without asking" if s.effects else "it does not ask"


def _instead(s: Sql) -> tuple[str, ...]:
    guard = _guard(s)
    return (unless_there(guard, s.text),) if guard else ()


def _edit(w: Written) -> tuple[str, str] | None:
    guard = _guard(w.sql)
    return guarded_in_place(w.sql.text, guard, is_in_block=w.is_in_block) if guard else None


def _guard(s: Sql) -> str | None:
    if len(s.effects) != 1 or not s.effects[0].present or not s.transactional:
        return None
    try:
        return absent(s.effects[0].key)
    except Unwritable:
        return None


RULE = Rule(
    "unguarded-statement",
    Severity.WARNING,
    "A start does not send it where its effects are there; a loop, psql and every other hand that runs the list again fails at it.",
    find,
)
