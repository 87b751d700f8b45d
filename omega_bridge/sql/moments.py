"""Moments in what PostgreSQL prints: a constant without a zone is one of the ``TimeZone`` of the session that wrote it."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

_MOMENT = re.compile(r"'(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d+)?[+-]\d\d)'(::timestamp with time zone)", re.IGNORECASE)
_FARTHEST = timedelta(hours=26)
"""From UTC-12 to UTC+14."""
_STEP = timedelta(minutes=15)
"""What every zone of today is a multiple of away from UTC."""


def is_moment_in_another_zone(one: object, other: object) -> bool:
    """Whether two printed texts differ in moments alone, and in each by what two zones may differ by."""
    between = _between(one, other)
    return between is not None and any(between) and all(abs(apart) <= _FARTHEST and not apart % _STEP for apart in between)


def is_same_moment(one: object, other: object) -> bool:
    """Whether two texts differ in nothing but the zone that their moments are printed in."""
    between = _between(one, other)
    return between is not None and not any(between)


def _between(one: object, other: object) -> list[timedelta] | None:
    """What lies between the moments of two texts that are the same but for them."""
    if not isinstance(one, str) or not isinstance(other, str) or _MOMENT.sub(r"\2", one) != _MOMENT.sub(r"\2", other):
        return None
    pairs = zip(_MOMENT.finditer(one), _MOMENT.finditer(other), strict=True)
    try:
        return [datetime.fromisoformat(a[1]) - datetime.fromisoformat(b[1]) for a, b in pairs]
    except ValueError:  # a year that Python has not
        return None
