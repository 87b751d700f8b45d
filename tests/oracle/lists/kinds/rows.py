"""Rows: inserted, changed, taken away, alone and together with the schema."""

from __future__ import annotations

from tests.oracle.lists import lookups
from tests.oracle.lists.context import Context, Name
from tests.oracle.lists.fragment import Fragment
from tests.oracle.lists.listed import Rows


def insert(c: Context) -> Fragment:
    """Rows that come."""
    t = c.table()
    n = c.rng.randrange(1, 4)
    return c.pick(
        Fragment(f"INSERT INTO {t.sql} (id) VALUES ({n}) ON CONFLICT DO NOTHING", rows=Rows.ONLY, duplicate="unique_violation"),
        Fragment(
            f"INSERT INTO {t.sql} (id) VALUES ({n}), ({n + 1}) ON CONFLICT (id) DO NOTHING",
            rows=Rows.ONLY,
            duplicate="unique_violation",
        ),
        Fragment(
            f"INSERT INTO {t.sql} (id) SELECT {n} WHERE NOT EXISTS (SELECT 1 FROM {t.sql} WHERE id::text = '{n}')", rows=Rows.ONLY
        ),
        Fragment(
            f"INSERT INTO {t.sql} (id) VALUES ({n})",
            unless=(f"SELECT 1 FROM {t.sql} WHERE id::text = '{n}'",),
            rows=Rows.ONLY,
            cautious=True,
        ),
        Fragment(f"INSERT INTO {t.sql} (id) SELECT max(id) + 1 FROM {t.sql}", rows=Rows.ONLY, repeats=True),
    )


def update(c: Context) -> Fragment:
    """Rows that change."""
    t, column = c.table(), c.column()
    n = column.name.bare
    return c.pick(
        Fragment(f"UPDATE {t.sql} SET {n} = {column.default} WHERE {n} IS NULL", rows=Rows.ONLY),
        Fragment(f"UPDATE {t.sql} SET {n} = {column.default}", rows=Rows.ONLY),
        Fragment(f"UPDATE {t.sql} SET {n} = NULL WHERE id::text = '1'", rows=Rows.ONLY),
        Fragment(f"UPDATE {t.sql} SET id = id + 10", rows=Rows.ONLY, repeats=True),
        Fragment(
            f"UPDATE {t.sql} SET {n} = {column.default} WHERE {n} IS NULL",
            where=(lookups.column(c, t, column.name),),
            rows=Rows.ONLY,
        ),
    )


def delete(c: Context) -> Fragment:
    """Rows that go."""
    t = c.table()
    return c.pick(
        Fragment(f"DELETE FROM {t.sql} WHERE id::text = '{c.rng.randrange(1, 4)}'", rows=Rows.ONLY, destructive=True),
        Fragment(
            f"DELETE FROM {t.sql} a USING {t.sql} b WHERE a.ctid < b.ctid AND a.id = b.id", rows=Rows.ONLY, destructive=True
        ),
    )


def mixed(c: Context) -> Fragment:
    """A column, and rows for it, in one step."""
    t, column = c.table(), c.column()
    n = column.name.bare
    new = Name("backfilled")
    return c.pick(
        Fragment(f"ALTER TABLE {t.sql} ADD COLUMN IF NOT EXISTS {new.bare} int; UPDATE {t.sql} SET {new.bare} = 1 WHERE {new.bare} IS NULL", rows=Rows.TOO),
        Fragment(f"ALTER TABLE {t.sql} ADD COLUMN {new.bare} text; UPDATE {t.sql} SET {new.bare} = {n}::text", unless=(lookups.column(c, t, new),), rows=Rows.TOO, cautious=True),
        Fragment(f"ALTER TABLE {t.sql} ADD COLUMN IF NOT EXISTS {new.bare} int DEFAULT 5; ALTER TABLE {t.sql} ALTER COLUMN {new.bare} SET NOT NULL", rows=Rows.NONE),
        Fragment(f"UPDATE {t.sql} SET {n} = {column.default} WHERE {n} IS NULL; ALTER TABLE {t.sql} ALTER COLUMN {n} SET NOT NULL", rows=Rows.TOO),
        Fragment("CREATE TABLE IF NOT EXISTS kinds (k text PRIMARY KEY); INSERT INTO kinds VALUES ('a'), ('b%') ON CONFLICT (k) DO UPDATE SET k = EXCLUDED.k", rows=Rows.TOO),
        Fragment(
            f"ALTER TABLE {t.sql} ADD COLUMN IF NOT EXISTS {new.bare} text; UPDATE {t.sql} SET {new.bare} = {n}::text; ALTER TABLE {t.sql} DROP COLUMN {n}",
            where=(lookups.column(c, t, column.name),), rows=Rows.TOO, destructive=True, duplicate="undefined_column",
        ),
    )  # fmt: skip


KINDS = {"insert": insert, "update": update, "delete": delete, "mixed": mixed}
