"""``SET`` and ``RESET`` in a step."""

from __future__ import annotations

from collections.abc import Iterator

from omega_bridge.analysis.findings import Hit, Listed, Rule, Severity
from omega_bridge.analysis.written import written
from omega_bridge.tags import Tag


def find(listed: Listed) -> Iterator[Hit]:
    """Settings that outlive the step; SET LOCAL ends with its transaction."""
    for _, step in listed.steps():
        for w in written(step):
            if w.statement.tag == Tag.VARIABLE_SET and not w.statement.node.is_local:
                name = w.statement.node.name or "every setting"
                yield Hit(
                    step,
                    f"sets {name} for the session, and so for every step behind it",
                    "Write SET LOCAL, qualify the names, or give the role or the database the setting: ALTER ROLE ... SET.",
                    at=w.sql.text,
                )
                break


RULE = Rule(
    "session-setting",
    Severity.NOTE,
    "What later steps mean then depends on it, on a pooled connection the next user has it, and the step itself is not read.",
    find,
)
