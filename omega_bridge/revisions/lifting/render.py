"""Operations as Python source, by Alembic's own renderer."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from alembic.autogenerate.api import AutogenContext
from alembic.autogenerate.render import render_op
from alembic.operations.ops import MigrateOperation
from alembic.runtime.migration import MigrationContext

from omega_bridge.revisions.operations import OPERATIONS

OURS = "import omega_bridge.revisions.operations  # noqa: F401  op.ensure and its kin"
TYPES = "from omega_bridge.revisions import sqltypes"


def render(operations: Sequence[MigrateOperation]) -> tuple[list[str], frozenset[str]]:
    """One block of text an operation (it may hold line breaks), and the imports that they need beside ``op``."""
    context = _context()
    context.imports.clear()
    blocks = []
    for operation in operations:
        ours = isinstance(operation, OPERATIONS)
        for line in render_op(context, operation):
            blocks.append(line if ours else _indented(line))
    text = "\n".join(blocks)
    needed = {str(i) for i in context.imports}
    if any(isinstance(o, OPERATIONS) for o in operations):
        needed.add(OURS)
    if "sqltypes.Type(" in text:
        needed.add(TYPES)
    if "sa." in text:
        needed.add("import sqlalchemy as sa")
    return blocks, frozenset(needed)


def _indented(text: str) -> str:
    """Alembic's several lines, the inner ones four deeper than the statement in its function."""
    first, *rest = text.split("\n")
    return "\n".join([first, *(f"    {line}" if line == ")" else f"        {line.strip()}" for line in rest)])


@lru_cache(maxsize=1)
def _context() -> AutogenContext:
    options: dict[str, Any] = {
        "sqlalchemy_module_prefix": "sa.",
        "alembic_module_prefix": "op.",
        "user_module_prefix": "sqltypes.",
        "render_item": None,
        "render_as_batch": False,
    }
    context = AutogenContext(MigrationContext.configure(dialect_name="postgresql"), opts=options)
    context.imports = set()
    return context
