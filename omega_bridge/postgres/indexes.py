"""Indexes that ``CREATE INDEX CONCURRENTLY`` builds, and what it leaves INVALID where it is stopped."""

from __future__ import annotations

from omega_bridge.analysis.program import Sql
from omega_bridge.catalog import Kind
from omega_bridge.postgres.session import Session
from omega_bridge.sql.commands import relations_in
from omega_bridge.tags import Tag
from omega_bridge.values import dataclass


@dataclass(frozen=True, slots=True)
class Index:
    """An index that is to be built: its name and its table's as SQL, with the schema; whether an INVALID one is there."""

    name: str
    table: str
    is_invalid: bool


def index_of(session: Session, statement: Sql | None) -> Index | None:
    """What a ``CREATE INDEX CONCURRENTLY`` builds, in its table's schema; ``None`` for other statements and without a name."""
    if statement is None or statement.tag != Tag.INDEX or statement.transactional:
        return None
    for effect in statement.effects:
        if effect.key.kind is not Kind.INDEX:
            continue
        rows = session.rows(
            "SELECT pg_catalog.format('%%I.%%I', n.nspname, %s::text), pg_catalog.format('%%I.%%I', n.nspname, c.relname),"
            " EXISTS (SELECT FROM pg_catalog.pg_index i "
            "JOIN pg_catalog.pg_class x ON x.oid OPERATOR(pg_catalog.=) i.indexrelid WHERE i.indrelid OPERATOR(pg_catalog.=) c.oid "
            "AND x.relname OPERATOR(pg_catalog.=) %s::pg_catalog.name AND NOT i.indisvalid) "
            "FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace "
            "WHERE c.oid OPERATOR(pg_catalog.=) pg_catalog.to_regclass(%s)::pg_catalog.oid",
            (effect.key.name, effect.key.name, regclass(effect.key.schema, str(dict(effect.attributes)["table"]))),
        )
        return Index(*rows[0]) if rows else None
    return None


def tables_of(session: Session, statement: Sql) -> tuple[str, ...]:
    """The tables, as SQL, whose indexes a ``DROP INDEX CONCURRENTLY`` or ``REINDEX ... CONCURRENTLY`` names, or which it names itself."""
    found = {(e.key.schema, e.key.name) for e in statement.effects}
    if statement.tag == Tag.REINDEX:
        found |= relations_in(statement.text)
    rows = session.rows(
        "SELECT DISTINCT pg_catalog.format('%%I.%%I', n.nspname, t.relname) FROM pg_catalog.unnest(%s::pg_catalog.text[]) found"
        " JOIN pg_catalog.pg_class c ON c.oid OPERATOR(pg_catalog.=) pg_catalog.to_regclass(found)::pg_catalog.oid"
        " LEFT JOIN pg_catalog.pg_index i ON i.indexrelid OPERATOR(pg_catalog.=) c.oid"
        " JOIN pg_catalog.pg_class t ON t.oid OPERATOR(pg_catalog.=) coalesce(i.indrelid, c.oid)"
        " JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) t.relnamespace"
        " WHERE t.relkind OPERATOR(pg_catalog.=) 'r'::pg_catalog.\"char\" ORDER BY 1",
        (sorted(regclass(schema or "", name) for schema, name in found),),
    )
    return tuple(name for (name,) in rows)


def named(session: Session, name: str, schema: str | None) -> Index:
    """An index by its name, in a schema or, without one, where the search path finds it, or would make it. Its table is not told."""
    ((found, is_invalid),) = session.rows(
        "SELECT pg_catalog.format('%%I.%%I', coalesce(n.nspname, %s::pg_catalog.text, pg_catalog.current_schema()), %s::pg_catalog.text),"
        " coalesce(NOT i.indisvalid, false) FROM (VALUES (pg_catalog.to_regclass(%s)::pg_catalog.oid)) AS x (oid)"
        " LEFT JOIN pg_catalog.pg_class c ON c.oid OPERATOR(pg_catalog.=) x.oid"
        " LEFT JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace"
        " LEFT JOIN pg_catalog.pg_index i ON i.indexrelid OPERATOR(pg_catalog.=) x.oid",
        (schema, name, regclass(schema or "", name)),
    )
    return Index(found, "", is_invalid)


def drop_invalid(session: Session, name: str) -> None:
    """Drop an index if it is INVALID. ``name``: as SQL, with the schema."""
    rows = session.rows(
        "SELECT FROM pg_catalog.pg_index WHERE indexrelid OPERATOR(pg_catalog.=) pg_catalog.to_regclass(%s)::pg_catalog.oid "
        "AND NOT indisvalid",
        (name,),
    )
    if rows:
        session.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")


def regclass(schema: str, name: str) -> str:
    """A name as a ``regclass`` reads it."""
    parts = [p for p in (schema, name) if p]
    return ".".join('"' + p.replace('"', '""') + '"' for p in parts)
