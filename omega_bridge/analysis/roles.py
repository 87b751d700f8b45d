"""Which texts may leave another role behind. Read from the words alone: rather too many than too few."""

from __future__ import annotations

import re

_WORDS = re.compile(
    r"\bset\b.*\b(role|authorization)\b|\breset\b|\bdiscard\b|\bset_config\b|\bexecute\b(?!\s+(?:function|procedure)\b)",
    re.IGNORECASE | re.DOTALL,
)


def may_change_role(text: str) -> bool:
    """Whether the session may be another role's after a step."""
    return _WORDS.search(text) is not None
