"""One schema, three ways: the naive loop run until nothing changes, one boot, and the compiled history.

More examples than the suite's: ``OMEGA_BRIDGE_EXAMPLES=500 pytest tests/integration/test_properties.py``.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path

import psycopg
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import omega_bridge
from omega_bridge import environment
from omega_bridge.analysis import analyse
from omega_bridge.catalog import Catalog, Difference, diff
from omega_bridge.config import Config
from omega_bridge.embedded import Server
from omega_bridge.postgres.catalog_reader import read_catalog
from omega_bridge.revisions import alembic_border
from omega_bridge.revisions.files import export
from omega_bridge.steps import Registry

EXAMPLES = int(os.environ.get("OMEGA_BRIDGE_EXAMPLES", "10"))
ENV = "from alembic import context\nfrom omega_bridge.environment import run\n\nrun(context)\n"
PASSES = 12

TABLES = ["t", "u", '"Mixed Case"']
COLUMNS = {
    "a": "int DEFAULT 1",
    "b": "varchar(20)",
    "c": "timestamptz NOT NULL DEFAULT now()",
    '"d D"': "jsonb DEFAULT '{}'::jsonb",
}

tables = st.sampled_from(TABLES)
columns = st.sampled_from(sorted(COLUMNS))


def plain(name: str) -> str:
    """A name as the catalog holds it."""
    return name.strip('"')


def guarded(condition: str, statement: str) -> str:
    """The usual DO block."""
    return f"DO $$ BEGIN IF NOT EXISTS ({condition}) THEN {statement}; END IF; END $$"


def swallowed(statement: str, condition: str = "OTHERS") -> str:
    """A block that hides its error."""
    return f"DO $$ BEGIN {statement}; EXCEPTION WHEN {condition} THEN NULL; END $$"


def create_table(t: str) -> str:
    """A table as lists write it."""
    return f"CREATE TABLE IF NOT EXISTS {t} (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), name varchar(10) NOT NULL)"


def add_column(t: str, c: str) -> str:
    """A column, unguarded."""
    return f"ALTER TABLE {t} ADD COLUMN {c} {COLUMNS[c]}"


def column_exists(t: str, c: str) -> str:
    """The look-up without a schema."""
    return f"SELECT 1 FROM information_schema.columns WHERE table_name = '{plain(t)}' AND column_name = '{plain(c)}'"


@st.composite
def add(draw: st.DrawFn) -> str:
    """A column, in one of the ways in which lists add columns."""
    t, c = draw(tables), draw(columns)
    form = draw(st.sampled_from(["if not exists", "guarded", "duplicate_column", "swallowed", "bare"]))
    return {
        "if not exists": add_column(t, c).replace("ADD COLUMN", "ADD COLUMN IF NOT EXISTS"),
        "guarded": guarded(column_exists(t, c), add_column(t, c)),
        "duplicate_column": swallowed(add_column(t, c), "duplicate_column"),
        "swallowed": swallowed(add_column(t, c)),
        "bare": add_column(t, c),
    }[form]


@st.composite
def constrain(draw: st.DrawFn) -> str:
    """A named constraint under the usual guard, or hidden."""
    t, other = draw(tables), draw(tables)
    name, text = draw(
        st.sampled_from(
            [
                (f"ck_{plain(t)[:1]}", "CHECK (length(name) > 0)"),
                (f"uq_{plain(t)[:1]}", "UNIQUE (name)"),
                (f"fk_{plain(t)[:1]}_{plain(other)[:1]}", f"FOREIGN KEY (id) REFERENCES {other} (id)"),
            ]
        )
    )
    statement = f"ALTER TABLE {t} ADD CONSTRAINT {name} {text}"
    return draw(
        st.sampled_from([guarded(f"SELECT 1 FROM pg_constraint WHERE conname = '{name}'", statement), swallowed(statement)])
    )


@st.composite
def index(draw: st.DrawFn) -> str:
    """An index: plain, unique, partial, or over an expression."""
    t = draw(tables)
    kind, rest = draw(
        st.sampled_from(
            [
                ("plain", "(name)"),
                ("desc", "(name DESC NULLS LAST)"),
                ("partial", "(id) WHERE name <> ''"),
                ("lower", "(lower(name))"),
                ("a", "(a)"),
            ]
        )
    )
    unique = draw(st.sampled_from(["", "UNIQUE "]))
    name = f"ix_{plain(t)[:1].lower()}_{kind}_{bool(unique):d}"
    return f"CREATE {unique}INDEX IF NOT EXISTS {name} ON {t} {rest}"


@st.composite
def kind(draw: st.DrawFn) -> str:
    """An enum type, a label more, or a column of it."""
    return draw(
        st.sampled_from(
            [
                swallowed("CREATE TYPE mood AS ENUM ('calm', 'cross')", "duplicate_object"),
                guarded("SELECT 1 FROM pg_type WHERE typname = 'mood'", "CREATE TYPE mood AS ENUM ('calm', 'cross')"),
                "ALTER TYPE mood ADD VALUE IF NOT EXISTS 'glad'",
                f"ALTER TABLE {draw(tables)} ADD COLUMN IF NOT EXISTS feels mood",
            ]
        )
    )


@st.composite
def other(draw: st.DrawFn) -> str:
    """Defaults, nullability, wider types, comments, triggers, drops: each with one fixed end, so that no two steps fight."""
    t = draw(tables)
    return draw(
        st.sampled_from(
            [
                f"ALTER TABLE {t} ALTER COLUMN name DROP NOT NULL",
                f"ALTER TABLE {t} ALTER COLUMN name SET DEFAULT 'x'",
                f"ALTER TABLE {t} ALTER COLUMN name TYPE varchar(30)",
                f"COMMENT ON TABLE {t} IS 'it''s 100 % :fine'",
                f"COMMENT ON COLUMN {t}.name IS 'a name'",
                f"ALTER TABLE {t} ENABLE ROW LEVEL SECURITY",
                "CREATE OR REPLACE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $f$ BEGIN RETURN NEW; END $f$",
                guarded(
                    f"SELECT 1 FROM pg_trigger WHERE tgname = 'tr_{plain(t)[:1]}'",
                    f"CREATE TRIGGER tr_{plain(t)[:1]} BEFORE UPDATE ON {t} FOR EACH ROW EXECUTE FUNCTION touch()",
                ),
                f"ALTER TABLE {t} DROP COLUMN IF EXISTS gone",
                f"DROP INDEX IF EXISTS ix_gone; CREATE TABLE IF NOT EXISTS v (id int); {create_table(t)}",
                "CREATE SCHEMA IF NOT EXISTS side; CREATE TABLE IF NOT EXISTS side.t (id int PRIMARY KEY)",
                f"ALTER TABLE {t} DROP CONSTRAINT IF EXISTS rebuilt; ALTER TABLE {t} ADD CONSTRAINT rebuilt CHECK (name <> 'no')",
            ]
        )
    )


steps = st.one_of(tables.map(create_table), add(), constrain(), index(), kind(), other())


def makes_what_it_uses(listed: list[str]) -> bool:
    """A type or function that no step makes may come from anywhere: there the history fails as loudly as a start does."""
    needed = (("mood", "CREATE TYPE mood"), ("EXECUTE FUNCTION touch()", "CREATE OR REPLACE FUNCTION touch()"))
    return all(any(made in s for s in listed) for used, made in needed if any(used in s for s in listed))


lists = st.lists(steps, min_size=3, max_size=14).filter(makes_what_it_uses)


def naive(url: str, listed: list[str]) -> Catalog:
    """Each string on its own in autocommit, errors ignored, until a whole round changes nothing."""
    with psycopg.connect(url, autocommit=True) as conn:
        before = read_catalog(conn)
        for _ in range(PASSES):
            for text in listed:
                try:
                    conn.execute(text.encode())
                except psycopg.Error:
                    continue
            after = read_catalog(conn)
            if not diff(before, after):
                return after
            before = after
    raise AssertionError("the naive loop has no fixed point")


def booted(url: str, listed: list[str]) -> Catalog:
    """One boot; a second one sends no step of the schema."""
    omega_bridge.boot(url, listed, on_error="continue")
    again = omega_bridge.boot(url, listed, on_error="continue")
    assert [s.id for s in again.steps if s.outcome == "applied" and s.kind == "schema"] == []
    return read(url)


def compiled(url: str, listed: list[str]) -> Catalog:
    """``alembic upgrade head`` over the list's history."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "env.py").write_text(ENV)
        export(analyse(Registry.of(listed)), folder)
        config = alembic_border.alembic_config(folder, url)
        config.attributes["omega_bridge_config"] = Config(root=folder)
        config.attributes["omega_bridge_registry"] = (None, None)
        environment.upgrade(config, "head")
    return read(url)


def read(url: str) -> Catalog:
    """Everything but the bridge's own schema."""
    with psycopg.connect(url, autocommit=True) as conn:
        return read_catalog(conn)


def on_a_database(server: Server, way: Callable[[str, list[str]], Catalog], listed: list[str]) -> Catalog:
    """The catalog that a way leads to."""
    with server.scratch_database(prefix=way.__name__) as url:
        return way(url, listed)


def differences(server: Server, listed: list[str]) -> dict[str, tuple[Difference, ...]]:
    """Where one boot and the history differ from the naive loop's fixed point."""
    wanted = on_a_database(server, naive, listed)
    return {way.__name__: found for way in (booted, compiled) if (found := diff(wanted, on_a_database(server, way, listed)))}


@settings(max_examples=EXAMPLES, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(listed=lists)
def test_three_ways_lead_to_one_schema(server: Server, listed: list[str]) -> None:
    """Naive loop to its fixed point, one boot, and ``alembic upgrade head`` give one catalog."""
    assert differences(server, listed) == {}
