"""What a step does to its tables when it runs again on a database that holds all it makes: locks that make others wait.

Held against ``pg_locks`` in ``tests/integration/test_rules_facts.py`` and by ``omega-bridge lint --measured``. What is not known for certain
makes no prediction. Source: PostgreSQL's manual, "Explicit Locking", and ``ALTER TABLE``.
"""

from __future__ import annotations

from collections.abc import Iterator

from omega_bridge import sql
from omega_bridge.analysis.analysis import StepAnalysis
from omega_bridge.analysis.program import All, Condition, Exists, Not, Sql
from omega_bridge.analysis.reading import matches_effect
from omega_bridge.analysis.written import Written, written
from omega_bridge.catalog import Kind
from omega_bridge.sql.grammar import AlterTableType, ObjectType
from omega_bridge.tags import Tag

ORDER = ("SHARE UPDATE EXCLUSIVE", "SHARE", "SHARE ROW EXCLUSIVE", "EXCLUSIVE", "ACCESS EXCLUSIVE")
"""Locks of a table beside which somebody cannot write, or build an index, from the weakest on."""

_EXCLUSIVE = {
    AlterTableType.ADD_COLUMN,
    AlterTableType.DROP_COLUMN,
    AlterTableType.COLUMN_DEFAULT,
    AlterTableType.DROP_NOT_NULL,
    AlterTableType.SET_NOT_NULL,
    AlterTableType.ALTER_COLUMN_TYPE,
    AlterTableType.DROP_CONSTRAINT,
    AlterTableType.ENABLE_ROW_SECURITY,
    AlterTableType.DISABLE_ROW_SECURITY,
    AlterTableType.FORCE_ROW_SECURITY,
    AlterTableType.NO_FORCE_ROW_SECURITY,
}
"""Parts of ALTER TABLE that take ACCESS EXCLUSIVE before they look."""
_ROWS = (Tag.INSERT, Tag.UPDATE, Tag.DELETE)
_NONE_WHERE_THERE = (Tag.CREATE, Tag.CREATE_EXTENSION, Tag.CREATE_SCHEMA, Tag.CREATE_SEQ)


def lock_when_satisfied(w: Written) -> str | None:
    """The lock on its table of a statement that runs again without an error and changes nothing; ``None`` where it takes none, or one of
    which nothing is known."""
    s, node = w.sql, w.statement.node
    if s.effects and s.tag == Tag.ALTER_TABLE and node.objtype == ObjectType.TABLE:
        return "ACCESS EXCLUSIVE" if {sql.inner(c).subtype for c in node.cmds} <= _EXCLUSIVE else None
    if s.effects and s.tag == Tag.INDEX and node.if_not_exists:
        return "SHARE"
    return None


def table_of(s: Sql) -> str:
    """The table that a statement is about."""
    effect = s.effects[0]
    return str(dict(effect.attributes).get("table", "")) if effect.key.kind is Kind.INDEX else effect.key.table or effect.key.name


def predicted(step: StepAnalysis) -> tuple[str, ...] | None:
    """The strongest lock on each table of a step's second run, such as ``ACCESS EXCLUSIVE t``; ``None`` where that is not known."""
    found: dict[str, str] = {}
    if step.problem is not None or not step.transactional or not step.reading.is_certain:
        return None
    for w in written(step):
        if any(_stops(guard, w.sql) for guard in w.guards):
            continue
        if w.guards:
            return None
        lock = "SHARE UPDATE EXCLUSIVE" if _is_comment(w) else lock_when_satisfied(w)
        if lock is not None and not w.sql.again:
            table = table_of(w.sql)
            found[table] = max(lock, found.get(table, lock), key=ORDER.index)
        elif not _is_quiet(w):
            return None
    return tuple(sorted(f"{lock} {table}" for table, lock in found.items()))


def _is_comment(w: Written) -> bool:
    """``COMMENT`` on a table or a column, which is written whether it is the same or not."""
    return w.sql.tag == Tag.COMMENT and bool(w.sql.effects) and w.sql.effects[0].key.kind in (Kind.TABLE, Kind.COLUMN)


def _stops(guard: Condition, s: Sql) -> bool:
    """Whether a guard certainly does not let its statement run where what the statement makes is so."""
    match guard:
        case All(several):
            return any(_stops(part, s) for part in several)
        case Not(Exists(pattern)):
            return any(e.present and matches_effect(pattern, e) for e in (*s.effects, *s.implied))
        case Exists(pattern):
            if any(not e.present and matches_effect(pattern, e) for e in s.effects):
                return True
            asked = {(f.attribute, f.operator, f.value) for f in pattern.filters}
            return any(
                ("is_nullable", "=", "NO" if dict(e.attributes).get("nullable") else "YES") in asked
                for e in s.effects
                if "nullable" in dict(e.attributes) and matches_effect(pattern, e)
            )
    return False


def _is_quiet(w: Written) -> bool:
    """Whether its second run certainly takes no such lock."""
    node = w.statement.node
    if w.sql.tag in _NONE_WHERE_THERE:
        return bool(node.if_not_exists)
    if w.sql.tag == Tag.DROP:
        return bool(node.missing_ok) and not w.sql.cascade
    return w.sql.tag in _ROWS


def errors(step: StepAnalysis) -> Iterator[str]:
    """PostgreSQL's names of the errors that its second run ends in."""
    for w in written(step):
        if not w.guards and not w.catches_all:
            yield from (name for name in w.sql.again if name not in w.caught)
