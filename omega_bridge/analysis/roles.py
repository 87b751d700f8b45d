"""Which texts may leave another role, or other settings, behind. Read from the words alone: rather too many than too few."""

from __future__ import annotations

import re

from omega_bridge.regexes import regex

_WORDS = regex(
    r"\bset\b.*\b(role|authorization)\b|\breset\b|\bdiscard\b|\bset_config\b|\bexecute\b(?!\s+(?:function|procedure)\b)",
    re.IGNORECASE | re.DOTALL,
    only_with=("set", "discard", "execute"),
)


def may_change_role(text: str) -> bool:
    """Whether the session may be another role's after a step."""
    return _WORDS.search(text) is not None


_SETS = regex(
    r"(?:\A|;|\*/|\n|'|\bbegin\b|\bthen\b|\belse\b|\bloop\b)\s*(?:set|reset|discard)\b|\bset_config\b"
    r"|\bexecute\b(?!\s+(?:function|procedure)\b)|\bcall\b",
    re.IGNORECASE,
    only_with=("set", "discard", "execute", "call"),
)


def may_change_settings(text: str) -> bool:
    """Whether the session may have other settings after a step: what the bridge itself sends needs its own limits again."""
    return _SETS.search(text) is not None


TAKES_NO_WRITES = "behind it the session takes no writes: neither the list's nor the record"
"""Why a step that makes it read-only is taken back."""

_READ_ONLY = regex(r"\bread\s+only\b|read_only\b", re.IGNORECASE, only_with=("read",))


def may_set_read_only(text: str) -> bool:
    """Whether the session may take no writes after a step."""
    return _READ_ONLY.search(text) is not None
