"""Statement to ``Sql``: one function a kind of statement, found by libpg_query's name for it, with the fields that it knows.

What no function knows is carried as opaque: it runs, and nothing is claimed about it. So it is with a statement in which a
field is set that its function does not know.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, NamedTuple

from omega_bridge.analysis.effects import alter_table, data, drops, objects, routines, tables
from omega_bridge.analysis.effects.naming import NotRead, relation
from omega_bridge.analysis.effects.repeating import errors_again
from omega_bridge.analysis.program import DOUBT, Effect, Sql
from omega_bridge.catalog import Key, Kind
from omega_bridge.sql import Fields, Statement, goes_beyond, pb, walk


class Reader(NamedTuple):
    """What reads a kind of statement, and the fields of its parse tree that were thought of."""

    read: Callable[[Statement], Sql]
    known: Fields


READERS: dict[str, Reader] = {
    "create_stmt": Reader(tables.create_table, tables.CREATE_TABLE),
    "create_table_as_stmt": Reader(tables.create_table_as, tables.CREATE_TABLE_AS),
    "index_stmt": Reader(tables.create_index, tables.CREATE_INDEX),
    "view_stmt": Reader(tables.create_view, tables.CREATE_VIEW),
    "create_seq_stmt": Reader(tables.create_sequence, tables.CREATE_SEQUENCE),
    "alter_table_stmt": Reader(alter_table.alter_table, alter_table.ALTER_TABLE),
    "rename_stmt": Reader(alter_table.rename, alter_table.RENAME),
    "drop_stmt": Reader(drops.drop, drops.DROP),
    "truncate_stmt": Reader(drops.truncate, drops.TRUNCATE),
    "create_enum_stmt": Reader(objects.create_enum, objects.CREATE_ENUM),
    "alter_enum_stmt": Reader(objects.alter_enum, objects.ALTER_ENUM),
    "create_domain_stmt": Reader(objects.create_domain, objects.CREATE_DOMAIN),
    "composite_type_stmt": Reader(objects.create_composite, objects.CREATE_COMPOSITE),
    "create_extension_stmt": Reader(objects.create_extension, objects.CREATE_EXTENSION),
    "create_schema_stmt": Reader(objects.create_schema, objects.CREATE_SCHEMA),
    "comment_stmt": Reader(objects.comment, objects.COMMENT),
    "create_policy_stmt": Reader(objects.create_policy, objects.CREATE_POLICY),
    "create_function_stmt": Reader(routines.create_function, routines.CREATE_FUNCTION),
    "create_trig_stmt": Reader(routines.create_trigger, routines.CREATE_TRIGGER),
    "insert_stmt": Reader(data.insert, data.INSERT),
    "update_stmt": Reader(data.update, data.UPDATE),
    "delete_stmt": Reader(data.delete, data.DELETE),
    "merge_stmt": Reader(data.other, data.MERGE),
    "copy_stmt": Reader(data.other, data.COPY),
    "select_stmt": Reader(data.select, data.SELECT),
    "call_stmt": Reader(data.call, data.CALL),
    "refresh_mat_view_stmt": Reader(data.call, data.REFRESH),
    "lock_stmt": Reader(data.nothing, data.LOCK),
    "variable_show_stmt": Reader(data.nothing, data.SHOW),
    "explain_stmt": Reader(data.explain, data.EXPLAIN),
}

_OUTSIDE_TRANSACTIONS = {
    "vacuum_stmt",
    "createdb_stmt",
    "dropdb_stmt",
    "alter_system_stmt",
    "create_subscription_stmt",
    "alter_subscription_stmt",
    "drop_subscription_stmt",
    "create_table_space_stmt",
    "drop_table_space_stmt",
    "transaction_stmt",
}


def read(statement: Statement) -> Sql:
    """What is known of one statement."""
    reader = READERS.get(statement.tag)
    if reader is None:
        return Sql(
            statement.text,
            statement.tag,
            needs=tuple(_named(statement)),
            opaque=True,
            transactional=statement.tag not in _OUTSIDE_TRANSACTIONS and not _reindexes_concurrently(statement),
            offset=statement.offset,
        )
    try:
        found = reader.read(statement)
    except NotRead:
        transactional = not getattr(statement.node, "concurrent", False)
        return Sql(statement.text, statement.tag, opaque=True, transactional=transactional, offset=statement.offset)
    if goes_beyond(statement.node, reader.known):
        return _in_doubt(found)
    again = () if found.opaque or not found.effects else tuple(errors_again(statement))
    return replace(found, again=again) if again else found


def _in_doubt(found: Sql) -> Sql:
    """A statement that says more than was read: it runs, and how what it is about looks then, only the server can tell.

    What touches rows alone runs at every boot, whatever else it says.
    """
    if found.data and not found.opaque:
        return replace(found, lookahead=None)
    about = dict.fromkeys(e.key for e in (*found.effects, *found.implied))
    doubts = tuple(Effect(key, attributes=((DOUBT, True),)) for key in about)
    return replace(found, effects=(), implied=doubts, needs=(), opaque=True)


_NAMING_TABLES = {"grant_stmt", "rule_stmt", "create_stats_stmt", "cluster_stmt", "vacuum_stmt", "alter_policy_stmt"}


def _named(statement: Statement) -> Iterator[Key]:
    """The tables that a statement of unknown effect is about: without them it fails."""
    if statement.tag not in _NAMING_TABLES:
        return
    is_sequence = getattr(statement.node, "objtype", None) == pb.OBJECT_SEQUENCE
    kind = Kind.SEQUENCE if is_sequence else Kind.TABLE
    for found in walk(statement.node):
        if found.DESCRIPTOR.name == "RangeVar":
            yield relation(found, kind)


def _reindexes_concurrently(statement: Statement) -> bool:
    params: Any = getattr(statement.node, "params", ())
    return statement.tag == "reindex_stmt" and any(p.def_elem.defname == "concurrently" for p in params)
