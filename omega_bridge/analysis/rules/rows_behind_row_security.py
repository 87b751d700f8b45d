"""``UPDATE`` and ``DELETE`` on a table that hides rows from its owner, too."""

from __future__ import annotations

from collections.abc import Iterator

from omega_bridge.analysis.findings import Hit, Listed, Rule, Severity
from omega_bridge.analysis.program import statements
from omega_bridge.analysis.written import written
from omega_bridge.catalog import Kind
from omega_bridge.tags import Tag

_ROWS = {Tag.UPDATE: "updates", Tag.DELETE: "deletes from", Tag.INSERT: "inserts into"}


def find(listed: Listed) -> Iterator[Hit]:
    """Statements on rows of tables for which the list, or the database, says FORCE ROW LEVEL SECURITY."""
    forced = _forced(listed)
    for _, step in listed.steps():
        for w in written(step):
            if w.sql.tag in _ROWS and (table := w.statement.node.relation.relname) in forced:
                yield Hit(
                    step,
                    f"{_ROWS[w.sql.tag]} {table}, whose policies hold for its owner, too: rows that they hide are passed over",
                    "Run it as a role with BYPASSRLS, or lift it for the statement: NO FORCE ROW LEVEL SECURITY before, FORCE behind.",
                    at=w.sql.text,
                )
                break


def _forced(listed: Listed) -> set[str]:
    found: set[str] = set()
    if listed.catalog is not None:
        found |= {k.name for k, a in listed.catalog.objects.items() if k.kind is Kind.TABLE and a.get("force_row_security")}
    for step in listed.analysis:
        for s in statements(step.program):
            for e in s.effects:
                said = dict(e.attributes)
                if e.key.kind is Kind.TABLE and "force_row_security" in said:
                    (found.add if said["force_row_security"] else found.discard)(e.key.name)
    return found


RULE = Rule(
    "rows-behind-row-security",
    Severity.WARNING,
    "UPDATE 0 is no error: without the setting that a policy asks for, nothing is changed, and the step counts as done.",
    find,
)
