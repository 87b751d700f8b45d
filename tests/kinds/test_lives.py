"""Every kind of object through its life: made, made again, changed by a hand, seen by ``drift``, put back by a start."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

import omega_bridge
from omega_bridge.analysis import analyse
from omega_bridge.audit.drift import drift
from omega_bridge.audit.expected import owned, with_server
from omega_bridge.catalog import Catalog, Kind, diff
from omega_bridge.embedded import Server
from omega_bridge.expectation import Expectation
from omega_bridge.expectation_file import from_text, to_text
from omega_bridge.postgres.catalog_reader import read_catalog
from omega_bridge.postgres.plain_loop import send
from omega_bridge.postgres.session import open_session
from omega_bridge.steps import Registry
from tests.fixtures.databases import MakeDatabase
from tests.kinds.further import FURTHER
from tests.kinds.lives import LIVES, Life

ALL: Mapping[str, Life] = {**LIVES, **FURTHER}
HANDS = [
    pytest.param(
        name,
        word,
        id=f"{name}-{word}",
        marks=[pytest.mark.pg(f">= {life.since}"), *([pytest.mark.long] if name in FURTHER and number else [])],
    )
    for name, life in ALL.items()
    for number, word in enumerate(life.damages)
]
"""Of the further lives the first hand each; the others with ``make test-long``."""
OF_THE_SERVER = (Kind.SUBSCRIPTION, Kind.SETTING, Kind.ROLE, Kind.DATABASE)
"""Kept for a database by its name: a copy of the database has none of it."""

NOTHING = analyse(Registry(()))


def steps_of(kind: str, database: str) -> list[str]:
    """The steps, for a database: subscriptions have one name in the whole server."""
    name = str(conninfo_to_dict(database)["dbname"])
    return [step.replace("{database}", name) for step in ALL[kind].steps]


Made = tuple[str, Expectation]


@pytest.fixture(scope="module")
def made(server: Server) -> Iterator[Callable[[str], Made]]:
    """A database in which a start made everything of one life, to be copied, and what it holds; one at a time."""
    with ExitStack() as stack:
        known: dict[str, Made] = {}

        def of(kind: str) -> Made:
            if kind not in known:
                name = f"made_{secrets.token_hex(4)}"
                url = server.create_database(name)
                stack.callback(server.drop_database, name)
                omega_bridge.boot(url, steps_of(kind, url))
                known[kind] = (name, expectation(url, steps_of(kind, url)))
            return known[kind]

        yield of


@pytest.fixture
def place(make_database: MakeDatabase) -> Iterator[str]:
    """A database that may hold a subscription, with which it could not be dropped, and name roles, which would outlast it."""
    url = make_database()
    yield url
    with psycopg.connect(url, autocommit=True) as conn:
        for (name,) in conn.execute(
            "SELECT subname FROM pg_subscription s JOIN pg_database d ON d.oid = s.subdbid WHERE d.datname = current_database()"
        ).fetchall():
            conn.execute(f"DROP SUBSCRIPTION {name}")
        for name in (f"{word}_{conn.info.dbname}" for word in ("role", "other")):
            conn.execute(f"DROP ROLE IF EXISTS {name}")


def look(database: str) -> Catalog:
    """All that is there."""
    with psycopg.connect(database, autocommit=True) as conn:
        return read_catalog(conn)


def expectation(database: str, steps: list[str]) -> Expectation:
    """What stands there is what is expected, through the file."""
    analysis = analyse(Registry.of(steps))
    with open_session(database) as session:
        there = with_server(read_catalog(session.connection), session, analysis)
    owners = owned(there, analysis, "postgres")
    return from_text(to_text(Expectation(there, "postgres", "", owned=owners)), "here")


def loop(database: str, steps: list[str]) -> Catalog:
    """The naive loop to its end."""
    with psycopg.connect(database, autocommit=True) as conn:
        before = None
        while before != (before := read_catalog(conn).digest()):
            for step in steps:
                send(conn, [step])
        return read_catalog(conn)


def test_every_kind_has_a_life() -> None:
    """A kind that is added is tried, too; and no hand is listed twice."""
    assert set(Kind) - set(LIVES) == {Kind.SECURITY_LABEL}
    assert len(ALL) == len(LIVES) + len(FURTHER)
    assert len(HANDS) >= 60


def test_a_reference_to_partitions_is_one(place: str) -> None:
    """PostgreSQL keeps one to each partition, too, under names that differ from release to release: none of them is somebody's own."""
    omega_bridge.boot(place, list(FURTHER["references to partitions"].steps))
    assert [key.name for key in look(place) if key.kind is Kind.CONSTRAINT and key.table == "r"] == ["r_fk"]


@pytest.mark.pg(">= 16")
@pytest.mark.parametrize(
    ("option", "hand"),
    [
        ("binary = true", "binary = false"),
        ("origin = none", "origin = any"),
        ("disable_on_error = true", "disable_on_error = false"),
    ],
)
def test_an_option_of_a_subscription_is_put_back(place: str, option: str, hand: str) -> None:
    """A start sees that a hand has changed it, and sets it as the list says; ``drift`` tells it by its name."""
    name = f"sub_{conninfo_to_dict(place)['dbname']}"
    steps = [*steps_of(Kind.SUBSCRIPTION, place), f"ALTER SUBSCRIPTION {name} SET ({option})"]
    omega_bridge.boot(place, steps)
    assert omega_bridge.boot(place, steps).outcome == "current"
    expected, made = expectation(place, steps), look(place)
    with psycopg.connect(place, autocommit=True) as conn:
        conn.execute(f"ALTER SUBSCRIPTION {name} SET ({hand})".encode())
    assert drift(place, analyse(Registry.of(steps)), NOTHING, expected).differences
    omega_bridge.boot(place, steps)
    assert diff(made, look(place)) == ()
    assert omega_bridge.boot(place, steps).outcome == "current"


@pytest.mark.parametrize("kind", LIVES, ids=str)
def test_made_and_made_again(kind: Kind, place: str) -> None:
    """One start leads where the loop leads, the next one has nothing to do, and nothing has drifted."""
    database, steps = place, steps_of(kind, place)
    omega_bridge.boot(database, steps)
    made = look(database)
    assert any(key.kind is kind for key in expectation(database, steps).catalog)
    assert omega_bridge.boot(database, steps).outcome == "current"
    assert diff(made, loop(database, steps)) == ()
    found = drift(database, analyse(Registry.of(steps)), NOTHING, expectation(database, steps))
    assert (found.differences, found.unseen, found.standing) == ((), (), ())


@pytest.mark.parametrize(("kind", "word"), HANDS)
def test_what_a_hand_does_is_seen_and_put_back(
    kind: str, word: str, made: Callable[[str], Made], make_database: MakeDatabase, request: pytest.FixtureRequest
) -> None:
    """``drift`` sees it; one start puts back what the loop puts back; what stays is what ``drift`` still tells, and what to append for it."""
    if kind in OF_THE_SERVER:
        database = str(request.getfixturevalue("place"))
        omega_bridge.boot(database, steps_of(kind, database))
        expected = expectation(database, steps_of(kind, database))
    else:
        template, expected = made(kind)
        database = make_database(template=template)
    steps = steps_of(kind, database)
    analysis = analyse(Registry.of(steps))
    hand = ALL[kind].damages[word].replace("{database}", str(conninfo_to_dict(database)["dbname"]))
    with psycopg.connect(database, autocommit=True) as conn:
        conn.execute(hand.encode())
    found = drift(database, analysis, NOTHING, expected)
    assert found.differences, "nothing is seen"
    omega_bridge.boot(database, steps)
    started = look(database)
    assert diff(started, loop(database, steps)) == (), "the loop puts more back"
    after = drift(database, analysis, NOTHING, expected)
    left = {(d.key, d.attribute) for d in after.differences}
    for one in found.differences:
        if one.is_repaired is not None:
            assert one.is_repaired == ((one.key, one.attribute) not in left), f"{one}: told {one.is_repaired}"
    put_back = {(d.key, d.attribute): d.instead for d in after.differences if d.instead}
    with psycopg.connect(database, autocommit=True) as conn:
        for text in dict.fromkeys(put_back.values()):
            try:
                conn.execute(text.encode())
            except psycopg.errors.DependentObjectsStillExist:  # what hangs on it has to go first, and who reads that knows what
                put_back = {what: told for what, told in put_back.items() if told != text}
    still = {(d.key, d.attribute) for d in drift(database, analysis, NOTHING, expected).differences}
    assert still.isdisjoint(put_back), "what it says to append does not put it back"
