"""``CREATE INDEX`` on a table that was there before the step."""

from __future__ import annotations

from collections.abc import Iterator

from omega_bridge import sql
from omega_bridge.analysis.findings import Hit, Listed, Rule, Severity
from omega_bridge.analysis.program import Sql, statements
from omega_bridge.tags import Tag


def find(listed: Listed) -> Iterator[Hit]:
    """Indexes without CONCURRENTLY on tables that the step does not find empty."""
    is_empty = listed.meets_empty()
    for _, step in listed.steps():
        for s in statements(step.program):
            if s.tag != Tag.INDEX or not s.transactional or not s.effects:
                continue
            table = str(dict(s.effects[0].attributes)["table"])
            if not is_empty(step, table):
                yield Hit(
                    step,
                    f"builds {s.effects[0].key} on table {table} while nobody can write to it",
                    "Make it a step of its own, with CONCURRENTLY: such a step runs outside a transaction, without the lock.",
                    (_concurrently(s),),
                    at=s.text,
                )


def _concurrently(s: Sql) -> str:
    node = sql.copied(sql.parse(s.text)[0].node)
    node.concurrent, node.if_not_exists = True, True
    node.idxname = s.effects[0].key.name
    return sql.deparse_statement(Tag.INDEX, node)


RULE = Rule(
    "blocking-index",
    Severity.WARNING,
    "CREATE INDEX takes a SHARE lock for as long as it reads the table: every INSERT, UPDATE and DELETE waits.",
    find,
)
