"""A statement that locks its table where there is nothing left to do."""

from __future__ import annotations

from collections.abc import Iterator

from omega_bridge.analysis.findings import Hit, Listed, Rule, Severity
from omega_bridge.analysis.lookup_text import Unwritable, absent, condition
from omega_bridge.analysis.program import Exists, Filter, Pattern, Sql
from omega_bridge.analysis.satisfied import lock_when_satisfied, table_of
from omega_bridge.analysis.writing import guarded_in_place, unless_there
from omega_bridge.analysis.written import written
from omega_bridge.catalog import Key, Kind


def find(listed: Listed) -> Iterator[Hit]:
    """Statements outside a guard that run again without an error; one finding a step."""
    for _, step in listed.steps():
        for w in written(step):
            lock = lock_when_satisfied(w)
            if lock and not w.guards and not w.sql.again and w.sql.transactional:
                table, guard = table_of(w.sql), _guard(w.sql)
                yield Hit(
                    step,
                    f"takes {lock} on {table} even where there is nothing to do",
                    "Put it behind a guard that looks into the catalog. A start of omega-bridge does not send what is there; a loop does.",
                    (unless_there(guard, w.sql.text),) if guard else (),
                    at=w.sql.text,
                    edit=guarded_in_place(w.sql.text, guard, is_in_block=w.is_in_block) if guard else None,
                )
                break


def _guard(s: Sql) -> str | None:
    """What to ask before; ``None`` where that is not to be said in a line."""
    if len(s.effects) != 1:
        return None
    effect = s.effects[0]
    try:
        if not effect.attributes or effect.key.kind is Kind.INDEX:
            return absent(effect.key) if effect.present else _there(effect.key)
        if effect.attributes in ((("nullable", True),), (("nullable", False),)) and effect.key.kind is Kind.COLUMN:
            return _there(effect.key, Filter("is_nullable", "=", "NO" if effect.attributes[0][1] else "YES"))
    except Unwritable:
        pass  # there is no look-up for it
    return None


def _there(key: Key, *filters: Filter) -> str:
    return condition(Exists(Pattern((key.kind,), key.schema, key.table or None, key.name, filters)))


RULE = Rule(
    "lock-though-satisfied",
    Severity.NOTE,
    "It waits behind the longest reader for nothing, and everybody who comes later waits behind it.",
    find,
)
