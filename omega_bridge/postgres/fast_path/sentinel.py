"""The event trigger that notes DDL, where the role may create one: then a start reads one small table.

It belongs to who installs it, schema and all: its functions run with the installer's rights. The roles that start get no
more than to read the marks and to say which of them they have accounted for.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Collection

import psycopg
from psycopg import sql
from psycopg.rows import TupleRow

from omega_bridge import errors
from omega_bridge.postgres.queries import query
from omega_bridge.postgres.session import Session
from omega_bridge.postgres.trust import trusted
from omega_bridge.values import dataclass

Connection = psycopg.Connection[TupleRow]

_log = logging.getLogger("omega_bridge")

_STRANGER = """
SELECT pg_catalog.pg_get_userbyid(n.nspowner)::pg_catalog.text FROM pg_catalog.pg_namespace n
WHERE n.nspname OPERATOR(pg_catalog.=) 'omega_bridge_sentinel'::pg_catalog.name AND NOT {schema}
"""

_THERE = """
SELECT pg_catalog.pg_current_snapshot()::pg_catalog.text
FROM pg_catalog.pg_namespace n
JOIN pg_catalog.pg_class c ON c.relnamespace OPERATOR(pg_catalog.=) n.oid AND c.relname OPERATOR(pg_catalog.=) 'omega_bridge_marks'::pg_catalog.name
JOIN pg_catalog.pg_proc p ON p.pronamespace OPERATOR(pg_catalog.=) n.oid AND p.proname OPERATOR(pg_catalog.=) 'omega_bridge_passed'::pg_catalog.name
JOIN pg_catalog.pg_proc u ON u.pronamespace OPERATOR(pg_catalog.=) n.oid AND u.proname OPERATOR(pg_catalog.=) 'omega_bridge_unseen'::pg_catalog.name
WHERE n.nspname OPERATOR(pg_catalog.=) 'omega_bridge_sentinel'::pg_catalog.name
  AND c.relkind OPERATOR(pg_catalog.=) 'r'::pg_catalog."char"
  AND pg_catalog.has_schema_privilege(n.oid, 'USAGE') AND pg_catalog.has_table_privilege(c.oid, 'SELECT')
  AND pg_catalog.has_function_privilege(p.oid, 'EXECUTE') AND pg_catalog.has_function_privilege(u.oid, 'EXECUTE')
  AND {schema} AND {table} AND {passed} AND {unseen}
  AND (SELECT pg_catalog.count(*) FROM pg_catalog.pg_event_trigger e JOIN pg_catalog.pg_proc f ON f.oid OPERATOR(pg_catalog.=) e.evtfoid
       WHERE e.evtname OPERATOR(pg_catalog.=) ANY ('{omega_bridge_ddl,omega_bridge_drop}'::pg_catalog.name[])
         AND e.evtenabled OPERATOR(pg_catalog.=) 'A'::pg_catalog."char"
         AND f.pronamespace OPERATOR(pg_catalog.=) n.oid) OPERATOR(pg_catalog.=) 2::pg_catalog.int8
"""


@dataclass(frozen=True, slots=True)
class Counted:
    """The marks up to ``snapshot`` are accounted for."""

    snapshot: str

    def question(self, schemas: Collection[str]) -> str:
        """Whether there is a mark that was not there then, in one of ``schemas`` or in none, as a number in SQL.

        Mostly there is none at all. What compares marks is planned only where there are some, in a function of its own.
        """
        names = sql.Literal(list(schemas)).as_string(None)
        return (
            "CASE WHEN EXISTS (SELECT FROM omega_bridge_sentinel.omega_bridge_marks)"
            f" THEN omega_bridge_sentinel.omega_bridge_unseen('{self.snapshot}', {names}) ELSE 0.0 END"
        )


def ask(connection: Connection) -> Counted | None:
    """The question for the event trigger's marks; ``None`` where there is none that this role may use, or it is not at work.

    A mark is accounted for by its transaction's visibility: one that commits late has a lower number than others before it.
    """
    version = connection.info.server_version
    text = f"SELECT ({_THERE}), ({_STRANGER})"
    for name, owner in (
        ("schema", "n.nspowner"), ("table", "c.relowner"), ("passed", "p.proowner"), ("unseen", "u.proowner"),
    ):  # fmt: skip
        text = text.replace(f"{{{name}}}", trusted(owner, version))
    row = connection.execute(text.encode()).fetchone()
    assert row is not None  # it has no FROM
    snapshot, stranger = row
    if stranger is not None:
        _log.warning(
            "the schema omega_bridge_sentinel belongs to %r, who is not trusted: it is not used, and every start looks at the whole"
            " schema until it is dropped or given to a trusted role",
            stranger,
        )
    return Counted(snapshot) if snapshot is not None else None


def passed(connection: Connection, snapshot: str) -> None:
    """Say which marks this start's state has accounted for; those that every state has go."""
    connection.execute(
        "SELECT omega_bridge_sentinel.omega_bridge_passed(coalesce(pg_catalog.current_schema(), '')::pg_catalog.text, %s::pg_catalog.pg_snapshot)",
        (snapshot,),
    )


def install(session: Session, roles: Collection[str] = ()) -> None:
    """Install it, once more where it is there, and let ``roles`` use it. The next start looks at the schema and records anew.

    Raises ``NotPermitted``.
    """
    connection = session.connection
    try:
        with connection.transaction():
            connection.execute("SET LOCAL search_path = pg_catalog, pg_temp")
            connection.execute(query("sentinel").encode())
            for role in roles:
                connection.execute(_grants(connection, role).encode())
            connection.execute(
                "INSERT INTO omega_bridge_sentinel.omega_bridge_marks (xid, at, pid, tag)"
                " VALUES (pg_current_xact_id(), clock_timestamp(), pg_backend_pid(), 'sentinel installed')"
            )
            _clear_up(connection)
        _forget_states(connection)
    except psycopg.errors.InsufficientPrivilege as exc:
        raise errors.NotPermitted(
            f"the role {connection.info.user!r} may not create an event trigger: {exc.diag.message_primary}",
            hint="Only a superuser may (on hosted servers: the role they name for it). The bridge works without: a start then asks the catalogs.",
        ) from exc


def _grants(connection: Connection, role: str) -> str:
    name = sql.Identifier(role).as_string(connection)
    return (
        f"GRANT USAGE ON SCHEMA omega_bridge_sentinel TO {name}; GRANT SELECT ON omega_bridge_sentinel.omega_bridge_marks TO {name}; "
        "GRANT EXECUTE ON FUNCTION omega_bridge_sentinel.omega_bridge_passed(text, pg_snapshot),"
        f" omega_bridge_sentinel.omega_bridge_unseen(text, text) TO {name}"
    )


def _forget_states(connection: Connection) -> None:
    """So that the next start records one that asks the event trigger; left as it is where the states are not the installer's."""
    from omega_bridge.postgres.fast_path import probe_function  # which asks this module

    with contextlib.suppress(psycopg.errors.InsufficientPrivilege), connection.transaction():
        probe_function.forget(connection, everywhere=True)


def _clear_up(connection: Connection) -> None:
    """What older releases installed: in the schema of the roles that start, whose owner could replace it; and without our name."""
    connection.execute(
        "DROP FUNCTION IF EXISTS omega_bridge.note_ddl(); DROP TABLE IF EXISTS omega_bridge.ddl;"
        " DROP FUNCTION IF EXISTS omega_bridge_sentinel.note_ddl(), omega_bridge_sentinel.passed(text, pg_snapshot),"
        " omega_bridge_sentinel.unseen(text, text); DROP TABLE IF EXISTS omega_bridge_sentinel.marks, omega_bridge_sentinel.seen"
    )


def remove(session: Session) -> None:
    """Take it away again. States that were recorded with it are recorded anew by the next start."""
    with session.connection.transaction():
        session.connection.execute(
            "DROP EVENT TRIGGER IF EXISTS omega_bridge_ddl; DROP EVENT TRIGGER IF EXISTS omega_bridge_drop; "
            "DROP SCHEMA IF EXISTS omega_bridge_sentinel CASCADE"
        )
