"""``DROP TABLE``, ``DROP COLUMN``, ``TRUNCATE``, ``CASCADE``: rows go along."""

from __future__ import annotations

from collections.abc import Iterator

from omega_bridge import sql
from omega_bridge.analysis.findings import Hit, Listed, Rule, Severity
from omega_bridge.analysis.lookup_text import condition
from omega_bridge.analysis.paths import made_anew
from omega_bridge.analysis.program import Exists, Pattern, Sql, statements
from omega_bridge.analysis.writing import unless_there
from omega_bridge.catalog import Key, Kind
from omega_bridge.tags import Tag

_WITH_ROWS = {Kind.TABLE, Kind.COLUMN, Kind.SCHEMA}
_COLUMNS_OF = {Kind.ENUM, Kind.DOMAIN, Kind.COMPOSITE, Kind.EXTENSION}


def find(listed: Listed) -> Iterator[Hit]:
    """Statements that take rows along, in steps that were not marked as meant to."""
    for _, step in listed.steps():
        if step.step.destructive:
            continue
        own: set[str | None] = set()
        for s in statements(step.program, handlers=True):
            own.add(made_anew(s))
            lost = [
                k for k in s.destroys if (k.kind in _WITH_ROWS or (s.cascade and k.kind in _COLUMNS_OF)) and k.name not in own
            ]
            if lost:
                verb = "empties" if s.tag == Tag.TRUNCATE else "drops"
                more = ", and with CASCADE what hangs on it" if s.cascade else ""
                yield Hit(
                    step,
                    f"{verb} {lost[0]} with the rows in it{more}",
                    "Keep the rows under another name, or say that they may go: Step(sql, destructive=True).",
                    _instead(s, lost[0]),
                    at=s.text,
                )
                break


def _instead(s: Sql, key: Key) -> tuple[str, ...]:
    if s.tag == Tag.TRUNCATE or key.kind not in (Kind.TABLE, Kind.COLUMN):
        return ()
    new = sql.identifier(f"{key.name}_legacy")
    if key.kind is Kind.TABLE:
        rename = f"ALTER TABLE {sql.identifier(key.schema, key.name)} RENAME TO {new}"
    else:
        rename = f"ALTER TABLE {sql.identifier(key.schema, key.table)} RENAME COLUMN {sql.identifier(key.name)} TO {new}"
    return (unless_there(condition(Exists(Pattern((key.kind,), key.schema, key.table or None, key.name))), rename),)


RULE = Rule(
    "destructive-drop",
    Severity.WARNING,
    "A start, or alembic upgrade, that meets rows there refuses the step and rolls it back; a loop loses them.",
    find,
)
