"""The whole catalog, look after look, on one connection: what was written since the last look is asked of the server, and only that is read.

Source of the premise: whoever changes a row of a catalog writes a new one, with another ``xmin`` or at another place (``ctid``). What is
not written may be printed otherwise all the same, where something that it names has another name now: where anything both went and came,
and in every other case that is not plain, everything is read.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TypeAlias

import psycopg
from psycopg.rows import TupleRow

from omega_bridge.catalog import Catalog, Kind
from omega_bridge.kinds import COUNTED, ROOMS
from omega_bridge.kinds.counted import XMIN
from omega_bridge.postgres.catalog_reader import array, catalog_of, question, read_catalog
from omega_bridge.postgres.printing import by_default
from omega_bridge.postgres.whole_catalog import PARTS, ROWS

Connection = psycopg.Connection[TupleRow]

Mark: TypeAlias = "TupleRow | None"
Names: TypeAlias = "frozenset[str] | None"
"""Under which something was read; ``None``: under any."""

_NAMING = frozenset(
    {
        Kind.TABLE,
        Kind.VIEW,
        Kind.MATERIALIZED_VIEW,
        Kind.COLUMN,
        Kind.SEQUENCE,
        Kind.FUNCTION,
        Kind.ENUM,
        Kind.DOMAIN,
        Kind.COMPOSITE,
    }
)
"""Kinds that others name in what is printed of them."""


PLANNED_ONCE = "SET jit = off; SET plan_cache_mode = force_generic_plan"
"""What the session of a follower is set to; where a step took it back, it plans each look."""


class Follower:
    """Looks at one database through one connection, inside a transaction or not.

    The server plans both questions once. ``stop_preparing`` where somebody may deallocate them.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._written: dict[str, str] = {}
        self._catalog: Catalog | None = None
        self._changed: set[str] | None = None
        self._version = connection.info.server_version
        self._is_prepared = True
        connection.prepare_threshold = None  # psycopg deallocates all it finds where one of its own may be stale
        connection.execute(
            f"{PLANNED_ONCE}; PREPARE {_LOOK} AS {_written(self._version)};"
            f" PREPARE {_READ} (name[]) AS {question(self._version, '$1')}".encode()
        )

    def mark(self) -> Mark:
        """How much the transaction that is open has written to catalogs so far; ``None`` where that is not counted."""
        found: Mark = self._connection.execute(_COUNTED.encode()).fetchone() if self._is_prepared else None
        return found if found is not None and found[0] is not None else None

    def look(self, mark: Mark = None) -> Catalog:
        """Everything as it is now, as ``read_catalog`` reads it. ``mark``: of this transaction, from when the last look was true, as it is
        while nothing was written.
        """
        if mark is not None and self._catalog is not None and self._written[_PATH] == mark[1] and mark == self.mark():
            return self._catalog
        asked = f"EXECUTE {_LOOK}" if self._is_prepared else _written(self._version)
        written: dict[str, str] = dict(self._connection.execute(asked.encode()).fetchall())
        before, self._written = self._written, written
        if self._catalog is None or before.get(_PATH) != written.get(_PATH):
            return self._whole()
        names = {name for name in before.keys() | written.keys() if before.get(name) != written.get(name)}
        if not names:
            return self._catalog
        if _ELSEWHERE in names or len(names) > _MANY:
            return self._whole()
        fresh = self._read(names)
        if not _is_plain(self._catalog, fresh, names):
            return self._whole()
        self._catalog = self._catalog.patched(fresh, names)
        if self._changed is not None:
            self._changed |= names
        return self._catalog

    def changed(self) -> Names:
        """The names under which anything was read since this was last asked."""
        found, self._changed = self._changed, set()
        return None if found is None else frozenset(found)

    def stop_preparing(self) -> None:
        """Send both questions whole from now on, and go by no mark."""
        self._is_prepared = False

    def _read(self, names: set[str]) -> Catalog:
        if not self._is_prepared:
            return read_catalog(self._connection, names)
        asked = f"EXECUTE {_READ} ({array(self._connection, names)})"
        with by_default(self._connection):
            return catalog_of(self._connection.execute(asked.encode()).fetchone())

    def _whole(self) -> Catalog:
        self._catalog, self._changed = read_catalog(self._connection), None
        return self._catalog


_LOOK, _READ = "omega_bridge_look", "omega_bridge_read"
_COUNTED = """
SELECT pg_catalog.sum(pg_catalog.pg_stat_get_xact_tuples_inserted(c.oid) OPERATOR(pg_catalog.+)
  pg_catalog.pg_stat_get_xact_tuples_updated(c.oid) OPERATOR(pg_catalog.+) pg_catalog.pg_stat_get_xact_tuples_deleted(c.oid))
  FILTER (WHERE pg_catalog.current_setting('track_counts') OPERATOR(pg_catalog.=) 'on'), pg_catalog.current_schemas(false)::pg_catalog.text
FROM pg_catalog.pg_class c WHERE c.oid OPERATOR(pg_catalog.<) 16384::pg_catalog.oid AND c.relkind OPERATOR(pg_catalog.=) 'r'
"""
"""Tuples count while the transaction lasts, those of a part that was taken back, too. Source: PostgreSQL's manual, "The Cumulative
Statistics System"; ``AtEOSubXact_PgStat_Relations``.
"""
_PATH, _ELSEWHERE = "*", ""
"""In the place of a name: the schemas in which names are looked for, and what is found by no name."""


def together(some: Names, others: Names) -> Names:
    """The names of both."""
    return None if some is None or others is None else some | others


_MANY = 200
"""So many names are not read one by one."""


def _is_plain(before: Catalog, fresh: Catalog, names: set[str]) -> bool:
    """Whether nothing else than what bears these names may be printed otherwise by now."""
    there = before.concerned(names)
    if any(not ROOMS[key.kind].is_common for key in there):  # these are not looked for by name
        return False
    gone = any(key.kind in _NAMING for key in there - fresh.objects.keys())
    come = [key for key in fresh.objects.keys() - there if key.kind in _NAMING]
    if gone and come:
        return False
    return not any(
        other.kind in _NAMING and other.schema != key.schema
        for key in come
        if key.kind is not Kind.COLUMN
        for other in (*before.concerned((key.name.partition("(")[0],)), *fresh.objects)
        if other.name.partition("(")[0] == key.name.partition("(")[0]
    )


# --- what was written, by name -----------------------------------------------------------------------------------

_EQUALS = "OPERATOR(pg_catalog.=)"
_USERS = "OPERATOR(pg_catalog.>=) 16384::pg_catalog.oid"
"""No object in a schema of users has a smaller one: FirstNormalObjectId, src/include/access/transam.h. So the server's own rows, of which
there are thousands, are passed over by the catalogs' indexes.
"""


def _hash(row: str, key: str) -> str:
    return f"pg_catalog.hashtextextended(pg_catalog.concat_ws(' ', {key}, {row}.xmin, {row}.ctid), 0)"


def _of_relation(catalog: str, relation: str, key: str, condition: str = "true") -> str:
    """Rows that belong to a relation, by its oid."""
    return f"SELECT x.{relation}, {_hash('x', key)} FROM pg_catalog.{catalog} x WHERE x.{relation} {_USERS} AND {condition}"


def _named(catalog: str, name: str, namespace: str, condition: str = "true") -> str:
    return (
        f"SELECT x.{name}::pg_catalog.text, {_hash('x', 'x.oid')} FROM pg_catalog.{catalog} x"
        f" JOIN schemas s ON s.oid {_EQUALS} x.{namespace} WHERE x.oid {_USERS} AND {condition}"
    )


_CLASS = "'pg_catalog.pg_class'::pg_catalog.regclass"
_PROC = "'pg_catalog.pg_proc'::pg_catalog.regclass"
_RETURN = "x.rulename OPERATOR(pg_catalog.=) '_RETURN'"
_BY_RELATION = (
    _of_relation("pg_class", "oid", "x.oid"),
    _of_relation("pg_attribute", "attrelid", "x.attrelid, x.attnum", "x.attnum OPERATOR(pg_catalog.>) 0"),
    _of_relation("pg_attrdef", "adrelid", "x.oid"),
    _of_relation("pg_constraint", "conrelid", "x.oid"),
    _of_relation("pg_index", "indexrelid", "x.indexrelid"),
    _of_relation(
        "pg_trigger",
        "tgrelid",
        "x.oid",
        "(NOT x.tgisinternal OR (x.tgparentid OPERATOR(pg_catalog.<>) 0::pg_catalog.oid"
        " AND x.tgconstrrelid OPERATOR(pg_catalog.=) 0::pg_catalog.oid))",
    ),
    _of_relation("pg_policy", "polrelid", "x.oid"),
    _of_relation("pg_rewrite", "ev_class", "x.oid", _RETURN),
    _of_relation("pg_inherits", "inhrelid", "x.inhrelid, x.inhseqno"),
    _of_relation("pg_sequence", "seqrelid", "x.seqrelid"),
    _of_relation("pg_description", "objoid", "x.objoid, x.objsubid", f"x.classoid {_EQUALS} {_CLASS}"),
    _of_relation(
        "pg_depend",
        "objid",
        "x.objid, x.refobjid, x.refobjsubid",
        f"x.classid {_EQUALS} {_CLASS} AND x.refclassid {_EQUALS} {_CLASS} AND x.deptype IN ('a', 'i')",
    ),
)
_BY_NAME = (
    f"SELECT p.proname::pg_catalog.text, {_hash('x', 'x.objoid')} FROM pg_catalog.pg_description x"
    f" JOIN pg_catalog.pg_proc p ON p.oid {_EQUALS} x.objoid JOIN schemas s ON s.oid {_EQUALS} p.pronamespace"
    f" WHERE x.objoid {_USERS} AND x.classoid {_EQUALS} {_PROC}",
    _named("pg_type", "typname", "typnamespace", "x.typtype IN ('e', 'd')"),
    _named("pg_proc", "proname", "pronamespace"),
    f"SELECT t.typname::pg_catalog.text, {_hash('x', 'x.oid')} FROM pg_catalog.pg_enum x"
    f" JOIN pg_catalog.pg_type t ON t.oid {_EQUALS} x.enumtypid",
    f"SELECT t.typname::pg_catalog.text, {_hash('x', 'x.oid')} FROM pg_catalog.pg_constraint x"
    f" JOIN pg_catalog.pg_type t ON t.oid {_EQUALS} x.contypid WHERE x.oid {_USERS}",
)
_OWN = {
    "pg_class", "pg_attribute", "pg_attrdef", "pg_constraint", "pg_index", "pg_trigger", "pg_policy", "pg_inherits", "pg_sequence",
    "pg_proc", "pg_enum",
}  # fmt: skip
_OTHERS = {
    **{catalog: ("x.oid", condition) for catalog, condition in ROWS.items()},
    **{catalog: (key, condition) for catalog, (key, condition) in PARTS.items()},
    "pg_type": ("x.oid", f"x.oid {_USERS} AND x.typtype NOT IN ('e', 'd', 'c') AND x.typelem {_EQUALS} 0::pg_catalog.oid"),
    "pg_rewrite": ("x.oid", f"x.oid {_USERS} AND NOT {_RETURN}"),
    "pg_description": (
        PARTS["pg_description"][0],
        f"classoid OPERATOR(pg_catalog.<>) ALL (ARRAY[{_CLASS}, {_PROC}]) AND objoid {_USERS}",
    ),
    "pg_namespace": ("x.oid", "x.oid IN (SELECT oid FROM schemas)"),
}
_REST = " UNION ALL ".join(
    f"SELECT '', {_hash('x', key)} FROM pg_catalog.{catalog} x WHERE {condition}"
    for catalog, (key, condition) in _OTHERS.items()
    if catalog not in _OWN
)


@lru_cache(maxsize=8)
def _written(version: int) -> str:
    """By the name of the table that they belong to (of an index, of that whose it is), when the rows of the catalogs were written; what only a
    room counts comes along.
    """
    counted = (c for c in COUNTED.values() if c.catalog not in _OTHERS and c.version == XMIN and version >= c.since)
    rest = [_REST, *(f"SELECT '', {_hash('x', c.key)} FROM pg_catalog.{c.catalog} x WHERE {c.condition}" for c in counted)]
    return _WRITTEN.replace("{rest}", " UNION ALL ".join(rest))


_WRITTEN = f"""
WITH schemas AS MATERIALIZED (
  SELECT oid FROM pg_catalog.pg_namespace WHERE nspname OPERATOR(pg_catalog.<>) 'information_schema'
    AND nspname OPERATOR(pg_catalog.!~) '^pg_' AND nspname OPERATOR(pg_catalog.<>) ALL ('{{omega_bridge,omega_bridge_sentinel}}')
)
SELECT name, pg_catalog.sum(hash)::pg_catalog.text FROM (
  SELECT coalesce(t.relname, c.relname)::pg_catalog.text, r.hash
  FROM (SELECT oid, pg_catalog.sum(hash) FROM ({" UNION ALL ".join(_BY_RELATION)}) AS rows (oid, hash) GROUP BY oid) AS r (oid, hash)
  JOIN pg_catalog.pg_class c ON c.oid {_EQUALS} r.oid JOIN schemas s ON s.oid {_EQUALS} c.relnamespace
  LEFT JOIN (pg_catalog.pg_index i JOIN pg_catalog.pg_class t ON t.oid {_EQUALS} i.indrelid) ON i.indexrelid {_EQUALS} c.oid
  WHERE coalesce(t.relname, c.relname) OPERATOR(pg_catalog.<>) 'alembic_version'
  UNION ALL {" UNION ALL ".join(_BY_NAME)}
  UNION ALL {{rest}}
) AS rows (name, hash) GROUP BY name
UNION ALL SELECT '*', pg_catalog.current_schemas(false)::pg_catalog.text
"""
