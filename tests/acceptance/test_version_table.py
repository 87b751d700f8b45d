"""Two histories in one database: the project's own Alembic, and the bridge's in a folder and a version table of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

import omega_bridge
from omega_bridge.errors import NotTrusted
from tests.fixtures.databases import MakeDatabase
from tests.fixtures.roles import MakeRole

LIST = """migration_steps = [
    "ALTER TABLE patients ADD COLUMN IF NOT EXISTS city text",
    "DO $$ DECLARE t text; BEGIN FOR t IN SELECT table_name FROM information_schema.tables WHERE table_name = 'patients' LOOP "
    "EXECUTE format('COMMENT ON TABLE %I IS %L', t, 'who came'); END LOOP; END $$",
    "CREATE TABLE IF NOT EXISTS notes (id int PRIMARY KEY, patient_id int REFERENCES patients (id))",
]
"""
PATIENTS = "CREATE TABLE patients (id int PRIMARY KEY, name text)"
REVISION = '''"""by hand"""
from alembic import op

revision = "aaa1"
down_revision = None


def upgrade() -> None:
    op.execute("CREATE TABLE IF NOT EXISTS patients (id int PRIMARY KEY, name text)")


def downgrade() -> None:
    op.execute("DROP TABLE patients")
'''
ENV = """import os

from alembic import context
from sqlalchemy import create_engine

with create_engine(os.environ["APP_DATABASE_URL"]).connect() as connection:
    context.configure(connection=connection, target_metadata=None)
    with context.begin_transaction():
        context.run_migrations()
"""


class Project:
    """The folder, and its command lines."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def _done(self, url: str, *command: str) -> subprocess.CompletedProcess[str]:
        made = url.replace("postgresql://", "postgresql+psycopg://")
        env = {**os.environ, "APP_DATABASE_URL": made, "DATABASE_URL": url}
        return subprocess.run(
            [sys.executable, "-m", *command], cwd=self.folder, env=env, capture_output=True, text=True, check=False
        )

    def run(self, url: str, *command: str, code: int = 0) -> str:
        """A command in the folder."""
        done = self._done(url, *command)
        assert done.returncode == code, done.stderr + done.stdout
        return done.stdout

    def rejected(self, url: str, *command: str) -> str:
        """What a command says that goes wrong."""
        done = self._done(url, *command)
        assert done.returncode != 0, done.stdout
        return done.stderr

    def told(self, url: str, *verb: str, code: int = 0) -> dict[str, object]:
        """What a verb says as JSON."""
        found: dict[str, object] = json.loads(self.run(url, "omega_bridge", *verb, "--json", code=code))
        return found


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """With a history of its own, and the bridge's folder named in its configuration."""
    versions = tmp_path / "alembic" / "versions"
    versions.mkdir(parents=True)
    (versions / "aaa1_patients.py").write_text(REVISION)
    (tmp_path / "alembic" / "env.py").write_text(ENV)
    (tmp_path / "alembic" / "script.py.mako").write_text("${message}\n")
    (tmp_path / "alembic.ini").write_text("[alembic]\nscript_location = %(here)s/alembic\npath_separator = os\n")
    (tmp_path / "main.py").write_text(LIST)
    (tmp_path / "schema.sql").write_text(PATIENTS + ";\n")
    (tmp_path / "pyproject.toml").write_text(
        '[tool.omega-bridge]\nsteps = "main.py:migration_steps"\nfoundation = "schema.sql"\nalembic = "bridge"\n'
    )
    return Project(tmp_path)


def rows(url: str, query: str) -> list[object]:
    """The first column."""
    with psycopg.connect(url) as conn:
        return [row[0] for row in conn.execute(query.encode())]


@pytest.mark.long
@pytest.mark.parametrize(
    ("keys", "table"),
    [
        ("", "alembic_version_bridge"),
        ('version-table = "Bridge \\"Version\\""\nversion-table-schema = "ops.v1"\n', '"ops.v1"."Bridge ""Version"""'),
    ],
    ids=["as init names it", "with a schema"],
)
def test_two_histories_live_side_by_side(project: Project, make_database: MakeDatabase, keys: str, table: str) -> None:
    """Each keeps its own revision, in every verb, and neither sees the other's."""
    config = project.folder / "pyproject.toml"
    config.write_text(config.read_text() + keys)
    old, new, script = make_database(), make_database(), make_database()
    for url in (old, new, script):
        project.run(url, "alembic", "upgrade", "head")
    project.run(old, "omega_bridge", "init", "--yes")
    assert (project.folder / "bridge.ini").exists()
    project.run(old, "omega_bridge", "export")
    project.run(old, "omega_bridge", "export", "--check")
    ini = ("alembic", "-c", "bridge.ini")
    head = project.run(old, *ini, "heads").split()[0]

    assert project.told(old, "boot")["revision"] == head
    assert project.told(old, "boot")["outcome"] == "current"
    project.run(old, *ini, "upgrade", "head")
    project.run(new, *ini, "upgrade", "head")
    assert project.told(new, "boot")["outcome"] == "current"
    made = project.run(script, *ini, "upgrade", "head", "--sql")
    with psycopg.connect(script, autocommit=True) as conn:
        conn.execute(made.encode())
    assert project.told(script, "boot")["revision"] == head
    for url in (old, new, script):
        assert rows(url, f"SELECT version_num FROM {table}") == [head]
        assert rows(url, "SELECT version_num FROM public.alembic_version") == ["aaa1"]
        status = project.told(url, "status")["revision"]
        assert isinstance(status, dict)
        assert (status["current"], status["is_head"]) == ([head], True)
        assert project.told(url, "drift")["differences"] == []
        assert project.told(url, "ledger", "verify")["intact"] is True
        assert head in project.run(url, *ini, "current")
        assert "aaa1" in project.run(url, "alembic", "current")

    project.run(new, *ini, "downgrade", "-1")
    assert rows(new, f"SELECT version_num FROM {table}") != [head]
    assert project.told(new, "boot")["revision"] == head
    assert rows(new, f"SELECT version_num FROM {table}") == [head]
    assert "equivalent" in project.run(old, "omega_bridge", "verify", "--from", old)

    adopted = make_database()
    with psycopg.connect(adopted, autocommit=True) as conn:
        conn.execute(PATIENTS.encode())
    run = omega_bridge.boot(adopted, _list(project))
    assert run.revision is None
    assert project.told(adopted, "adopt")["revision"] == head
    assert rows(adopted, f"SELECT version_num FROM {table}") == [head]
    assert rows(adopted, "SELECT to_regclass('public.alembic_version')::text") == [None]
    assert project.told(adopted, "boot")["outcome"] == "current"


def _list(project: Project) -> list[str]:
    found: dict[str, list[str]] = {}
    exec((project.folder / "main.py").read_text(), found)
    return found["migration_steps"]


def test_a_start_of_the_service_goes_by_the_last_export(project: Project, make_database: MakeDatabase) -> None:
    """The table's name stands in the configuration alone: ``boot(history=...)`` reads no pyproject.toml."""
    url, named = make_database(), make_database()
    project.run(url, "omega_bridge", "init", "--yes")
    project.run(url, "omega_bridge", "export", "--no-prove")
    for database, options in ((url, {}), (named, {"version_table": "mine", "version_table_schema": "ops"})):
        with psycopg.connect(database, autocommit=True) as conn:
            conn.execute(PATIENTS.encode())
        run = omega_bridge.boot(database, _list(project), history=project.folder / "bridge", **options)
        again = omega_bridge.boot(database, _list(project), history=project.folder / "bridge", **options)
        assert again.outcome == "current"
        table = "ops.mine" if options else "alembic_version_bridge"
        assert rows(database, f"SELECT version_num FROM {table}") == [run.revision]
        assert rows(database, "SELECT to_regclass('public.alembic_version')::text") == [None]


def test_another_table_is_told_from_the_exported_one(project: Project, database: str) -> None:
    """A start would go by what the last export noted: ``export --check`` says no until there is a new one."""
    project.run(database, "omega_bridge", "init", "--yes")
    project.run(database, "omega_bridge", "export", "--no-prove")
    config = project.folder / "pyproject.toml"
    config.write_text(config.read_text().replace("alembic_version_bridge", "elsewhere"))
    assert "version-table" in project.run(database, "omega_bridge", "export", "--check", code=1)
    before = {path: path.read_bytes() for path in (project.folder / "bridge" / "versions").iterdir()}
    assert "omega.sum" in project.run(database, "omega_bridge", "export", "--no-prove")
    project.run(database, "omega_bridge", "export", "--check")
    assert all(path.read_bytes() == text for path, text in before.items())


def test_a_strangers_table_of_that_name_is_not_written(project: Project, database: str, make_role: MakeRole) -> None:
    """Whose it is is asked of the table in use; the other history's may be anybody's."""
    role = psycopg.conninfo.conninfo_to_dict(make_role())["user"]
    project.run(database, "omega_bridge", "init", "--yes")
    project.run(database, "omega_bridge", "export", "--no-prove")
    shape = "(version_num varchar(32) PRIMARY KEY)"
    with psycopg.connect(database, autocommit=True) as conn:
        conn.execute(f"{PATIENTS}; CREATE TABLE alembic_version {shape}; ALTER TABLE alembic_version OWNER TO {role}".encode())
    history = project.folder / "bridge"
    assert omega_bridge.boot(database, _list(project), history=history).outcome == "repaired"
    with psycopg.connect(database, autocommit=True) as conn:
        conn.execute(f"ALTER TABLE alembic_version_bridge OWNER TO {role}".encode())
    with pytest.raises(NotTrusted, match="alembic_version_bridge"):
        omega_bridge.boot(database, _list(project), history=history, retry=True)


def test_the_two_lines_say_where_env_py_and_the_start_disagree(project: Project, database: str) -> None:
    """An env.py that keeps its revision elsewhere than a start would is stopped, with the keys to write."""
    (project.folder / "alembic" / "env.py").write_text(
        ENV.replace("from alembic", "from omega_bridge.own_environment import guarded\nfrom alembic")
        .replace("with context.begin", "with guarded(context), context.begin")
        .replace("target_metadata=None", 'version_table="app_version"')
    )
    config = project.folder / "pyproject.toml"
    config.write_text('[tool.omega-bridge]\nsteps = "main.py:migration_steps"\n')
    env = {**os.environ, "APP_DATABASE_URL": database.replace("postgresql://", "postgresql+psycopg://")}
    command = [sys.executable, "-m", "alembic", "upgrade", "head"]
    done = subprocess.run(command, cwd=project.folder, env=env, capture_output=True, text=True, check=False)
    assert 'version-table = "app_version"' in done.stdout
    assert "Traceback" not in done.stderr
    config.write_text("")
    project.run(database, "omega_bridge", "init", "--yes")
    assert 'version-table = "app_version"' in config.read_text()
    project.run(database, "alembic", "upgrade", "head")
    assert rows(database, "SELECT version_num FROM app_version") == ["aaa1"]


def test_a_foundation_is_made_without_any_historys_table(project: Project, database: str) -> None:
    """What keeps a revision is no part of what a list stands on, whatever it is called."""
    with psycopg.connect(database, autocommit=True) as conn:
        for name in ("alembic_version", "app_version"):
            conn.execute(
                f"CREATE TABLE {name} (version_num varchar(32) NOT NULL, CONSTRAINT {name}_pkc PRIMARY KEY (version_num))".encode()
            )
        conn.execute(PATIENTS.encode())
    project.run(database, "omega_bridge", "init", "--yes", "--from-database", database)
    text = (project.folder / "db" / "schema.sql").read_text()
    assert "patients" in text
    assert "version_num" not in text


def test_where_no_schema_could_take_it_the_error_says_what_to_do(tmp_path: Path, make_database: MakeDatabase) -> None:
    """An upgrade and a start say the same, and what they say helps: the first hint gives a path, the second a place."""
    (tmp_path / "main.py").write_text('migration_steps = ["CREATE TABLE IF NOT EXISTS public.notes (id int)"]\n')
    (tmp_path / "pyproject.toml").write_text('[tool.omega-bridge]\nsteps = "main.py:migration_steps"\n')
    project = Project(tmp_path)
    upgraded, started = make_database(), make_database()
    project.run(upgraded, "omega_bridge", "init", "--yes")
    project.run(upgraded, "omega_bridge", "export", "--no-prove")
    for url in (upgraded, started):
        name = psycopg.conninfo.conninfo_to_dict(url)["dbname"]
        with psycopg.connect(url, autocommit=True) as conn:
            conn.execute(f"ALTER DATABASE {name} SET search_path = ''".encode())
    told = [
        project.rejected(upgraded, "alembic", "upgrade", "head"),
        project.rejected(started, "omega_bridge", "boot"),
    ]
    assert all("OB203" in text and "SET search_path = public" in text for text in told)
    config = project.folder / "pyproject.toml"
    config.write_text(config.read_text() + 'version-table-schema = "public"\n')
    project.run(upgraded, "omega_bridge", "export", "--no-prove")
    project.run(upgraded, "alembic", "upgrade", "head")
    project.run(started, "omega_bridge", "boot")
    for url in (upgraded, started):
        with psycopg.connect(url, autocommit=True) as conn:
            assert conn.execute("SELECT count(*) FROM public.alembic_version").fetchone() == (1,)
