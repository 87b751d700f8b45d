"""A name of more than 63 bytes."""

from __future__ import annotations

from collections.abc import Iterator

from omega_bridge.analysis.effects.naming import NAME_BYTES
from omega_bridge.analysis.findings import Hit, Listed, Rule, Severity
from omega_bridge.analysis.written import written
from omega_bridge.sql import long_names


def find(listed: Listed) -> Iterator[Hit]:
    """Identifiers that PostgreSQL cuts off; one finding a step."""
    for _, step in listed.steps():
        for w in written(step):
            name = next(iter(long_names(w.sql.text, NAME_BYTES)), None)
            if name is not None:
                short = name.encode()[:NAME_BYTES].decode(errors="ignore")
                yield Hit(
                    step,
                    f"{name} has {len(name.encode())} bytes: PostgreSQL makes it {short}",
                    f"Write a name of at most {NAME_BYTES} bytes.",
                    at=name,
                )
                break


RULE = Rule(
    "name-too-long",
    Severity.WARNING,
    "A guard that asks for the whole name never finds it, and two names with the same beginning are one.",
    find,
)
