"""Statement to ``Sql``: one function a kind of statement, found by libpg_query's name for it.

What no function knows is carried as opaque: it runs, and nothing is claimed about it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from omega_bridge.analysis.effects import alter_table, data, drops, objects, routines, tables
from omega_bridge.analysis.effects.naming import relation
from omega_bridge.analysis.effects.repeating import errors_again
from omega_bridge.analysis.program import Sql
from omega_bridge.catalog import Key, Kind
from omega_bridge.sql import Statement, pb, walk

Reader = Callable[[Statement], Sql]

READERS: dict[str, Reader] = {
    "create_stmt": tables.create_table,
    "create_table_as_stmt": tables.create_table_as,
    "index_stmt": tables.create_index,
    "view_stmt": tables.create_view,
    "create_seq_stmt": tables.create_sequence,
    "alter_table_stmt": alter_table.alter_table,
    "rename_stmt": alter_table.rename,
    "drop_stmt": drops.drop,
    "truncate_stmt": drops.truncate,
    "create_enum_stmt": objects.create_enum,
    "alter_enum_stmt": objects.alter_enum,
    "create_domain_stmt": objects.create_domain,
    "composite_type_stmt": objects.create_composite,
    "create_extension_stmt": objects.create_extension,
    "create_schema_stmt": objects.create_schema,
    "comment_stmt": objects.comment,
    "create_policy_stmt": objects.create_policy,
    "create_function_stmt": routines.create_function,
    "create_trig_stmt": routines.create_trigger,
    "insert_stmt": data.insert,
    "update_stmt": data.update,
    "delete_stmt": data.delete,
    "merge_stmt": data.other,
    "copy_stmt": data.other,
    "select_stmt": data.select,
    "call_stmt": data.call,
    "refresh_mat_view_stmt": data.call,
    "lock_stmt": data.nothing,
    "variable_show_stmt": data.nothing,
    "explain_stmt": data.explain,
}

_OUTSIDE_TRANSACTIONS = {
    "vacuum_stmt",
    "createdb_stmt",
    "dropdb_stmt",
    "alter_system_stmt",
    "create_table_space_stmt",
    "drop_table_space_stmt",
    "transaction_stmt",
}


def read(statement: Statement) -> Sql:
    """What is known of one statement."""
    reader = READERS.get(statement.tag)
    if reader is not None:
        found = reader(statement)
        again = () if found.opaque or not found.effects else tuple(errors_again(statement))
        return replace(found, again=again) if again else found
    return Sql(
        statement.text,
        statement.tag,
        needs=tuple(_named(statement)),
        opaque=True,
        transactional=statement.tag not in _OUTSIDE_TRANSACTIONS and not _reindexes_concurrently(statement),
        offset=statement.offset,
    )


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
