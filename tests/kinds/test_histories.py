"""Every kind of object in a history: exported and proven, upgraded, as SQL, verified, and taken back."""

from __future__ import annotations

import io
import subprocess
from contextlib import nullcontext
from pathlib import Path

import psycopg
import pytest
from alembic import command
from alembic.config import Config as AlembicConfig

import omega_bridge
from omega_bridge import environment
from omega_bridge.analysis import analyse
from omega_bridge.audit.equivalence import verify
from omega_bridge.audit.proofs import prover
from omega_bridge.catalog import Catalog, Kind, diff
from omega_bridge.config import Config
from omega_bridge.embedded import Server
from omega_bridge.errors import Irreversible
from omega_bridge.postgres.catalog_reader import read_catalog
from omega_bridge.revisions import alembic_border, sums
from omega_bridge.revisions.files import export
from omega_bridge.steps import Registry
from tests.fixtures.databases import MakeDatabase
from tests.kinds.lives import LIVES

pytestmark = pytest.mark.slow

ENV = "from alembic import context\nfrom omega_bridge.environment import run\n\nrun(context)\n"
KINDS = [kind for kind in LIVES if kind not in (Kind.SUBSCRIPTION, Kind.ROLE)]
"""A subscription speaks to another server, and is proven nowhere; a role outlasts the database of a proof."""


def catalog(url: str) -> Catalog:
    """All that is there."""
    with psycopg.connect(url, autocommit=True) as conn:
        return read_catalog(conn)


RARE = {
    Kind.ACCESS_METHOD, Kind.CAST, Kind.CONVERSION, Kind.FOREIGN_DATA_WRAPPER, Kind.FOREIGN_SERVER, Kind.LANGUAGE, Kind.OPERATOR_CLASS,
    Kind.OPERATOR_FAMILY, Kind.SECURITY_LABEL, Kind.TEXT_SEARCH_PARSER, Kind.TEXT_SEARCH_TEMPLATE, Kind.TRANSFORM, Kind.USER_MAPPING,
    Kind.BASE_TYPE, Kind.COLLATION, Kind.EVENT_TRIGGER, Kind.OPERATOR, Kind.STATISTICS, Kind.TEXT_SEARCH_CONFIGURATION,
    Kind.TEXT_SEARCH_DICTIONARY,
}  # fmt: skip
"""With ``make test-long``; their lives are lived with ``make test``."""


@pytest.fixture(scope="module", params=[pytest.param(k, marks=[pytest.mark.long] if k in RARE else []) for k in KINDS], ids=str)
def registry(request: pytest.FixtureRequest) -> Registry:
    """The steps of one kind."""
    return Registry.of(LIVES[request.param].steps)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, server: Server, registry: Registry) -> Path:
    """Its history, every translation proven."""
    folder = tmp_path_factory.mktemp("alembic")
    (folder / "env.py").write_text(ENV)
    with prover(server) as judge:
        export(analyse(registry), folder, prover=lambda _n: nullcontext(judge))
    return folder


def alembic(folder: Path, url: str, registry: Registry) -> AlembicConfig:
    """Alembic's configuration for a database."""
    config = alembic_border.alembic_config(folder, url)
    config.attributes["omega_bridge_config"] = Config(root=folder)
    config.attributes["omega_bridge_registry"] = (registry, None)
    return config


def test_the_history_is_the_boot(
    folder: Path, registry: Registry, make_database: MakeDatabase, server: Server, psql: str
) -> None:
    """``upgrade head``, its SQL through psql, and every prefix lead where a start leads; after it a start has nothing to do."""
    booted, upgraded, piped = make_database(), make_database(), make_database()
    omega_bridge.boot(booted, registry, history=folder)
    command.upgrade(alembic(folder, upgraded, registry), "head")
    assert diff(catalog(booted), catalog(upgraded)) == ()
    assert omega_bridge.boot(upgraded, registry, history=folder).outcome == "current"
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


def test_each_revision_goes_back_or_says_why_not(folder: Path, registry: Registry, database: str) -> None:
    """Up, down, everything as before, up again; or an error that says why there is no way back."""
    config = alembic(folder, database, registry)
    for number, line in enumerate(sums.read_sum(folder)):
        before = catalog(database)
        command.upgrade(config, line.revision)
        after = catalog(database)
        try:
            environment.downgrade(config, "-1" if number else "base")
        except Irreversible:
            assert diff(after, catalog(database)) == ()
            continue
        assert diff(before, catalog(database)) == (), line.steps
        command.upgrade(config, line.revision)
        assert diff(after, catalog(database)) == (), line.steps
