"""Which table locks a planned step takes."""

from __future__ import annotations

from collections.abc import Iterator

from omega_bridge.analysis.program import Sql
from omega_bridge.catalog import Kind
from omega_bridge.kinds import READ
from omega_bridge.planning.plan import PlannedStep
from omega_bridge.regexes import regex


def locks_of(planned: PlannedStep) -> list[str]:
    """The table locks that a step's pending statements take, by PostgreSQL's manual ("Explicit Locking")."""
    found: list[str] = []
    for s in planned.statements:
        said = READ.get(s.tag)
        mode = "" if said is None else said.lock if s.transactional else said.lock_concurrently or said.lock
        if not mode:
            continue
        tables = [dict(e.attributes).get("table") or e.key.table or e.key.name for e in s.effects] or [
            k.name for k in s.needs if k.kind is Kind.TABLE
        ]
        found.extend(f"{mode} {table}" for table in dict.fromkeys(tables))
        found.extend(f"SHARE ROW EXCLUSIVE {table}" for table in dict.fromkeys(_referenced(s)) if table not in tables)
    return found


_REFERENCES = regex(r'^FOREIGN KEY .*?\bREFERENCES ((?:(?:"(?:[^"]|"")+"|[^\s"(.]+)\.)?(?:"(?:[^"]|"")+"|[^\s"(.]+))')


def _referenced(s: Sql) -> Iterator[str]:
    """The tables that a new foreign key points to, which are locked, too ("ALTER TABLE", on ADD table_constraint)."""
    for e in (*s.effects, *s.implied):
        definition = dict(e.attributes).get("definition") if e.present and e.key.kind is Kind.CONSTRAINT else None
        if isinstance(definition, str) and (match := _REFERENCES.match(definition)):
            yield match[1].rpartition(".")[2].strip('"').replace('""', '"')
