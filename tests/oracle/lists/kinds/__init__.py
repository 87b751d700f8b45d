"""Rooms of kinds: each offers statements of one sort, as values."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from tests.oracle.lists.context import Context
from tests.oracle.lists.fragment import Fragment
from tests.oracle.lists.kinds import columns, dynamic, outside, privileges, routines, rows, tables, types, views

KINDS: Mapping[str, Callable[[Context], Fragment]] = {
    **tables.KINDS, **columns.KINDS, **views.KINDS, **routines.KINDS, **types.KINDS, **privileges.KINDS, **rows.KINDS, **dynamic.KINDS,
}  # fmt: skip
EVERY: Mapping[str, Callable[[Context], Fragment]] = {**KINDS, **outside.KINDS}
"""Those, too, that have to be asked for."""
