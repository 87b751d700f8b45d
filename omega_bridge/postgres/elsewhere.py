"""What steps of unknown effect made, above all in schemas that a start would not look at: their recorded effect, so that its loss is seen.

A statement whose effect is not in its text (dynamic SQL, a function that is called) has everything in the schemas of the
``search_path`` watched for it. What it wrote beyond them is known to the transaction in which it ran: the catalog rows of its own
transaction ids. What others wrote meanwhile has other ones. Where it ran on scratch alone, the catalog file tells the names.
An unread statement whose text names what it is about has that looked up when the state is recorded, in every schema, PostgreSQL's own too.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

import psycopg
from psycopg.rows import TupleRow

from omega_bridge.analysis import Analysis
from omega_bridge.catalog import Catalog, Kind
from omega_bridge.kinds import ROOMS, stored_in
from omega_bridge.kinds.counted import FIRST_OF_USERS
from omega_bridge.postgres.encoding import storable
from omega_bridge.postgres.fast_path.dependencies import Watched
from omega_bridge.postgres.session import Session
from omega_bridge.postgres.states import State

Connection = psycopg.Connection[TupleRow]


class Made(NamedTuple):
    """A row of ``pg_class``, ``pg_type`` or ``pg_proc``, and the schema that it lies in."""

    catalog: str
    oid: int
    schema: str


Effects = Mapping[str, tuple[Made, ...]]
"""By the checksum of the step; under none, what the catalog file tells of the whole list."""

FILE = ""

SAID = "said"
"""Under this, what the unread statements of the whole list are about."""

_OTHERS = "n.nspname::pg_catalog.text OPERATOR(pg_catalog.<>) ALL (ARRAY(SELECT schema FROM omega_bridge.omega_bridge_states))"
_SPACES = """
WITH spaces AS MATERIALIZED (
  SELECT n.oid, n.nspname FROM pg_catalog.pg_namespace n
  WHERE n.nspname OPERATOR(pg_catalog.<>) ALL ('{omega_bridge,omega_bridge_sentinel}'::pg_catalog.name[])
    AND (n.nspname OPERATOR(pg_catalog.=) 'pg_catalog' OR n.nspname OPERATOR(pg_catalog.!~) '^pg_')
    AND (n.nspname OPERATOR(pg_catalog.=) ANY (pg_catalog.current_schemas(false)) OR {others})
)
""".replace("{others}", _OTHERS)
"""But for those in which another start has a state of its own: it looks there itself. PostgreSQL's own are among them: its functions have
privileges that a step may take away."""
_BEYOND = " AND s.nspname OPERATOR(pg_catalog.<>) ALL (pg_catalog.current_schemas(false))"
_KEPT = {"pg_class": ("relnamespace", "relname"), "pg_type": ("typnamespace", "typname"), "pg_proc": ("pronamespace", "proname")}
_PLAIN = "x.typrelid OPERATOR(pg_catalog.=) 0::pg_catalog.oid AND x.typelem OPERATOR(pg_catalog.=) 0::pg_catalog.oid"
"""Types that come with a relation, or are another's array, go with it."""
_OWN = (
    "pg_catalog.age(x.xmin) OPERATOR(pg_catalog.<=) 0 AND pg_catalog.pg_xact_status((((own.xid OPERATOR(pg_catalog.>>) 32)"
    " OPERATOR(pg_catalog.<<) 32) OPERATOR(pg_catalog.|) x.xmin::pg_catalog.text::pg_catalog.int8)::pg_catalog.text::pg_catalog.xid8)"
    " OPERATOR(pg_catalog.<>) 'committed'"
)
"""Written by this transaction or one inside it: later than its beginning, seen by it, and not committed."""


def _arms(condition: Mapping[str, str]) -> str:
    return _SPACES + "\nUNION ALL ".join(
        f"SELECT '{catalog}', x.oid::pg_catalog.int8, s.nspname::pg_catalog.text FROM pg_catalog.{catalog} x"
        f" JOIN spaces s ON s.oid OPERATOR(pg_catalog.=) x.{space}"
        f" WHERE {condition[catalog]}{f' AND {_PLAIN}' if catalog == 'pg_type' else ''}"
        for catalog, (space, _) in _KEPT.items()
    )


_IS = "x.{} OPERATOR(pg_catalog.<>) 0::pg_catalog.oid AND "
_SPACE_OF = "(SELECT c.relnamespace FROM pg_catalog.pg_class c WHERE c.oid OPERATOR(pg_catalog.=) x.attrelid)"


def _written(condition: str, source: str = "") -> str:
    """Whose rows are so, and what has a constraint or a column whose row is: its own is not written with it. Few rows are, so each catalog
    is read for them first (``OFFSET 0`` keeps the planner from asking for each object).
    """

    def arm(catalog: str, oid: str, space: str, rows: str, more: str = "") -> str:
        fresh = f"SELECT {oid} AS oid, {space} AS space FROM pg_catalog.{rows} x{source} WHERE {more}{condition} OFFSET 0"
        return (
            f"SELECT '{catalog}', w.oid::pg_catalog.int8, s.nspname::pg_catalog.text FROM ({fresh}) w"
            " JOIN spaces s ON s.oid OPERATOR(pg_catalog.=) w.space"
        )

    arms = [
        *(
            arm(catalog, "x.oid", f"x.{space}", catalog, f"{_PLAIN} AND " if catalog == "pg_type" else "")
            for catalog, (space, _) in _KEPT.items()
        ),
        arm("pg_type", "x.contypid", "x.connamespace", "pg_constraint", _IS.format("contypid")),
        arm("pg_class", "x.conrelid", "x.connamespace", "pg_constraint", _IS.format("conrelid")),
        arm("pg_class", "x.attrelid", _SPACE_OF, "pg_attribute", "x.attnum OPERATOR(pg_catalog.>) 0::pg_catalog.int2 AND "),
    ]
    return _SPACES + "\nUNION ".join(arms)


_MADE = _written(
    _OWN,
    " CROSS JOIN (SELECT pg_catalog.pg_current_xact_id_if_assigned()::pg_catalog.text::pg_catalog.int8) AS own (xid)",
)
_SINCE = _written("pg_catalog.age(x.xmin) OPERATOR(pg_catalog.<=) pg_catalog.age(%(xid)s::pg_catalog.xid)")
_NEXT = (
    "SELECT (pg_catalog.pg_snapshot_xmax(pg_catalog.pg_current_snapshot())::pg_catalog.text::pg_catalog.int8"
    " OPERATOR(pg_catalog.%) 4294967296)::pg_catalog.text"
)
_WANTED = (
    "EXISTS (SELECT FROM ROWS FROM (pg_catalog.unnest(%(schemas)s::pg_catalog.name[]), pg_catalog.unnest(%(names)s::pg_catalog.name[]))"
    " AS v (schema, name) WHERE s.nspname OPERATOR(pg_catalog.=) v.schema AND x.{name} OPERATOR(pg_catalog.=) v.name)"
)
_NAMED = _arms({catalog: _WANTED.replace("{name}", name) + _BEYOND for catalog, (_, name) in _KEPT.items()})


def made(session: Session) -> tuple[Made, ...]:
    """What the open transaction has made or changed."""
    return tuple(Made(catalog, int(oid), schema) for catalog, oid, schema in session.connection.execute(_MADE.encode()))


def moment(session: Session) -> str:
    """The next transaction's id: for a step that commits as it goes."""
    row = session.connection.execute(_NEXT.encode()).fetchone()
    assert row is not None  # it has no FROM
    return str(row[0])


def made_since(session: Session, xid: str) -> tuple[Made, ...]:
    """What was made or changed since that ``moment``, by whomever: which transactions were the step's is not known."""
    return tuple(Made(*row) for row in session.connection.execute(_SINCE.encode(), {"xid": xid}))


def named(connection: Connection, catalog: Catalog) -> tuple[Made, ...]:
    """What is here of the objects that a list made on scratch beyond the schema in which it works."""
    kinds = {kind for kept in _KEPT for kind in stored_in(kept)}
    keys = [k for k in catalog if k.kind in kinds and k.schema not in catalog.search_path]
    if not keys:
        return ()
    told = {"schemas": [k.schema for k in keys], "names": [k.name.partition("(")[0] for k in keys]}
    return tuple(Made(*row) for row in connection.execute(_NAMED.encode(), told))


def _looked_for(catalog: str, space: str, name: str) -> str:
    """What one catalog has of the names that are said."""
    kind = "x.relkind::pg_catalog.text" if catalog == "pg_class" else "''"
    if not space:
        schema, joined, is_meant = "'pg_catalog'", "", f"x.oid OPERATOR(pg_catalog.<) {FIRST_OF_USERS}::pg_catalog.oid"
    else:
        schema = "s.nspname::pg_catalog.text"
        joined = f" JOIN pg_catalog.pg_namespace s ON s.oid OPERATOR(pg_catalog.=) x.{space}"
        is_meant = "s.nspname::pg_catalog.text OPERATOR(pg_catalog.=) CASE v.schema WHEN '' THEN s.nspname::pg_catalog.text ELSE v.schema END"
    return (
        f"SELECT '{catalog}', x.oid::pg_catalog.int8, {schema}, x.{name}::pg_catalog.text, {kind}, v.schema FROM pg_catalog.{catalog} x{joined}"
        f" JOIN said v ON x.{name} OPERATOR(pg_catalog.=) v.name::pg_catalog.name WHERE {is_meant}"
    )


_PLACED = {**_KEPT, **{
    room.stored.catalog: (room.stored.namespace, room.stored.column)
    for room in ROOMS.values()
    if room.stored.catalog not in _KEPT and room.stored.column.isidentifier() and not room.stored.table and not room.is_of_server
    and (room.stored.namespace or room.kind in (Kind.SCHEMA, Kind.LANGUAGE, Kind.ACCESS_METHOD))
}}  # fmt: skip
"""Where something is found by its name: the catalog, the columns of its schema and of its name."""
_SAID = (
    "WITH said AS MATERIALIZED (SELECT schema, name FROM ROWS FROM (pg_catalog.unnest(%(schemas)s::pg_catalog.text[]),"
    " pg_catalog.unnest(%(names)s::pg_catalog.text[])) AS v (schema, name))\n"
    + "\nUNION ALL ".join(_looked_for(catalog, *columns) for catalog, columns in _PLACED.items())
    + "\nUNION ALL SELECT 'pg_largeobject_metadata', x.oid::pg_catalog.int8, 'pg_catalog', v.name, '', v.schema FROM said v"
    " JOIN pg_catalog.pg_largeobject_metadata x ON x.oid OPERATOR(pg_catalog.=)"
    " CASE WHEN v.name OPERATOR(pg_catalog.~) '^[0-9]{1,9}$' THEN v.name::pg_catalog.oid END"
)
_HERE = (
    "SELECT s.nspname::pg_catalog.text, s.nspname OPERATOR(pg_catalog.=) ANY (pg_catalog.current_schemas(false)) FROM pg_catalog.pg_namespace s"
    " WHERE s.nspname OPERATOR(pg_catalog.=) ANY (pg_catalog.current_schemas(true))"
    " OR s.nspname::pg_catalog.text OPERATOR(pg_catalog.<>) ALL (ARRAY(SELECT schema FROM omega_bridge.omega_bridge_states))"
)
"""The schemas in which no other start works, and whether each is on the search path."""
_OWN_SCHEMAS = ("pg_catalog", "information_schema")


def said(connection: Connection, watched: Watched) -> tuple[Made, ...]:
    """What is here of that which unread statements are about, and is watched by no name: an index that the list does not make, what lies
    in a schema beyond the search path, PostgreSQL's own.
    """
    pairs = [pair for pair in sorted(watched.said) if len(storable(connection, pair)) == len(pair)]
    rows = connection.execute(_SAID.encode(), {"schemas": [s for s, _ in pairs], "names": [n for _, n in pairs]}).fetchall()
    if not rows:
        return ()
    here: dict[str, bool] = dict(connection.execute(_HERE.encode()).fetchall())
    by_name = {"pg_class": watched.relations, "pg_type": watched.types, "pg_proc": watched.functions}

    def counts(catalog: str, schema: str, name: str, relkind: str, written: str) -> bool:
        if schema in _OWN_SCHEMAS:
            return schema == "pg_catalog" or bool(written)
        if catalog not in _KEPT or schema.startswith("pg_") or not (written or schema in here):
            return False
        if watched.is_whole and here.get(schema):
            return False
        return relkind in ("i", "I") or name not in by_name[catalog]

    return tuple(dict.fromkeys(Made(row[0], row[1], row[2]) for row in rows if counts(row[0], *row[2:])))


_NAMES = " UNION ALL ".join(
    f"SELECT '{catalog}', oid::pg_catalog.int8, {name}::pg_catalog.text FROM pg_catalog.{catalog}"
    " WHERE oid OPERATOR(pg_catalog.=) ANY (%(oids)s::pg_catalog.oid[])"
    for catalog, (_, name) in _KEPT.items()
)


def by_name(connection: Connection, effects: Effects) -> dict[str, list[tuple[str, str]]]:
    """Schema and name of what each step has made or changed, as far as it is there; of the steps alone."""
    of_steps = {checksum: objects for checksum, objects in effects.items() if checksum not in (FILE, SAID)}
    if not of_steps:
        return {}
    rows = connection.execute(_NAMES.encode(), {"oids": [made.oid for made in every(of_steps)]})
    names = {(catalog, oid): name for catalog, oid, name in rows}
    return {
        checksum: sorted({(m.schema, names[m.catalog, m.oid]) for m in objects if (m.catalog, m.oid) in names})
        for checksum, objects in of_steps.items()
    }


def path(connection: Connection) -> frozenset[str]:
    """The schemas of the ``search_path``."""
    row = connection.execute("SELECT pg_catalog.current_schemas(false)::pg_catalog.text[]").fetchone()
    assert row is not None  # it has no FROM
    return frozenset(row[0])


_THERE = " UNION ALL ".join(
    f"SELECT '{catalog}', oid::pg_catalog.int8 FROM pg_catalog.{catalog} WHERE oid OPERATOR(pg_catalog.=) ANY (%(oids)s::pg_catalog.oid[])"
    for catalog in _KEPT
)


def recorded(connection: Connection, known: State | None, analysis: Analysis) -> Effects:
    """What earlier starts recorded of the steps that the list still has, as far as it is there."""
    mine = {step.checksum for step in analysis}
    found = {
        s["checksum"]: tuple(Made(*row) for row in s["elsewhere"])
        for s in (known.steps if known is not None else ())
        if s.get("elsewhere") and s["checksum"] in mine
    }
    if not found:
        return {}
    there = set(connection.execute(_THERE.encode(), {"oids": [made.oid for made in every(found)]}))
    return {checksum: tuple(m for m in objects if (m.catalog, m.oid) in there) for checksum, objects in found.items()}


def together(*several: Effects) -> dict[str, tuple[Made, ...]]:
    """All of it, each object once."""
    found: dict[str, tuple[Made, ...]] = {}
    for effects in several:
        for checksum, objects in effects.items():
            found[checksum] = tuple(dict.fromkeys((*found.get(checksum, ()), *objects)))
    return {checksum: objects for checksum, objects in found.items() if objects}


def every(effects: Effects) -> Iterable[Made]:
    """The objects, each once."""
    return dict.fromkeys(made for objects in effects.values() for made in objects)
