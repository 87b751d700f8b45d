"""``CONCURRENTLY`` where a transaction is open: beside other statements, or inside a block."""

from __future__ import annotations

from collections.abc import Iterator

from omega_bridge.analysis.findings import Hit, Listed, Rule, Severity
from omega_bridge.analysis.program import Sql
from omega_bridge.analysis.written import Written, written


def find(listed: Listed) -> Iterator[Hit]:
    """In a block it never works. Beside other statements a start sends them one by one, and a loop sends the text whole."""
    for _, step in listed.steps():
        found = written(step)
        concurrent = [w for w in found if _is_concurrent(w.sql)]
        inside = [w for w in concurrent if w.is_in_block]
        if inside:
            yield Hit(
                step,
                f"runs inside a block, where PostgreSQL refuses it (25001): {_told(inside[0])}",
                "Make it a step of its own, outside DO.",
                (f"{inside[0].sql.text}",) if "IF NOT EXISTS" in inside[0].sql.text.upper() else (),
                severity=Severity.WARNING if inside[0].guards else None,
                at=inside[0].sql.text,
            )
        elif concurrent and len(found) > 1:
            yield Hit(
                step,
                f"stands beside other statements: {_told(concurrent[0])}",
                "Make each statement a step of its own.",
                tuple(w.sql.text for w in found) if not any(w.is_in_block for w in found) else (),
                severity=Severity.WARNING,
                at=concurrent[0].sql.text,
            )


def _is_concurrent(s: Sql) -> bool:
    return not s.transactional and "CONCURRENTLY" in s.text.upper()


def _told(w: Written) -> str:
    return f"{w.sql.effects[0].key} CONCURRENTLY" if w.sql.effects else "a statement with CONCURRENTLY"


RULE = Rule(
    "concurrently-with-others",
    Severity.ERROR,
    "Several statements in one text are one transaction, as a block is: PostgreSQL refuses CONCURRENTLY there.",
    find,
)
