"""Whose objects the bridge uses: a name alone says nothing, since who may create in a database may create ours before us.

Trusted is the current role, a role that it is a member of, a superuser, the database's owner, and who is named in
``trusted-owners``. Every operator and function here is named with its schema: a role with CREATE on a schema of the search
path could offer another one that fits better (PostgreSQL's manual, "Operator Type Resolution").
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import TYPE_CHECKING

import psycopg
from psycopg import sql
from psycopg.rows import TupleRow

from omega_bridge import errors
from omega_bridge.postgres.queries import query

if TYPE_CHECKING:
    from omega_bridge.version_table import VersionTable

Connection = psycopg.Connection[TupleRow]

_BOOTSTRAP_SUPERUSER = 10
"""Its oid in every cluster. Who is a member of it is a superuser, or may become one; a superuser is a member of every role."""


def trusted(owner: str, version: int, named: Collection[str] = ()) -> str:
    """The question, in SQL, whether the role with the oid ``owner`` is trusted. ``version``: the server's, as 150004.

    A superuser is a member of every role, so that membership says nothing for it: only a superuser's objects are its own.
    Asked by functions alone, which read the server's caches: a look into ``pg_roles`` would have to be planned.
    """
    owns = (
        f"pg_catalog.pg_has_role({owner}, 'pg_database_owner'::pg_catalog.name, 'MEMBER')"
        if version >= 140000
        else f"{owner} OPERATOR(pg_catalog.=) (SELECT d.datdba FROM pg_catalog.pg_database d"
        " WHERE d.datname OPERATOR(pg_catalog.=) pg_catalog.current_database())"
    )
    also = "".join(f" OR pg_catalog.pg_get_userbyid({owner}) OPERATOR(pg_catalog.=) {_name(n)}" for n in sorted(named))
    return (
        f"(pg_catalog.pg_has_role({owner}, '{_BOOTSTRAP_SUPERUSER}'::pg_catalog.oid, 'MEMBER') OR {owns}"
        " OR (pg_catalog.current_setting('is_superuser') OPERATOR(pg_catalog.=) 'off'"
        f" AND pg_catalog.pg_has_role({owner}, 'MEMBER')){also})"
    )


def check(connection: Connection, named: Collection[str] = (), table: VersionTable | None = None) -> None:
    """Raise ``NotTrusted`` where an object that we would write to is somebody else's, or carries what somebody else put on it.

    ``table``: where the history's revision is kept.
    """
    refuse(strangers(connection, named, table))


def refuse(found: Sequence[str]) -> None:
    """Raise ``NotTrusted`` where there is anything."""
    if found:
        told = "; ".join(found[:5])
        raise errors.NotTrusted(
            f"the bridge's own objects are not in trusted hands: {told}",
            hint="Find out who made them, and drop them or give them to a trusted role (ALTER ... OWNER TO); "
            "to trust that owner all the same, name it: trusted-owners = [...], boot(trusted_owners=[...]).",
        )


def oid_of(table: VersionTable | None) -> str:
    """The oid of a history's table of versions, in SQL; NULL where there is none. ``None``: Alembic's own, ``alembic_version``."""
    parts = ("alembic_version",) if table is None else table.parts
    name = ".".join('"' + part.replace('"', '""') + '"' for part in parts)
    return f"pg_catalog.to_regclass({sql.Literal(name).as_string(None)})::pg_catalog.oid"


def strangers(connection: Connection, named: Collection[str] = (), table: VersionTable | None = None) -> tuple[str, ...]:
    """What is not in trusted hands, each with its owner; nothing where all is well, or nothing of ours is there."""
    row = connection.execute(question(connection.info.server_version, named, table).encode()).fetchone()
    return told_by(row[0] if row else None)


def refuse_code(connection: Connection, named: Collection[str] = (), table: VersionTable | None = None) -> None:
    """Raise ``NotTrusted`` where who only reads would run what a stranger wrote: an expression of an index of its table, a cast.

    From then on nothing keeps the owner from putting one there.
    """
    refuse_found(connection.execute(code_question(connection.info.server_version, named, table).encode()).fetchall())


def code_question(version: int, named: Collection[str] = (), table: VersionTable | None = None) -> str:
    """What ``refuse_code`` asks, in SQL: its rows are for ``refuse_found``."""
    text = query("strangers_code").replace("{versions}", oid_of(table))
    text = text.replace("{trusted c.relowner}", trusted("c.relowner", version, named))
    return text.replace("{with expressions}", "e.stxexprs IS NOT NULL" if version >= 140000 else "false")


def refuse_found(found: Iterable[Sequence[object]]) -> None:
    """Raise ``NotTrusted`` for the answer to ``code_question``, where there is any."""
    refuse([f"reading {what} would run code of its owner's (owner {owner})" for what, owner in found])


def question(version: int, named: Collection[str] = (), table: VersionTable | None = None) -> str:
    """What ``strangers`` asks, in SQL: its one value, JSON, tells ``told_by``."""
    text = query("strangers").replace("{versions}", oid_of(table))
    for alias in ("n.nspowner", "c.relowner", "p.proowner"):
        text = text.replace(f"{{trusted {alias}}}", trusted(alias, version, named))
    return f"SELECT pg_catalog.json_agg(pg_catalog.json_build_array(what, owner)) FROM (\n{text}) AS found (what, owner)"


def noted(asked: str) -> str:
    """``question``, as two statements of one value each: the answer, which ``told_by`` takes as JSON; and a gate, which ends the text of the
    server's where there is one.

    What comes behind it is not so much as planned then: to plan a statement about a table, PostgreSQL evaluates what the predicates of its
    indexes call immutable (``RelationGetIndexPredicate``, src/backend/utils/cache/relcache.c), as who asks.
    """
    return (
        f"SELECT pg_catalog.set_config('omega_bridge.strangers', coalesce(({asked})::pg_catalog.text, '[]'), true);\n"
        f"SELECT 1 OPERATOR(pg_catalog./) CASE WHEN {NO_STRANGERS} THEN 1 ELSE 0 END"
    )


NO_STRANGERS = "pg_catalog.current_setting('omega_bridge.strangers') OPERATOR(pg_catalog.=) '[]'"
"""Whether nothing was found that is not in trusted hands, in the transaction of ``noted``."""


def told_by(answer: Iterable[tuple[str, str]] | None) -> tuple[str, ...]:
    """What is not in trusted hands, by the answer to ``question``."""
    return tuple(f"{what} (owner {owner})" for what, owner in answer or ())


def _name(name: str) -> str:
    """A role's name as a literal, whatever ``standard_conforming_strings`` says."""
    literal: str = sql.Literal(name).as_string(None)
    return f"{literal}::pg_catalog.name"
