"""A guard that two who start at once both pass."""

from __future__ import annotations

from collections.abc import Iterator

from omega_bridge.analysis.findings import Hit, Listed, Rule, Severity
from omega_bridge.analysis.written import Written, written

_ALSO = {"duplicate_table": "unique_violation", "duplicate_object": "unique_violation", "duplicate_function": "unique_violation"}
"""Two transactions that make one name meet in the catalog's unique index first."""


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
                )
                break


def _locks(w: Written) -> bool:
    return w.sql.tag == "lock_stmt" or "pg_advisory_" in w.sql.text.lower()


RULE = Rule(
    "guard-passed-at-once",
    Severity.NOTE,
    "A look-up sees what was committed: between it and the statement another replica, looking at the same moment, does the work first.",
    find,
)
