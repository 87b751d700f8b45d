"""Alembic's own operations, which ask the ledger and the guard of rows, too."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from alembic.operations import MigrateOperation, Operations, ops

from omega_bridge.revisions import guards, row_guard
from omega_bridge.revisions.operations.operation import is_held_back, spelled
from omega_bridge.revisions.operations.running import emit, on_record
from omega_bridge.revisions.row_guard import GUARD


def _object(operation: Any) -> str:
    match operation:
        case ops.DropTableOp():
            return spelled("table", operation.table_name, None, operation.schema)
        case ops.DropColumnOp():
            return spelled("column", operation.column_name, operation.table_name, operation.schema)
        case ops.DropIndexOp():
            return spelled("index", str(operation.index_name), None, operation.schema)
    return spelled("constraint", str(operation.constraint_name), operation.table_name, operation.schema)


def _implement(kind: type[MigrateOperation], implementation: Callable[..., Any]) -> None:
    """In the place of Alembic's own, which has ``replace=True`` for it from 1.17.2 on; before, a second one is an error."""
    Operations._to_impl._registry.pop((kind, "default"))
    Operations.implementation_for(kind)(implementation)


def _asking_first(kind: type[MigrateOperation]) -> None:
    alembics = Operations._to_impl.dispatch(kind)

    def implementation(operations: Operations, operation: Any) -> Any:
        with on_record(operations):
            if not is_held_back(operations, _object(operation)):
                _watched(operations, operation, alembics)

    _implement(kind, implementation)


def _under_guard(kind: type[MigrateOperation]) -> None:
    """What only adds may call a function of the step's: it is watched where the revision is."""
    alembics = Operations._to_impl.dispatch(kind)

    def implementation(operations: Operations, operation: Any) -> Any:
        guard = operations.migration_context.opts.get(GUARD)
        if guard is None:
            with on_record(operations):
                return alembics(operations, operation)
        found: list[Any] = []
        guard.run(lambda: found.append(alembics(operations, operation)), None)
        return found[-1]

    _implement(kind, implementation)


def _watched(operations: Operations, operation: Any, alembics: Callable[..., Any]) -> None:
    """A drop of Alembic's own, under the guard of rows; one in a revision that was written by hand is its author's."""
    opts = operations.migration_context.opts
    if opts.get(GUARD) is not None and isinstance(operation, ops.DropTableOp | ops.DropColumnOp):
        opts[GUARD].run(lambda: alembics(operations, operation), None)
    elif GUARD not in opts and isinstance(operation, ops.DropTableOp | ops.DropColumnOp) and row_guard.running() is not None:
        kind, name = (
            ("column", operation.column_name) if isinstance(operation, ops.DropColumnOp) else ("table", operation.table_name)
        )
        there = guards.is_there(kind, name, operation.table_name, operation.schema)
        drop = guards.drop(kind, name, operation.table_name, operation.schema)
        for part in row_guard.without_an_environment(guards.unless(f"NOT ({there})", drop)):
            emit(operations, part)
    else:
        alembics(operations, operation)


for _kind in (ops.DropTableOp, ops.DropColumnOp, ops.DropIndexOp, ops.DropConstraintOp):
    _asking_first(_kind)
for _other in (ops.AddColumnOp, ops.CreateTableOp, ops.AlterColumnOp, ops.ExecuteSQLOp, ops.BulkInsertOp):
    _under_guard(_other)


def _only_on_record(kind: type[MigrateOperation]) -> None:
    alembics = Operations._to_impl.dispatch(kind)

    def implementation(operations: Operations, operation: Any) -> Any:
        with on_record(operations):
            return alembics(operations, operation)

    _implement(kind, implementation)


_only_on_record(ops.CreateIndexOp)
