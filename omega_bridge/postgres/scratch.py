"""Databases made for a while on a given server."""

from __future__ import annotations

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from omega_bridge import errors
from omega_bridge.postgres.session import open_session


def create_database(server: str, name: str) -> None:
    """An empty database. Raises ``NotPermitted``."""
    with open_session(server) as session:
        try:
            session.execute(
                sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(sql.Identifier(name)).as_bytes(session.connection)
            )
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


def url_for(server: str, name: str) -> str:
    """A conninfo string for another database of the same server."""
    return make_conninfo(server, dbname=name)
