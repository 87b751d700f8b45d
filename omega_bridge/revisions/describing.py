"""Effects in a reader's words, for docstrings: one line an object, without what goes without saying."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from omega_bridge.analysis import StepAnalysis, statements
from omega_bridge.analysis.program import ANYTHING, Effect
from omega_bridge.catalog import Kind, texts

LONGEST = 150
"""Characters of a line; what is longer ends in an ellipsis."""


def lines(step: StepAnalysis) -> list[str]:
    """What a step makes true, in its order."""
    found = (_line(effect) for effect in _effects(step))
    return list(dict.fromkeys(line for line in found if line))


def _effects(step: StepAnalysis) -> Iterator[Effect]:
    for s in statements(step.program):
        detailed = {e.key for e in s.implied if e.attributes}
        yield from (e for e in s.effects if e.attributes or not e.present or e.key not in detailed)
        yield from (e for e in s.implied if e.attributes)


def _line(effect: Effect) -> str:
    key, given = effect.key, dict(effect.attributes)
    name = str(key)
    if not effect.present:
        return f"{name} is gone"
    match key.kind:
        case Kind.COLUMN if "type" in given and "nullable" in given:
            return _short(f"{name}: {', '.join(_column(given))}")
        case Kind.CONSTRAINT if "definition" in given:
            return _short(f"{name}: {given['definition']}{'' if given.get('validated', True) else ' NOT VALID'}")
        case Kind.INDEX if "table" in given:
            return "" if given.get("constraint") else f"{name} on {given['table']}"
        case Kind.INDEX:
            return ""
        case Kind.COLUMN if given == {"nullable": False}:
            return f"{name}: not null"
        case Kind.ENUM if "labels" in given:
            return _short(f"{name}: {', '.join(texts(given['labels']))}")
        case Kind.ENUM if "label" in given:
            return f"{name} has the label {given['label']}"
        case Kind.FUNCTION | Kind.TRIGGER | Kind.VIEW:
            return name
    told = _others(given)
    return _short(f"{name}: {told}" if told else name)


def _column(given: dict[str, Any]) -> Iterable[str]:
    yield str(given["type"])
    if not given["nullable"]:
        yield "not null"
    if given.get("identity"):
        yield "identity"
    if given.get("generated"):
        yield "generated"
    elif given.get("default") is ANYTHING:
        yield "default from its sequence"
    elif given.get("default") is not None:
        yield f"default {given['default']}"


def _others(given: dict[str, Any]) -> str:
    return ", ".join(
        _other(name, value) for name, value in given.items() if value is not ANYTHING and (name, value) != ("collation", None)
    )


def _other(name: str, value: Any) -> str:
    if name == "nullable":
        return "nullable" if value else "not null"
    if name == "default":
        return "no default" if value is None else f"default {value}"
    return f"{name.replace('_', ' ')} {value}"


def _short(text: str) -> str:
    plain = " ".join(text.split())
    return plain if len(plain) <= LONGEST else plain[: LONGEST - 3] + "..."
