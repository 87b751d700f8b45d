"""Types of one's own, sequences, schemas, extensions."""

from __future__ import annotations

from tests.oracle.lists import lookups
from tests.oracle.lists.context import Context, Name
from tests.oracle.lists.fragment import Fragment

MOOD, EMAIL, ADDRESS = Name("mood"), Name("email_address"), Name("address")


def enum(c: Context) -> Fragment:
    """An enum and its labels."""
    value = c.pick("glad", "sad", "sehr fröhlich")
    place = c.pick("", "", " BEFORE 'cross'", " AFTER 'calm'")
    t = c.table()
    return c.pick(
        Fragment("CREATE TYPE mood AS ENUM ('calm', 'cross')", unless=(lookups.type_(c, MOOD),)),
        Fragment("CREATE TYPE mood AS ENUM ('calm', 'cross')", unless=(lookups.type_(c, MOOD),)),
        Fragment(f"ALTER TYPE mood ADD VALUE '{value}'{place}", f"ALTER TYPE mood ADD VALUE IF NOT EXISTS '{value}'{place}", (lookups.label(c, MOOD, value),)),
        Fragment("ALTER TYPE mood RENAME VALUE 'cross' TO 'angry'", "", (lookups.label(c, MOOD, "angry"),), (lookups.label(c, MOOD, "cross"),)),
        Fragment(f"ALTER TABLE {t.sql} ADD COLUMN feels mood", f"ALTER TABLE {t.sql} ADD COLUMN IF NOT EXISTS feels mood", (lookups.column(c, t, Name("feels")),), duplicate="duplicate_column"),
        Fragment(f"ALTER TABLE {t.sql} ALTER COLUMN feels SET DEFAULT 'calm'", where=(lookups.column(c, t, Name("feels")),)),
        Fragment("DROP TYPE IF EXISTS mood", where=(lookups.type_(c, MOOD),)),
    )  # fmt: skip


def domain(c: Context) -> Fragment:
    """A domain."""
    body = c.pick("text CHECK (VALUE LIKE '%@%')", "varchar(80)", "text CONSTRAINT has_at CHECK (position('@' IN VALUE) > 0)")
    t = c.table()
    return c.pick(
        Fragment(f"CREATE DOMAIN email_address AS {body}", unless=(lookups.type_(c, EMAIL),)),
        Fragment(f"CREATE DOMAIN email_address AS {body}", unless=(lookups.type_(c, EMAIL),)),
        Fragment("ALTER DOMAIN email_address SET DEFAULT 'a@b'", where=(lookups.type_(c, EMAIL),)),
        Fragment("ALTER DOMAIN email_address ADD CONSTRAINT is_short CHECK (length(VALUE) < 99)", unless=(lookups.named("pg_constraint", "conname", "'is_short'"),)),
        Fragment(f"ALTER TABLE {t.sql} ADD COLUMN mail email_address", f"ALTER TABLE {t.sql} ADD COLUMN IF NOT EXISTS mail email_address", (lookups.column(c, t, Name("mail")),), duplicate="duplicate_column"),
        Fragment("ALTER DOMAIN email_address DROP CONSTRAINT IF EXISTS is_short"),
    )  # fmt: skip


def composite(c: Context) -> Fragment:
    """A composite or a range type."""
    t = c.table()
    return c.pick(
        Fragment("CREATE TYPE address AS (street text, town varchar(30))", unless=(lookups.type_(c, ADDRESS),)),
        Fragment("CREATE TYPE address AS (street text, town varchar(30))", unless=(lookups.type_(c, ADDRESS),)),
        Fragment("ALTER TYPE address ADD ATTRIBUTE zip text", unless=(f"SELECT 1 FROM pg_attribute WHERE attrelid = to_regclass({ADDRESS.full}) AND attname = 'zip'",), duplicate="duplicate_column"),
        Fragment("ALTER TYPE address RENAME ATTRIBUTE town TO city"),
        Fragment(f"ALTER TABLE {t.sql} ADD COLUMN IF NOT EXISTS place address"),
        Fragment("CREATE TYPE span_of AS RANGE (subtype = int4)", unless=(lookups.type_(c, Name("span_of")),)),
        Fragment("DROP TYPE IF EXISTS address"),
    )  # fmt: skip


def sequence(c: Context) -> Fragment:
    """A sequence."""
    t = c.table()
    q = c.beside(t, c.named("q", t))
    return c.pick(
        Fragment(f"CREATE SEQUENCE {q.sql}", f"CREATE SEQUENCE IF NOT EXISTS {q.sql}", (lookups.sequence(c, q),), duplicate="duplicate_table"),
        Fragment(f"CREATE SEQUENCE {q.sql} START 100 INCREMENT 5", f"CREATE SEQUENCE IF NOT EXISTS {q.sql} START 100 INCREMENT 5", (lookups.sequence(c, q),), duplicate="duplicate_table"),
        Fragment(f"ALTER SEQUENCE {q.sql} OWNED BY {t.sql}.id", where=(lookups.sequence(c, q),), duplicate="undefined_table"),
        Fragment(f"ALTER SEQUENCE {q.sql} {c.pick('INCREMENT 10', 'MAXVALUE 1000', 'CACHE 5', 'CYCLE', 'OWNED BY NONE', 'AS int')}", where=(lookups.sequence(c, q),)),
        Fragment(f"ALTER TABLE {t.sql} ALTER COLUMN id SET DEFAULT nextval({q.full})", where=(lookups.sequence(c, q),), duplicate="undefined_table"),
        Fragment(f"DROP SEQUENCE IF EXISTS {q.sql}", where=(lookups.sequence(c, q),)),
    )  # fmt: skip


def schema(c: Context) -> Fragment:
    """A schema, and things in it."""
    name = Name(c.of(c.schemas))
    inner = Name("inner_t", name.written)
    there = lookups.named("information_schema.schemata", "schema_name", name.lit)
    return c.pick(
        Fragment(f"CREATE SCHEMA {name.sql}", f"CREATE SCHEMA IF NOT EXISTS {name.sql}", (there,), duplicate="duplicate_schema"),
        Fragment(f"CREATE SCHEMA {name.sql}", f"CREATE SCHEMA IF NOT EXISTS {name.sql}", (there,), duplicate="duplicate_schema"),
        Fragment(f"CREATE TABLE {inner.sql} (id int PRIMARY KEY)", f"CREATE TABLE IF NOT EXISTS {inner.sql} (id int PRIMARY KEY)", (lookups.table(c, inner),), duplicate="duplicate_table"),
        Fragment(f"CREATE SCHEMA IF NOT EXISTS {name.sql}; CREATE TABLE IF NOT EXISTS {inner.sql} (id int PRIMARY KEY, a text)"),
        Fragment(f"GRANT USAGE ON SCHEMA {name.sql} TO oracle_reader"),
        Fragment(f"COMMENT ON SCHEMA {name.sql} IS 'aside'"),
        Fragment(f"DROP SCHEMA IF EXISTS {name.sql}{c.pick('', ' CASCADE')}", destructive=True),
        Fragment(f"SET search_path TO {name.sql}, public", plain=True),
        Fragment("SET search_path TO public", plain=True),
    )  # fmt: skip


def extension(c: Context) -> Fragment:
    """An extension, and what it serves."""
    t = c.table()
    column = c.column()
    return c.pick(
        Fragment("CREATE EXTENSION pg_trgm", "CREATE EXTENSION IF NOT EXISTS pg_trgm", ("SELECT 1 FROM pg_extension WHERE extname = 'pg_trgm'",)),
        Fragment("CREATE EXTENSION IF NOT EXISTS citext"),
        Fragment("CREATE EXTENSION IF NOT EXISTS no_such_extension"),
        Fragment(f"CREATE INDEX IF NOT EXISTS {c.named('trgm', t).bare} ON {t.sql} USING gin (({column.name.bare}::text) gin_trgm_ops)"),
        Fragment(f"ALTER TABLE {t.sql} ADD COLUMN IF NOT EXISTS handle citext"),
        Fragment("DROP EXTENSION IF EXISTS citext"),
    )  # fmt: skip


KINDS = {"enum": enum, "domain": domain, "composite": composite, "sequence": sequence, "schema": schema, "extension": extension}
