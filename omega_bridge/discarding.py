"""``DISCARD ALL`` said in its parts, all but ``pg_advisory_unlock_all()``: a start, or an upgrade, would let go of its own lock with it.

So it needs no autocommit either. What is prepared by SQL goes by name, since drivers prepare statements of their own.
Source: PostgreSQL's manual, "DISCARD". Loads no parser: what stands failed is tried again without one.
"""

from __future__ import annotations

import re

from omega_bridge.regexes import regex

_DISCARD_ALL = regex(r"(?:\s|;|--[^\n]*(?:\n|\Z)|/\*.*?\*/)*discard\s+all(?:\s|;|--[^\n]*(?:\n|\Z)|/\*.*?\*/)*", re.I | re.S)

_PARTS = """CLOSE ALL; SET SESSION AUTHORIZATION DEFAULT; RESET ALL; UNLISTEN *; DISCARD PLANS; DISCARD TEMP; DISCARD SEQUENCES;
DO $omega$ DECLARE named pg_catalog.text; BEGIN
    FOR named IN SELECT name FROM pg_catalog.pg_prepared_statements
        WHERE from_sql AND NOT pg_catalog.starts_with(name, 'omega_bridge_') LOOP
        EXECUTE pg_catalog.format('DEALLOCATE %I', named);
    END LOOP;
END $omega$"""


def discards_all(text: str) -> bool:
    """Whether a text is ``DISCARD ALL``, and nothing beside it."""
    return len(text) < 10_000 and "discard" in text.lower() and _DISCARD_ALL.fullmatch(text) is not None


def in_parts(text: str) -> str:
    """A text as it is sent: as it is, but for ``DISCARD ALL``."""
    return _PARTS if discards_all(text) else text
