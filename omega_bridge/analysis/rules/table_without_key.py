"""A table that has no primary key."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from omega_bridge.analysis.analysis import StepAnalysis
from omega_bridge.analysis.findings import Hit, Listed, Rule, Severity
from omega_bridge.analysis.program import statements
from omega_bridge.analysis.tables import tables_of
from omega_bridge.analysis.written import Written, written
from omega_bridge.catalog import Kind
from omega_bridge.sql import inner, name_of
from omega_bridge.sql.grammar import ConstrType
from omega_bridge.tags import Tag


def find(listed: Listed) -> Iterator[Hit]:
    """Tables whose columns are all written out, to which nothing in the list, the models or the database gives a key."""
    tables = tables_of(listed)
    dropped = {e.key.name for _, step in listed.steps() for e in step.effects if e.key.kind is Kind.TABLE and not e.present}
    unsure = any(s.opaque and "primary key" in s.text.lower() for step in listed.analysis for s in statements(step.program))
    for step, w in made_by(listed):
        name = w.sql.effects[0].key.name
        if name not in tables.keys and name not in dropped and not unsure and not _excludes(w):
            yield Hit(
                step,
                f"table {name} has no primary key",
                "Give it one: id UUID PRIMARY KEY DEFAULT gen_random_uuid(), or the columns that tell its rows apart.",
                at=w.sql.text,
            )


def made_by(listed: Listed) -> Iterator[tuple[StepAnalysis, Written]]:
    """The list's statements that make a table of their own columns: no partition, no heir, no copy, none that goes with the session."""
    return making(step for _, step in listed.steps())


def making(steps: Iterable[StepAnalysis]) -> Iterator[tuple[StepAnalysis, Written]]:
    """The same of any steps."""
    seen: set[str] = set()
    for step in steps:
        for w in written(step):
            node = w.statement.node
            if w.sql.tag != Tag.CREATE or not w.sql.effects or node.inh_relations or node.HasField("partbound"):
                continue
            if node.HasField("of_typename") or any(name_of(inner(e)) == "TableLikeClause" for e in node.table_elts):
                continue
            if (name := w.sql.effects[0].key.name) not in seen:
                seen.add(name)
                yield step, w


def _excludes(w: Written) -> bool:
    """Whether something else tells its rows apart: an exclusion, or a unique constraint of its own."""
    elements = [inner(e) for e in w.statement.node.table_elts]
    constraints = [e for e in elements if name_of(e) == "Constraint"]
    constraints += [inner(c) for e in elements if name_of(e) == "ColumnDef" for c in e.constraints]
    return any(c.contype in (ConstrType.EXCLUSION, ConstrType.PRIMARY) for c in constraints)


RULE = Rule(
    "table-without-key",
    Severity.WARNING,
    "Nothing tells two equal rows apart: no foreign key can point to one, an ORM cannot map it, "
    "and logical replication refuses its UPDATE and DELETE.",
    find,
)
