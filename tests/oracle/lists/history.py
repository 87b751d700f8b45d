"""What a history does otherwise than the loop on a database that is not empty: each statement of a step by itself, each guard on its own object."""

from __future__ import annotations

from typing import Any

import psycopg

from omega_bridge.analysis import analyse, statements
from omega_bridge.errors import StepSyntaxError
from omega_bridge.planning import World, evaluate
from omega_bridge.postgres.catalog_reader import read_catalog
from omega_bridge.sql import parse
from omega_bridge.steps import Registry


def sent(conn: psycopg.Connection[Any], text: str) -> bool:
    """Send a text in autocommit; whether PostgreSQL took it."""
    try:
        conn.execute(text.encode())
    except psycopg.Error:
        if not conn.closed:
            conn.rollback()
        return False
    return True


def apiece(text: str) -> list[str]:
    """The statements of a text, each by itself; the text where it is none."""
    try:
        return [s.text for s in parse(text)]
    except StepSyntaxError:
        return [text]


def beside(conn: psycopg.Connection[Any], text: str) -> list[str]:
    """The statements under a guard that finds something else than what they make: another overload, a table of another schema."""
    (step,) = analyse(Registry.of([text]))
    with conn.transaction(force_rollback=True):
        found = evaluate(step.program, World(read_catalog(conn)))
    unmet = {e.key for e in found.unmet}
    return [s.text for s in statements(step.program) if any(e.key in unmet for e in s.effects)]
