"""What is known of a step before any database is asked."""

from __future__ import annotations

import pytest

from omega_bridge.analysis import StepKind, analyse
from omega_bridge.analysis.guards import read_condition
from omega_bridge.analysis.program import Exists, Not, Unknown, is_decidable, statements
from omega_bridge.steps import Registry

COLUMN = "table_name = 't' AND column_name = 'a'"

KNOWN = {
    "columns": f"NOT EXISTS (SELECT 1 FROM information_schema.columns WHERE {COLUMN})",
    "columns with schema": f"NOT EXISTS (SELECT * FROM information_schema.columns WHERE table_schema = 'public' AND {COLUMN})",
    "columns with current_schema": f"NOT EXISTS (SELECT FROM information_schema.columns c WHERE c.table_schema = current_schema() AND {COLUMN})",
    "count": f"(SELECT count(*) FROM information_schema.columns WHERE {COLUMN}) = 0",
    "tables": "NOT EXISTS (SELECT FROM information_schema.tables WHERE table_name = 't')",
    "pg_tables": "NOT EXISTS (SELECT FROM pg_tables WHERE schemaname = 'public' AND tablename = 't')",
    "to_regclass": "to_regclass('public.t') IS NULL",
    "pg_class": "NOT EXISTS (SELECT 1 FROM pg_class WHERE relname = 't' AND relkind = 'r')",
    "pg_class joined": "NOT EXISTS (SELECT 1 FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relname = 't' AND n.nspname = 'public')",
    "pg_indexes": "NOT EXISTS (SELECT 1 FROM pg_indexes WHERE indexname = 'i')",
    "pg_attribute": "NOT EXISTS (SELECT 1 FROM pg_attribute WHERE attrelid = 't'::regclass AND attname = 'a' AND NOT attisdropped)",
    "pg_constraint": "NOT EXISTS (SELECT 1 FROM pg_constraint WHERE conname = 'c')",
    "pg_constraint of a table": "NOT EXISTS (SELECT 1 FROM pg_constraint WHERE conrelid = 'public.t'::regclass AND conname = 'c')",
    "table_constraints": "NOT EXISTS (SELECT 1 FROM information_schema.table_constraints WHERE constraint_name = 'c' AND table_name = 't')",
    "pg_type": "NOT EXISTS (SELECT 1 FROM pg_type WHERE typname = 'm')",
    "pg_enum": "NOT EXISTS (SELECT 1 FROM pg_enum e JOIN pg_type t ON t.oid = e.enumtypid WHERE t.typname = 'm' AND e.enumlabel = 'x')",
    "pg_extension": "NOT EXISTS (SELECT 1 FROM pg_extension WHERE extname = 'x')",
    "pg_trigger": "NOT EXISTS (SELECT 1 FROM pg_trigger WHERE tgname = 'x')",
    "pg_proc": "NOT EXISTS (SELECT 1 FROM pg_proc WHERE proname = 'f')",
    "data_type": f"EXISTS (SELECT 1 FROM information_schema.columns WHERE {COLUMN} AND data_type IN ('integer', 'bigint'))",
    "nullable": f"EXISTS (SELECT 1 FROM information_schema.columns WHERE {COLUMN} AND is_nullable = 'NO')",
    "scalar": f"(SELECT data_type FROM information_schema.columns WHERE {COLUMN}) <> 'uuid'",
    "both": "to_regclass('t') IS NOT NULL AND NOT EXISTS (SELECT 1 FROM pg_type WHERE typname = 'm')",
}
UNKNOWN = {
    "rows": "NOT EXISTS (SELECT 1 FROM tenants WHERE id = 1)",
    "like": "EXISTS (SELECT 1 FROM information_schema.columns WHERE table_name LIKE 't%')",
    "function": "my_check('t')",
    "version": "current_setting('server_version_num')::int > 130000",
    "computed name": "EXISTS (SELECT 1 FROM pg_class WHERE relname = 't' || 'x')",
    "grouped": "EXISTS (SELECT 1 FROM pg_class WHERE relname = 't' GROUP BY relname)",
}


@pytest.mark.parametrize("text", KNOWN.values(), ids=[k.replace(" ", "-") for k in KNOWN])
def test_guards_are_understood(text: str) -> None:
    """The spellings that real lists use are answered from the catalog."""
    assert is_decidable(read_condition(text))


@pytest.mark.parametrize("text", UNKNOWN.values(), ids=[k.replace(" ", "-") for k in UNKNOWN])
def test_other_conditions_are_left_to_the_server(text: str) -> None:
    """What is not understood to the end is not guessed."""
    assert isinstance(read_condition(text), Unknown)


def test_a_guard_without_a_schema_means_any() -> None:
    """information_schema without table_schema is satisfied by another schema's table: the trap is kept, and seen."""
    found = read_condition(KNOWN["columns"])
    assert isinstance(found, Not)
    assert isinstance(found.condition, Exists)
    assert found.condition.pattern.schema == "*"


KINDS = {
    "CREATE TABLE t (a int)": StepKind.SCHEMA,
    "INSERT INTO t VALUES (1)": StepKind.DATA,
    "UPDATE t SET a = 1 WHERE a IS NULL": StepKind.DATA,
    "ALTER TABLE t ADD a int; UPDATE t SET a = 1": StepKind.MIXED,
    "DO $$ BEGIN EXECUTE 'ALTER TABLE ' || 't' || ' ADD x int'; END $$": StepKind.MIXED,
    "DO $$ BEGIN IF (SELECT count(*) FROM t) > 5 THEN ALTER TABLE t ADD x int; END IF; END $$": StepKind.MIXED,
    "DO $$ BEGIN IF to_regclass('t') IS NULL THEN CREATE TABLE t (a int); INSERT INTO t VALUES (1); END IF; END $$": StepKind.SCHEMA,
    "DO $$ BEGIN INSERT INTO t VALUES (1); EXCEPTION WHEN unique_violation THEN NULL; END $$": StepKind.DATA,
    "DO $$ BEGIN EXECUTE 'CREATE TABLE t (a int)'; END $$": StepKind.SCHEMA,
    "SET search_path = x; CREATE TABLE t (a int)": StepKind.MIXED,
    "this is no sql": StepKind.MIXED,
}


@pytest.mark.parametrize(("text", "kind"), KINDS.items())
def test_kinds(text: str, kind: StepKind) -> None:
    """Schema by the catalog, data at every boot, anything else when something changed."""
    assert analyse(Registry.of([text])).steps[0].kind is kind


EFFECTS = {
    "CREATE INDEX ON t (a, lower(b))": ["index t_a_lower_idx"],
    "ALTER TABLE s.t ADD COLUMN a int, DROP COLUMN b": ["column s.t.a", "column s.t.b"],
    "ALTER TABLE t ADD CHECK (a > 0)": ["constraint t.t_a_check"],
    "ALTER TABLE t ADD FOREIGN KEY (a, b) REFERENCES u": ["constraint t.t_a_b_fkey"],
    "ALTER TABLE t RENAME COLUMN a TO b": ["column t.a", "column t.b"],
    'CREATE TABLE "Mixed" ("A b" int)': ["table Mixed"],
    "CREATE TYPE m AS ENUM ('a')": ["enum m"],
    "DROP TRIGGER IF EXISTS x ON t": ["trigger t.x"],
    "COMMENT ON COLUMN t.a IS 'x'": ["column t.a"],
    "CREATE OR REPLACE FUNCTION f(a int, OUT b text) LANGUAGE sql AS 'SELECT 1'": ["function f(integer)"],
}


@pytest.mark.parametrize(("text", "keys"), EFFECTS.items())
def test_effects_name_their_objects(text: str, keys: list[str]) -> None:
    """Each statement's objects, with the names that PostgreSQL would give."""
    (step,) = analyse(Registry.of([text])).steps
    found = [str(e.key) for s in statements(step.program) for e in s.effects]
    if "lower" in text:
        assert found[0].startswith("index t_a_")
    else:
        assert found == keys


def test_labels_are_unique_and_speak() -> None:
    """A step without an id is named by what it does; duplicates get a number; explicit ids are kept."""
    listed = [
        "CREATE TABLE t (a int)",
        "ALTER TABLE t ADD b int",
        "ALTER TABLE t ADD b int",
        ("mine", "SELECT 1"),
        "INSERT INTO t VALUES (1)",
    ]
    assert [s.id for s in analyse(Registry.of(listed))] == ["create-t", "t-b", "t-b-2", "mine", "insert-t"]
