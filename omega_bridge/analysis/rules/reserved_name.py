"""A table or a column whose name is a reserved word."""

from __future__ import annotations

from collections.abc import Iterator

from omega_bridge import sql
from omega_bridge.analysis.findings import Hit, Listed, Rule, Severity
from omega_bridge.analysis.written import Written, written
from omega_bridge.catalog import Key, Kind

_NAMED = (Kind.TABLE, Kind.COLUMN, Kind.VIEW, Kind.MATERIALIZED_VIEW)


def find(listed: Listed) -> Iterator[Hit]:
    """Names that SQL takes for something else without quotes; one finding a step."""
    for _, step in listed.steps():
        key = next((k for w in written(step) for k in made(w) if k.kind in _NAMED and sql.is_reserved(k.name)), None)
        if key is not None:
            yield Hit(
                step,
                f"names a {key.kind} {key.name!r}, which is a reserved word",
                f"Call it something else, such as {key.name}_{'s' if key.kind is Kind.TABLE else 'value'}, while nothing uses it yet.",
                at=f'"{key.name}"',
            )


def made(w: Written) -> list[Key]:
    """What a statement gives a name."""
    return [e.key for e in (*w.sql.effects, *w.sql.implied) if e.present and (not e.attributes or "type" in dict(e.attributes))]


RULE = Rule(
    "reserved-name",
    Severity.NOTE,
    "Without quotes it is another thing, and often no error: SELECT user is the session's role, not the column.",
    find,
)
