"""Rows and schema changed in one step."""

from __future__ import annotations

from collections.abc import Iterator

from omega_bridge.analysis.findings import Hit, Listed, Rule, Severity
from omega_bridge.analysis.written import Written, written
from omega_bridge.tags import Tag

_ROWS = (Tag.INSERT, Tag.UPDATE, Tag.DELETE, Tag.MERGE)
_LOCKING = (Tag.ALTER_TABLE, Tag.INDEX, Tag.RENAME)


def find(listed: Listed) -> Iterator[Hit]:
    """Steps that change a table's schema and then write rows: the lock is kept until the rows are written.

    On tables that the step finds empty it is a note.
    """
    is_empty = listed.meets_empty()
    for _, step in listed.steps():
        schema: Written | None = None
        for w in written(step):
            if w.sql.tag in _LOCKING and (w.sql.effects or w.sql.implied) and schema is None:
                schema = w
            elif w.sql.tag in _ROWS and schema is not None:
                table = _table(schema)
                yield Hit(
                    step,
                    f"changes {table} and writes rows in one step: the lock on {table} is kept until they are written",
                    "Make the rows a step of their own, behind this one.",
                    severity=Severity.NOTE if is_empty(step, table) else None,
                    at=w.sql.text,
                )
                break


def _table(w: Written) -> str:
    effect = (w.sql.effects or w.sql.implied)[0]
    return str(dict(effect.attributes).get("table") or effect.key.table or effect.key.name)


RULE = Rule(
    "data-with-schema",
    Severity.WARNING,
    "Nobody reads the table while its rows are written, a failure of the one undoes the other, "
    "and the catalog alone does not tell whether the step is done.",
    find,
)
