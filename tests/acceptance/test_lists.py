"""Whole lives of repair lists as services write them: on an empty, a legacy and a half-repaired database, and as history."""

from __future__ import annotations

import io
import re
import subprocess
from contextlib import nullcontext
from pathlib import Path

import psycopg
import pytest
from alembic import command
from alembic.config import Config as AlembicConfig
from psycopg import sql

import omega_bridge
from omega_bridge import environment
from omega_bridge.analysis import analyse
from omega_bridge.audit.equivalence import verify
from omega_bridge.audit.proofs import prover
from omega_bridge.catalog import Catalog, diff
from omega_bridge.config import Config
from omega_bridge.embedded import Server
from omega_bridge.errors import Irreversible
from omega_bridge.postgres.catalog_reader import read_catalog
from omega_bridge.revisions import alembic_border, sums
from omega_bridge.revisions.files import export
from omega_bridge.sources import load
from omega_bridge.steps import Registry
from tests.fixtures.databases import MakeDatabase

pytestmark = pytest.mark.slow

LISTS = Path(__file__).parents[1] / "data" / "lists"
ENV = "from alembic import context\nfrom omega_bridge.environment import run\n\nrun(context)\n"
VARIABLES = {
    "clinic": "migration_steps", "shop": "REPAIRS", "library": "list_of_repairs", "chat": "migration_steps", "crm": "crm_steps",
    "tickets": "STEPS", "fleet": "fleet",
}  # fmt: skip
STARTS = ("empty", "legacy", "half")
COMPILED = ("clinic", "shop", "library", "chat", "crm", "tickets", "fleet")
"""In the list of ``crm`` a loop over the catalog stands before tables that it also means: a history runs it once."""

LONG = ("clinic", "shop", "fleet", "crm", "library", "tickets")
"""Of these the histories are run by ``make test-long``."""
HISTORIES = [pytest.param(name, marks=pytest.mark.long) if name in LONG else name for name in COMPILED]

SETTLED = ("clinic", "shop", "library", "chat", "crm", "fleet")
"""In the list of ``tickets`` a data step fails from the second start on, by the list's own doing."""


def listed(name: str) -> Registry:
    """The list, from its text."""
    return load(f"{name}_main.py:{VARIABLES[name]}", root=LISTS)


def begin(url: str, name: str, start: str) -> str:
    """A database as the story finds it."""
    if start != "empty":
        with psycopg.connect(url, autocommit=True) as conn:
            conn.execute((LISTS / f"{name}_{start}.sql").read_bytes())
    return url


def catalog(url: str) -> Catalog:
    """Everything but the bridge's own schema."""
    with psycopg.connect(url, autocommit=True) as conn:
        return read_catalog(conn)


def rows(url: str) -> dict[str, list[str]]:
    """Every row of every table as text, without what a clock or a die made."""
    found: dict[str, list[str]] = {}
    with psycopg.connect(url, autocommit=True) as conn:
        tables = conn.execute(
            "SELECT schemaname, tablename FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema', "
            "'omega_bridge') AND tablename <> 'alembic_version'"
        ).fetchall()
        for schema, table in tables:
            query = sql.SQL("SELECT to_jsonb(t)::text FROM {} t").format(sql.Identifier(schema, table))
            found[f"{schema}.{table}"] = sorted(masked(text) for (text,) in conn.execute(query))
    return found


def masked(text: str) -> str:
    """A row without made-up ids and the time of day."""
    text = re.sub(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "<uuid>", text)
    return re.sub(r"\d{4}-\d\d-\d\d(T[\d:.]+([+-][\d:]+)?)?", "<time>", text)


def naive(url: str, registry: Registry) -> None:
    """The loop: each string on its own in autocommit, errors ignored, until a round changes nothing."""
    with psycopg.connect(url, autocommit=True) as conn:
        before = None
        for _ in range(6):
            for step in registry:
                try:
                    conn.execute(step.sql.encode())
                except psycopg.Error:
                    continue
            after = read_catalog(conn)
            if before is not None and not diff(before, after):
                return
            before = after
    raise AssertionError("the naive loop has no fixed point")


def without_columns_of_views(found: Catalog) -> Catalog:
    """A view of ``*`` lists its columns in the order of its table's, and that is reported apart."""
    return Catalog(
        {
            k: {a: v for a, v in attributes.items() if k.kind != "view" or a != "definition"}
            for k, attributes in found.objects.items()
        }
    )


@pytest.mark.parametrize("start", STARTS)
@pytest.mark.parametrize("name", VARIABLES)
def test_one_boot_is_the_loops_fixed_point(make_database: MakeDatabase, name: str, start: str) -> None:
    """One boot leaves the schema and the rows that the loop needs several starts for, and the next one sends data at most."""
    registry = listed(name)
    looped, booted = begin(make_database(), name, start), begin(make_database(), name, start)
    naive(looped, registry)
    every = [s.id for s in analyse(registry)]
    run = omega_bridge.boot(booted, registry, on_error="continue", allow_destructive=every)
    assert diff(without_columns_of_views(catalog(looped)), without_columns_of_views(catalog(booted))) == ()
    assert rows(looped) == rows(booted)
    if run.outcome == "repaired" and name in SETTLED:
        again = omega_bridge.boot(booted, registry, allow_destructive=every)
        assert again.outcome == "current"
        assert [s.id for s in again.steps if s.kind != "data"] == []
        assert again.round_trips <= (8 if any(s.rows for s in again.steps) else 3)  # an entry in the ledger where rows changed


@pytest.mark.parametrize("name", VARIABLES)
def test_a_legacy_database_keeps_every_row(make_database: MakeDatabase, name: str) -> None:
    """What would drop or truncate rows is refused: no table loses one, but to a statement that deletes."""
    registry, url = listed(name), begin(make_database(), name, "legacy")
    before = rows(url)
    omega_bridge.boot(url, registry, on_error="continue")
    after = rows(url)
    deletes = {"clinic": {"public.patients"}, "shop": {"public.customers"}}.get(name, set())
    renamed = {"public.basket": "public.baskets", "public.bots": "public.agents", "crm.legacy_notes": "crm.old_notes"}
    for table, held in before.items():
        if table not in deletes:
            assert len(after[renamed.get(table, table)]) >= len(held), table


def compiled(folder: Path, registry: Registry, server: Server) -> None:
    """The list's history, every translation proven."""
    folder.mkdir()
    (folder / "env.py").write_text(ENV)
    with prover(server) as judge:
        export(analyse(registry), folder, prover=lambda _n: nullcontext(judge))


def alembic(folder: Path, url: str, registry: Registry) -> AlembicConfig:
    """Alembic's configuration for a database."""
    config = alembic_border.alembic_config(folder, url)
    config.attributes["omega_bridge_config"] = Config(root=folder)
    config.attributes["omega_bridge_registry"] = (registry, None)
    return config


@pytest.mark.parametrize("name", HISTORIES)
def test_the_history_is_the_boot(tmp_path: Path, make_database: MakeDatabase, server: Server, psql: str, name: str) -> None:
    """upgrade head, its SQL through psql, and every prefix lead to the boot's schema; after it a boot sends data at most."""
    registry, folder = listed(name), tmp_path / "alembic"
    compiled(folder, registry, server)
    assert export(analyse(registry), folder, write=False).revisions == ()
    booted, upgraded, piped = make_database(), make_database(), make_database()
    omega_bridge.boot(booted, registry, history=folder)
    command.upgrade(alembic(folder, upgraded, registry), "head")
    assert diff(catalog(booted), catalog(upgraded)) == ()
    if name in SETTLED:
        after = omega_bridge.boot(upgraded, registry, history=folder)
        assert after.outcome == "current"
        assert [s.id for s in after.steps if s.kind != "data"] == []
    config = alembic(folder, piped, registry)
    config.output_buffer = io.StringIO()
    command.upgrade(config, "head", sql=True)
    done = subprocess.run(
        [psql, "-X", "-q", "-1", "-v", "ON_ERROR_STOP=1", "-d", piped],
        input=config.output_buffer.getvalue(), capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert diff(catalog(booted), catalog(piped)) == ()
    assert verify(registry, None, server, history=folder).equivalent


@pytest.mark.parametrize("name", HISTORIES)
def test_each_revision_goes_back_or_says_why_not(tmp_path: Path, database: str, server: Server, name: str) -> None:
    """Up, down, the catalog as before, up again; or an error that says why there is no way back."""
    registry, folder = listed(name), tmp_path / "alembic"
    compiled(folder, registry, server)
    config = alembic(folder, database, registry)
    undone = 0
    for number, line in enumerate(sums.read_sum(folder)):
        before = catalog(database)
        command.upgrade(config, line.revision)
        after = catalog(database)
        try:
            environment.downgrade(config, "-1" if number else "base")
        except Irreversible:
            continue
        undone += 1
        assert diff(before, catalog(database)) == (), line.steps
        command.upgrade(config, line.revision)
        assert diff(after, catalog(database)) == (), line.steps
    assert undone >= 12


@pytest.mark.parametrize(
    ("name", "drop"),
    [
        ("clinic", "ALTER TABLE patients DROP COLUMN born"),
        ("clinic", "DROP INDEX ix_doctors_name"),
        ("clinic", "ALTER TABLE visits DROP CONSTRAINT visits_no_overlap"),
        ("clinic", "DROP TRIGGER tr_note_visit ON visits"),
        ("clinic", "DROP FUNCTION visits_of(integer)"),
        ("shop", "ALTER TABLE stock.items DROP COLUMN dims"),
        ("shop", "DROP INDEX uq_customers_email"),
        ("library", "ALTER TABLE members DROP CONSTRAINT members_uid_key"),
    ],
)
def test_what_a_hand_dropped_comes_back(database: str, name: str, drop: str) -> None:
    """A column, index, constraint, trigger or function that the list makes is there again after the next start."""
    registry = listed(name)
    omega_bridge.boot(database, registry)
    before = catalog(database)
    with psycopg.connect(database, autocommit=True) as conn:
        conn.execute(drop.encode())
    omega_bridge.boot(database, registry, on_error="continue")
    assert diff(before, catalog(database)) == ()
