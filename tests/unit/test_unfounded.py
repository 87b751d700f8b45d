"""What a list stands on without saying so."""

from __future__ import annotations

import pytest

from omega_bridge.analysis import analyse
from omega_bridge.planning.foundation import understood
from omega_bridge.planning.settling import settle
from omega_bridge.planning.unfounded import told, unfounded
from omega_bridge.steps import Registry


@pytest.mark.parametrize(
    ("steps", "tables"),
    [
        (["ALTER TABLE a ADD COLUMN IF NOT EXISTS x int", "ALTER TABLE a ADD COLUMN IF NOT EXISTS y int"], ("a",)),
        (
            ["CREATE TABLE IF NOT EXISTS b (a int REFERENCES a (id), c int REFERENCES app.c (id))", "CREATE INDEX ON d (id)"],
            ("a", "d", "app.c"),
        ),
        (["ALTER TABLE a ADD COLUMN x int; ALTER TABLE b ADD COLUMN x int; ALTER TABLE c ADD COLUMN x int"], ("a", "b", "c")),
        (["UPDATE a SET x = 1", "INSERT INTO b VALUES (1)"], ("a", "b")),
        (["ALTER TABLE later ADD COLUMN x int", "CREATE TABLE later (id int)"], ()),
        (["CREATE TABLE t (id int)", "ALTER TABLE t DROP COLUMN none_of_it"], ()),
        (["ALTER TABLE IF EXISTS a ADD COLUMN x int", "DROP TABLE IF EXISTS b"], ()),
        (["DO $$ BEGIN IF to_regclass('a') IS NOT NULL THEN ALTER TABLE a ADD COLUMN x int; END IF; END $$"], ()),
        (["DO $$ BEGIN ALTER TABLE a ADD COLUMN x int; EXCEPTION WHEN OTHERS THEN NULL; END $$"], ()),
        (["DO $$ BEGIN EXECUTE 'CREATE TABLE ' || 'a (id int)'; END $$"], ()),
    ],
)
def test_what_is_needed_and_nobody_makes(steps: list[str], tables: tuple[str, ...]) -> None:
    """Each table once; not what a later step makes, what a step asks for first, nor what its author does without."""
    assert unfounded(analyse(Registry.of(steps))) == tables


def test_a_foundation_is_under_it() -> None:
    """What it makes is not told; the line for people says what to give."""
    analysis = analyse(Registry.of(["ALTER TABLE a ADD COLUMN x int", "ALTER TABLE b ADD COLUMN x int"]))
    assert unfounded(analysis, understood("CREATE TABLE a (id int)", "schema.sql").catalog) == ("b",)
    assert told(()) == ""
    assert told(("a", "b")).startswith("the list stands on tables a, b, which nothing in it makes: give them as its foundation")


def test_what_lacks_the_foundation_is_not_moved() -> None:
    """The list's order stays; only a step that needs what a later step of the list makes follows that step."""
    steps = [
        "ALTER TABLE logs ADD COLUMN IF NOT EXISTS rule_id int",
        "ALTER TABLE rules ADD COLUMN IF NOT EXISTS x int REFERENCES late (id)",
        "CREATE INDEX IF NOT EXISTS i ON logs (rule_id)",
        "ALTER TABLE late ADD COLUMN IF NOT EXISTS y int",
        "CREATE TABLE IF NOT EXISTS late (id int PRIMARY KEY)",
    ]
    analysis, ground = (
        analyse(Registry.of(steps)),
        understood("CREATE TABLE logs (id int); CREATE TABLE rules (id int)", "schema.sql"),
    )
    assert settle(analysis).order == (0, 1, 2, 4, 3)
    assert settle(analysis, ground.catalog).order == (0, 2, 4, 1, 3)


def test_what_waited_for_a_step_that_lacks_the_foundation_stays_behind_it() -> None:
    """On the database that the list stands on that one works; so then does what needs it."""
    steps = [
        "ALTER TABLE logs ADD COLUMN IF NOT EXISTS rule_id int; ALTER TABLE logs ADD FOREIGN KEY (rule_id) REFERENCES rules (id)",
        "CREATE TABLE IF NOT EXISTS logs (id bigserial PRIMARY KEY)",
        "CREATE INDEX IF NOT EXISTS i ON logs (rule_id)",
    ]
    assert settle(analyse(Registry.of(steps))).order == (1, 0, 2)
