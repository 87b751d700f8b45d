"""The compiled history of the reference orchestrator, as an auditor uses it: up, down, as SQL, and back to a start."""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import psycopg
import pytest
from alembic import command
from alembic.config import Config as AlembicConfig

import omega_bridge
from omega_bridge import environment
from omega_bridge.catalog import Catalog, Kind, diff
from omega_bridge.config import load_config
from omega_bridge.errors import Irreversible
from omega_bridge.postgres.catalog_reader import read_catalog
from omega_bridge.revisions import alembic_border, sums
from omega_bridge.sources import load
from tests.fixtures.databases import MakeDatabase

ROOT = Path(__file__).parents[2]
HISTORY = ROOT / "alembic"
LINES = sums.read_sum(HISTORY)


def alembic_for(url: str, folder: Path = HISTORY) -> AlembicConfig:
    """Alembic's configuration for a database of the test."""
    config = alembic_border.alembic_config(folder, url)
    config.attributes["omega_bridge_config"] = load_config(start=ROOT)
    return config


def catalog_of(url: str) -> Catalog:
    """Everything in the database but the bridge's own schema."""
    with psycopg.connect(url, autocommit=True) as conn:
        return read_catalog(conn)


def nexus() -> tuple[omega_bridge.Registry, Any]:
    """The reference list and its models."""
    config = load_config(start=ROOT)
    assert config.steps is not None
    return load(config.steps, root=ROOT, python_path=config.python_paths), config.load_metadata()


def run(*arguments: str, url: str) -> subprocess.CompletedProcess[str]:
    """A command line from the repository's root, as a user types it."""
    environment = {**os.environ, "DATABASE_URL": url, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    return subprocess.run(arguments, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


def test_stock_commands_serve_the_review(database: str) -> None:
    """history, upgrade, current, check, downgrade and upgrade work from the repository's root without any option."""
    history = run("alembic", "history", url=database)
    assert history.returncode == 0, history.stderr
    assert len(history.stdout.splitlines()) == len(LINES)
    assert f"{LINES[-1].revision} (head)" in history.stdout
    verbose = run("alembic", "history", "-v", url=database)
    assert "Translation: 3 of 3 statements as Alembic operations" in verbose.stdout
    for arguments, expected in (
        (("upgrade", "head"), ""),
        (("current",), LINES[-1].revision),
        (("check",), "No new upgrade operations detected"),
        (("downgrade", "-1"), ""),
        (("current",), LINES[-2].revision),
        (("upgrade", "head"), ""),
        (("current",), f"{LINES[-1].revision} (head)"),
    ):
        done = run("alembic", *arguments, url=database)
        assert done.returncode == 0, done.stderr
        assert expected in done.stdout


@pytest.mark.long
def test_every_revision_goes_down_and_up_again(database: str) -> None:
    """Up, down, the catalog as before, up again: for each revision, or a reason why there is no way back."""
    config = alembic_for(database)
    irreversible: list[bool] = []
    before = catalog_of(database)
    for line in LINES:
        command.upgrade(config, line.revision)
        after = catalog_of(database)
        try:
            environment.downgrade(config, "-1")
        except Irreversible as told:
            irreversible.append(line.revision in told.message and bool(told.hint))
            assert diff(after, catalog_of(database)) == ()
        else:
            assert diff(before, catalog_of(database)) == (), line.file
            command.upgrade(config, line.revision)
            assert diff(after, catalog_of(database)) == (), line.file
        before = after
    assert all(irreversible)
    assert len(irreversible) <= 6


def test_the_sql_of_the_history_is_the_history(make_database: MakeDatabase, psql: str) -> None:
    """``alembic upgrade head --sql | psql -1`` leads to the catalog of ``alembic upgrade head``."""
    online, offline = make_database(), make_database()
    command.upgrade(alembic_for(online), "head")
    config = alembic_for(offline)
    config.output_buffer = io.StringIO()
    command.upgrade(config, "head", sql=True)
    done = subprocess.run(
        [psql, "-X", "-q", "-1", "-v", "ON_ERROR_STOP=1", "-d", offline],
        input=config.output_buffer.getvalue(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert diff(catalog_of(online), catalog_of(offline)) == ()


def test_the_sql_of_the_way_back_is_the_way_back(make_database: MakeDatabase, psql: str) -> None:
    """``alembic downgrade head:X --sql | psql -1`` leads to the catalog of ``alembic downgrade X``, as far as there is a way."""
    texts = [(HISTORY / "versions" / line.file).read_text() for line in LINES]
    last = max(n for n, text in enumerate(texts) if "raise Irreversible" in text)
    online, offline = make_database(), make_database()
    for url in (online, offline):
        command.upgrade(alembic_for(url), "head")
    environment.downgrade(alembic_for(online), LINES[last].revision)
    config = alembic_for(offline)
    config.output_buffer = io.StringIO()
    command.downgrade(config, f"head:{LINES[last].revision}", sql=True)
    done = subprocess.run(
        [psql, "-X", "-q", "-1", "-v", "ON_ERROR_STOP=1", "-d", offline],
        input=config.output_buffer.getvalue(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert last < len(LINES) - 2
    assert diff(catalog_of(online), catalog_of(offline)) == ()
    with psycopg.connect(offline) as conn:
        assert conn.execute("SELECT version_num FROM alembic_version").fetchall() == [(LINES[last].revision,)]


def test_after_an_upgrade_a_start_sends_nothing(database: str) -> None:
    """Both drivers write one record: what Alembic has done, a start finds done."""
    command.upgrade(alembic_for(database), "head")
    registry, metadata = nexus()
    run_ = omega_bridge.boot(database, registry, metadata=metadata, history=HISTORY)
    assert run_.outcome == "current"
    assert [s.id for s in run_.steps if s.action == "run"] == []
    assert run_.revision == LINES[-1].revision
    with psycopg.connect(database) as conn:
        recorded = conn.execute("SELECT count(*) FROM omega_bridge.omega_bridge_ledger WHERE driver = 'alembic'").fetchone()
    assert recorded == (len(LINES),)


def test_after_a_start_there_is_nothing_to_upgrade(database: str) -> None:
    """A start stamps the head: ``alembic upgrade head`` runs no revision."""
    registry, metadata = nexus()
    omega_bridge.boot(database, registry, metadata=metadata, history=HISTORY)
    before = catalog_of(database)
    command.upgrade(alembic_for(database), "head")
    with psycopg.connect(database) as conn:
        assert conn.execute("SELECT version_num FROM alembic_version").fetchall() == [(LINES[-1].revision,)]
        assert conn.execute("SELECT count(*) FROM omega_bridge.omega_bridge_ledger WHERE driver = 'alembic'").fetchone() == (0,)
    assert diff(before, catalog_of(database)) == ()


def test_a_downgrade_drops_only_what_the_bridge_created(database: str) -> None:
    """A column that was there before the bridge came stays when its revision is taken back."""
    with psycopg.connect(database, autocommit=True) as conn:
        conn.execute((ROOT / "examples/nexus/legacy.sql").read_bytes())
        conn.execute("ALTER TABLE tenants ADD COLUMN tool_config jsonb")
    registry, metadata = nexus()
    omega_bridge.boot(database, registry, metadata=metadata, history=HISTORY, allow_destructive=["drop-system-events"])
    last = next(n for n, line in enumerate(LINES) if line.steps[0].label == "tenants-tool-config")
    command.downgrade(alembic_for(database), LINES[last - 1].revision)
    with psycopg.connect(database) as conn:
        found = conn.execute(
            "SELECT table_name, column_name FROM information_schema.columns WHERE column_name IN ('tool_config', 'transcription')"
        ).fetchall()
    assert found == [("tenants", "tool_config")]


def test_a_tampered_history_is_refused(tmp_path: Path, database: str) -> None:
    """An edited revision file stops ``alembic upgrade`` before anything runs, and is named."""
    folder = tmp_path / "alembic"
    shutil.copytree(HISTORY, folder, ignore=shutil.ignore_patterns("__pycache__"))
    edited = folder / "versions" / LINES[5].file
    edited.write_text(edited.read_text() + "# a late idea\n")
    with pytest.raises(omega_bridge.OmegaBridgeError, match=LINES[5].file) as told:
        environment.upgrade(alembic_for(database, folder), "head")
    assert told.value.code == "OB501"
    assert not catalog_of(database).named(Kind.TABLE, "tenants")
