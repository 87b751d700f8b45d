"""A short run of the lists made from seeds; ``make oracle ROUNDS=1000`` is the long one, over every kind and form."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from omega_bridge.embedded import Server
from tests.oracle.lists.generator import Width, generate
from tests.oracle.lists.judge import judge
from tests.oracle.lists.kinds import EVERY, KINDS
from tests.oracle.lists.listed import Entry, Listed, Rows
from tests.oracle.lists.place import Place
from tests.oracle.lists.shrink import shrink

QUIET = Width(forms=frozenset({"guarded", "swallowed", "several"}), odd_names=False, start=False)
CHECKS = ("boot", "again", "retry", "repair", "upgrade", "sql")


@pytest.fixture(scope="module")
def place(server: Server, psql: str) -> Iterator[Place]:
    """Databases for the lists of this module."""
    made = Place(server, Path(psql).parent)
    yield made
    made.clean()


@pytest.mark.parametrize("seed", range(1, 11))
def test_every_way_ends_where_the_loop_ends(place: Place, seed: int) -> None:
    """A start, a second one, one after damage, and the history, run or as a script, end in what the naive loop ends in."""
    verdict = judge(place, generate(seed, QUIET), CHECKS, dump=True)
    assert not verdict.findings, "\n".join([*map(str, verdict.findings), *verdict.listed.texts])


def test_a_difference_is_found_and_shrunk(place: Place) -> None:
    """A database that is not as the loop's is told, and the list is cut down to what shows it."""
    quiet, loud = Entry(("CREATE TABLE IF NOT EXISTS t (id int)",)), Entry(("CREATE TABLE IF NOT EXISTS u (id int)", "SELECT 1"))
    listed = Listed("two", (quiet, loud, quiet), ("CREATE TABLE w (id int)",), ("DROP TABLE t",))
    assert judge(place, listed, ("boot", "repair")).findings == ()
    least = shrink(listed, lambda smaller: any("TABLE IF NOT EXISTS u" in text for text in smaller.texts))
    assert (least.texts, least.start, least.damage) == (["CREATE TABLE IF NOT EXISTS u (id int)"], (), ())
    place.fresh("one")
    place.fresh("two")
    place.send("two", ["CREATE TABLE t (id int); INSERT INTO t VALUES (1), (1)"])
    assert {line[:12] for line in place.picture("two") - place.picture("one")} == {"relation pub", "column publi", "row of publi"}


def test_a_seed_gives_one_list() -> None:
    """A seed in a report is enough to see the list again."""
    assert all(generate(seed) == generate(seed) for seed in range(20))
    every = Width(kinds=frozenset(EVERY))
    assert {e.family.partition("/")[0].partition("+")[0] for seed in range(400) for e in generate(seed, every).entries} == set(
        EVERY
    )
    assert {e.family.partition("/")[0].partition("+")[0] for seed in range(400) for e in generate(seed).entries} == set(KINDS)


APART = {
    "a-retry-does-what-the-list-says": Listed(
        "retry",
        (
            Entry(("DROP FUNCTION IF EXISTS f() CASCADE",)),
            Entry(("CREATE OR REPLACE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'",)),
            Entry(("ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC",)),
        ),
    ),
    "a-mixed-step-has-run": Listed(
        "mixed",
        (
            Entry(("INSERT INTO t (id) VALUES (3)",), rows=Rows.ONLY),
            Entry(
                ("CREATE OR REPLACE VIEW v AS SELECT id FROM t", "DELETE FROM t WHERE id = 3"), rows=Rows.TOO, destructive=True
            ),
        ),
        ("CREATE TABLE t (id int)",),
    ),
    "a-step-stands-behind-what-it-needs-ahead-of-a-rename": Listed(
        "ahead",
        (
            Entry(("ALTER TABLE t ALTER COLUMN n TYPE text",)),
            Entry(("CREATE TABLE IF NOT EXISTS t (id int, n int)",)),
            Entry(("ALTER TABLE IF EXISTS t RENAME TO t_new",)),
        ),
    ),
    "a-rename-waits-for-hidden-rows": Listed(
        "rename",
        (
            Entry(
                ("INSERT INTO t (id) SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM t WHERE id = 1)",),
                "DO $$ BEGIN ",
                "; EXCEPTION WHEN OTHERS THEN NULL; END $$",
                Rows.ONLY,
            ),
            Entry(("ALTER TABLE t ADD COLUMN IF NOT EXISTS n int",)),
            Entry(("CREATE TABLE IF NOT EXISTS t (id int)",)),
            Entry(
                ("ALTER TABLE t RENAME TO t_new",),
                "DO $$ BEGIN IF NOT EXISTS (SELECT 1 FROM pg_tables WHERE schemaname = 'public' AND tablename = 't_new') THEN ",
                "; END IF; END $$",
            ),
        ),
    ),
}


@pytest.mark.parametrize("name", APART)
def test_a_difference_on_purpose_is_told_apart(place: Place, name: str) -> None:
    """Where a way ends elsewhere than the loop on purpose, the loop with just that difference ends there, too."""
    verdict = judge(place, APART[name], CHECKS)
    assert (verdict.findings, verdict.apart) == ((), True), "\n".join(map(str, verdict.findings))


def test_what_comes_back_otherwise_is_taken_away(place: Place) -> None:
    """A step that is not read through makes another view than the one that a later step brings back: the loop's is the end."""
    listed = Listed(
        "back",
        (
            Entry(("DROP MATERIALIZED VIEW IF EXISTS mv",), destructive=True),
            Entry(
                ("CREATE MATERIALIZED VIEW mv AS SELECT id FROM t",),
                "DO $$ BEGIN FOR i IN 1..3 LOOP EXIT WHEN EXISTS (SELECT FROM pg_matviews WHERE matviewname = 'mv'); ",
                "; END LOOP; END $$",
            ),
            Entry(("CREATE TABLE IF NOT EXISTS t (id int, n int)",)),
            Entry(("CREATE MATERIALIZED VIEW IF NOT EXISTS mv AS SELECT * FROM t WITH NO DATA",)),
        ),
    )
    verdict = judge(place, listed, CHECKS)
    assert (verdict.findings, verdict.apart) == ((), False), "\n".join(map(str, verdict.findings))
