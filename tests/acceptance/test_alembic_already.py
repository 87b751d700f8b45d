"""A project that has Alembic: two revisions by hand, an async ``env.py``, a production database. By the how-to alone."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import URL

from omega_bridge.embedded import EmbeddedServer

LIST = """migration_steps = [
    "ALTER TABLE patients ADD COLUMN IF NOT EXISTS city text",
    "CREATE TABLE IF NOT EXISTS notes (id int PRIMARY KEY, patient_id int REFERENCES patients (id), body text DEFAULT '50 %')",
    "INSERT INTO notes (id, body) VALUES (1, '7 % of :it') ON CONFLICT (id) DO NOTHING",
]
"""
REVISION = '''"""by hand"""
from alembic import op
import sqlalchemy as sa

revision = "{revision}"
down_revision = {down!r}
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table("{table}", sa.Column("id", sa.Integer, primary_key=True), sa.Column("name", sa.Text))


def downgrade() -> None:
    op.drop_table("{table}")
'''
ENV = """import asyncio
import os

from alembic import context
from sqlalchemy import pool
from sqlalchemy.ext.asyncio import create_async_engine
from omega_bridge.own_environment import guarded

target_metadata = None


def run_migrations_offline() -> None:
    context.configure(url=os.environ["APP_DATABASE_URL"], literal_binds=True, dialect_opts={"paramstyle": "named"})
    with guarded(context), context.begin_transaction():
        context.run_migrations()


def do_run_migrations(connection) -> None:
    context.configure(connection=connection, target_metadata=target_metadata)
    with guarded(context), context.begin_transaction():
        context.run_migrations()


async def run_async_migrations() -> None:
    connectable = create_async_engine(os.environ["APP_DATABASE_URL"], poolclass=pool.NullPool)
    async with connectable.connect() as connection:
        await connection.run_sync(do_run_migrations)
    await connectable.dispose()


if context.is_offline_mode():
    run_migrations_offline()
else:
    asyncio.run(run_async_migrations())
"""
BEFORE = ENV.replace("from omega_bridge.own_environment import guarded\n", "").replace("guarded(context), ", "")


@pytest.fixture(scope="module")
def tcp() -> Iterator[EmbeddedServer]:
    """A server that asyncpg finds by host and port."""
    with EmbeddedServer(listen_tcp=True) as server:
        yield server


class Project:
    """The folder, and its command lines."""

    def __init__(self, folder: Path, server: EmbeddedServer) -> None:
        self.folder, self.server = folder, server

    def database(self, name: str) -> str:
        """A new one; its URL as the service has it."""
        self.server.create_database(name)
        return self.server.tcp_url_for(name)

    def run(self, url: str, *command: str, code: int = 0) -> str:
        """A command in the folder, with the service's environment."""
        parts = psycopg.conninfo.conninfo_to_dict(url)
        made = URL.create(
            "postgresql+asyncpg", parts["user"], parts.get("password"), parts["host"], int(parts["port"]), parts["dbname"]
        )
        env = {**os.environ, "APP_DATABASE_URL": made.render_as_string(hide_password=False), "DATABASE_URL": url}
        done = subprocess.run(
            [sys.executable, "-m", *command], cwd=self.folder, env=env, capture_output=True, text=True, check=False
        )
        assert done.returncode == code, done.stderr + done.stdout
        return done.stdout


@pytest.fixture
def project(tmp_path: Path, tcp: EmbeddedServer) -> Project:
    """As it was before the bridge."""
    versions = tmp_path / "migrations" / "versions"
    versions.mkdir(parents=True)
    (versions / "aaa1_patients.py").write_text(REVISION.format(revision="aaa1", down=None, table="patients"))
    (versions / "aaa2_visits.py").write_text(REVISION.format(revision="aaa2", down="aaa1", table="visits"))
    (tmp_path / "migrations" / "env.py").write_text(BEFORE)
    (tmp_path / "migrations" / "script.py.mako").write_text(
        '"""${message}"""\nfrom alembic import op\n\nrevision = ${repr(up_revision)}\ndown_revision = ${repr(down_revision)}\n'
        "branch_labels = ${repr(branch_labels)}\ndepends_on = ${repr(depends_on)}\n\n\n"
        "def upgrade():\n    pass\n\n\ndef downgrade():\n    pass\n"
    )
    (tmp_path / "alembic.ini").write_text("[alembic]\nscript_location = %(here)s/migrations\npath_separator = os\n")
    (tmp_path / "main.py").write_text(LIST)
    return Project(tmp_path, tcp)


def said(url: str, query: str) -> object:
    """The first value."""
    with psycopg.connect(url) as conn:
        row = conn.execute(query.encode()).fetchone()
        return row[0] if row else None


def test_a_project_adopts_the_bridge_by_the_how_to(project: Project) -> None:
    """One head throughout; the old database and a new one end alike; start and upgrade find one another's work done; verify holds."""
    old, new = project.database("old"), project.database("new")
    project.run(old, "alembic", "upgrade", "head")
    with psycopg.connect(old, autocommit=True) as conn:
        conn.execute("INSERT INTO patients VALUES (1, 'Ada')")

    told = project.run(old, "omega_bridge", "init", "--yes")
    assert "with guarded(context), context.begin_transaction():" in told
    (project.folder / "migrations" / "env.py").write_text(ENV)
    project.run(old, "omega_bridge", "export")
    (head,) = project.run(old, "alembic", "heads").split()[:1]
    assert project.run(old, "alembic", "heads").count("(head)") == 1

    for url in (old, new):
        project.run(url, "alembic", "upgrade", "head")
        assert said(url, "SELECT version_num FROM alembic_version") == head
        assert said(url, "SELECT body FROM notes") == "7 % of :it"
        boot = json.loads(project.run(url, "omega_bridge", "boot", "--json"))
        assert (boot["outcome"], boot["passes"], boot["revision"]) == ("current", 0, head)
        status = json.loads(project.run(url, "omega_bridge", "status", "--json"))
        assert status["revision"]["is_head"] is True
        assert json.loads(project.run(url, "omega_bridge", "drift", "--json"))["differences"] == []
    assert said(old, "SELECT name FROM patients") == "Ada"
    assert "equivalent" in project.run(old, "omega_bridge", "verify")

    project.run(old, "alembic", "revision", "-m", "later")
    by_hand = project.run(old, "alembic", "heads").split()[0]
    main = project.folder / "main.py"
    main.write_text(main.read_text().replace("\n]", '\n    "ALTER TABLE visits ADD COLUMN IF NOT EXISTS at date",\n]'))
    project.run(old, "omega_bridge", "export")
    project.run(old, "omega_bridge", "export", "--check")
    assert project.run(old, "alembic", "heads").count("(head)") == 1
    boot = json.loads(project.run(old, "omega_bridge", "boot", "--json"))
    assert (boot["outcome"], boot["revision"]) == ("repaired", head)
    assert by_hand in boot["warnings"][0]
    status = json.loads(project.run(old, "omega_bridge", "status", "--json", code=1))
    assert by_hand in status["revision"]["unmoved"]
    for url in (old, new):
        project.run(url, "alembic", "upgrade", "head")
        assert said(url, "SELECT version_num FROM alembic_version") == project.run(url, "alembic", "heads").split()[0]
    assert "equivalent" in project.run(old, "omega_bridge", "verify")
    assert "ADD COLUMN IF NOT EXISTS at DATE" in project.run(old, "alembic", "upgrade", "head", "--sql")
