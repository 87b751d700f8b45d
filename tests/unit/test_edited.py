"""In thought: where an edited list makes a fresh database another than one that lived through its past."""

from __future__ import annotations

import pytest

from omega_bridge.analysis import analyse
from omega_bridge.planning.edited import splits, told
from omega_bridge.steps import Registry

T = "CREATE TABLE IF NOT EXISTS t (id int PRIMARY KEY)"
C = "ALTER TABLE t ADD COLUMN IF NOT EXISTS c int"
INDEX = "CREATE INDEX IF NOT EXISTS t_i ON t (id)"
CHECK = (
    "DO $$ BEGIN IF NOT EXISTS (SELECT 1 FROM pg_constraint WHERE conname = 'low') THEN "
    "ALTER TABLE t ADD CONSTRAINT low CHECK (id > {}); END IF; END $$"
)
APART = {
    "column-in-the-table": (
        [T],
        ["CREATE TABLE IF NOT EXISTS t (id int PRIMARY KEY, b text NOT NULL DEFAULT 'x')"],
        ["create-t: column public.t.b:  -> ALTER TABLE public.t ADD COLUMN IF NOT EXISTS b text DEFAULT 'x' NOT NULL"],
    ),
    "type": (
        [T],
        ["CREATE TABLE IF NOT EXISTS t (id bigint PRIMARY KEY)"],
        ["create-t: column public.t.id: type -> ALTER TABLE public.t ALTER COLUMN id TYPE bigint"],
    ),
    "type-and-default": (
        [T, C],
        [T, "ALTER TABLE t ADD COLUMN IF NOT EXISTS c bigint DEFAULT 5"],
        [
            "t-c: column public.t.c: type -> ALTER TABLE public.t ALTER COLUMN c TYPE bigint",
            "t-c: column public.t.c: default -> ALTER TABLE public.t ALTER COLUMN c SET DEFAULT 5",
        ],
    ),
    "definition": (
        [T, CHECK.format(0)],
        [T, CHECK.format(1)],
        [
            "t-low: constraint public.t.low: definition -> "
            "ALTER TABLE public.t DROP CONSTRAINT low, ADD CONSTRAINT low CHECK (id > 1)"
        ],
    ),
    "label": (
        ["CREATE TYPE mood AS ENUM ('a')"],
        ["CREATE TYPE mood AS ENUM ('a', 'b''c')"],
        ["enum-mood: enum public.mood: labels -> ALTER TYPE public.mood ADD VALUE IF NOT EXISTS 'b''c'"],
    ),
    "put-in-before-another": (
        [T, C],
        ["CREATE TABLE IF NOT EXISTS t (id int PRIMARY KEY, c text)", T, C],
        ["create-t: column public.t.c: type -> ALTER TABLE public.t ALTER COLUMN c TYPE text"],
    ),
    "column-taken-out": ([T, C], [T], ["t-c: column public.t.c:  -> ALTER TABLE public.t ADD COLUMN IF NOT EXISTS c int"]),
    "index-taken-out": ([T, INDEX], [T], ["index-t-i: index public.t_i:  -> DROP INDEX IF EXISTS public.t_i"]),
    "table-taken-out": ([T, "CREATE TABLE IF NOT EXISTS u (id int)"], [T], ["create-u: table public.u:  -> "]),
}  # fmt: skip
ALIKE = {
    "unchanged": ([T, C], [T, C]),
    "longer": ([T], [T, C]),
    "moved": ([T, C, INDEX], [T, INDEX, C]),
    "spelled-otherwise": (
        [T, "ALTER TABLE t ADD COLUMN IF NOT EXISTS c varchar(10)"],
        [T, "ALTER TABLE t ADD COLUMN IF NOT EXISTS c character varying(10)"],
    ),
    "replaced": (
        ["CREATE OR REPLACE FUNCTION f() RETURNS int LANGUAGE sql AS 'select 1'"],
        ["CREATE OR REPLACE FUNCTION f() RETURNS int LANGUAGE sql AS 'select 2'"],
    ),
    "mended": ([T, C], [T, "ALTER TABLE t ADD COLUMN IF NOT EXISTS c bigint", "ALTER TABLE t ALTER COLUMN c TYPE bigint"]),
    "taken-out-and-away": ([T, INDEX], [T, "DROP INDEX IF EXISTS t_i"]),
    "unique-by-its-index": (
        [T, "CREATE UNIQUE INDEX IF NOT EXISTS u ON t (id)", "ALTER TABLE t ADD CONSTRAINT u UNIQUE USING INDEX u"],
        [
            "CREATE TABLE IF NOT EXISTS t (id int PRIMARY KEY, CONSTRAINT u UNIQUE (id))",
            "CREATE UNIQUE INDEX IF NOT EXISTS u ON t (id)",
            "DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_constraint WHERE conrelid = to_regclass('t') AND conname = 'u') "
            "THEN ALTER TABLE t ADD CONSTRAINT u UNIQUE USING INDEX u; END IF; END $$",
        ],
    ),
    "renamed-and-the-table-edited": (
        ["CREATE TABLE IF NOT EXISTS t (id int PRIMARY KEY, was text NOT NULL)"],
        [
            "CREATE TABLE IF NOT EXISTS t (id int PRIMARY KEY, is_ text NOT NULL)",
            "DO $$ BEGIN IF EXISTS (SELECT FROM pg_attribute WHERE attrelid = to_regclass('t') AND attname = 'was') "
            "THEN ALTER TABLE t RENAME COLUMN was TO is_; END IF; END $$",
        ],
    ),
    "a-key-renamed-with-its-index": (
        ["CREATE TABLE IF NOT EXISTS t (id int PRIMARY KEY, a int CONSTRAINT t_a_key UNIQUE)"],
        [
            "CREATE TABLE IF NOT EXISTS t (id int PRIMARY KEY, a int CONSTRAINT t_b_key UNIQUE)",
            "DO $$ BEGIN IF EXISTS (SELECT FROM pg_constraint WHERE conrelid = to_regclass('t') AND conname = 't_a_key') "
            "THEN ALTER TABLE t RENAME CONSTRAINT t_a_key TO t_b_key; END IF; END $$",
        ],
    ),
    "in-doubt": ([T, "DO $$ DECLARE n text := 'c'; BEGIN EXECUTE format('ALTER TABLE t ADD COLUMN %I int', n); END $$"], [T]),
}


@pytest.mark.parametrize("case", APART)
def test_an_edit_that_splits_databases_is_told_with_what_to_append(case: str) -> None:
    """The step, the object, what differs of it, and the step to append."""
    past, today, wanted = APART[case]
    found = list(splits(analyse(Registry.of(past)), analyse(Registry.of(today))))
    assert [f"{s.step}: {s.object}: {s.attribute} -> {s.append}" for s in found] == wanted


@pytest.mark.parametrize("case", APART)
def test_what_was_told_to_append_makes_them_alike(case: str) -> None:
    """With the statements at the end of the list nothing is told any more, as far as there is one for each difference."""
    past, today, wanted = APART[case]
    appended = [s.append for s in splits(analyse(Registry.of(past)), analyse(Registry.of(today)))]
    if all(appended):
        assert list(splits(analyse(Registry.of(past)), analyse(Registry.of([*today, *appended])))) == []
    else:
        assert wanted[-1].endswith("-> ")


@pytest.mark.parametrize("case", ALIKE)
def test_an_edit_that_splits_nothing_is_not_told(case: str) -> None:
    """A false alarm is worse than none; nor is anything said of what is not read for certain."""
    past, today = ALIKE[case]
    assert list(splits(analyse(Registry.of(past)), analyse(Registry.of(today)))) == []


def test_it_is_told_in_lines() -> None:
    """Both values, the step, and what to append."""
    assert told(splits(analyse(Registry.of([T])), analyse(Registry.of([T.replace("int", "bigint")])))) == (
        "a fresh database is not as one that lived through the past: step create-t: column public.t.id: type is bigint in a fresh "
        "database, int in one that lived through the past\n  append: ALTER TABLE public.t ALTER COLUMN id TYPE bigint"
    )
    assert told(()) == ""
