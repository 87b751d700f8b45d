"""A database that lives through the list's past: starts that are given what may have work lead where whole lists lead."""

from __future__ import annotations

import pytest

from omega_bridge.audit import lived
from omega_bridge.audit.lived import begins_anew
from omega_bridge.audit.scratch import scratch_database
from omega_bridge.catalog import diff
from omega_bridge.embedded import Server
from omega_bridge.postgres.catalog_reader import read_catalog
from omega_bridge.steps import Step

A, B = "CREATE TABLE IF NOT EXISTS a (id int PRIMARY KEY)", "CREATE TABLE IF NOT EXISTS b (id int PRIMARY KEY)"
LOOP = (
    "DO $$ DECLARE n text; BEGIN FOR n IN SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace "
    "LOOP EXECUTE format('ALTER TABLE %I ADD COLUMN IF NOT EXISTS at date', n); END LOOP; END $$"
)
C, VIEW = "ALTER TABLE a ADD COLUMN IF NOT EXISTS c int", "CREATE OR REPLACE VIEW v AS SELECT * FROM a"
LISTS = {
    "grows": [[A], [A, B], [A, B, C]],
    "edited": [[A, B], [A, "CREATE TABLE IF NOT EXISTS b (id bigint PRIMARY KEY, n int)"]],
    "waits": [[C], [C, B], [C, B, A]],
    "taken-away-and-left-to-later": [[A], [A, "DROP TABLE IF EXISTS a"], [A, "DROP TABLE IF EXISTS a", B], [A, B]],
    "loop": [
        [A, LOOP],
        [A, LOOP, B],
    ],
    "search-path": [
        ["CREATE SCHEMA IF NOT EXISTS app", "SET search_path TO app", A],
        ["CREATE SCHEMA IF NOT EXISTS app", "SET search_path TO app", A, B],
    ],
    "renamed-and-made-again": [[A], [A, "ALTER TABLE a RENAME TO z"], [A, "ALTER TABLE a RENAME TO z", B]],
    "view-of-all": [[A, VIEW], [A, VIEW, C]],
}  # fmt: skip


@pytest.mark.parametrize("case", LISTS)
def test_what_has_no_work_need_not_be_looked_at(server: Server, case: str) -> None:
    """After each list the schema is that of a database on which every start had the whole list."""
    lists = [[Step(text, id=f"s-{text}", destructive=True) for text in texts] for texts in LISTS[case]]
    texts = {text for one in LISTS[case] for text in one}
    with scratch_database(server, "some") as some, scratch_database(server, "whole") as whole, lived.lived(some, texts) as starts:
        for steps in lists:
            starts.start(steps)
            whole.boot(steps)
            with some.session() as one, whole.session() as other:
                assert diff(read_catalog(one.connection), read_catalog(other.connection), ignore=frozenset()) == ()


def test_a_start_is_given_what_hangs_together(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """A further step on one table of many is started with the steps of that table alone, and the last list with all of them."""
    given: list[list[str]] = []
    steps = [Step(f"CREATE TABLE IF NOT EXISTS t{n} (id int)", id=f"t{n}") for n in range(5)]
    more = Step("ALTER TABLE t3 ADD COLUMN IF NOT EXISTS c int", id="c")
    with scratch_database(server, "some") as some, lived.lived(some, ()) as starts:
        boot = type(some).boot
        monkeypatch.setattr(type(some), "boot", lambda *a, **k: given.append([s.id for s in a[1]]) or boot(*a, **k))
        starts.start(steps)
        starts.start([*steps, more])
        starts.start([*steps, more])
        starts.start([*steps, more], whole=True)
    assert given == [["t0", "t1", "t2", "t3", "t4"], ["t3", "c"], ["t0", "t1", "t2", "t3", "t4", "c"]]


@pytest.mark.parametrize("text", ["ALTER DATABASE x SET a.b = '1'", "DO $$ BEGIN EXECUTE 'alter  role r SET x = 1'; END $$"])
def test_what_only_a_new_connection_has_is_had_on_one(text: str) -> None:
    """What is set for a database or a role holds from the next connection on: each start has its own then."""
    assert begins_anew([text])
    assert not begins_anew([A, "SET search_path TO app"])
