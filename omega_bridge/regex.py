"""Regular expressions that are compiled when they are first asked: a start loads forty of them, and an ordinary one asks every third."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

__all__ = ["regex"]

if TYPE_CHECKING:
    from re import compile as regex
else:

    class regex:  # called as ``re.compile`` is
        """What ``re.compile`` gives, later."""

        def __init__(self, pattern, flags=0):
            self._asked = pattern, flags

        def __getattr__(self, name):
            found = getattr(re.compile(*self._asked), name)
            setattr(self, name, found)
            return found
