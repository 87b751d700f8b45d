"""Which texts may speak to another server, whose data no proof is to touch. Read from the words alone: rather too many than too few."""

from __future__ import annotations

import re

from omega_bridge.analysis.leaving import way_out

ELSEWHERE = "it may connect to another server, and is not tried on a scratch database"

_WORDS = re.compile(
    r"\bsubscription\b|\bdblink\w*\s*\(|\bimport\s+foreign\s+schema\b|\bcopy\b.*\bprogram\b|\bpg_(create|drop)_\w*replication_slot\b",
    re.IGNORECASE | re.DOTALL,
)


def may_reach_elsewhere(text: str) -> bool:
    """Whether a step may connect to another server, or run a program."""
    return _WORDS.search(text) is not None or way_out(text) is not None
