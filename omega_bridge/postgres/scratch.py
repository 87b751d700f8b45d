"""Databases made for a while on a given server, and the mark by which one is known again.

The mark is the database's comment, and a setting of the database: a step may put another comment in the place of the first, or reset the
second. Both stand in catalogs of the whole cluster, so that who makes a database can set them without connecting there, and neither a dump
of the database nor a copy of it holds them.
"""

from __future__ import annotations

from collections.abc import Iterable

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo
from psycopg.rows import TupleRow

from omega_bridge import errors
from omega_bridge.postgres.session import open_session

BARE = "template0"
_SETTING = "application_name"
"""One that every owner of a database may set, to any text; a connection brings its own. An unknown one only a superuser may."""


def create_database(server: str, name: str, template: str = BARE) -> None:
    """A copy of ``template``. Raises ``NotPermitted``, ``ConfigurationInvalid``."""
    with open_session(server) as session:
        try:
            statement = sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(template))
            session.execute(statement.as_bytes(session.connection))
        except (psycopg.errors.InvalidCatalogName, psycopg.errors.ObjectInUse) as exc:
            raise errors.ConfigurationInvalid(
                f"no scratch database can be made as a copy of {template}: {exc.diag.message_primary}",
                hint="Give --scratch-template a database of the server of --scratch-url to which nobody is connected.",
            ) from exc
        except psycopg.errors.InsufficientPrivilege as exc:
            raise errors.NotPermitted(
                "the role may not create scratch databases",
                hint="Give --scratch-url a role with CREATEDB, or leave it out to use an embedded server.",
            ) from exc


def drop_database(server: str, name: str) -> None:
    """Drop it, whoever is still connected."""
    with open_session(server) as session:
        session.execute(
            sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)).as_bytes(session.connection)
        )


def make_all(connection: psycopg.Connection[TupleRow], statements: Iterable[str]) -> tuple[str, ...]:
    """Run each on its own, what the server rejects once more after the others, as long as that helps; those that are left."""
    waiting = tuple(statements)
    connection.execute("SET check_function_bodies = off")
    while waiting:
        left = tuple(text for text in waiting if not _is_taken(connection, text))
        if len(left) == len(waiting):
            break
        waiting = left
    connection.execute("RESET check_function_bodies")
    return waiting


def _is_taken(connection: psycopg.Connection[TupleRow], text: str) -> bool:
    try:
        connection.execute(text.encode())
    except psycopg.Error:
        return False
    return True


def url_for(server: str, name: str) -> str:
    """A conninfo string for another database of the same server."""
    return make_conninfo(server, dbname=name)


def put_mark(server: str, name: str, token: str, owner: str = "") -> None:
    """Say of the database that it is a scratch one, and whose. Goes through the connection that made it."""
    statement = sql.SQL("COMMENT ON DATABASE {0} IS {1}; ALTER DATABASE {0} SET {2} TO {3}").format(
        sql.Identifier(name), sql.Literal(mark(token, owner)), sql.SQL(_SETTING), sql.Literal(short_mark(token))
    )
    with open_session(server) as session:
        session.execute(statement.as_bytes(session.connection))


def require_mark(connection: psycopg.Connection[TupleRow], token: str) -> None:
    """Raises ``NotScratch`` where the database that this connection leads to does not carry the mark."""
    row = connection.execute(
        "SELECT pg_catalog.current_database(), pg_catalog.shobj_description(d.oid, 'pg_database'), s.setconfig "
        "FROM pg_catalog.pg_database d LEFT JOIN pg_catalog.pg_db_role_setting s ON s.setdatabase OPERATOR(pg_catalog.=) d.oid "
        "AND s.setrole OPERATOR(pg_catalog.=) 0::pg_catalog.oid "
        "WHERE d.datname OPERATOR(pg_catalog.=) pg_catalog.current_database()"
    ).fetchone()
    if row is None or (
        (row[1] or "").partition(", of ")[0] != mark(token) and f"{_SETTING}={short_mark(token)}" not in (row[2] or ())
    ):
        raise errors.NotScratch(
            f"the connection that was meant for a scratch database leads to {row[0] if row else 'another one'!r}, which is not one",
            hint="Nothing was sent to it. A pooler or a service file that maps databases must let scratch ones through: "
            "give --scratch-url the server itself, or leave it out to use an embedded one.",
        )


def mark(token: str, owner: str = "") -> str:
    """What the comment says."""
    return f"omega-bridge: a scratch database, mark {token}{f', of {owner}' if owner else ''}"


def short_mark(token: str) -> str:
    """What the setting says. It has room for 63 bytes."""
    return f"omega_bridge scratch {token[:32]}"
