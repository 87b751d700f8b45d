"""A password, a token or a private key in a step's text."""

from __future__ import annotations

from collections.abc import Iterator

from omega_bridge.analysis.findings import Hit, Listed, Rule, Severity
from omega_bridge.analysis.secrets import secrets


def find(listed: Listed) -> Iterator[Hit]:
    """One finding a step: of what kind it is, and on which line. The secret itself is not shown."""
    for _, step in listed.steps():
        found = next(iter(secrets(step.step.sql)), None)
        if found is not None:
            line = step.step.sql.count("\n", 0, found.start) + 1
            yield Hit(
                step,
                f"holds {found.what} (line {line} of the step)",
                "Change it, since it is known from now on, and let the program pass it, or set it by hand.",
                line=line,
            )


RULE = Rule(
    "secret-in-step",
    Severity.WARNING,
    "The text stands in version control, in the compiled history, in the server's log and in every copy of these, for ever.",
    find,
)
