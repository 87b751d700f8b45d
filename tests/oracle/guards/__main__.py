"""``python -m tests.oracle.guards --server URL [SOURCE]``: the whole table of statements, or any list, against PostgreSQL.

A list is run to the end of its naive loop; then each of its steps is judged as the database stands, and with each object that
it names dropped, and before each step of an empty database.
"""

from __future__ import annotations

import argparse
import secrets
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg

from omega_bridge.analysis import Analysis, StepAnalysis, analyse
from omega_bridge.catalog import Key, Kind
from omega_bridge.postgres.catalog_reader import read_catalog
from omega_bridge.sources import load
from omega_bridge.sql import identifier
from tests.oracle.guards.judge import Connection, claim, look, misread, taken_back
from tests.oracle.guards.statements import CASES, judged

_DROPS = {
    Kind.COLUMN: "ALTER TABLE {table} DROP COLUMN {name} CASCADE",
    Kind.CONSTRAINT: "ALTER TABLE {table} DROP CONSTRAINT {name} CASCADE",
    Kind.TRIGGER: "DROP TRIGGER {name} ON {table} CASCADE",
    Kind.POLICY: "DROP POLICY {name} ON {table}",
    Kind.ENUM: "DROP TYPE {full} CASCADE",
    Kind.COMPOSITE: "DROP TYPE {full} CASCADE",
}


def main() -> int:
    """Print what is misread; 1 where anything is."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--server", required=True)
    parser.add_argument("source", nargs="?")
    asked = parser.parse_args()
    name = f"oracle_{secrets.token_hex(4)}"
    wrong = 0
    with psycopg.connect(asked.server, autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name}")
        try:
            with psycopg.connect(asked.server, dbname=name) as connection:
                found = _of_list(connection, asked.source) if asked.source else judged(connection, CASES)
                for told in found:
                    print(told)
                    wrong += 1
        finally:
            admin.execute(f"DROP DATABASE {name}")
    print(f"{wrong} misread")
    return int(wrong > 0)


def _of_list(connection: Connection, source: str) -> Iterator[str]:
    analysis = analyse(load(source, root=Path.cwd()))
    for _ in range(4):
        for step in analysis:
            yield from _judged(connection, step, "as it comes")
            _send(connection, step)
    for step in analysis:
        for key in _named(connection, analysis, step):
            with taken_back(connection):
                try:
                    connection.execute(_drop(key).encode())
                except psycopg.Error:
                    continue
                yield from _judged(connection, step, f"without {key}")
    connection.rollback()


def _send(connection: Connection, step: StepAnalysis) -> None:
    connection.execute("SAVEPOINT step")
    try:
        connection.execute(step.step.sql.encode())
    except psycopg.Error:
        connection.execute("ROLLBACK TO SAVEPOINT step")
    connection.execute("RELEASE SAVEPOINT step")


def _judged(connection: Connection, step: StepAnalysis, state: str) -> Iterator[str]:
    claimed = claim(step, read_catalog(connection, step.names))
    if step.transactional and (told := misread(connection, step, claimed, look(connection), {})):
        yield f"{step.id}, {state}: {told}"


def _named(connection: Connection, analysis: Analysis, step: StepAnalysis) -> list[Key]:
    return [k for k in read_catalog(connection, step.names) if k.kind not in (Kind.SCHEMA, Kind.EXTENSION)]


def _drop(key: Key) -> str:
    table, full = identifier(key.schema, key.table), identifier(key.schema, key.name)
    if key.kind is Kind.FUNCTION:
        bare, _, arguments = key.name.partition("(")
        return f"DROP ROUTINE {identifier(key.schema, bare)}({arguments} CASCADE"
    text = _DROPS.get(key.kind, f"DROP {key.kind} {{full}} CASCADE")
    return text.format(table=table, name=identifier(key.name), full=full)


if __name__ == "__main__":
    sys.exit(main())
