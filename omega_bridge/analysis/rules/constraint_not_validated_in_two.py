"""``ADD FOREIGN KEY`` and ``ADD CHECK`` that read a whole table under lock."""

from __future__ import annotations

from collections.abc import Iterator

from omega_bridge import sql
from omega_bridge.analysis.findings import Hit, Listed, Rule, Severity
from omega_bridge.analysis.lookup_text import absent
from omega_bridge.analysis.program import Effect, Sql, statements
from omega_bridge.analysis.writing import unless_there
from omega_bridge.catalog import Key, Kind
from omega_bridge.tags import Tag

_WORDS = {"f": "foreign key", "c": "check"}


def find(listed: Listed) -> Iterator[Hit]:
    """Foreign keys and checks added without NOT VALID to tables that the step does not find empty."""
    is_empty = listed.meets_empty()
    for _, step in listed.steps():
        for s in statements(step.program):
            for effect in _added(s):
                if not is_empty(step, effect.key.table):
                    word = _WORDS[str(dict(effect.attributes)["type"])]
                    yield Hit(
                        step,
                        f"adds {word} {effect.key.name} to table {effect.key.table}, and reads all its rows under lock",
                        "Add it NOT VALID in one step and VALIDATE it in the next: each runs in a transaction of its own.",
                        _instead(effect),
                        at=s.text,
                    )


def _added(s: Sql) -> Iterator[Effect]:
    if s.tag == Tag.ALTER_TABLE:
        own = {e.key for e in s.effects if e.key.kind is Kind.CONSTRAINT and e.present}
        for effect in s.implied:
            said = dict(effect.attributes)
            if effect.key in own and said.get("type") in _WORDS and said.get("validated"):
                yield effect


def _instead(effect: Effect) -> tuple[str, ...]:
    key: Key = effect.key
    table, name = sql.identifier(key.schema, key.table), sql.identifier(key.name)
    definition = dict(effect.attributes)["definition"]
    add = f"ALTER TABLE {table} ADD CONSTRAINT {name} {definition} NOT VALID"
    return (unless_there(absent(key), add), f"ALTER TABLE {table} VALIDATE CONSTRAINT {name}")


RULE = Rule(
    "constraint-not-validated-in-two",
    Severity.WARNING,
    "All rows are checked while the lock is held: writers wait, and of a foreign key those of the other table too.",
    find,
)
