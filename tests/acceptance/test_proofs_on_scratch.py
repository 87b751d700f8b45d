"""Proofs touch scratch databases alone, whatever the project's ``env.py`` and its environment lead to."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import nullcontext
from pathlib import Path

import psycopg
import pytest

from omega_bridge.analysis import analyse
from omega_bridge.analysis.reaching import ELSEWHERE
from omega_bridge.audit.equivalence import verify
from omega_bridge.audit.expected import make
from omega_bridge.audit.proofs import prover
from omega_bridge.audit.scratch import scratch_database
from omega_bridge.embedded import Server
from omega_bridge.errors import NotScratch
from omega_bridge.revisions.files import export
from omega_bridge.steps import Registry
from tests.fixtures.databases import MakeDatabase

STEPS = [
    "CREATE TABLE IF NOT EXISTS orders (id int PRIMARY KEY)",
    "DROP TABLE IF EXISTS old_events",
    "ALTER TABLE orders ADD COLUMN IF NOT EXISTS note text",
    "DO $$ BEGIN EXECUTE 'CREATE TABLE IF NOT EXISTS made (id int)'; END $$",
]
PRODUCTION = "CREATE TABLE old_events (id int); INSERT INTO old_events SELECT generate_series(1, 100); CREATE TABLE orders (id int PRIMARY KEY)"
OWN_ENV = """
from alembic import context
from sqlalchemy import create_engine, text

with create_engine({url!r}).connect() as connection:
    connection.execute(text("CREATE TABLE IF NOT EXISTS env_was_here (id int)"))
    connection.commit()
    context.configure(connection=connection)
    with context.begin_transaction():
        context.run_migrations()
"""


@pytest.fixture
def production(database: str) -> str:
    """A database with a table of 100 rows that the list drops."""
    with psycopg.connect(database, autocommit=True) as conn:
        conn.execute(PRODUCTION)
    return database


@pytest.fixture
def project(tmp_path: Path, production: str) -> Path:
    """A project whose own ``env.py`` connects to production, with models that have a table more than the list."""
    (tmp_path / "main.py").write_text(f"migration_steps = {STEPS!r}\n")
    (tmp_path / "models.py").write_text(
        "from sqlalchemy import Column, Integer, MetaData, Table\n"
        'metadata = MetaData()\nTable("more", metadata, Column("id", Integer, primary_key=True))\n'
    )
    (tmp_path / "pyproject.toml").write_text(
        '[tool.omega-bridge]\nsteps = "main.py:migration_steps"\nmetadata = "models:metadata"\npython-path = ["."]\n'
    )
    (tmp_path / "alembic" / "versions").mkdir(parents=True)
    (tmp_path / "alembic" / "env.py").write_text(OWN_ENV.format(url=production.replace("postgresql://", "postgresql+psycopg://")))
    return tmp_path


def picture(pg_dump: str, url: str) -> str:
    """The database, rows and all."""
    done = subprocess.run([pg_dump, "--inserts", "-d", url], capture_output=True, text=True, check=False)
    if "server version mismatch" in done.stderr:
        pytest.skip("this pg_dump is older than the server")
    assert done.returncode == 0, done.stderr
    return "\n".join(line for line in done.stdout.splitlines() if not line.startswith(("\\restrict", "\\unrestrict")))


def test_no_proof_goes_through_the_projects_environment(project: Path, production: str, server: Server, pg_dump: str) -> None:
    """Export, verify, check, add and what reads leave the database of an ``env.py`` that connects by itself as it was."""
    before = picture(pg_dump, production)
    environment = {**os.environ, "OMEGA_BRIDGE_DIRECT_URL": production, "DATABASE_URL": production}
    for verb in ("export", "export --check", "verify", "check", "add", "plan", "lint", "status", "drift", "report --output out"):
        scratch = ["--scratch-url", server.url] if verb in ("export", "verify", "check", "add") else []
        done = subprocess.run(
            [str(Path(sys.executable).parent / "omega-bridge"), *verb.split(), *scratch],
            cwd=project,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode in ((0,) if verb in ("export", "verify", "add") else (0, 1)), (verb, done.stdout, done.stderr)
        assert picture(pg_dump, production) == before, verb


class Mapped:
    """A server behind something that answers for each scratch database with production."""

    def __init__(self, server: Server, production: str) -> None:
        self._server, self._production = server, production

    @property
    def url(self) -> str:
        """The server's own."""
        return self._server.url

    def scratch_database(self, prefix: str = "scratch") -> Mapping:
        """A fresh database, and the URL of another."""
        return Mapping(self._server, self._production)


class Mapping:
    """Makes a database, says production."""

    def __init__(self, server: Server, production: str) -> None:
        self._made, self._production = server.scratch_database(), production

    def __enter__(self) -> str:
        self._made.__enter__()
        return self._production

    def __exit__(self, *told: object) -> None:
        self._made.__exit__(None, None, None)


def test_a_database_without_the_mark_is_sent_nothing(
    tmp_path: Path, server: Server, make_database: MakeDatabase, pg_dump: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where a scratch database's URL leads elsewhere, every proof stops before its first statement."""
    production = make_database()
    with psycopg.connect(production, autocommit=True) as conn:
        conn.execute(PRODUCTION)
    before = picture(pg_dump, production)
    monkeypatch.setattr("omega_bridge.audit.scratch.put_mark", lambda *_: None)
    mapped, registry = Mapped(server, production), Registry.of(STEPS)
    with pytest.raises(NotScratch, match="which is not one") as told:
        verify(registry, None, mapped)
    assert told.value.hint
    with pytest.raises(NotScratch), prover(mapped):
        pass
    with scratch_database(mapped, "one") as scratch, pytest.raises(NotScratch):
        scratch.boot(registry)
    with pytest.raises(NotScratch):
        export(analyse(registry), tmp_path, prover=lambda _: prover(mapped))
    assert picture(pg_dump, production) == before


def test_a_copy_of_a_scratch_database_is_none(server: Server, make_database: MakeDatabase) -> None:
    """The mark does not travel with what is copied or dumped: only the database that was made for a proof carries it."""
    with scratch_database(server, "one") as scratch:
        with scratch.session() as session:
            name = session.connection.info.dbname
            assert session.rows("SELECT 1") == [(1,)]
        copied = make_database(template=name)
        with psycopg.connect(copied, autocommit=True) as conn, pytest.raises(NotScratch):
            scratch.check(conn)


@pytest.mark.parametrize(
    "said", ["COMMENT ON DATABASE %I IS ''ours''", "COMMENT ON DATABASE %I IS NULL", "ALTER DATABASE %I RESET ALL"]
)
def test_a_list_that_speaks_of_its_database_is_proven(said: str, tmp_path: Path, server: Server) -> None:
    """What a step puts in the place of one mark leaves the other."""
    steps = [
        "CREATE TABLE IF NOT EXISTS t (id int)",
        f"DO $$ BEGIN EXECUTE format('{said}', current_database()); END $$",
        "ALTER TABLE t ADD COLUMN IF NOT EXISTS a int",
    ]
    export(analyse(Registry.of(steps)), tmp_path, prover=lambda _: prover(server))
    found = verify(Registry.of(steps), None, server, history=tmp_path)
    assert (found.equivalent, found.rejected) == (True, ())
    with scratch_database(server, "one") as scratch:
        scratch.boot(steps)
        with scratch.session() as session:
            assert session.rows("SELECT attname FROM pg_attribute WHERE attrelid = 't'::regclass AND attnum = 2") == [("a",)]


def test_no_proof_reaches_another_server(tmp_path: Path, make_database: MakeDatabase, server: Server) -> None:
    """A subscription of the list is made on no scratch database, whoever proves; its revision is the step's own SQL."""
    publisher = make_database()
    where = psycopg.conninfo.conninfo_to_dict(publisher)
    steps = Registry.of(
        [
            "CREATE TABLE IF NOT EXISTS t (id int PRIMARY KEY)",
            f"CREATE SUBSCRIPTION sub_of_{where['dbname']} CONNECTION '{publisher}' PUBLICATION p WITH (create_slot = false, enabled = false)",
        ]
    )
    folder = tmp_path / "alembic"
    folder.mkdir()
    with psycopg.connect(publisher, autocommit=True) as conn, prover(server) as judge:
        done = export(analyse(steps), folder, prover=lambda _n: nullcontext(judge))
        assert verify(steps, None, server, history=folder).equivalent
        assert list(make(analyse(steps), "", server).rejected.values()) == [ELSEWHERE]
        assert conn.execute("SELECT count(*) FROM pg_subscription WHERE subname LIKE 'sub_of_%'").fetchone() == (0,)
    assert [reason for _, _, reason in done.coverage.verbatim] == [ELSEWHERE]
