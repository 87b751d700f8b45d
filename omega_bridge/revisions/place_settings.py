"""Under which settings does the list have a step, and under which does the history come to it? They differ where it runs later. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from omega_bridge.analysis.context import WHO, in_force

_BACK = {"session_authorization": "RESET SESSION AUTHORIZATION", "role": "RESET ROLE"}


class Around(NamedTuple):
    """What is sent before a revision's steps, and behind them."""

    before: str
    behind: str


def around(in_list: Iterable[str], in_history: Iterable[str]) -> Around | None:
    """From the texts of steps that only set something: those ahead of a step in the list, and in the history; ``None``: it is the same."""
    wanted, found = in_force(in_list), in_force(in_history)
    return None if wanted == found else Around(_between(found, wanted), _between(wanted, found))


def _between(found: Mapping[str, str], wanted: Mapping[str, str]) -> str:
    names = sorted({n for n in (*found, *wanted) if found.get(n) != wanted.get(n)}, key=lambda n: (n not in WHO, n == "role", n))
    back = [_BACK.get(name, f"RESET {name}") for name in names if name in found]
    return "; ".join([*back, *(wanted[name] for name in names if name in wanted)])
