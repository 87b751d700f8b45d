"""Which texts may speak to another server, whose data no proof is to touch, or are about the whole server. Read from the words alone:
rather too many than too few.
"""

from __future__ import annotations

import re

from omega_bridge.analysis.leaving import way_out

ELSEWHERE = "it may connect to another server, and is not tried on a scratch database"

SHARED = "what it makes belongs to the whole server, which all scratch databases share: whether the history makes it, too, is not shown"

_SHARED = re.compile(
    r"\b(create|alter|drop)\s+(role|user(?!\s+mapping)|group|tablespace)\b|\b(create|drop)\s+database\b|\balter\s+system\b",
    re.IGNORECASE,
)

_WORDS = re.compile(
    r"\bsubscription\b|\bdblink\w*\s*\(|\bimport\s+foreign\s+schema\b|\bcopy\b.*\bprogram\b|\bpg_(create|drop)_\w*replication_slot\b",
    re.IGNORECASE | re.DOTALL,
)


_MET = re.compile(
    _SHARED.pattern
    + r"|\b(alter\s+database|comment\s+on\s+(role|tablespace|database)|security\s+label|(drop|reassign)\s+owned)\b"
    r"|\b(grant|revoke)\b(?![^;]*\bon\b)",  # privileges are on something, a membership is not
    re.IGNORECASE,
)


def may_meet_another(text: str) -> bool:
    """Whether a text may write rows of catalogs that all databases of a server share: sent to two of them at once, one may be rejected."""
    return _MET.search(text) is not None


def may_reach_elsewhere(text: str) -> bool:
    """Whether a step may connect to another server, or run a program."""
    return _WORDS.search(text) is not None or way_out(text) is not None


def is_of_the_server(text: str) -> bool:
    """Whether a step may make or change what is no database's own: roles, tablespaces, other databases, the server's settings."""
    return _SHARED.search(text) is not None
