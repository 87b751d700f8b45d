"""Which texts leave another setting behind in their session, so that what comes later runs under it."""

from __future__ import annotations

import re

from omega_bridge.errors import StepSyntaxError
from omega_bridge.sql import Statement, parse

_WITHIN = re.compile(
    r"\bset_config\b|\b(?:set|reset)\s+(?:session\s+|local\s+)?(?:role|authorization|search_path|\w*timeout|all)\b|\bdiscard\b",
    re.IGNORECASE,
)
_SETS = frozenset({"variable_set_stmt", "discard_stmt"})
_RUNS = frozenset({"do_stmt", "select_stmt", "call_stmt"})


def may_set(text: str) -> bool:
    """Whether it may: what is put together at run time counts where it says so."""
    try:
        return any(map(_sets, parse(text)))
    except StepSyntaxError:
        return True


def _sets(statement: Statement) -> bool:
    """A function may be called by a later step; the ``SET`` of its definition is in force while it runs."""
    if statement.tag == "create_function_stmt":
        return "set_config" in statement.text.lower()
    return statement.tag in _SETS or (statement.tag in _RUNS and _WITHIN.search(statement.text) is not None)


def changes_search_path(text: str) -> bool:
    """Whether a text that is sent as it is may look for names elsewhere, and so hide the table of versions."""
    return "search_path" in text.lower()
