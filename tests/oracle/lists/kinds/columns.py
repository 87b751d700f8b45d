"""Columns: added in every shape, changed, dropped; constraints with a name and without; indexes; statistics."""

from __future__ import annotations

from tests.oracle.lists import lookups
from tests.oracle.lists.context import Context, Name
from tests.oracle.lists.fragment import Fragment


def add(c: Context) -> Fragment:
    """A column."""
    t, column, other = c.table(), c.column(), c.table()
    rest = c.pick(
        "", "", f" DEFAULT {column.default}", f" NOT NULL DEFAULT {column.default}", " NOT NULL", " UNIQUE", " NULL",
        f" CHECK ({column.name.bare} IS NOT NULL)",
        f" CONSTRAINT {c.named('ck', t, column.name).bare} CHECK ({column.name.bare} IS NOT NULL)",
    )  # fmt: skip
    body = f"{column.name.bare} {column.type}{rest}"
    if c.chance(0.12):
        body = c.pick(
            f"parent_id int REFERENCES {other.sql} (id)", f"parent_id int REFERENCES {other.sql} (id) ON DELETE CASCADE",
            'sorted text COLLATE "C"', "total int GENERATED ALWAYS AS (1 + 1) STORED", "seq bigserial",
            "number int GENERATED ALWAYS AS IDENTITY", "mood mood", "mood mood DEFAULT 'calm'", "mail email_address", "place address",
            "three int[3]", "deep numeric(5)[]", "moods public.mood[]",
        )  # fmt: skip
    name = Name(body.partition(" ")[0]) if not body.startswith('"') else column.name
    if c.chance(0.1) and name == column.name:
        text = f"ADD COLUMN IF NOT EXISTS {body}, ADD COLUMN IF NOT EXISTS more_{c.rng.randrange(2)} int DEFAULT 1"
        return Fragment(f"ALTER TABLE {t.sql} {text}", duplicate="duplicate_column")
    exists = c.pick("", "IF EXISTS ", "ONLY ") if c.chance(0.2) else ""
    return Fragment(
        f"ALTER TABLE {exists}{t.sql} ADD {c.pick('COLUMN ', 'COLUMN ', '')}{body}", f"ALTER TABLE {exists}{t.sql} ADD COLUMN IF NOT EXISTS {body}",
        (lookups.column(c, t, name),), duplicate="duplicate_column",
    )  # fmt: skip


def alter(c: Context) -> Fragment:
    """Default, nullability, storage."""
    t, column = c.table(), c.column()
    n = column.name.bare
    action = c.pick(
        f"SET DEFAULT {column.default}", f"SET DEFAULT {column.default}", "SET DEFAULT NULL", "DROP DEFAULT", "SET NOT NULL", "DROP NOT NULL",
        "DROP NOT NULL", "SET STATISTICS 200", "SET STATISTICS -1", "SET STORAGE PLAIN", "SET (n_distinct = 5)", "DROP EXPRESSION IF EXISTS",
    )  # fmt: skip
    second = f", ALTER COLUMN {n} {c.pick('DROP NOT NULL', f'SET DEFAULT {column.default}')}" if c.chance(0.1) else ""
    return Fragment(
        f"ALTER TABLE {t.sql} ALTER {c.pick('COLUMN ', 'COLUMN ', '')}{n} {action}{second}",
        where=(lookups.column(c, t, column.name), lookups.column_so(c, t, column.name)), duplicate="undefined_column",
    )  # fmt: skip


def change_type(c: Context) -> Fragment:
    """A type, with a view in the way or not."""
    t, column = c.table(), c.column()
    n = column.name.bare
    new = c.of(column.wider) if column.wider else c.pick("text", column.type)
    using = c.pick("", "", f" USING {n}::{new}")
    text = f"ALTER TABLE {t.sql} ALTER COLUMN {n} {c.pick('TYPE', 'SET DATA TYPE')} {new}{using}"
    if new == "text" and c.chance(0.1):
        text = f'ALTER TABLE {t.sql} ALTER COLUMN {n} TYPE text COLLATE "C"'
    if c.chance(0.15):
        v = c.beside(t, c.named("v", t))
        text = f"DROP VIEW IF EXISTS {v.sql}; {text}; CREATE VIEW {v.sql} AS SELECT id, {n} FROM {t.sql}"
    return Fragment(
        text, where=(lookups.column(c, t, column.name), lookups.column_so(c, t, column.name)), duplicate="undefined_column"
    )


def drop(c: Context) -> Fragment:
    """A column away."""
    t, name = c.table(), c.pick(c.column().name, Name("gone"), Name("gone"))
    cascade = c.pick("", "", " CASCADE")
    return Fragment(
        f"ALTER TABLE {t.sql} DROP COLUMN {name.bare}{cascade}", f"ALTER TABLE {t.sql} DROP COLUMN IF EXISTS {name.bare}{cascade}",
        where=(lookups.column(c, t, name),), destructive=True, duplicate="undefined_column",
    )  # fmt: skip


def constraint(c: Context) -> Fragment:
    """A constraint with a name."""
    t, other, column = c.table(), c.table(), c.column()
    n = column.name.bare
    prefix, body, error = c.pick(
        ("ck", f"CHECK ({n} IS NOT NULL)", "duplicate_object"),
        ("ck", "CHECK (id > 0)", "duplicate_object"),
        ("ck2", f"CHECK (length({n}::text) < 1000) NOT VALID", "duplicate_object"),
        ("uq", f"UNIQUE ({n})", "duplicate_table"),
        ("uq", "UNIQUE (id)", "duplicate_table"),
        ("uq2", f"UNIQUE ({n}, id) DEFERRABLE INITIALLY DEFERRED", "duplicate_table"),
        ("pk", "PRIMARY KEY (id)", "invalid_table_definition"),
        ("fk", f"FOREIGN KEY (id) REFERENCES {other.sql} (id)", "duplicate_object"),
        ("fk", f"FOREIGN KEY (id) REFERENCES {other.sql} (id) ON DELETE CASCADE NOT VALID", "duplicate_object"),
        ("ex", "EXCLUDE USING btree (id WITH =)", "duplicate_table"),
    )
    name = c.named(prefix, t)
    text = f"ALTER TABLE {t.sql} ADD CONSTRAINT {name.bare} {body}"
    drop_first = f"ALTER TABLE {t.sql} DROP CONSTRAINT IF EXISTS {name.bare}; {text}"
    return c.pick(
        Fragment(text, unless=(lookups.constraint(c, t, name),), duplicate=error),
        Fragment(text, unless=(lookups.constraint(c, t, name),), duplicate=error),
        Fragment(drop_first, duplicate=error),
        Fragment(f"ALTER TABLE {t.sql} VALIDATE CONSTRAINT {name.bare}", where=(lookups.constraint(c, t, name),), duplicate="undefined_object"),
        Fragment(
            f"ALTER TABLE {t.sql} DROP CONSTRAINT {name.bare}", f"ALTER TABLE {t.sql} DROP CONSTRAINT IF EXISTS {name.bare}",
            where=(lookups.constraint(c, t, name),), duplicate="undefined_object",
        ),
    )  # fmt: skip


def unnamed(c: Context) -> Fragment:
    """A constraint that PostgreSQL names."""
    t, other, column = c.table(), c.table(), c.column()
    letter, body = c.pick(
        ("c", "CHECK (id IS NOT NULL)"), ("u", f"UNIQUE ({column.name.bare})"), ("f", f"FOREIGN KEY (id) REFERENCES {other.sql}"), ("p", "PRIMARY KEY (id)")
    )  # fmt: skip
    return Fragment(f"ALTER TABLE {t.sql} ADD {body}", unless=(lookups.constraint_of_type(c, t, letter),), cautious=True)


def index(c: Context) -> Fragment:
    """An index."""
    t, column = c.table(), c.column()
    n = column.name.bare
    kind, body = c.pick(
        ("plain", f"({n})"), ("desc", f"({n} DESC NULLS LAST)"), ("part", f"(id) WHERE {n} IS NOT NULL"), ("expr", f"(({n}::text))"), ("lower", f"(lower({n}::text))"),
        ("two", f"(id, {n})"), ("incl", f"(id) INCLUDE ({n})"), ("hash", f"USING hash ({n})"), ("gin", f"USING gin ({n})"), ("fill", f"({n}) WITH (fillfactor = 60)"),
    )  # fmt: skip
    name = c.beside(t, c.named("ix", t, Name(kind)))
    unique = "UNIQUE " if c.chance(0.2) else ""
    if c.chance(0.12):
        return Fragment(f"CREATE {unique}INDEX CONCURRENTLY IF NOT EXISTS {name.bare} ON {t.sql} {body}", alone=True)
    if c.chance(0.05):
        return Fragment(
            f"CREATE INDEX ON {t.sql} {body}",
            unless=(f"SELECT 1 FROM pg_index WHERE indrelid = to_regclass({t.full}) AND NOT indisprimary",),
            cautious=True,
        )
    return Fragment(
        f"CREATE {unique}INDEX {name.bare} ON {t.sql} {body}", f"CREATE {unique}INDEX IF NOT EXISTS {name.bare} ON {t.sql} {body}",
        (lookups.index(c, name),), duplicate="duplicate_table",
    )  # fmt: skip


def index_changed(c: Context) -> Fragment:
    """An index away, rebuilt, renamed, or made into a constraint."""
    t = c.table()
    name = c.beside(t, c.named("ix", t, Name(c.pick("plain", "two", "part"))))
    new = c.named("uq_ix", t)
    return c.pick(
        Fragment(f"DROP INDEX {name.sql}", f"DROP INDEX IF EXISTS {name.sql}", where=(lookups.index(c, name),), duplicate="undefined_object"),
        Fragment(f"DROP INDEX IF EXISTS {name.sql}; CREATE INDEX {name.bare} ON {t.sql} (id)"),
        Fragment(f"ALTER INDEX {name.sql} RENAME TO {new.bare}", f"ALTER INDEX IF EXISTS {name.sql} RENAME TO {new.bare}", (lookups.index(c, c.beside(t, new)),), (lookups.index(c, name),)),
        Fragment(f"ALTER TABLE {t.sql} ADD CONSTRAINT {new.bare} UNIQUE USING INDEX {name.bare}", unless=(lookups.constraint(c, t, new),)),
        Fragment(f"DROP INDEX CONCURRENTLY IF EXISTS {name.sql}", alone=True),
        Fragment(f"ALTER INDEX IF EXISTS {name.sql} SET (fillfactor = 50)"),
        Fragment(f"ALTER TABLE {t.sql} CLUSTER ON {name.bare}", where=(lookups.index(c, name),), duplicate="undefined_object"),
    )  # fmt: skip


def statistics(c: Context) -> Fragment:
    """Extended statistics."""
    t, column = c.table(), c.column()
    name = c.beside(t, c.named("st", t))
    return Fragment(
        f"CREATE STATISTICS {name.sql} (dependencies) ON id, {column.name.bare} FROM {t.sql}",
        f"CREATE STATISTICS IF NOT EXISTS {name.sql} (dependencies) ON id, {column.name.bare} FROM {t.sql}",
        (lookups.named("pg_statistic_ext", "stxname", name.lit),),
    )  # fmt: skip


KINDS = {
    "column": add, "alter-column": alter, "type": change_type, "drop-column": drop, "constraint": constraint, "unnamed": unnamed, "index": index,
    "index-changed": index_changed, "statistics": statistics,
}  # fmt: skip
