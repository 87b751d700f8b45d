"""``ADD UNIQUE`` and ``ADD PRIMARY KEY`` that build their index under lock."""

from __future__ import annotations

from collections.abc import Iterator

from omega_bridge import sql
from omega_bridge.analysis.findings import Hit, Listed, Rule, Severity
from omega_bridge.analysis.lookup_text import Unwritable, absent
from omega_bridge.analysis.program import Effect
from omega_bridge.analysis.tables import constraint
from omega_bridge.analysis.writing import unless_there
from omega_bridge.analysis.written import written
from omega_bridge.catalog import Kind
from omega_bridge.tags import Tag

_WORDS = {"u": "UNIQUE", "p": "PRIMARY KEY"}


def find(listed: Listed) -> Iterator[Hit]:
    """Unique constraints and primary keys added without USING INDEX to tables that the step does not find empty."""
    is_empty = listed.meets_empty()
    for _, step in listed.steps():
        for w in written(step):
            if w.sql.tag != Tag.ALTER_TABLE or is_empty(step, w.statement.node.relation.relname):
                continue
            own = {e.key for e in w.sql.effects if e.present}
            new = {e.key.name for e in w.sql.implied if e.key.kind is Kind.COLUMN and "type" in dict(e.attributes)}
            for effect in w.sql.implied:
                said = dict(effect.attributes)
                if effect.key in own and said.get("type") in _WORDS and "USING INDEX" not in str(said["definition"]):
                    node = constraint(str(said["definition"]))
                    if node is None or set(sql.strings(node.keys)) <= new:
                        continue
                    yield Hit(
                        step,
                        f"builds the index of {effect.key.name} on table {effect.key.table} under ACCESS EXCLUSIVE",
                        "CREATE UNIQUE INDEX CONCURRENTLY in a step of its own, then ADD CONSTRAINT ... USING INDEX.",
                        _instead(effect, sql.strings(node.keys), _WORDS[str(said["type"])]),
                        at=w.sql.text,
                    )


def _instead(effect: Effect, columns: tuple[str, ...], word: str) -> tuple[str, ...]:
    if not columns:
        return ()
    table, name = sql.identifier(effect.key.schema, effect.key.table), sql.identifier(effect.key.name)
    build = f"CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS {name} ON {table} ({', '.join(map(sql.identifier, columns))})"
    try:
        guard = absent(effect.key)
    except Unwritable:
        return ()
    return (build, unless_there(guard, f"ALTER TABLE {table} ADD CONSTRAINT {name} {word} USING INDEX {name}"))


RULE = Rule(
    "unique-builds-index",
    Severity.WARNING,
    "Nobody reads or writes the table while the index is built; built CONCURRENTLY before, only its name is written.",
    find,
)
