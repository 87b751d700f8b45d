"""Who is compared. A peer prepares its files once, applies a list to an empty database, and starts again on a current one."""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import io
import os
import shutil
import subprocess
import sys
from abc import ABC, abstractmethod
from pathlib import Path

import psycopg
from psycopg.conninfo import conninfo_to_dict

import omega_bridge

ENV = """from alembic import context
from sqlalchemy import create_engine, make_url, pool
from psycopg.conninfo import conninfo_to_dict

engine = create_engine(make_url("postgresql+psycopg://"), poolclass=pool.NullPool,
                       connect_args=conninfo_to_dict(context.config.attributes["url"]))
with engine.connect() as connection:
    context.configure(connection=connection, transaction_per_migration=False)
    with context.begin_transaction():
        context.run_migrations()
"""


class Peer(ABC):
    """One way to bring a database up to a list. ``is_process``: it is a program of its own, and so it is timed."""

    name: str
    is_process = False

    def missing(self) -> str | None:
        """Why it cannot be measured here."""
        return None

    def prepare(self, folder: Path, steps: list[str]) -> None:
        """Write what it reads."""
        self.folder, self.steps = folder, steps

    @abstractmethod
    def apply(self, url: str) -> None:
        """From whatever is there to the list's schema: a cold start, and a start with nothing to do."""


class Connect(Peer):
    """The yardstick: connect and select 1."""

    name = "connect, select 1"

    def apply(self, url: str) -> None:
        with psycopg.connect(url, autocommit=True) as conn:
            conn.execute("SELECT 1").fetchone()


class Bridge(Peer):
    """omega-bridge in process."""

    name = "omega-bridge"

    def apply(self, url: str) -> None:
        omega_bridge.boot(url, self.steps)


class Sentinel(Bridge):
    """omega-bridge with the event trigger; it is installed before a start is timed."""

    name = "omega-bridge, sentinel"


class BridgeProcess(Peer):
    """omega-bridge as a process, Python's own start included."""

    name = "omega-bridge boot (process)"
    is_process = True

    def prepare(self, folder: Path, steps: list[str]) -> None:
        super().prepare(folder, steps)
        (folder / "listed.py").write_text("steps = " + repr(steps))

    def apply(self, url: str) -> None:
        code = f"import omega_bridge; from listed import steps; omega_bridge.boot({url!r}, steps)"
        subprocess.run([sys.executable, "-c", code], cwd=self.folder, check=True, capture_output=True)


class Loop(Peer):
    """The naive loop: each string in autocommit, errors ignored."""

    name = "naive loop, psycopg"

    def apply(self, url: str) -> None:
        with psycopg.connect(url, autocommit=True) as conn:
            for step in self.steps:
                with contextlib.suppress(psycopg.Error):
                    conn.execute(step.encode())


class AsyncLoop(Peer):
    """The same with asyncpg."""

    name = "naive loop, asyncpg"

    def missing(self) -> str | None:
        return None if importlib.util.find_spec("asyncpg") else "asyncpg is not installed"

    def apply(self, url: str) -> None:
        asyncio.run(self._apply(url))

    async def _apply(self, url: str) -> None:
        import asyncpg

        parts = conninfo_to_dict(url)
        conn = await asyncpg.connect(
            host=parts["host"], port=int(parts.get("port") or 5432), user=parts.get("user"), database=parts["dbname"]
        )
        for step in self.steps:
            with contextlib.suppress(asyncpg.PostgresError):
                await conn.execute(step)
        await conn.close()


class OneString(Peer):
    """All steps in one query."""

    name = "one multi-statement string"

    def apply(self, url: str) -> None:
        with psycopg.connect(url, autocommit=True) as conn:
            conn.execute(";\n".join(s.rstrip().rstrip(";") for s in self.steps).encode())


class Psql(Peer):
    """``psql -1 -f``."""

    name = "psql -1 -f (process)"
    is_process = True

    def __init__(self, program: str | None) -> None:
        self.program = program

    def missing(self) -> str | None:
        return None if self.program else "no psql"

    def prepare(self, folder: Path, steps: list[str]) -> None:
        super().prepare(folder, steps)
        (folder / "all.sql").write_text(";\n".join(s.rstrip().rstrip(";") for s in steps) + ";\n")

    def apply(self, url: str) -> None:
        subprocess.run(
            [str(self.program), "-X", "-q", "-1", "-f", str(self.folder / "all.sql"), "-d", url], check=True, capture_output=True
        )


class Alembic(Peer):
    """Alembic in process, over hand-written revisions that hold the same SQL."""

    name = "Alembic, in process"

    def prepare(self, folder: Path, steps: list[str]) -> None:
        super().prepare(folder, steps)
        (folder / "versions").mkdir()
        (folder / "env.py").write_text(ENV)
        for number, step in enumerate(steps):
            down = repr(f"r{number - 1:05d}") if number else "None"
            text = step.replace(":", "\\:")
            (folder / "versions" / f"r{number:05d}.py").write_text(
                f"from alembic import op\nrevision = 'r{number:05d}'\ndown_revision = {down}\n\ndef upgrade():\n    op.execute({text!r})\n"
            )

    def apply(self, url: str) -> None:
        from alembic import command
        from alembic.config import Config

        config = Config(stdout=io.StringIO())
        config.set_main_option("script_location", str(self.folder))
        config.set_main_option("path_separator", "os")
        config.attributes["url"] = url
        command.upgrade(config, "head")


class Yoyo(Peer):
    """yoyo-migrations in process."""

    name = "yoyo, in process"

    def missing(self) -> str | None:
        return None if importlib.util.find_spec("yoyo") else "yoyo-migrations is not installed"

    def prepare(self, folder: Path, steps: list[str]) -> None:
        super().prepare(folder, steps)
        for number, step in enumerate(steps):
            (folder / f"{number:05d}.sql").write_text(step)

    def apply(self, url: str) -> None:
        from yoyo import get_backend, read_migrations

        parts = conninfo_to_dict(url)
        backend = get_backend(
            f"postgresql+psycopg://{parts.get('user')}@/{parts['dbname']}?host={parts['host']}&port={parts.get('port') or 5432}"
        )
        migrations = read_migrations(str(self.folder))
        with backend.lock():
            backend.apply_migrations(backend.to_apply(migrations))
        backend.connection.close()


class Django(Peer):
    """``manage.py migrate`` with one RunSQL a step."""

    name = "Django migrate (process)"
    is_process = True

    def missing(self) -> str | None:
        return None if importlib.util.find_spec("django") else "Django is not installed"

    def prepare(self, folder: Path, steps: list[str]) -> None:
        super().prepare(folder, steps)
        migrations = folder / "app" / "migrations"
        migrations.mkdir(parents=True)
        (folder / "app" / "__init__.py").write_text("")
        (migrations / "__init__.py").write_text("")
        for number, step in enumerate(steps):
            needs = f"[('app', '{number - 1:05d}')]" if number else "[]"
            (migrations / f"{number:05d}.py").write_text(
                "from django.db import migrations\n\nclass Migration(migrations.Migration):\n"
                f"    dependencies = {needs}\n    operations = [migrations.RunSQL({step.replace('%', '%%')!r})]\n"
            )
        (folder / "settings.py").write_text(
            "import os\nDATABASES = {'default': {'ENGINE': 'django.db.backends.postgresql', 'NAME': os.environ['D'],"
            " 'HOST': os.environ['H'], 'PORT': os.environ['P'], 'USER': os.environ['U']}}\nINSTALLED_APPS = ['app']\nUSE_TZ = True\n"
        )

    def apply(self, url: str) -> None:
        parts = conninfo_to_dict(url)
        names = {"D": parts["dbname"], "H": parts["host"], "P": parts.get("port") or "5432", "U": parts.get("user")}
        env = {**os.environ, "DJANGO_SETTINGS_MODULE": "settings", **{k: str(v) for k, v in names.items()}}
        subprocess.run(
            [sys.executable, "-m", "django", "migrate", "-v0"], cwd=self.folder, env=env, check=True, capture_output=True
        )


class Dbmate(Peer):
    """dbmate, from npm."""

    name = "dbmate (process)"
    is_process = True

    def missing(self) -> str | None:
        return None if shutil.which("dbmate") else "no dbmate on PATH (npm install -g dbmate)"

    def prepare(self, folder: Path, steps: list[str]) -> None:
        super().prepare(folder, steps)
        for number, step in enumerate(steps):
            (folder / f"{20240101000000 + number}_s.sql").write_text(f"-- migrate:up\n{step};\n\n-- migrate:down\n")

    def apply(self, url: str) -> None:
        parts = conninfo_to_dict(url)
        target = f"postgres://{parts.get('user')}@/{parts['dbname']}?host={parts['host']}&port={parts.get('port') or 5432}&sslmode=disable"
        subprocess.run(
            ["dbmate", "-u", target, "-d", str(self.folder), "--no-dump-schema", "migrate"], check=True, capture_output=True
        )


class Absent(Peer):
    """A peer that this harness does not drive."""

    def __init__(self, name: str, why: str) -> None:
        self.name, self.why = name, why

    def missing(self) -> str | None:
        return self.why

    def apply(self, url: str) -> None:
        raise NotImplementedError


def all_peers(psql: str | None) -> list[Peer]:
    """In the order of the tables."""
    return [
        Connect(), Bridge(), Sentinel(), BridgeProcess(), Loop(), AsyncLoop(), OneString(), Psql(psql), Alembic(), Yoyo(), Django(),
        Dbmate(), Absent("graphile-migrate", "not driven by this harness"), Absent("sqitch", "not driven by this harness"),
    ]  # fmt: skip
