"""A guard that two who start at once both pass."""

from __future__ import annotations

import re
from collections.abc import Iterator

from omega_bridge.analysis.findings import Hit, Listed, Rule, Severity
from omega_bridge.analysis.program import Sql
from omega_bridge.analysis.written import Written, written
from omega_bridge.catalog import Kind
from omega_bridge.tags import Tag

_ALSO = {"duplicate_table": "unique_violation", "duplicate_object": "unique_violation", "duplicate_function": "unique_violation"}
"""Two transactions that make one name meet in the catalog's unique index first."""
_ADDS = re.compile(r"\bADD\s+(?:COLUMN\s+)?(?!IF\b|COLUMN\b|CONSTRAINT\b)(?=[\"\w])", re.IGNORECASE)


def find(listed: Listed) -> Iterator[Hit]:
    """Guarded statements that fail where another session did the same in between, with nothing around them that takes the error.

    A step that takes a lock of its own first lets one in at a time.
    """
    for _, step in listed.steps():
        statements = written(step)
        if any(_locks(w) for w in statements):
            continue
        for w in statements:
            errors = sorted(set(w.sql.again) - w.caught)
            if w.guards and errors and not w.catches_all:
                names = sorted({*errors, *(_ALSO[e] for e in errors if e in _ALSO)})
                yield Hit(
                    step,
                    f"two sessions pass this guard at once, and the second fails ({errors[0]})",
                    f"Write IF NOT EXISTS behind the guard, too, or take the error: EXCEPTION WHEN {' OR '.join(names)}. "
                    "Run by omega-bridge, one session at a time is in the list.",
                    at=w.sql.text,
                    edit=_edit(w.sql),
                )
                break


def _edit(s: Sql) -> tuple[str, str] | None:
    """IF NOT EXISTS for the one column that it adds: PostgreSQL looks again under the table's lock."""
    if s.tag != Tag.ALTER_TABLE or len(s.effects) != 1 or s.effects[0].key.kind is not Kind.COLUMN:
        return None
    asked, count = _ADDS.subn(r"\g<0>IF NOT EXISTS ", s.text)
    return (s.text, asked) if count == 1 else None


def _locks(w: Written) -> bool:
    return w.sql.tag == Tag.LOCK or "pg_advisory_" in w.sql.text.lower()


RULE = Rule(
    "guard-passed-at-once",
    Severity.NOTE,
    "A look-up sees what was committed: between it and the statement another replica, looking at the same moment, does the work first.",
    find,
)
