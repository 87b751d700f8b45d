"""Databases on a server that already runs: create, drop, and scratch ones that end with their block."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, LiteralString
from urllib.parse import quote, urlsplit

from omega_bridge import errors

if TYPE_CHECKING:
    from psycopg import Connection
    from psycopg.sql import SQL, Composed


class Server:
    """A running server, given by a libpq URL (or ``key=value`` string) whose role may create databases.

    Its methods raise ``DatabaseUnreachable`` without a connection, and ``NotPermitted`` where the role may not.
    """

    _copying: LiteralString = ""  # how CREATE DATABASE copies the template: PostgreSQL's default

    def __init__(self, url: str) -> None:
        self._url = url

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"  # the URL may hold a password

    @property
    def url(self) -> str:
        """The URL of the administrative database."""
        return self._url

    def url_for(self, name: str) -> str:
        """The URL of the database ``name``, which need not exist."""
        return with_database(self.url, name)

    @cached_property
    def version(self) -> str:
        """The server's version, "18.6" or "15.18 (Debian 15.18-0+deb12u1)"."""
        with self._administrator() as conn:
            return conn.info.parameter_status("server_version") or ""

    @property
    def major(self) -> int:
        """The server's major version: 18."""
        digits = self.version.split(".")[0]
        return int("".join(c for c in digits if c.isdigit())[:2])

    def create_database(self, name: str, template: str | None = None) -> str:
        """Create a database, as a copy of ``template`` where one is given (nobody may be connected to it).

        Returns its URL.
        """
        from psycopg.sql import SQL, Identifier

        statement = SQL("CREATE DATABASE {}").format(Identifier(name))
        if template is not None:
            statement += SQL(" TEMPLATE {}").format(Identifier(template))
        statement += SQL(self._copying)
        self._execute(statement)
        return self.url_for(name)

    def drop_database(self, name: str) -> None:
        """Drop a database with whoever is connected to it; one that is not there is fine."""
        from psycopg.sql import SQL, Identifier

        self._execute(SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(Identifier(name)))

    @contextmanager
    def scratch_database(self, prefix: str = "scratch", template: str | None = None) -> Iterator[str]:
        """The URL of a database of its own, dropped at the end of the block."""
        name = f"{prefix}_{secrets.token_hex(4)}"
        url = self.create_database(name, template)
        try:
            yield url
        finally:
            self.drop_database(name)

    def _execute(self, statement: SQL | Composed) -> None:
        from psycopg.errors import InsufficientPrivilege

        with self._administrator() as conn:
            try:
                conn.execute(statement)
            except InsufficientPrivilege as exc:
                raise errors.NotPermitted(
                    f"the role {conn.info.user!r} may not create or drop databases: {exc.diag.message_primary}",
                    hint="Run ALTER ROLE ... CREATEDB, or give the URL of another role.",
                ) from exc

    def _administrator(self) -> Connection:
        import psycopg

        try:
            return psycopg.connect(self.url, autocommit=True)
        except psycopg.OperationalError as exc:
            from omega_bridge.redaction import is_clear, without_secrets

            told = without_secrets(str(exc).strip(), [self.url])
            is_told = is_clear(self.url)  # else libpq may quote a part of the password that it took for something else
            raise errors.DatabaseUnreachable(
                f"no connection to the server: {told}" if is_told else "no connection to the server",
                hint="Check host, port, role and password of the URL (special characters percent-encoded), and that the server runs.",
            ) from (exc if is_told and told == str(exc).strip() else None)
        except psycopg.ProgrammingError:  # libpq's words may quote the part it cannot read: maybe the password
            raise errors.ConfigurationInvalid(
                "the server's URL is not one that libpq reads",
                hint="Write postgresql://user:password@host:port/database, with special characters percent-encoded.",
            ) from None


def with_database(url: str, name: str) -> str:
    """``url`` (or a ``key=value`` string) with another database."""
    if "://" in url:
        return urlsplit(url)._replace(path="/" + quote(name, safe="")).geturl()
    from psycopg.conninfo import make_conninfo

    return make_conninfo(url, dbname=name)
