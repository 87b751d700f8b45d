"""Revisions in several folders, as ``version_locations`` of Alembic's configuration has them: one history, one head."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

import omega_bridge
from omega_bridge.analysis import analyse
from omega_bridge.audit.equivalence import verify
from omega_bridge.audit.scratch import GivenServer
from omega_bridge.errors import ConfigurationInvalid
from omega_bridge.revisions.files import export
from omega_bridge.revisions.locations import locations
from omega_bridge.steps import Registry
from tests.fixtures.databases import Server

LIST = ["CREATE TABLE IF NOT EXISTS notes (id int)", "ALTER TABLE visits ADD COLUMN IF NOT EXISTS note text"]
REVISION = """from alembic import op

revision = "{revision}"
down_revision = {down!r}
depends_on = {needs!r}
branch_labels = {label!r}


def upgrade() -> None:
    op.execute("CREATE TABLE IF NOT EXISTS {table} (id int)")


def downgrade() -> None:
    op.execute("DROP TABLE {table}")
"""
INI = "[alembic]\nscript_location = %(here)s/alembic\npath_separator = {separator}\nversion_locations = {named}\n"
TOML = "[tool.alembic]\nscript_location = '%(here)s/alembic'\nversion_locations = ['%(here)s/alembic/versions', '%(here)s/billing']\n"


def project(root: Path, *, separator: str = "os", named: str = "%(here)s/alembic/versions:%(here)s/billing") -> Path:
    """Its history's folder; one revision in a folder of another name, and one that follows it and needs a third."""
    folder = root / "alembic"
    for place in (folder / "versions", root / "billing"):
        place.mkdir(parents=True)
    (root / "billing" / "aa.py").write_text(
        REVISION.format(revision="aa", down=None, needs=None, label=("core",), table="patients")
    )
    (root / "billing" / "bb.py").write_text(REVISION.format(revision="bb", down="aa", needs=("aa",), label=None, table="visits"))
    (root / "alembic.ini").write_text(INI.format(separator=separator, named=named))
    return folder


@pytest.mark.parametrize(
    ("separator", "named"),
    [
        ("os", "%(here)s/alembic/versions:%(here)s/billing"),
        ("space", "alembic/versions billing"),
        ("newline", "\n  %(here)s/alembic/versions\n  %(here)s/billing"),
    ],
)
def test_they_are_read_as_alembic_reads_them(tmp_path: Path, separator: str, named: str) -> None:
    """Whatever stands between them."""
    folder = project(tmp_path, separator=separator, named=named)
    assert locations(folder) == (folder / "versions", tmp_path / "billing")


def test_a_pyproject_says_it_too(tmp_path: Path) -> None:
    """Where there is no ini file."""
    folder = project(tmp_path)
    (tmp_path / "alembic.ini").unlink()
    (tmp_path / "pyproject.toml").write_text(TOML)
    assert locations(folder) == (folder / "versions", tmp_path / "billing")


def test_the_exported_revisions_follow_them(
    tmp_path: Path, database: str, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One head; starts, upgrades and proofs know them all."""
    folder = project(tmp_path)
    steps = Registry.of(LIST)
    head = export(analyse(steps), folder).head
    (tmp_path / "pyproject.toml").write_text('[tool.omega-bridge]\nsteps = "main.py:migration_steps"\n')
    (tmp_path / "main.py").write_text(f"migration_steps = {LIST!r}\n")
    monkeypatch.setenv("DATABASE_URL", database)

    def alembic(*words: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "alembic", *words], cwd=tmp_path, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr + done.stdout
        return done.stdout

    assert alembic("heads").split() == [head, "(core)", "(head)"]
    with psycopg.connect(database, autocommit=True) as conn:
        conn.execute("CREATE TABLE visits (id int)")
    told = omega_bridge.boot(database, LIST, history=folder)
    assert told.revision is None
    assert "aa, bb" in told.warnings[-1]
    alembic("upgrade", "head")
    assert omega_bridge.boot(database, LIST, history=folder).revision == head
    assert verify(steps, None, GivenServer(server.url), history=folder).equivalent


def test_a_configuration_that_leaves_the_exported_ones_out_is_told(tmp_path: Path) -> None:
    """Alembic would load none of them."""
    folder = project(tmp_path, named="%(here)s/billing")
    with pytest.raises(ConfigurationInvalid, match="version_locations does not name"):
        export(analyse(Registry.of(LIST)), folder)
