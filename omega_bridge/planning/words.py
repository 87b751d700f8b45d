"""The words of a text: whatever may be a name in it."""

from __future__ import annotations

import re
from functools import lru_cache

ANYWHERE = "*"
"""The name of what is not known: any table may be meant."""


@lru_cache(maxsize=4096)
def words_of(text: str) -> frozenset[str]:
    """Everything in a text that may be a name, in lower case; names in quotes as a whole, too."""
    return frozenset(w.lower() for w in (*re.findall(r"\w+", text), *re.findall(r'"((?:[^"]|"")+)"', text)))
