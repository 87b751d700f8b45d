"""``ALTER COLUMN ... TYPE`` that writes the whole table anew."""

from __future__ import annotations

from collections.abc import Iterator

from omega_bridge import sql
from omega_bridge.analysis.findings import Hit, Listed, Rule, Severity
from omega_bridge.analysis.rewriting import type_change_rewrites
from omega_bridge.analysis.written import written
from omega_bridge.sql.grammar import AlterTableType
from omega_bridge.tags import Tag


def find(listed: Listed) -> Iterator[Hit]:
    """Changes of type on tables that the step does not find empty: a warning where the old type is known, else a note."""
    is_empty = listed.meets_empty()
    types = _types(listed)
    for _, step in listed.steps():
        for w in written(step):
            if w.sql.tag != Tag.ALTER_TABLE:
                continue
            for command in map(sql.inner, w.statement.node.cmds):
                if command.subtype != AlterTableType.ALTER_COLUMN_TYPE or is_empty(step, w.statement.node.relation.relname):
                    continue
                table = str(w.statement.node.relation.relname)
                new = sql.deparse_type(sql.inner(getattr(command, "def")).type_name)
                old = types.get((table, command.name))
                rewrites = None if old is None else type_change_rewrites(old, new)
                if rewrites is False:
                    continue
                yield Hit(
                    step,
                    f"changes {table}.{command.name} from {sql.printed_type(old)} to {sql.printed_type(new)}, and writes the table anew"
                    if old and rewrites
                    else f"changes {table}.{command.name} to {sql.printed_type(new)}, and may write the table anew",
                    "Add a column of the new type, fill it in batches, let the service write both, then change over; "
                    "or say the type that the column has, where it is no other.",
                    severity=None if rewrites else Severity.NOTE,
                    at=w.sql.text,
                )


def _types(listed: Listed) -> dict[tuple[str, str], str]:
    """The types of columns before any change: as the models, the database or the statement that adds them says."""
    found: dict[tuple[str, str], str] = {}
    if listed.catalog is not None:
        for key, said in listed.catalog.objects.items():
            if said.get("type") and key.table:
                found.setdefault((key.table, key.name), str(said["type"]))
    for step in listed.analysis:
        for w in written(step):
            if w.sql.tag in (Tag.CREATE, Tag.ALTER_TABLE):
                for e in w.sql.implied:
                    if e.present and e.key.kind == "column" and "type" in dict(e.attributes):
                        found.setdefault((e.key.table, e.key.name), str(dict(e.attributes)["type"]))
    return found


RULE = Rule(
    "type-change-rewrites",
    Severity.WARNING,
    "Every row and every index is written anew under ACCESS EXCLUSIVE: nobody reads the table for as long as that takes.",
    find,
)
