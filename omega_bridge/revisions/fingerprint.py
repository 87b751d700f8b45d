"""A digest of the models without importing SQLAlchemy: whoever passes a ``MetaData`` has loaded it already.

A boot on a current database computes it at every start, so it only walks plain attributes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sqlalchemy import MetaData


def models_digest(metadata: MetaData) -> str:
    """SHA-256 over tables, columns, constraints and indexes; equal in every process for the same models."""
    found = hashlib.sha256()
    for name in sorted(metadata.tables):
        for part in _table(metadata.tables[name]):
            found.update(part.encode("utf-8", "surrogatepass"))
            found.update(b"\x1f")
    return found.hexdigest()


def _table(table: Any) -> Iterator[str]:
    yield f"{table.schema}.{table.name} {table.comment}"
    for c in table.columns:
        default = getattr(c.server_default, "arg", None)
        yield f"{c.name} {c.type!r} {c.nullable} {c.primary_key} {getattr(default, 'text', default)} {c.comment}"
        if c.server_default is not None and default is None:  # it is computed, or an identity
            yield str(getattr(c.server_default, "sqltext", type(c.server_default).__name__))
        yield from sorted(f"{f.target_fullname} {f.ondelete} {f.onupdate}" for f in c.foreign_keys)
    yield from sorted((_constraint(c) for c in table.constraints), key=str)
    for index in sorted(table.indexes, key=lambda i: str(i.name)):
        columns = ",".join(str(getattr(e, "name", None) or e) for e in index.expressions)
        where = index.dialect_options["postgresql"].get("where") if "postgresql" in index.dialect_options else None
        yield f"{index.name} {index.unique} {columns} {where}"


def _constraint(constraint: Any) -> str:
    columns = ",".join(c.name for c in getattr(constraint, "columns", ()))
    deferred = f"{constraint.deferrable} {constraint.initially}"
    return f"{type(constraint).__name__} {constraint.name} {columns} {getattr(constraint, 'sqltext', '')} {deferred}"
