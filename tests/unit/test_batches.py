"""Blocks that change rows and commit as they go: of which it is certain that they take no more than they name."""

from __future__ import annotations

import pytest

from omega_bridge.analysis.batches import Batches, batches_of, only_sets
from omega_bridge.analysis.reading import reading_of
from omega_bridge.revisions import safe_steps

READ = {
    "a backfill of ours": (safe_steps.in_batches("t", "c", "'v'"), ("t",)),
    "in a schema, by another column": (safe_steps.in_batches("t", "c", "lower(name)", "s", where="true"), ("s.t",)),
    "until nothing is found": (
        "DO $$ BEGIN LOOP UPDATE t SET c = 1 WHERE id IN (SELECT id FROM u WHERE c IS NULL LIMIT 9); EXIT WHEN NOT FOUND; COMMIT; "
        "PERFORM pg_sleep(0.01); END LOOP; END $$",
        ("t", "u"),
    ),
    "a query's rows": (
        "DO $$ DECLARE r record; BEGIN FOR r IN SELECT id FROM t LOOP UPDATE t SET c = 1 WHERE id = r.id; COMMIT; END LOOP; END $$",
        ("t",),
    ),
}
UNREAD = {
    "no commit": "DO $$ BEGIN UPDATE t SET c = 1; END $$",
    "a computed statement": "DO $$ BEGIN EXECUTE 'UPDATE t SET c = 1'; COMMIT; END $$",
    "a drop": "DO $$ BEGIN UPDATE t SET c = 1; COMMIT; DROP TABLE u; END $$",
    "a truncate": "DO $$ BEGIN TRUNCATE t; COMMIT; END $$",
    "a function": "DO $$ BEGIN PERFORM purge(); COMMIT; END $$",
    "a function in a value": "DO $$ BEGIN UPDATE t SET c = purge(); COMMIT; END $$",
    "a procedure": "DO $$ BEGIN CALL purge(); COMMIT; END $$",
    "a type of a user's": "DO $$ DECLARE v odd; BEGIN UPDATE t SET c = 1; COMMIT; END $$",
    "a cast to a user's": "DO $$ BEGIN UPDATE t SET c = '1'::odd; COMMIT; END $$",
    "two statements": "SELECT 1; DO $$ BEGIN UPDATE t SET c = 1; COMMIT; END $$",
    "a call": "CALL backfill()",
}


@pytest.mark.parametrize(("text", "tables"), READ.values(), ids=READ)
def test_what_is_read_names_its_tables(text: str, tables: tuple[str, ...]) -> None:
    """A backfill that only changes rows is known with the tables that it touches, and outside a transaction."""
    assert batches_of(text) == Batches(tables, False)
    assert not reading_of(text).transactional
    assert reading_of(text).label == f"rows-of-{tables[0].replace('.', '-')}"


@pytest.mark.parametrize("text", UNREAD.values(), ids=UNREAD)
def test_what_may_do_more_is_not_read(text: str) -> None:
    """Anything else makes no claim: it is refused where it is not allowed."""
    assert batches_of(text) is None


def test_rows_that_are_deleted_are_told() -> None:
    """What is deleted in batches may take rows of other tables along."""
    assert batches_of("DO $$ BEGIN DELETE FROM t WHERE old; COMMIT; END $$") == Batches(("t",), True)


SETS = {
    "BEGIN NEW.updated_at := now(); RETURN NEW; END": True,
    "\nBEGIN\n  -- the time\n  NEW.updated_at = CURRENT_TIMESTAMP;\n  RETURN NEW;\nEND;\n": True,
    "BEGIN IF NEW.a IS DISTINCT FROM OLD.a THEN NEW.at := clock_timestamp(); END IF; RETURN NEW; END": True,
    "BEGIN DROP TABLE u; RETURN NEW; END": False,
    "BEGIN NEW.a := purge(); RETURN NEW; END": False,
    "BEGIN NEW.a := public.now(); RETURN NEW; END": False,
    "BEGIN INSERT INTO u VALUES (1); RETURN NEW; END": False,
    "BEGIN EXECUTE 'DROP TABLE u'; RETURN NEW; END": False,
    "DECLARE x int := purge(); BEGIN RETURN NEW; END": False,
    "": False,
}


@pytest.mark.parametrize(("body", "wanted"), SETS.items(), ids=[str(n) for n in range(len(SETS))])
def test_a_trigger_that_only_sets_values_is_known(body: str, wanted: bool) -> None:
    """The trigger that keeps ``updated_at`` stops no backfill; one that may do more does."""
    assert only_sets(body) is wanted
