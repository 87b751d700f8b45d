"""Which texts leave another setting behind in their session, so that what comes later runs under it."""

from __future__ import annotations

import re

from omega_bridge.errors import StepSyntaxError
from omega_bridge.sql import Statement, deparse_statement, parse, pb

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


def may_set_within(text: str) -> bool:
    """Whether a block, a call or a text that is not read may, by its words."""
    return _WITHIN.search(text) is not None


_NAMES = {"search_path", "role", "session_authorization"}
_WITHOUT_MEANING = re.compile(r"\w*timeout|client_min_messages")
"""Rows come out the same under any of them."""


def for_one_transaction(text: str) -> tuple[str, ...] | None:
    """What a step that only sets leaves to later ones, as statements for one transaction alone; ``None`` where that is not certain."""
    found: list[str] = []
    for statement in parse(text):
        node = statement.node
        if statement.tag != "variable_set_stmt" or node.kind not in (pb.VAR_SET_VALUE, pb.VAR_SET_DEFAULT):
            return None
        if node.is_local or _WITHOUT_MEANING.fullmatch(node.name):
            continue
        if node.name not in _NAMES:
            return None
        local = pb.VariableSetStmt()
        local.CopyFrom(node)
        local.is_local = True
        found.append(deparse_statement(statement.tag, local))
    return tuple(found)


def changes_search_path(text: str) -> bool:
    """Whether a text that is sent as it is may look for names elsewhere, and so hide the table of versions."""
    return "search_path" in text.lower()
