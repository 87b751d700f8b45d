"""Statement to ``Sql``: one function a kind of statement, found by libpg_query's name for it.

What no function knows is carried as opaque: it runs, and nothing is claimed about it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from omega_bridge.analysis.effects import alter_table, data, drops, objects, routines, tables
from omega_bridge.analysis.program import Sql
from omega_bridge.sql import Statement

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
    "explain_stmt": data.nothing,
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
        return reader(statement)
    return Sql(
        statement.text,
        statement.tag,
        opaque=True,
        transactional=statement.tag not in _OUTSIDE_TRANSACTIONS and not _reindexes_concurrently(statement),
        offset=statement.offset,
    )


def _reindexes_concurrently(statement: Statement) -> bool:
    params: Any = getattr(statement.node, "params", ())
    return statement.tag == "reindex_stmt" and any(p.def_elem.defname == "concurrently" for p in params)
