"""PostgreSQL as it is written in a text of its own.

SQLAlchemy's dialect would double every ``%``, as the style of a driver's parameters wants it; no driver formats our texts.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy.dialects import postgresql

_made: Any = postgresql.dialect
DIALECT: Any = _made(paramstyle="named")
PREPARER: Any = DIALECT.identifier_preparer
"""Quotes names where they have to be."""
