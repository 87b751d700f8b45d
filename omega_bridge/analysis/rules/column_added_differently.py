"""One column, added twice with two types."""

from __future__ import annotations

from collections.abc import Iterator

from omega_bridge import sql
from omega_bridge.analysis.analysis import StepAnalysis
from omega_bridge.analysis.findings import Hit, Listed, Rule, Severity
from omega_bridge.analysis.written import written
from omega_bridge.catalog import Key, Kind
from omega_bridge.tags import Tag


def find(listed: Listed) -> Iterator[Hit]:
    """Additions of a column that an earlier statement makes with another type, and nothing takes away in between."""
    first: dict[Key, tuple[StepAnalysis, str]] = {}
    for _, step in listed.steps():
        for w in written(step):
            for e in w.sql.effects:
                if not e.present:
                    first.pop(e.key, None)
                    for key in [k for k in first if e.key.kind is Kind.TABLE and k.table == e.key.name]:
                        del first[key]
            if w.sql.tag not in (Tag.CREATE, Tag.ALTER_TABLE):
                continue
            adds = {e.key for e in w.sql.effects if e.present}
            for e in w.sql.implied:
                said = dict(e.attributes)
                if e.key.kind is not Kind.COLUMN or "type" not in said or not e.present:
                    continue
                if w.sql.tag == Tag.ALTER_TABLE and e.key not in adds:
                    continue
                other, before = first.setdefault(e.key, (step, str(said["type"])))
                if sql.same_type(before, str(said["type"])) is False:
                    yield Hit(
                        step,
                        f"adds {e.key} as {sql.printed_type(str(said['type']))}, and step {other.id} ({other.step.place}) "
                        f"as {sql.printed_type(before)}",
                        f"Keep one of the two; to change the type, write a step that alters {e.key}.",
                        at=w.sql.text,
                    )


RULE = Rule(
    "column-added-differently",
    Severity.WARNING,
    "The one that runs first decides: databases differ by when they were made, and no step brings them together.",
    find,
)
