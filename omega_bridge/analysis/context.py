"""Which texts leave another setting behind in their session, so that what comes later runs under it."""

from __future__ import annotations

import re
from collections.abc import Iterable

from omega_bridge.discarding import discards_all
from omega_bridge.errors import StepSyntaxError
from omega_bridge.regexes import regex
from omega_bridge.sql import Statement, parse
from omega_bridge.sql.building import set_locally
from omega_bridge.sql.grammar import VariableSetKind
from omega_bridge.tags import Tag

_WITHIN = regex(
    r"\bset_config\b|\b(?:set|reset)\s+(?:session\s+|local\s+)?(?:role|authorization|search_path|\w*timeout|all)\b|\bdiscard\b",
    re.IGNORECASE,
)
_SETS = frozenset({Tag.VARIABLE_SET, Tag.DISCARD})
_RUNS = frozenset({Tag.DO, Tag.SELECT, Tag.CALL})


def may_set(text: str) -> bool:
    """Whether it may: what is put together at run time counts where it says so."""
    try:
        return any(map(_sets, parse(text)))
    except StepSyntaxError:
        return True


def _sets(statement: Statement) -> bool:
    """A function may be called by a later step; the ``SET`` of its definition is in force while it runs."""
    if statement.tag == Tag.CREATE_FUNCTION:
        return "set_config" in statement.text.lower()
    return statement.tag in _SETS or (statement.tag in _RUNS and _WITHIN.search(statement.text) is not None)


def may_set_within(text: str) -> bool:
    """Whether a block, a call or a text that is not read may, by its words."""
    return _WITHIN.search(text) is not None


def sets_for_session(text: str) -> bool:
    """Whether a ``SET`` of a text is for the session, and not for its transaction alone."""
    return any(s.tag == Tag.VARIABLE_SET and not s.node.is_local for s in parse(text))


_NAMES = {"search_path", "role", "session_authorization"}
_WITHOUT_MEANING = regex(r"\w*timeout|client_min_messages")
"""Rows come out the same under any of them."""


def for_one_transaction(text: str) -> tuple[str, ...] | None:
    """What a step that only sets leaves to later ones, as statements for one transaction alone; ``None`` where that is not certain."""
    found: list[str] = []
    for statement in parse(text):
        node = statement.node
        if statement.tag != Tag.VARIABLE_SET or node.kind not in (VariableSetKind.SET_VALUE, VariableSetKind.SET_DEFAULT):
            return None
        if node.is_local or _WITHOUT_MEANING.fullmatch(node.name):
            continue
        if node.name not in _NAMES:
            return None
        found.append(set_locally(statement))
    return tuple(found)


def changes_search_path(text: str) -> bool:
    """Whether a text that is sent as it is may look for names elsewhere, and so hide the table of versions."""
    return "search_path" in text.lower()


# --- steps that do nothing else --------------------------------------------------------------------------------

_BEGINS = regex(r"(?:\s|--[^\n]*\n|/\*.*?\*/)*(?:SET|RESET|DISCARD)\b", re.IGNORECASE | re.DOTALL)
_CALL = regex(r"\s*SELECT\s+(?:pg_catalog\.)?set_config\(\s*'([^']*)'\s*,\s*'[^']*'\s*,\s*false\s*\)\s*;?\s*", re.IGNORECASE)
_TAKEN_BACK = {VariableSetKind.RESET, VariableSetKind.SET_DEFAULT}
WHO = ("session_authorization", "role")
"""Settings that ``RESET ALL`` leaves, in the order in which they are set: who the session is decides what it may be."""


def only_sets(text: str) -> bool:
    """Whether a text is nothing but ``SET``, ``RESET`` and ``DISCARD ALL``, or one call of ``set_config`` that says the same."""
    if _CALL.fullmatch(text):
        return True
    if not _BEGINS.match(text):
        return False
    try:
        return discards_all(text) or all(s.tag == Tag.VARIABLE_SET for s in parse(text))
    except StepSyntaxError:
        return False


def in_force(texts: Iterable[str]) -> dict[str, str]:
    """What texts that only set leave set for the session: the statement that says so, by the setting's name."""
    left: dict[str, str] = {}
    for text in texts:
        if call := _CALL.fullmatch(text):
            left[call[1].lower()] = text.strip().rstrip(";")
        elif discards_all(text):
            left.clear()
        else:
            for statement in parse(text):
                _set(left, statement)
    return left


def _set(left: dict[str, str], statement: Statement) -> None:
    node = statement.node
    if node.kind == VariableSetKind.RESET_ALL:
        for name in left.keys() - set(WHO):
            del left[name]
    elif node.kind in _TAKEN_BACK and not node.is_local:
        left.pop(node.name, None)
    elif node.kind == VariableSetKind.SET_VALUE and not node.is_local:
        left[node.name] = re.sub(r"\s*;\s*\Z", "", statement.text)
