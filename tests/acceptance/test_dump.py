"""pg_dump, which knows nothing of us, says the same of a boot and of the compiled history."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
from alembic import command

import omega_bridge
from omega_bridge.embedded import Server
from tests.acceptance.test_history import HISTORY, alembic_for, nexus
from tests.fixtures.databases import MakeDatabase


def dump(program: str, url: str) -> list[str]:
    """The schema as sorted statements; column lists are sorted, too, since their order is reported apart."""
    done = subprocess.run(
        [program, "--schema-only", "--no-owner", "-N", "omega_bridge", "-T", "alembic_version", "-d", url],
        capture_output=True,
        text=True,
        check=False,
    )
    if "server version mismatch" in done.stderr:
        pytest.skip("this pg_dump is older than the server")
    assert done.returncode == 0, done.stderr
    text = re.sub(r"^(--.*|\\.*|SET .*|SELECT pg_catalog.*)$", "", done.stdout, flags=re.M)
    return sorted(" ".join(sorted(line.strip(" ,") for line in part.splitlines())) for part in text.split(";\n") if part.strip())


def test_pg_dump_agrees(make_database: MakeDatabase, pg_dump: str) -> None:
    """``pg_dump --schema-only`` of a boot and of ``alembic upgrade head`` are one text."""
    booted, upgraded = make_database(), make_database()
    registry, metadata = nexus()
    omega_bridge.boot(booted, registry, metadata=metadata, history=HISTORY)
    command.upgrade(alembic_for(upgraded), "head")
    one, other = dump(pg_dump, booted), dump(pg_dump, upgraded)
    assert len(one) > 60
    assert one == other


def test_the_comparison_can_fail(make_database: MakeDatabase, pg_dump: str, server: Server) -> None:
    """A default more on one side is a difference."""
    import psycopg

    one, other = make_database(), make_database()
    for url, text in ((one, "CREATE TABLE t (a int)"), (other, "CREATE TABLE t (a int DEFAULT 1)")):
        with psycopg.connect(url, autocommit=True) as conn:
            conn.execute(text)
    assert dump(pg_dump, one) != dump(pg_dump, other)


def test_the_history_is_in_the_package_of_nobody() -> None:
    """The folder has no ``__init__.py``: it would shadow the library."""
    assert not (Path(HISTORY) / "__init__.py").exists()
