"""Steps that change rows take turns: two starts that send them at the same moment would each insert what is not there yet.

An advisory lock of the transaction that sends them, by schema. Who waits for it waits for such a transaction alone, and no
longer than for a table's lock.
"""

from __future__ import annotations

CLASS = 0x6F6D6564
"""The first half of the key ("omed"); the second is a hash of the current schema's name."""

TAKE = (
    f"SELECT pg_catalog.pg_advisory_xact_lock({CLASS},"
    " pg_catalog.hashtext(coalesce(pg_catalog.current_schema()::pg_catalog.text, '')))"
)
"""What takes the turn, until the transaction ends."""
