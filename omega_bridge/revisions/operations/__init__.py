"""Our own Alembic operations: values that Alembic runs, renders and writes as SQL (``--sql``) like its own.

Each says what shall be true; the SQL behind it asks the catalog first and takes no lock where it is true already.
Taking something away in a downgrade looks at the ledger: only what the bridge created goes.
"""

from __future__ import annotations

from typing import Any

from alembic.autogenerate import renderers
from alembic.operations import Operations

import omega_bridge.revisions.operations.alembics  # noqa: F401  Alembic's implementations are taken at import
from omega_bridge.revisions.operations.carried import AttemptStepOp, LayFoundationOp, RunStepOp
from omega_bridge.revisions.operations.ensured import (
    EnsureAbsentOp,
    EnsureColumnOp,
    EnsureCommentOp,
    EnsureEnumValueOp,
    EnsureOp,
    EnsureRenamedOp,
    EnsureRowSecurityOp,
)
from omega_bridge.revisions.operations.invalid_index import DropInvalidIndexOp
from omega_bridge.revisions.operations.operation import CREATED, INDEXES, Operation
from omega_bridge.revisions.operations.running import run
from omega_bridge.revisions.quoting import quoted

__all__ = [
    "CREATED", "INDEXES", "OPERATIONS", "AttemptStepOp", "DropInvalidIndexOp", "EnsureAbsentOp", "EnsureColumnOp", "EnsureCommentOp",
    "EnsureEnumValueOp", "EnsureOp", "EnsureRenamedOp", "EnsureRowSecurityOp", "LayFoundationOp", "RunStepOp",
]  # fmt: skip

OPERATIONS: tuple[type[Operation], ...] = (
    RunStepOp,
    LayFoundationOp,
    AttemptStepOp,
    EnsureOp,
    EnsureAbsentOp,
    EnsureColumnOp,
    EnsureEnumValueOp,
    EnsureCommentOp,
    EnsureRenamedOp,
    EnsureRowSecurityOp,
    DropInvalidIndexOp,
)


def _render(context: Any, operation: Operation) -> str:
    shown = []
    for name, value, default in operation.arguments():
        if name is None or value is not default:
            text = quoted(value) if isinstance(value, str) else repr(value)
            shown.append(text if name is None else f"{name}={text}")
    return f"op.{operation.verb}({', '.join(shown)})"


for _operation in OPERATIONS:
    Operations.register_operation(_operation.verb)(_operation)
    Operations.implementation_for(_operation)(run)
    renderers.dispatch_for(_operation)(_render)
