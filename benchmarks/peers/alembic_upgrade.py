"""``alembic upgrade head`` over hand-written revisions that hold the same SQL: in process, and as a program."""

from __future__ import annotations

import io
import sys

from benchmarks.peers.base import Peer, installed, run

ENV = """from alembic import context
from psycopg.conninfo import conninfo_to_dict
from sqlalchemy import create_engine, make_url, pool

url = context.config.attributes.get("url") or context.get_x_argument(as_dictionary=True)["url"]
engine = create_engine(make_url("postgresql+psycopg://"), poolclass=pool.NullPool, connect_args=conninfo_to_dict(url))
with engine.connect() as connection:
    context.configure(connection=connection, transaction_per_migration=False)
    with context.begin_transaction():
        context.run_migrations()
"""


class Alembic(Peer):
    """``alembic.command.upgrade``, as a service that runs it at its start does."""

    name = "Alembic"

    def version(self) -> str:
        return f"Alembic {installed('alembic')}"

    def write(self) -> None:
        versions = self.folder / "versions"
        versions.mkdir()
        (self.folder / "env.py").write_text(ENV)
        (self.folder / "alembic.ini").write_text("[alembic]\nscript_location = %(here)s\npath_separator = os\n")
        for number, step in enumerate(self.steps):
            down = repr(f"r{number - 1:05d}") if number else "None"
            text = step.replace(":", "\\:")
            (versions / f"r{number:05d}.py").write_text(
                f"from alembic import op\n\nrevision = 'r{number:05d}'\ndown_revision = {down}\n\n\n"
                f"def upgrade():\n    op.execute({text!r})\n"
            )

    def warm(self) -> None:
        import alembic.command  # noqa: F401
        import sqlalchemy.dialects.postgresql.psycopg  # noqa: F401

    def apply(self, url: str) -> None:
        from alembic import command
        from alembic.config import Config

        config = Config(str(self.folder / "alembic.ini"), stdout=io.StringIO())
        config.attributes["url"] = url
        command.upgrade(config, "head")


class AlembicProcess(Alembic):
    """The command line."""

    name = "Alembic (process)"
    is_process = True

    def apply(self, url: str) -> None:
        run([sys.executable, "-m", "alembic", "-x", f"url={url}", "upgrade", "head"], self.folder)
