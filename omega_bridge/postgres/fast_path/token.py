"""The token of a schema: hashes over ``oid`` and ``xmin`` of the catalog rows behind a list's promises, as SQL.

Source of the premise: every DDL writes new catalog rows, with a new ``xmin``; ANALYZE and VACUUM update
``pg_class`` in place and keep it (PostgreSQL, ``vac_update_relstats`` in src/backend/commands/vacuum.c). ``SET DEFAULT``
writes ``pg_attribute``, ``CHECK`` and triggers write ``pg_class``, a unique constraint is its index in ``pg_class``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import psycopg
from psycopg.rows import TupleRow

from omega_bridge.kinds import COUNTED, MEMBERS, ROOMS, stored_in
from omega_bridge.kinds.counted import EQUALS, FIRST_OF_USERS, HERE, OID, XMIN, both
from omega_bridge.postgres.encoding import array
from omega_bridge.postgres.fast_path.dependencies import Watched
from omega_bridge.postgres.own_tables import There
from omega_bridge.values import dataclass

Connection = psycopg.Connection[TupleRow]


@dataclass(frozen=True, slots=True)
class _Rows:
    """The rows of one catalog that count. ``key`` tells them apart; ``scan``: read the whole catalog for them.

    ``within``: a further condition, on few rows. ``version``: what changes when a row does.
    """

    catalog: str
    key: str
    condition: str = ""
    scan: bool = False
    within: str = ""
    version: str = XMIN

    def __str__(self) -> str:
        """Their hash. A condition in ``FILTER`` is none that the planner would weigh."""
        hashed = f"pg_catalog.hashint8extended({self.key}, {self.version})"
        filters = [f"({c})" for c in (self.condition if self.scan else "", self.within) if c]
        filtered = f" FILTER (WHERE {' AND '.join(filters)})" if filters else ""
        where = f" WHERE {self.condition}" if self.condition and not self.scan else ""
        return f"(SELECT pg_catalog.sum({hashed}){filtered} FROM pg_catalog.{self.catalog}{where})"


def expressions(connection: Connection, watched: Watched) -> tuple[str, ...]:
    """The token's columns: what to select to get it. Every name and operator says that it is ``pg_catalog``'s: a start asks
    under the search path of its role.
    """
    size = _Size.of(connection, watched)
    named = tuple(map(str, _rows(connection, watched, size)))
    unnamed = [f"coalesce({rows}, 0)" for rows in (*_unnamed_rows(connection, watched, size), *shared(connection, watched))]
    return (*named, f"({' OPERATOR(pg_catalog.+) '.join(unnamed)})") if unnamed else named


def shared(connection: Connection, watched: Watched) -> tuple[str, ...]:
    """Hashes over what a list says of roles and of the database; nothing for a list that does not.

    ``pg_authid`` may be read by superusers alone, and the view over it has no ``xmin``: there the values are what counts.
    """
    if watched.shared is not None and not watched.shared:
        return ()
    names = watched.shared
    mine = f"r.rolname {EQUALS} ANY ({array(connection, names)}::pg_catalog.name[])" if names is not None else "true"
    roles = f"ARRAY(SELECT r.oid FROM pg_catalog.pg_roles r WHERE {mine})"
    told = ", ".join(f"r.{name}" for name in _ROLE)
    settings = f"setdatabase {EQUALS} ANY (ARRAY[0, {HERE}]) AND setrole {EQUALS} ANY (0::pg_catalog.oid OPERATOR(pg_catalog.||) {roles})"
    members = f"roleid {EQUALS} ANY ({roles}) AND member {EQUALS} ANY ({roles})"
    of_settings = (
        f"pg_catalog.lower(parname) {EQUALS} ANY ({array(connection, names)}::pg_catalog.text[])" if names is not None else ""
    )
    has_settings = connection.info.server_version >= 150000 and (names is None or "parameter" in names)
    return (
        *((str(_Rows("pg_parameter_acl", _valued("parname"), of_settings, version=_valued("paracl"))),) if has_settings else ()),
        f"(SELECT pg_catalog.sum(pg_catalog.hashtextextended(pg_catalog.concat_ws('|', {told}), 0)) FROM pg_catalog.pg_roles r WHERE {mine})",
        str(_Rows("pg_auth_members", both("roleid", "member::pg_catalog.int8"), members)),
        str(_Rows("pg_db_role_setting", both("setdatabase", "setrole::pg_catalog.int8"), settings, version=_valued("setconfig"))),
        str(_Rows("pg_database", OID, f"oid {EQUALS} {HERE}")),
        str(_Rows("pg_shdescription", "objoid::pg_catalog.int8", version=_valued("description"))),
    )


def _valued(column: str) -> str:
    """What changes when a value does, and not when a row is written anew with it: each database of the cluster, whose starts send the same
    steps, would give those of the others work, without end.
    """
    return f"pg_catalog.hashtextextended(pg_catalog.concat({column}), 0)"


_BY_VALUE = {"pg_db_role_setting": _valued("setconfig")}
"""Of the catalogs that count as a whole, the one of the whole cluster."""


_ROLE = ("oid", "rolname", "rolsuper", "rolinherit", "rolcreaterole", "rolcreatedb", "rolcanlogin", "rolreplication", "rolbypassrls",
         "rolconnlimit", "rolvaliduntil")  # fmt: skip


def _rows(connection: Connection, watched: Watched, size: _Size) -> Iterable[_Rows]:
    oids = _oids(size.tables)
    scan = scans_classes(size.catalogs, len(watched.relations))
    relations = (
        f"pg_catalog.hashname(relname) {EQUALS} ANY ('{{{','.join(map(str, size.hashes))}}}'::pg_catalog.int4[])"
        if scan
        else _among(connection, "relname", watched.relations)
    )

    def here(column: str) -> str:
        return f"{column} {EQUALS} ANY ({_oids(size.schemas)})"

    yield _Rows("pg_class", OID, relations, scan, here("relnamespace"))
    attributes = f"attrelid {EQUALS} ANY ({oids}) AND attnum OPERATOR(pg_catalog.>) 0"
    yield _Rows("pg_attribute", both("attrelid", "attnum"), attributes, scans_attributes(size.catalogs))
    elsewhere = f"ANY (ARRAY(SELECT oid FROM pg_catalog.pg_class WHERE {here('relnamespace')}))"
    for stored in (ROOMS[kind].stored for kind in MEMBERS):
        catalog, name = stored.catalog, stored.column
        if catalog in watched.catalogs:
            loose = watched.loose.get(catalog)
            near = here(stored.namespace) if stored.namespace else f"{stored.table} {EQUALS} {elsewhere}"
            also = f" OR ({_among(connection, name, loose)} AND {near})" if loose else ""
            yield _Rows(catalog, OID, f"{stored.table} {EQUALS} ANY ({oids}){also}")
    if "pg_index" in watched.catalogs:
        indexes = f"SELECT indexrelid FROM pg_catalog.pg_index WHERE indrelid {EQUALS} ANY ({oids})"
        yield _Rows("pg_class", OID, f"oid {EQUALS} ANY (ARRAY({indexes}))")
    named = {"pg_class": ("relname", "relnamespace", watched.relations)}
    named |= {"pg_type": ("typname", "typnamespace", watched.types)} if watched.types else {}
    named |= {"pg_proc": ("proname", "pronamespace", watched.functions)} if watched.functions else {}
    if "pg_description" in watched.catalogs:
        objects = " UNION ALL ".join(
            f"SELECT oid FROM pg_catalog.{catalog} WHERE {_among(connection, name, names)} AND {here(space)}"
            for catalog, (name, space, names) in named.items()
        )
        yield _Rows("pg_description", both("objoid", "objsubid"), f"objoid {EQUALS} ANY (ARRAY({objects}))")
    if watched.types:
        types = _among(connection, "typname", watched.types)
        yield _Rows("pg_type", OID, types, within=here("typnamespace"))
        for catalog, whole in (parts for kind in stored_in("pg_type") if (parts := ROOMS[kind].stored.parts)):
            if catalog in watched.catalogs:
                wholes = f"SELECT t.oid FROM pg_catalog.pg_type t WHERE {types} AND {here('typnamespace')}"
                yield _Rows(catalog, OID, f"{whole} {EQUALS} ANY (ARRAY({wholes}))")
    if watched.functions:
        yield _Rows("pg_proc", OID, _among(connection, "proname", watched.functions), within=here("pronamespace"))
    if "pg_extension" in watched.catalogs:
        yield _Rows("pg_extension", OID)
    if "pg_namespace" in watched.catalogs:
        named_too = f" OR {_among(connection, 'nspname', watched.schemas)}" if watched.schemas else ""
        yield _Rows("pg_namespace", OID, here("oid") + named_too)


def _oids(numbers: Iterable[int]) -> str:
    return "'{" + ",".join(map(str, numbers)) + "}'::pg_catalog.oid[]"


def _unnamed_rows(connection: Connection, watched: Watched, size: _Size) -> Iterable[_Rows]:
    """What counts though no name is known of it: one column of the token for all of it."""
    if watched.is_whole:
        yield from _in_schemas(size.path)
    yield from _by_oid(watched.elsewhere)
    for counted in (COUNTED[catalog] for catalog in sorted(COUNTED if watched.is_whole else watched.others)):
        if connection.info.server_version >= counted.since:
            version = _BY_VALUE.get(counted.catalog) or counted.version_on(connection.info.server_version)
            yield _Rows(counted.catalog, counted.key, counted.condition, version=version)


def _in_schemas(schemas: Sequence[int]) -> Iterable[_Rows]:
    """Everything in these schemas, but the table of versions, which both drivers write."""
    inside = "'{" + ",".join(map(str, schemas)) + "}'::pg_catalog.oid[]"

    def own(schema: str, name: str) -> str:
        return f"{schema} {EQUALS} ANY ({inside}) AND pg_catalog.strpos({name}::pg_catalog.text, 'alembic_version') {EQUALS} 0"

    yield _Rows("pg_class", OID, own("relnamespace", "relname"))
    relations = f"attrelid {EQUALS} ANY (ARRAY(SELECT oid FROM pg_catalog.pg_class WHERE {own('relnamespace', 'relname')}))"
    yield _Rows("pg_attribute", both("attrelid", "attnum"), f"{relations} AND attnum OPERATOR(pg_catalog.>) 0")
    yield _Rows("pg_constraint", OID, own("connamespace", "conname"))
    yield _Rows("pg_type", OID, own("typnamespace", "typname"))
    yield _Rows("pg_proc", OID, own("pronamespace", "proname"))


def _by_oid(objects: Iterable[tuple[str, int]]) -> Iterable[_Rows]:
    """These objects, with the columns and constraints of relations, the constraints of domains, and the comments on PostgreSQL's own."""
    oids: dict[str, list[int]] = {}
    for catalog, oid in sorted(objects):
        oids.setdefault(catalog, []).append(oid)
    for catalog, those in oids.items():
        among = f"{EQUALS} ANY ({_oids(those)})"
        yield _Rows(catalog, OID, f"oid {among}")
        if catalog == "pg_class":
            yield _Rows("pg_attribute", both("attrelid", "attnum"), f"attrelid {among} AND attnum OPERATOR(pg_catalog.>) 0")
            yield _Rows("pg_constraint", OID, f"conrelid {among}")
        if catalog == "pg_type":
            yield _Rows("pg_constraint", OID, f"contypid {among}")
    if own := sorted({oid for those in oids.values() for oid in those if oid < FIRST_OF_USERS}):
        yield _Rows("pg_description", both("objoid", "objsubid"), f"objoid {EQUALS} ANY ({_oids(own)})")


def _among(connection: Connection, column: str, names: Iterable[str]) -> str:
    """A name is one of these."""
    return f"{column} {EQUALS} ANY ({array(connection, names)}::pg_catalog.name[])"


@dataclass(frozen=True, slots=True)
class Sizes:
    """How many rows ``pg_class`` and ``pg_attribute`` have, and how many of the latter are of our tables."""

    classes: int
    attributes: int
    ours: int
    can_hash: bool
    """PostgreSQL 13 compares a row with every element of an array; later versions hash the array."""


@dataclass(frozen=True, slots=True)
class _Size:
    """What the token's form depends on: our tables by oid, and our names hashed (four bytes each, and not 64: another name of
    the same hash does no harm), beside the size of the catalogs.
    """

    catalogs: Sizes
    tables: Sequence[int]
    hashes: Sequence[int]
    schemas: Sequence[int]
    """Where a row counts: on the search path, named by the list, or holding one of our names, and not where another start works."""
    path: Sequence[int]
    """The schemas of the ``search_path``, and those that the list itself names."""

    @classmethod
    def of(cls, connection: Connection, watched: Watched) -> _Size:
        """Ask."""
        row = connection.execute(_about(connection, watched, _SIZE)).fetchone()
        assert row is not None  # it has no FROM
        tables, hashes, classes, attributes, ours, schemas, path = row
        sizes = Sizes(classes, attributes, ours, connection.info.server_version >= 140000)
        return cls(sizes, tables, hashes, schemas, path)


_SPACES = """
spaces AS MATERIALIZED (
  SELECT n.oid FROM pg_catalog.pg_namespace n
  WHERE n.nspname OPERATOR(pg_catalog.<>) ALL ('{{information_schema,omega_bridge,omega_bridge_sentinel}}'::pg_catalog.name[])
    AND n.nspname OPERATOR(pg_catalog.!~) '^pg_'
    AND (n.nspname OPERATOR(pg_catalog.=) ANY (pg_catalog.current_schemas(false))
      OR n.nspname OPERATOR(pg_catalog.=) ANY ({schemas}::pg_catalog.name[])
      OR (n.nspname::pg_catalog.text OPERATOR(pg_catalog.<>) ALL ({tenants}::pg_catalog.text[])
        AND EXISTS (SELECT FROM pg_catalog.pg_class c WHERE c.relnamespace OPERATOR(pg_catalog.=) n.oid
          AND c.relname OPERATOR(pg_catalog.=) ANY ({names}::pg_catalog.name[]))))
)"""

_SIZE = (
    "WITH "
    + _SPACES
    + """, ours AS MATERIALIZED (
  SELECT coalesce(pg_catalog.array_agg(c.oid ORDER BY c.oid), '{{}}') AS oids FROM pg_catalog.pg_class c
  JOIN spaces n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace
  WHERE c.relname OPERATOR(pg_catalog.=) ANY ({names}::pg_catalog.name[])
    AND c.relkind OPERATOR(pg_catalog.=) ANY ('{{r,p,f,v,m,c}}'::pg_catalog."char"[])
)
SELECT (SELECT oids::pg_catalog.int8[] FROM ours),
       ARRAY(SELECT DISTINCT pg_catalog.hashname(n) FROM pg_catalog.unnest({names}::pg_catalog.name[]) n ORDER BY 1),
       (SELECT pg_catalog.count(*) FROM pg_catalog.pg_class), (SELECT pg_catalog.count(*) FROM pg_catalog.pg_attribute),
       (SELECT pg_catalog.count(*) FROM pg_catalog.pg_attribute
        WHERE attrelid OPERATOR(pg_catalog.=) ANY (ARRAY(SELECT pg_catalog.unnest(oids) FROM ours))),
       ARRAY(SELECT oid::pg_catalog.int8 FROM spaces ORDER BY 1),
       ARRAY(SELECT n.oid::pg_catalog.int8 FROM pg_catalog.pg_namespace n
             WHERE n.nspname OPERATOR(pg_catalog.=) ANY (pg_catalog.current_schemas(false))
               OR (n.nspname OPERATOR(pg_catalog.=) ANY ({own}::pg_catalog.name[]) AND n.oid OPERATOR(pg_catalog.=) ANY (SELECT oid FROM spaces))
             ORDER BY 1)
"""
)


def schemas(connection: Connection, watched: Watched) -> tuple[str, ...]:
    """The names of the schemas in which a row counts."""
    text = (
        f"WITH {_SPACES} SELECT n.nspname FROM spaces s"
        " JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) s.oid ORDER BY 1"
    )
    own = watched.schemas & {"pg_catalog", "information_schema"}
    return tuple(sorted({*own, *(r[0] for r in connection.execute(_about(connection, watched, text)))}))


def _about(connection: Connection, watched: Watched, text: str) -> bytes:
    """A query about what is watched."""
    states = There.whole(connection).states
    return text.format(
        names=array(connection, watched.relations),
        schemas=array(connection, watched.schemas),
        own=array(connection, watched.own),
        tenants=f"ARRAY(SELECT schema FROM {states})" if states else "'{}'",
    ).encode()


def scans_classes(sizes: Sizes, names: int) -> bool:
    """Whether reading all of ``pg_class`` beats looking up so many names, in a server process that has just started.

    Measured there: a condition that the planner weighs costs it 0.35 ms, a look-up 1.5 us, a row that is read 0.25 us.
    """
    return sizes.can_hash and sizes.classes < 1400 + 6 * names


def scans_attributes(sizes: Sizes) -> bool:
    """The same for ``pg_attribute`` and the rows of our tables."""
    return sizes.can_hash and sizes.attributes < 1700 + 1.5 * sizes.ours
