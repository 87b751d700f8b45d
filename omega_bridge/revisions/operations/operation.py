"""What an operation of ours is, and which of them a downgrade may run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, TypeAlias

from alembic.operations import MigrateOperation, Operations

CREATED = "omega_bridge_created"
"""The migration context's option that tells a downgrade what the bridge created: catalog keys as text, and changed
attributes as ``<key>: <attribute>``. Absent or ``None``: no record, nothing is held back."""


INDEXES = "omega_bridge_indexes"
"""The migration context's option that asks the record before an index is built: ``begins(name, schema)`` notes that it is, and says
whether an INVALID one of that name may go, since the record names it."""


Argument: TypeAlias = tuple[str | None, object, object]
"""Name (``None``: by position), value, and default (``...``: none)."""


class Operation(MigrateOperation):
    """An operation that is one or more statements, and one line in a revision file."""

    verb: ClassVar[str]

    def statements(self) -> Sequence[str]:
        """The SQL, each a statement of its own."""
        raise NotImplementedError

    def arguments(self) -> Sequence[Argument]:
        """Each argument, as the file shows them."""
        raise NotImplementedError

    @property
    def attempted(self) -> Sequence[str]:
        """What is sent where an error leaves all as it was, and is told; nothing for an operation whose error ends the upgrade."""
        return ()

    def undoes(self) -> str | None:
        """What a downgrade must find in the ledger's record before it runs this; ``None`` for nothing."""
        return None

    @property
    def words(self) -> str | None:
        """The step's own SQL, where all that is sent is made of it."""
        return None


def spelled(kind: str, name: str, table: str | None, schema: str | None) -> str:
    """An object as the ledger's record spells it; without a schema, the ending of it."""
    path = ".".join(part for part in (schema, table, name) if part)
    return f"{kind} {path}"


def _is_recorded(told: str, record: frozenset[str]) -> bool:
    """Whether the record holds the object, in that schema or, where none is given, in any."""
    told, _, attribute = told.partition(": ")
    if attribute and _is_recorded(told, record):  # the whole object is the bridge's own
        return True
    if attribute == "comment" and told.startswith("column ") and "." in told:  # that of a composite type is the type's
        owner = told.removeprefix("column ").rpartition(".")[0]
        if _is_recorded(f"composite type {owner}: attribute_comments", record):
            return True
    told = f"{told}: {attribute}" if attribute else told
    if told in record:
        return True
    kind = next(k for k in sorted(_KINDS, key=len, reverse=True) if told.startswith(f"{k} "))
    tail = "." + told.removeprefix(f"{kind} ")
    return any(entry.startswith(f"{kind} ") and entry.endswith(tail) for entry in record)


_KINDS = (
    "schema", "extension", "table", "column", "constraint", "index", "sequence", "view", "materialized view", "enum",
    "domain", "composite type", "function", "trigger", "policy",
)  # fmt: skip


def is_held_back(operations: Operations, told: str | None) -> bool:
    """Whether a downgrade must leave it, because the bridge found it there and did not make it."""
    record = operations.migration_context.opts.get(CREATED)
    return told is not None and record is not None and not _is_recorded(told, record)
