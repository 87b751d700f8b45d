"""What is read of a guard or a block is held against PostgreSQL, in every state of the catalog that it may meet."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from omega_bridge.analysis import analyse
from omega_bridge.embedded import Server
from omega_bridge.postgres.catalog_reader import read_catalog
from omega_bridge.steps import Registry
from tests.oracle.guards.forms import guard_forms
from tests.oracle.guards.judge import Connection, Pieces, claim, look, misread
from tests.oracle.guards.statements import CASES, judged
from tests.oracle.guards.states import STATES

FORMS = guard_forms()
BASIC = ("nothing", "there")
"""In these states each form that has to be read says something."""


@pytest.fixture(scope="module")
def connection(server: Server) -> Iterator[Connection]:
    """One database for all of it: every state is rolled back."""
    name = "oracle_guards"
    with psycopg.connect(server.create_database(name)) as opened:
        yield opened
    server.drop_database(name)


@pytest.mark.parametrize("state", STATES, ids=[s.replace(" ", "-") for s in STATES])
def test_no_form_is_misread(connection: Connection, state: str) -> None:
    """What is skipped changes nothing, what is said to be done is done, and what is left to the server is never guessed."""
    steps = dict(zip(FORMS, analyse(Registry.of([text for text, _ in FORMS.values()])), strict=True))
    names = frozenset().union(*(s.names for s in steps.values())) | {"yes", "no"}
    wrong, silent = [], []
    try:
        connection.execute(STATES[state].encode() or b"SELECT 1")
        catalog, before = read_catalog(connection, names), look(connection)
        sent: Pieces = {}
        for form, step in steps.items():
            claimed = claim(step, catalog)
            if told := misread(connection, step, claimed, before, sent):
                wrong.append(f"{form}: {told}")
            if state in BASIC and FORMS[form][1] and not claimed.is_known:
                silent.append(form)
    finally:
        connection.rollback()
    assert not wrong, "\n".join([f"{len(wrong)} of {len(steps)}", *wrong])
    assert not silent, "\n".join(silent)


@pytest.mark.parametrize("part", [0, pytest.param(1, marks=pytest.mark.long)])
def test_no_statement_is_misread(connection: Connection, part: int) -> None:
    """A part of the table of statements, which ``python -m tests.oracle.guards`` has whole: what they find, and a second run."""
    assert not list(judged(connection, CASES[part::16]))


def test_there_are_many_forms() -> None:
    """The table covers what lists hold."""
    assert len(FORMS) >= 200
    assert sum(is_known for _, is_known in FORMS.values()) >= 150
