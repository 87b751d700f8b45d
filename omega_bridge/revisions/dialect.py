"""PostgreSQL as it is written in a text of its own.

SQLAlchemy's dialect would double every ``%``, as the style of a driver's parameters wants it; no driver formats our texts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from sqlalchemy.dialects import postgresql

if TYPE_CHECKING:
    from sqlalchemy import Enum
    from sqlalchemy.dialects.postgresql.base import PGIdentifierPreparer
    from sqlalchemy.engine import Dialect


_made: Any = postgresql.dialect
DIALECT: Dialect = _made(paramstyle="named")
PREPARER = cast("PGIdentifierPreparer", DIALECT.identifier_preparer)
"""Quotes names where they have to be."""


def type_name(kind: Enum) -> str:
    """The name of a type that the models make, quoted where it has to be, with its schema."""
    found: str = PREPARER.format_type(kind)  # type: ignore[no-untyped-call]
    return found
