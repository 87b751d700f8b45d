"""pytest-alembic's built-in tests, on the compiled history."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy
from pytest_alembic import tests as builtin
from pytest_alembic.config import Config
from pytest_alembic.runner import MigrationContext, runner

from omega_bridge.postgres.dsn import connection_parameters
from omega_bridge.revisions import sums
from tests.acceptance.test_history import HISTORY, ROOT, alembic_for


@pytest.fixture
def history(database: str) -> Iterator[MigrationContext]:
    """The plugin's runner, on a database of its own."""
    engine = sqlalchemy.create_engine(
        "postgresql+psycopg://", connect_args=connection_parameters(database), poolclass=sqlalchemy.NullPool
    )
    with runner(Config(alembic_config=alembic_for(database)), engine) as found:
        yield found


def test_single_head(history: MigrationContext) -> None:
    """The history has one head."""
    builtin.test_single_head_revision(history)


def test_upgrade(history: MigrationContext) -> None:
    """Every revision upgrades, from base to head."""
    builtin.test_upgrade(history)


def test_model_definitions_match_ddl(history: MigrationContext) -> None:
    """The models and the history say the same."""
    builtin.test_model_definitions_match_ddl(history)


def test_up_down_consistency(history: MigrationContext) -> None:
    """Down and up again from the head, as far back as there is a way."""
    lines = sums.read_sum(HISTORY)
    last = max(n for n, line in enumerate(lines) if "raise Irreversible" in (HISTORY / "versions" / line.file).read_text())
    assert last < len(lines) - 2
    history.migrate_up_to("heads")
    history.migrate_down_to(lines[last].revision)
    history.migrate_up_to("heads")
    assert history.current == lines[-1].revision


def test_the_plugin_reads_the_project() -> None:
    """What the plugin runs on is the repository's own environment."""
    assert (Path(ROOT) / "alembic" / "env.py").exists()
