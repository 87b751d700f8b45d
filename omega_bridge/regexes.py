"""Regular expressions that are compiled when they are first used: of those that its modules have, a start uses few.

Fifty of them take as long to compile as thirty modules to load.
"""

from __future__ import annotations

import re
from typing import Any, cast


def regex(text: str, flags: int = 0) -> re.Pattern[str]:
    """As ``re.compile``; what is wrong with the text is raised when it is first used."""
    return cast("re.Pattern[str]", _Late(text, flags))


class _Late:
    """In the place of a compiled expression. Its attributes are that one's."""

    def __init__(self, text: str, flags: int) -> None:
        self._given = text, flags

    def __getattr__(self, name: str) -> Any:
        found = getattr(re.compile(*self._given), name)  # ``re`` keeps what it has compiled
        setattr(self, name, found)
        return found
