"""A list from a seed. Each list is about few objects and few kinds of statement, so that its steps meet each other."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from random import Random

from tests.oracle.lists.context import Context
from tests.oracle.lists.forms import entry
from tests.oracle.lists.fragment import Fragment
from tests.oracle.lists.kinds import EVERY, KINDS
from tests.oracle.lists.listed import Entry, Listed

FORMS = frozenset({"guarded", "swallowed", "shapes", "dynamic", "several"})
"""How statements may be written: under guards, with errors swallowed, in every shape of these, as text, several in one step."""


@dataclass(frozen=True, slots=True)
class Width:
    """What lists may hold: kinds, forms, odd names, a state that they begin on, damage."""

    kinds: frozenset[str] = frozenset(KINDS)
    forms: frozenset[str] = FORMS
    odd_names: bool = True
    start: bool = True
    damage: bool = True


def generate(seed: int, width: Width = Width()) -> Listed:
    """The list of a seed."""
    rng = Random(seed)
    c = Context(rng, odd=width.odd_names and rng.random() < 0.4)
    own = width.kinds - {"table", "column"}
    kinds = ["table", *rng.sample(sorted(own), min(len(own), rng.randrange(2, 7))), *(["column"] if rng.random() < 0.7 else [])]
    entries = [_entry(c, kinds, width.forms) for _ in range(rng.randrange(3, 13))]
    if rng.random() < 0.75:  # most lists make their tables first
        at = 0 if rng.random() < 0.8 else len(entries)
        entries[at:at] = [_one(c, "table", frozenset()) for _ in range(rng.randrange(1, 3))]
    start = _start(c, kinds) if width.start and rng.random() < 0.4 else ()
    damage = _damage(c, kinds) if width.damage and rng.random() < 0.5 else ()
    return Listed(f"seed-{seed}", tuple(entries), start, damage)


def _entry(c: Context, kinds: list[str], forms: frozenset[str]) -> Entry:
    kind = c.of(kinds)
    if "several" not in forms or not c.chance(0.25):
        return _one(c, kind, forms)
    names = [kind, *(c.of(kinds) for _ in range(c.rng.randrange(1, 3)))]
    return entry(c, [EVERY[k](c) for k in names], "+".join(names), forms)


def _one(c: Context, kind: str, forms: frozenset[str]) -> Entry:
    return entry(c, [EVERY[kind](c)], kind, forms)


def _statements(c: Context, kinds: Collection[str], number: int) -> list[Fragment]:
    plain = sorted(set(kinds) - {"loop", "failing", "housekeeping", "mixed"})
    return [f for _ in range(number) if not (f := EVERY[c.of(plain)](c)).alone]


def _start(c: Context, kinds: list[str]) -> tuple[str, ...]:
    """Tables, other things, and rows; what PostgreSQL does not take is left out before the list is judged."""
    made = [KINDS["table"](c).sql for _ in range(2)] + [f.sql for f in _statements(c, kinds, c.rng.randrange(0, 5))]
    if c.chance(0.3):
        made.append("CREATE TABLE legacy (id int, note text); INSERT INTO legacy VALUES (1, 'a')")
    if c.chance(0.2):
        made.insert(0, "CREATE SCHEMA side; CREATE TABLE side.t (id int); CREATE TABLE side.orders (id int, note text)")
    made += [f"INSERT INTO {c.table().sql} (id) VALUES (1), (2), (3)" for _ in range(c.rng.randrange(0, 3))]
    return tuple(made)


def _damage(c: Context, kinds: list[str]) -> tuple[str, ...]:
    """What a hand may do: objects dropped and changed."""
    t, column = c.table(), c.column()
    done = [
        c.pick(
            f"DROP TABLE {t.sql}", f"DROP TABLE {t.sql} CASCADE", f"ALTER TABLE {t.sql} DROP COLUMN {column.name.bare}",
            f"ALTER TABLE {t.sql} DROP COLUMN {column.name.bare} CASCADE", f"ALTER TABLE {t.sql} ALTER COLUMN {column.name.bare} DROP DEFAULT",
            f"ALTER TABLE {t.sql} ALTER COLUMN {column.name.bare} TYPE text", f"ALTER TABLE {t.sql} RENAME TO by_hand", "DROP TYPE mood CASCADE",
            f"ALTER TABLE {t.sql} DISABLE ROW LEVEL SECURITY", f"DROP VIEW {c.beside(t, c.named('v', t)).sql} CASCADE", "DROP FUNCTION touch() CASCADE",
            "DROP SCHEMA side CASCADE", f"ALTER TABLE {t.sql} ADD COLUMN by_hand int", f"ALTER TABLE {t.sql} DISABLE TRIGGER USER",
            f"COMMENT ON TABLE {t.sql} IS 'by hand'", f"REVOKE ALL ON {t.sql} FROM PUBLIC, oracle_reader, oracle_writer",
            f"ALTER TABLE {t.sql} DROP CONSTRAINT {c.named(c.pick('ck', 'uq', 'fk', 'pk'), t).bare} CASCADE",
            f"DELETE FROM {t.sql}", f"ALTER TABLE {t.sql} ALTER COLUMN id DROP NOT NULL",
        )
        for _ in range(c.rng.randrange(1, 3))
    ]  # fmt: skip
    return (*done, *(f.sql for f in _statements(c, kinds, c.rng.randrange(0, 2))))
