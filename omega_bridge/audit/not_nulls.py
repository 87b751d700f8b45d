"""Names of ``NOT NULL`` constraints, which the catalog of ours leaves out: PostgreSQL has them from 18 on, and a renamed column keeps the old one."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from omega_bridge.audit.scratch import ScratchDatabase
from omega_bridge.catalog import Key, Kind
from omega_bridge.planning.gaps import MODELS, Unkept, What
from omega_bridge.steps import Place

Names = Mapping[tuple[str, str, str], str]
"""By schema, table and column."""

_ASKED = """
SELECT n.nspname, c.relname, a.attname, k.conname FROM pg_catalog.pg_constraint k
JOIN pg_catalog.pg_class c ON c.oid = k.conrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = k.conkey[1] WHERE k.contype = 'n'
"""


def not_null_names(database: ScratchDatabase) -> Names:
    """What a database has; nothing before PostgreSQL 18."""
    with database.session() as session:
        return {(str(schema), str(table), str(column)): str(name) for schema, table, column, name in session.rows(_ASKED)}


def called_otherwise(tables: Collection[tuple[str, str]], stood: Names, wanted: Names) -> Iterator[Unkept]:
    """Those of these tables whose name is another one: ``found`` on the databases that stand, ``expected`` by the models."""
    for place, name in sorted(wanted.items()):
        schema, table, _ = place
        if (schema, table) in tables and (old := stood.get(place, name)) != name:
            yield Unkept(What.DIFFERENT, Key(Kind.CONSTRAINT, schema, table, name), MODELS, Place(), "name", name, old)
