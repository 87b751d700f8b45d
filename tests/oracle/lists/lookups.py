"""Look-ups, as lists write them: queries that give a row where an object is there. Some look in every schema, some fail where
the table is missing; what they mean is what PostgreSQL makes of them.
"""

from __future__ import annotations

from tests.oracle.lists.context import Context, Name

INFO = "information_schema"


def table(c: Context, t: Name) -> str:
    """A table."""
    return c.pick(
        f"SELECT 1 FROM {INFO}.tables WHERE table_name = {t.lit}",
        f"SELECT 1 FROM {INFO}.tables WHERE table_schema = {t.home} AND table_name = {t.lit}",
        f"SELECT 1 FROM {INFO}.tables WHERE table_schema = current_schema() AND table_name = {t.lit}",
        f"SELECT 1 FROM pg_class WHERE relname = {t.lit} AND relkind = 'r'",
        f"SELECT 1 FROM pg_class WHERE relname = {t.lit} AND relkind IN ('r', 'p')",
        f"SELECT FROM pg_tables WHERE schemaname = {t.home} AND tablename = {t.lit}",
        f"SELECT 1 FROM pg_catalog.pg_class k JOIN pg_catalog.pg_namespace n ON n.oid = k.relnamespace "
        f"WHERE n.nspname = {t.home} AND k.relname = {t.lit}",
        f"SELECT 1 FROM pg_class WHERE oid = to_regclass({t.full})",
        f"SELECT * FROM {INFO}.tables WHERE table_name ILIKE {t.lit}",
    )


def column(c: Context, t: Name, name: Name) -> str:
    """A column."""
    return c.pick(
        f"SELECT 1 FROM {INFO}.columns WHERE table_name = {t.lit} AND column_name = {name.lit}",
        f"SELECT 1 FROM {INFO}.columns WHERE table_schema = {t.home} AND table_name = {t.lit} AND column_name = {name.lit}",
        f"SELECT column_name FROM {INFO}.columns WHERE column_name = {name.lit} AND table_name = {t.lit} AND table_schema = current_schema()",
        f"SELECT 1 FROM pg_attribute WHERE attrelid = to_regclass({t.full}) AND attname = {name.lit} AND NOT attisdropped",
        f"SELECT 1 FROM pg_attribute WHERE attrelid = {t.full}::regclass AND attname = {name.lit} AND attnum > 0",
        f"SELECT 1 FROM pg_attribute a JOIN pg_class k ON k.oid = a.attrelid WHERE k.relname = {t.lit} AND a.attname = {name.lit} "
        "AND NOT a.attisdropped",
        f"SELECT 1 FROM {INFO}.columns WHERE table_name = {t.lit} AND column_name IN ({name.lit})",
    )


def column_so(c: Context, t: Name, name: Name) -> str:
    """A column with a property."""
    return f"SELECT 1 FROM {INFO}.columns WHERE table_name = {t.lit} AND column_name = {name.lit} AND " + c.pick(
        "is_nullable = 'NO'",
        "is_nullable = 'YES'",
        "data_type = 'integer'",
        "data_type <> 'text'",
        "udt_name = 'varchar'",
        "column_default IS NULL",
        "column_default IS NOT NULL",
        "character_maximum_length < 40",
        "data_type IN ('character varying', 'text')",
    )


def constraint(c: Context, t: Name, name: Name) -> str:
    """A constraint."""
    return c.pick(
        f"SELECT 1 FROM pg_constraint WHERE conname = {name.lit}",
        f"SELECT 1 FROM pg_constraint WHERE conname = {name.lit} AND conrelid = {t.full}::regclass",
        f"SELECT 1 FROM pg_constraint WHERE conname = {name.lit} AND conrelid = to_regclass({t.full})",
        f"SELECT 1 FROM {INFO}.table_constraints WHERE constraint_name = {name.lit} AND table_name = {t.lit}",
        f"SELECT 1 FROM {INFO}.table_constraints WHERE table_schema = {t.home} AND constraint_name = {name.lit}",
        f"SELECT 1 FROM pg_constraint k JOIN pg_class r ON r.oid = k.conrelid WHERE k.conname = {name.lit} AND r.relname = {t.lit}",
    )


def constraint_of_type(c: Context, t: Name, letter: str) -> str:
    """Any constraint of a type on a table."""
    word = {"c": "CHECK", "u": "UNIQUE", "f": "FOREIGN KEY", "p": "PRIMARY KEY"}[letter]
    return c.pick(
        f"SELECT 1 FROM pg_constraint WHERE conrelid = to_regclass({t.full}) AND contype = '{letter}'",
        f"SELECT 1 FROM {INFO}.table_constraints WHERE table_name = {t.lit} AND constraint_type = '{word}' "
        "AND constraint_name NOT LIKE '%not_null%'",
    )


def index(c: Context, name: Name) -> str:
    """An index."""
    return c.pick(
        f"SELECT 1 FROM pg_indexes WHERE indexname = {name.lit}",
        f"SELECT 1 FROM pg_indexes WHERE schemaname = {name.home} AND indexname = {name.lit}",
        f"SELECT 1 FROM pg_class WHERE relname = {name.lit} AND relkind = 'i'",
        f"SELECT 1 FROM pg_class WHERE relname = {name.lit}",
        f"SELECT 1 WHERE to_regclass({name.full}) IS NOT NULL",
    )


def type_(c: Context, name: Name) -> str:
    """A type."""
    return c.pick(
        f"SELECT 1 FROM pg_type WHERE typname = {name.lit}",
        f"SELECT 1 FROM pg_type y JOIN pg_namespace n ON n.oid = y.typnamespace WHERE y.typname = {name.lit} AND n.nspname = {name.home}",
        f"SELECT 1 WHERE to_regtype({name.full}) IS NOT NULL",
    )


def label(c: Context, name: Name, value: str) -> str:
    """A label of an enum."""
    return c.pick(
        f"SELECT 1 FROM pg_enum e JOIN pg_type y ON y.oid = e.enumtypid WHERE y.typname = {name.lit} AND e.enumlabel = '{value}'",
        f"SELECT 1 FROM pg_enum WHERE enumlabel = '{value}' AND enumtypid = (SELECT oid FROM pg_type WHERE typname = {name.lit})",
        f"SELECT 1 FROM pg_enum WHERE enumlabel = '{value}' AND enumtypid = {name.full}::regtype",
    )


def trigger(c: Context, t: Name, name: Name) -> str:
    """A trigger."""
    return c.pick(
        f"SELECT 1 FROM pg_trigger WHERE tgname = {name.lit}",
        f"SELECT 1 FROM pg_trigger WHERE tgname = {name.lit} AND tgrelid = to_regclass({t.full})",
        f"SELECT 1 FROM pg_trigger WHERE tgname = {name.lit} AND NOT tgisinternal",
        f"SELECT 1 FROM {INFO}.triggers WHERE trigger_name = {name.lit} AND event_object_table = {t.lit}",
    )


def policy(c: Context, t: Name, name: Name) -> str:
    """A policy."""
    return c.pick(
        f"SELECT 1 FROM pg_policies WHERE policyname = {name.lit}",
        f"SELECT 1 FROM pg_policies WHERE tablename = {t.lit} AND policyname = {name.lit}",
        f"SELECT 1 FROM pg_policy WHERE polname = {name.lit} AND polrelid = to_regclass({t.full})",
    )


def routine(c: Context, name: Name, arguments: str) -> str:
    """A function."""
    return c.pick(
        f"SELECT 1 FROM pg_proc WHERE proname = {name.lit}",
        f"SELECT 1 FROM {INFO}.routines WHERE routine_name = {name.lit}",
        f"SELECT 1 WHERE to_regprocedure('{name.sql}({arguments})') IS NOT NULL",
        f"SELECT 1 FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE n.nspname = {name.home} AND p.proname = {name.lit}",
    )


def view(c: Context, name: Name) -> str:
    """A view."""
    return c.pick(
        f"SELECT 1 FROM {INFO}.views WHERE table_name = {name.lit}",
        f"SELECT 1 FROM pg_views WHERE viewname = {name.lit}",
        f"SELECT 1 FROM {INFO}.tables WHERE table_name = {name.lit} AND table_type = 'VIEW'",
        f"SELECT 1 FROM pg_class WHERE relname = {name.lit} AND relkind = 'v'",
    )


def matview(c: Context, name: Name) -> str:
    """A materialised view."""
    return c.pick(
        f"SELECT 1 FROM pg_matviews WHERE matviewname = {name.lit}",
        f"SELECT 1 FROM pg_class WHERE relname = {name.lit} AND relkind = 'm'",
        f"SELECT 1 FROM {INFO}.tables WHERE table_name = {name.lit}",
    )


def sequence(c: Context, name: Name) -> str:
    """A sequence."""
    return c.pick(
        f"SELECT 1 FROM {INFO}.sequences WHERE sequence_name = {name.lit}",
        f"SELECT 1 FROM pg_sequences WHERE sequencename = {name.lit}",
        f"SELECT 1 FROM pg_class WHERE relkind = 'S' AND relname = {name.lit}",
    )


def named(catalog: str, attribute: str, value: str) -> str:
    """A row of a catalog by its name."""
    return f"SELECT 1 FROM {catalog} WHERE {attribute} = {value}"
