"""``RENAME`` of what a running release uses."""

from __future__ import annotations

from collections.abc import Iterator

from omega_bridge import sql
from omega_bridge.analysis.findings import Hit, Listed, Rule, Severity
from omega_bridge.analysis.written import written
from omega_bridge.tags import Tag

_USED = {
    sql.pb.OBJECT_TABLE: "table",
    sql.pb.OBJECT_COLUMN: "column",
    sql.pb.OBJECT_VIEW: "view",
    sql.pb.OBJECT_MATVIEW: "materialized view",
    sql.pb.OBJECT_SCHEMA: "schema",
    sql.pb.OBJECT_TYPE: "type",
    sql.pb.OBJECT_FUNCTION: "function",
    sql.pb.OBJECT_SEQUENCE: "sequence",
}


def find(listed: Listed) -> Iterator[Hit]:
    """Renames of objects that statements of a program name: not of indexes, constraints and triggers."""
    for _, step in listed.steps():
        for w in written(step):
            if w.sql.tag != Tag.RENAME or w.statement.node.rename_type not in _USED:
                continue
            node = w.statement.node
            of = node.relation.relname
            old = f"{of}.{node.subname}" if node.rename_type == sql.pb.OBJECT_COLUMN else of or node.subname
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
