"""A change that the release before cannot live with."""

from __future__ import annotations

from collections.abc import Iterator

from omega_bridge import sql
from omega_bridge.analysis.effects.naming import relation
from omega_bridge.analysis.findings import Hit, Listed, Rule, Severity
from omega_bridge.analysis.program import statements
from omega_bridge.analysis.written import Written, written
from omega_bridge.catalog import Kind
from omega_bridge.sql.grammar import AlterTableType
from omega_bridge.tags import Tag

_READ = (
    Kind.TABLE,
    Kind.COLUMN,
    Kind.VIEW,
    Kind.MATERIALIZED_VIEW,
    Kind.FUNCTION,
    Kind.SEQUENCE,
    Kind.ENUM,
    Kind.DOMAIN,
    Kind.SCHEMA,
)


def find(listed: Listed) -> Iterator[Hit]:
    """Drops of what a program reads and the step does not make anew, columns that become mandatory, values that are renamed.

    What the list's own later or earlier statements make under the same name is its affair elsewhere.
    """
    defaults = _defaults(listed)
    for _, step in listed.steps():
        found = written(step)
        makes = {(e.key.kind, e.key.table, e.key.name.partition("(")[0]) for w in found for e in w.sql.effects if e.present}
        made_here = {name for kind, _, name in makes if kind is Kind.TABLE}
        for w in found:
            told = _told(w, makes, made_here, defaults)
            if told:
                yield Hit(
                    step,
                    told,
                    "Let one release pass that does without it, and make the change in the next one.",
                    at=w.sql.text,
                )
                break


def _told(w: Written, makes: set[tuple[Kind, str, str]], made_here: set[str], defaults: set[tuple[str, str]]) -> str | None:
    node = w.statement.node
    if w.sql.tag in (Tag.DROP, Tag.ALTER_TABLE):
        for e in w.sql.effects:
            key = (e.key.kind, e.key.table, e.key.name.partition("(")[0])
            if not e.present and e.key.kind in _READ and key not in makes:
                return f"drops {e.key}: a release that still uses it fails"
    if w.sql.tag == Tag.ALTER_TABLE and node.relation.relname not in made_here:
        for command in map(sql.inner, node.cmds):
            if command.subtype == AlterTableType.SET_NOT_NULL and (node.relation.relname, command.name) not in defaults:
                return f"makes {relation(node.relation).name}.{command.name} mandatory: a release that does not write it fails"
    if w.statement.tag == Tag.ALTER_ENUM and node.old_val:
        return f"renames the value {node.old_val!r}: a release that still writes it fails"
    return None


def _defaults(listed: Listed) -> set[tuple[str, str]]:
    """The columns to which a statement of the list, the models or the database gives a default."""
    found = {
        (e.key.table, e.key.name)
        for step in listed.analysis
        for s in statements(step.program)
        for e in (*s.effects, *s.implied)
        if e.key.kind is Kind.COLUMN and dict(e.attributes).get("default") is not None
    }
    if listed.catalog is not None:
        found |= {(k.table, k.name) for k, a in listed.catalog.objects.items() if k.kind is Kind.COLUMN and a.get("default")}
    return found


RULE = Rule(
    "breaks-release-before",
    Severity.WARNING,
    "While replicas are replaced one after another, and after a rollback of the program, the old one runs on the new schema.",
    find,
)
