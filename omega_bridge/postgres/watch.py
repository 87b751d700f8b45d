"""The view ``omega_bridge.watch``: what the last clean boot recorded, as constants, beside a token over the catalog rows
behind the list's promises as they are now. A start reads this view, and nothing else.

It is made to measure when a clean state is recorded: a start asks only the catalogs that matter to this list, by object
id, and opens no table of ours (opening one costs a new backend half a millisecond).

Source of the premise: every DDL writes new catalog rows, with a new ``xmin``; ANALYZE and VACUUM update
``pg_class`` in place and keep it (PostgreSQL, ``vac_update_relstats`` in src/backend/commands/vacuum.c). ``SET DEFAULT``
writes ``pg_attribute``, ``CHECK`` and triggers write ``pg_class``, a unique constraint is its index in ``pg_class``.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import psycopg
from psycopg import sql

from omega_bridge.analysis import Analysis, statements
from omega_bridge.analysis.program import RELATIONS, conditions, patterns
from omega_bridge.catalog import Kind
from omega_bridge.ledger import clean
from omega_bridge.postgres.encoding import storable
from omega_bridge.postgres.ledger_store import State
from omega_bridge.postgres.probe import joined

Connection = psycopg.Connection[Any]

SENTINEL = "omega_bridge.ddl"
"""The table in which the event trigger leaves a row for each transaction with DDL, where one was installed."""

_TABLE_OIDS = (
    "SELECT coalesce(array_agg(c.oid::int8 ORDER BY c.oid), '{{}}') FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
    "WHERE c.relname = ANY ({}) AND c.relkind IN ('r', 'p', 'f', 'v', 'm', 'c') "
    "AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_' AND n.nspname <> 'omega_bridge'"
)
_HASH = "SELECT sum(hashint8extended({key}, xmin::text::int8)) FROM {source}"
_SEARCH = "current_setting('search_path') AS search_path, current_user::text AS role"


def watched(analysis: Analysis) -> frozenset[str]:
    """Which catalogs beside ``pg_class`` and ``pg_attribute`` the list's promises and guards lean on."""
    found: set[str] = set()
    for step in analysis:
        for s in statements(step.program, handlers=True):
            for effect in (*s.effects, *s.implied):
                given = dict(effect.attributes)
                found.add(_catalog(effect.key.kind, given.get("type")))
                if "comment" in given:
                    found.add("pg_description")
        for condition in conditions(step.program):
            found.update(_catalog(kind, None) for pattern in patterns(condition) for kind in pattern.kinds)
    return frozenset(found - {""})


def relations(analysis: Analysis) -> frozenset[str]:
    """The names in ``pg_class`` that the list leans on: tables, their indexes and keys, sequences, views."""
    found: set[str] = set()
    for step in analysis:
        for s in statements(step.program, handlers=True):
            for effect in (*s.effects, *s.implied):
                kind = effect.key.kind
                found.update(n for n in (effect.key.table, effect.key.name if kind in (*RELATIONS, Kind.CONSTRAINT) else "") if n)
            found.update(
                n for key in (*s.needs, *s.destroys) for n in (key.table, key.name if key.kind in RELATIONS else "") if n
            )
        for condition in conditions(step.program):
            for pattern in patterns(condition):
                is_relation = bool({*pattern.kinds} & {*RELATIONS, Kind.CONSTRAINT})
                found.update(n for n in (pattern.table, pattern.name if is_relation else None) if n)
    return frozenset(found)


_CATALOGS = {
    Kind.CONSTRAINT: "pg_constraint",
    Kind.TRIGGER: "pg_trigger",
    Kind.POLICY: "pg_policy",
    Kind.ENUM: "pg_enum",
    Kind.DOMAIN: "pg_type",
    Kind.COMPOSITE: "pg_type",
    Kind.FUNCTION: "pg_proc",
    Kind.EXTENSION: "pg_extension",
    Kind.SCHEMA: "pg_namespace",
}


def _catalog(kind: Kind, constraint: Any) -> str:
    """A primary key or unique constraint shows in ``pg_class``, as its index."""
    return "" if kind is Kind.CONSTRAINT and constraint in ("p", "u") else _CATALOGS.get(kind, "")


def token(connection: Connection, analysis: Analysis, names: Iterable[str]) -> str:
    """The token of the schema as it is now."""
    row = connection.execute(f"SELECT {_expressions(connection, analysis, names)}".encode()).fetchone()
    assert row is not None  # it has no FROM
    return joined(row)


def install(connection: Connection, analysis: Analysis, state: State) -> None:
    """Make the view say what ``state`` says. Runs in the transaction that records it."""
    told = {
        "digest": state.digest,
        "revision": state.revision,
        "recorded": state.token,
        "catalog_digest": state.catalog_digest,
        "data": _json(state.data),
        "standing": _json(state.standing),
    }
    constants = ", ".join(
        f"{sql.Literal(value).as_string(connection) if value is not None else 'NULL'}::text AS {name}"
        for name, value in told.items()
    )
    text = f"SELECT {constants}, {_expressions(connection, analysis, state.names)}"
    connection.execute(b"DROP VIEW IF EXISTS omega_bridge.watch")
    connection.execute(f"CREATE VIEW omega_bridge.watch AS {text}".encode())
    connection.execute(
        "COMMENT ON VIEW omega_bridge.watch IS 'what a start reads: the last recorded state, as constants, "
        "and a token over the catalog as it is now'"
    )


def forget(connection: Connection) -> None:
    """The record holds no more: the next start looks at everything."""
    connection.execute("DELETE FROM omega_bridge.state")
    connection.execute("DROP VIEW IF EXISTS omega_bridge.watch")


def _json(entries: Iterable[dict[str, Any]]) -> str:
    """In ASCII, so that a database of any encoding gives the steps' texts back as they are."""
    return json.dumps(clean(list(entries)))


def _expressions(connection: Connection, analysis: Analysis, names: Iterable[str]) -> str:
    extra = frozenset(names) - analysis.names()  # critical tables, and those of the models
    if has_sentinel(connection):
        return sentinel_expressions()
    literal = sql.Literal(storable(connection, relations(analysis) | extra)).as_string(connection)
    row = connection.execute(_TABLE_OIDS.format(literal + "::name[]").encode()).fetchone()
    assert row is not None  # an aggregate always gives one row
    everything = sql.Literal(storable(connection, names)).as_string(connection)
    return token_expressions(watched(analysis), literal + "::name[]", everything + "::name[]", row[0])


def token_expressions(catalogs: frozenset[str], relations: str, names: str, tables: Iterable[int]) -> str:
    """The token's parts in SQL. ``relations`` and ``names`` are expressions; ``tables`` are object ids."""
    oids = "'{" + ",".join(map(str, tables)) + "}'::oid[]"
    parts = [
        ("oid::int8", f"pg_class WHERE relname = ANY ({relations})"),
        ("(attrelid::int8 << 16) + attnum", f"pg_attribute WHERE attrelid = ANY ({oids}) AND attnum > 0"),
    ]
    more = {
        "pg_constraint": ("oid::int8", f"pg_constraint WHERE conrelid = ANY ({oids})"),
        "pg_trigger": ("oid::int8", f"pg_trigger WHERE tgrelid = ANY ({oids})"),
        "pg_policy": ("oid::int8", f"pg_policy WHERE polrelid = ANY ({oids})"),
        "pg_description": ("objsubid::int8", f"pg_description WHERE objoid = ANY ({oids}) AND classoid = 'pg_class'::regclass"),
        "pg_type": ("oid::int8", f"pg_type WHERE typname = ANY ({names})"),
        "pg_proc": ("oid::int8", f"pg_proc WHERE proname = ANY ({names})"),
        "pg_extension": ("oid::int8", "pg_extension"),
        "pg_namespace": ("oid::int8", "pg_namespace WHERE nspname !~ '^pg_'"),
    }
    parts += [more[name] for name in sorted(catalogs) if name in more]
    if "pg_enum" in catalogs:
        parts += [
            more["pg_type"],
            (
                "oid::int8",
                f"pg_enum WHERE enumtypid = ANY (ARRAY(SELECT t.oid FROM pg_type t WHERE t.typname = ANY ({names})))",
            ),
        ]
    found = [
        f"({_HASH.format(key=key, source=source)}) AS token_{n}" for n, (key, source) in enumerate(dict.fromkeys(parts), start=1)
    ]
    return ", ".join([*found, _SEARCH])


def sentinel_expressions() -> str:
    """The token where an event trigger counts DDL: nothing was counted, nothing has changed."""
    return f"EXISTS (SELECT FROM {SENTINEL})::int AS changed, {_SEARCH}"


def has_sentinel(connection: Connection) -> bool:
    """Whether the event trigger is there, and at work."""
    row = connection.execute(
        f"SELECT to_regclass('{SENTINEL}') IS NOT NULL AND count(*) = 2 FROM pg_event_trigger "
        "WHERE evtname IN ('omega_bridge_ddl', 'omega_bridge_drop') AND evtenabled = 'A'"
    ).fetchone()
    return bool(row and row[0])


def forget_ddl(connection: Connection) -> None:
    """Take note of the DDL counted so far; whatever is counted from here on makes the next start look again."""
    if has_sentinel(connection):
        connection.execute(f"DELETE FROM {SENTINEL}")
