"""Regular expressions that are compiled when they are first used: of those that its modules have, a start uses few.

Fifty of them take as long to compile as thirty modules to load.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cached_property
from typing import Any, cast


def regex(text: str, flags: int = 0, *, only_with: tuple[str, ...] = ()) -> re.Pattern[str]:
    """As ``re.compile``; what is wrong with the text is raised when it is first used.

    ``only_with``: whatever it finds by ``search`` has one of these in it, in any case: most texts have none, and then it is not compiled.
    """
    return cast("re.Pattern[str]", _Late(text, flags) if not only_with else _LateWith(text, flags, only_with))


class _Late:
    """In the place of a compiled expression. Its attributes are that one's."""

    def __init__(self, text: str, flags: int) -> None:
        self._given = text, flags

    def __getattr__(self, name: str) -> Any:
        found = getattr(re.compile(*self._given), name)  # ``re`` keeps what it has compiled
        setattr(self, name, found)
        return found


class _LateWith(_Late):
    def __init__(self, text: str, flags: int, words: tuple[str, ...]) -> None:
        super().__init__(text, flags)
        self._words = words

    def search(self, text: str) -> re.Match[str] | None:
        """As the compiled one."""
        folded = text.casefold()
        return self._found(text) if any(word in folded for word in self._words) else None

    @cached_property
    def _found(self) -> Callable[[str], re.Match[str] | None]:
        return re.compile(*self._given).search
