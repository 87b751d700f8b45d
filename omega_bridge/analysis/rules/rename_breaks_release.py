"""``RENAME`` of what a running release uses."""

from __future__ import annotations

from collections.abc import Iterator

from omega_bridge.analysis.findings import Hit, Listed, Rule, Severity
from omega_bridge.analysis.written import written
from omega_bridge.sql.grammar import ObjectType
from omega_bridge.tags import Tag

_USED = {
    ObjectType.TABLE: "table",
    ObjectType.COLUMN: "column",
    ObjectType.VIEW: "view",
    ObjectType.MATVIEW: "materialized view",
    ObjectType.SCHEMA: "schema",
    ObjectType.TYPE: "type",
    ObjectType.FUNCTION: "function",
    ObjectType.SEQUENCE: "sequence",
}


def find(listed: Listed) -> Iterator[Hit]:
    """Renames of objects that statements of a program name: not of indexes, constraints and triggers."""
    for _, step in listed.steps():
        for w in written(step):
            if w.sql.tag != Tag.RENAME or w.statement.node.rename_type not in _USED:
                continue
            node = w.statement.node
            of = node.relation.relname
            old = f"{of}.{node.subname}" if node.rename_type == ObjectType.COLUMN else of or node.subname
            yield Hit(
                step,
                f"renames {_USED[node.rename_type]} {old} to {node.newname}: the release before knows the old name only",
                "Add the new one beside the old, write both, and drop the old one a release later; or leave a view of the old name.",
                at=w.sql.text,
            )
            break


RULE = Rule(
    "rename-breaks-release",
    Severity.WARNING,
    "While replicas are replaced one after another both releases run, and after a rollback the old one does: each of its queries fails.",
    find,
)
