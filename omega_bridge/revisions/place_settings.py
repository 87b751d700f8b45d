"""Under which settings does the list have a step, and under which does the history come to it? They differ where it runs later. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from omega_bridge.revisions.set_before import CALL
from omega_bridge.sql import parse, pb

_TAKEN_BACK = {pb.VAR_RESET, pb.VAR_SET_DEFAULT}
_WHO = {"session_authorization": "RESET SESSION AUTHORIZATION", "role": "RESET ROLE"}
"""In the order in which they are set: who the session is decides what it may be."""


class Around(NamedTuple):
    """What is sent before a revision's steps, and behind them."""

    before: str
    behind: str


def around(in_list: Iterable[str], in_history: Iterable[str]) -> Around | None:
    """From the texts of steps that only set something: those ahead of a step in the list, and in the history; ``None``: it is the same."""
    wanted, found = in_force(in_list), in_force(in_history)
    return None if wanted == found else Around(_between(found, wanted), _between(wanted, found))


def in_force(texts: Iterable[str]) -> dict[str, str]:
    """What such texts leave set for the session: the statement that says so, by the setting's name."""
    left: dict[str, str] = {}
    for text in texts:
        if call := CALL.fullmatch(text):
            left[call[1].lower()] = text.strip().rstrip(";")
            continue
        for statement in parse(text):
            node = statement.node
            if node.kind == pb.VAR_RESET_ALL:
                left = {name: said for name, said in left.items() if name in _WHO}
            elif node.kind in _TAKEN_BACK and not node.is_local:
                left.pop(node.name, None)
            elif node.kind == pb.VAR_SET_VALUE and not node.is_local:
                left[node.name] = re.sub(r"\s*;\s*\Z", "", statement.text)
    return left


def _between(found: Mapping[str, str], wanted: Mapping[str, str]) -> str:
    names = sorted({n for n in (*found, *wanted) if found.get(n) != wanted.get(n)}, key=lambda n: (n not in _WHO, n == "role", n))
    back = [_WHO.get(name, f"RESET {name}") for name in names if name in found]
    return "; ".join([*back, *(wanted[name] for name in names if name in wanted)])
