"""A new table whose primary key is no UUID."""

from __future__ import annotations

from collections.abc import Iterator

from omega_bridge import sql
from omega_bridge.analysis.findings import Hit, Listed, Rule, Severity
from omega_bridge.analysis.rules.table_without_key import making
from omega_bridge.analysis.tables import reference, tables_of
from omega_bridge.catalog import Kind


def find(listed: Listed) -> Iterator[Hit]:
    """Tables with a key of one column that is of another type. One that points to another table has that key's type.

    A table that the database, where one was read, holds already is not new; of the models' own tables only its absence there tells that
    they are. A key that means something by itself (a code) is a note.
    """
    tables = tables_of(listed)
    for step, w in making(listed.analysis if listed.catalog is not None else (step for _, step in listed.steps())):
        name = w.sql.effects[0].key.name
        key = tables.key_of(name)
        pointing = {column for e in w.sql.implied if (r := reference(e)) for column in r.columns}
        if key is None or len(key) != 1 or key[0] in pointing or _is_there(listed, name):
            continue
        written = tables.type_of(name, key[0])
        if written is None or sql.same_type(written, "uuid") is not False:
            continue
        kind = sql.printed_type(written)
        yield Hit(
            step,
            f"the key of the new table {name}, {key[0]}, is {kind}",
            f"Write {sql.identifier(key[0])} UUID PRIMARY KEY DEFAULT gen_random_uuid(); a table that was there before stays as it is.",
            severity=None if kind in ("smallint", "integer", "bigint") else Severity.NOTE,
            at=w.sql.text,
        )


def _is_there(listed: Listed, table: str) -> bool:
    return listed.catalog is not None and bool(listed.catalog.named(Kind.TABLE, table))


RULE = Rule(
    "table-without-uuid-key",
    Severity.WARNING,
    "A number is given out by one database: rows made elsewhere, merged, or named before they are written collide, "
    "and it tells a stranger how many there are.",
    find,
)
