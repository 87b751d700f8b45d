"""A change that no downgrade takes back."""

from __future__ import annotations

from collections.abc import Iterator

from omega_bridge.analysis.findings import Hit, Listed, Rule, Severity
from omega_bridge.analysis.losing import losses
from omega_bridge.analysis.paths import made_anew
from omega_bridge.analysis.written import Written, written
from omega_bridge.catalog import Kind
from omega_bridge.tags import Tag

_WITH_ROWS = (Kind.TABLE, Kind.COLUMN, Kind.SCHEMA)


def find(listed: Listed) -> Iterator[Hit]:
    """New labels of an enum, rows that are deleted, and drops that the list allows; other losses have rules of their own."""
    for _, step in listed.steps():
        if not step.step.destructive and any(losses(step)):
            continue
        own: set[str | None] = set()
        for w in written(step):
            own.add(made_anew(w.sql))
            told = _told(w, own, meant=step.step.destructive)
            if told:
                yield Hit(
                    step,
                    told,
                    "Know it before the release: the way back is a backup, or a step that goes forward.",
                    at=w.sql.text,
                )
                break


def _told(w: Written, own: set[str | None], *, meant: bool) -> str | None:
    node = w.statement.node
    if w.statement.tag == Tag.ALTER_ENUM and not node.old_val:
        return f"adds the value {node.new_val!r} to an enum: PostgreSQL has no statement that takes it away"
    if w.sql.tag == Tag.DELETE and node.relation.relname not in own:
        return f"deletes rows of {node.relation.relname}: no downgrade brings them back"
    lost = [k for k in w.sql.destroys if k.kind in _WITH_ROWS and k.name not in own]
    if meant and lost:
        return f"drops {lost[0]} with its rows: a downgrade brings back its shape alone"
    return None


RULE = Rule(
    "no-way-back",
    Severity.NOTE,
    "alembic downgrade drops only what the bridge made, and cannot bring back what is gone.",
    find,
)
