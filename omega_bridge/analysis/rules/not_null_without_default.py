"""``ADD COLUMN ... NOT NULL`` without a default, on a table that may hold rows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from omega_bridge import sql
from omega_bridge.analysis.findings import Hit, Listed, Rule, Severity
from omega_bridge.analysis.paths import made_anew
from omega_bridge.analysis.program import Effect, If, Node, Program, Sql
from omega_bridge.catalog import Key, Kind
from omega_bridge.tags import Tag

_DEFAULTS = {
    "boolean": "FALSE",
    "integer": "0",
    "bigint": "0",
    "smallint": "0",
    "numeric": "0",
    "double precision": "0",
    "real": "0",
    "text": "''",
    "character varying": "''",
    "json": "'{}'",
    "jsonb": "'{}'",
    "timestamp with time zone": "now()",
    "timestamp without time zone": "now()",
    "date": "CURRENT_DATE",
    "uuid": "gen_random_uuid()",
}


def find(listed: Listed) -> Iterator[Hit]:
    """New columns that have no value for the rows that are there."""
    for _, step in listed.steps():
        for s, effect in _added(step.program, frozenset()):
            yield Hit(
                step,
                f"adds {effect.key} NOT NULL without a DEFAULT: it fails as soon as the table holds a row",
                "Give it a DEFAULT, or let it be NULL.",
                _instead(s, effect),
                at=s.text,
            )


def _added(program: Program, fresh: frozenset[Key]) -> Iterator[tuple[Sql, Effect]]:
    """Statements in order; ``fresh`` are the tables that were made on the way, which hold no row."""
    for node in program:
        yield from _of(node, fresh)
        if isinstance(node, Sql) and made_anew(node) is not None:
            fresh |= {e.key for e in node.effects}


def _of(node: Node, fresh: frozenset[Key]) -> Iterator[tuple[Sql, Effect]]:
    if isinstance(node, Sql):
        if node.tag == Tag.ALTER_TABLE:
            yield from ((node, e) for e in node.implied if _is_mandatory(e) and _table(e.key) not in fresh)
    elif isinstance(node, If):
        for _, arm in node.arms:
            yield from _added(arm, fresh)
        yield from _added(node.otherwise, fresh)
    elif body := getattr(node, "body", ()):
        yield from _added(body, fresh)


def _is_mandatory(effect: Effect) -> bool:
    column: dict[str, Any] = dict(effect.attributes)
    return (
        effect.key.kind is Kind.COLUMN
        and "type" in column
        and not column["nullable"]
        and column["default"] is None
        and not column["identity"]
        and not column["generated"]
    )


def _table(column: Key) -> Key:
    return Key(Kind.TABLE, column.schema, "", column.table)


def _instead(s: Sql, effect: Effect) -> tuple[str, ...]:
    column = dict(effect.attributes)
    written = str(column["type"])
    default = next((value for name, value in _DEFAULTS.items() if sql.same_type(written.partition("(")[0], name)), None)
    tail = f" NOT NULL DEFAULT {default}" if default else ""
    table, name = sql.identifier(effect.key.schema, effect.key.table), sql.identifier(effect.key.name)
    return (f"ALTER TABLE {table} ADD COLUMN IF NOT EXISTS {name} {written}{tail}",)


RULE = Rule(
    "not-null-without-default",
    Severity.ERROR,
    "The rows that are there would have NULL in it, so PostgreSQL refuses (23502): it works on an empty table only.",
    find,
)
