"""The JSON schema of ``[tool.omega-bridge]``, for editors (taplo, Even Better TOML) and for validate-pyproject.

It is shipped as ``omega-bridge.schema.json``, refreshed with: ``omega-bridge explain config --json-schema``.
"""

from __future__ import annotations

from typing import Any

from omega_bridge.options import FILE, LONGEST, STEP_FLAGS, Option

NAME = "omega-bridge.schema.json"
_TEXT: dict[str, Any] = {"type": "string", "minLength": 1, "not": {"pattern": "://"}}
_TEXTS: dict[str, Any] = {"type": "array", "items": {"type": "string", "not": {"pattern": "://"}}}


def schema() -> dict[str, object]:
    """Of a whole pyproject.toml, of which it knows the one table; as draft 7 has it, which all of them read."""
    return {
        "$comment": "Made of omega_bridge/options.py by: omega-bridge explain config --json-schema",
        "$schema": "http://json-schema.org/draft-07/schema#",
        "$id": "urn:omega-bridge:pyproject",
        "title": "pyproject.toml with [tool.omega-bridge]",
        "type": "object",
        "properties": {"tool": {"type": "object", "properties": {"omega-bridge": _table()}}},
    }


def table(_tool: str = "omega-bridge") -> dict[str, object]:
    """Of the table alone, as it is shipped; the entry point of validate-pyproject."""
    whole = shipped()
    return {"$schema": whole["$schema"], "$id": "urn:omega-bridge:tool", **_table()}


def shipped() -> dict[str, object]:
    """``schema`` as the package has it in a file."""
    import json
    from importlib import resources

    found: dict[str, object] = json.loads(resources.files("omega_bridge").joinpath(NAME).read_text(encoding="utf-8"))
    return found


def _table() -> dict[str, Any]:
    return {
        "title": "omega-bridge",
        "description": "The table [tool.omega-bridge] of a pyproject.toml.",
        "type": "object",
        "additionalProperties": False,
        "properties": {
            **{name: _property(option) for name, option in FILE.items()},
            "step": {
                "description": "Flags of single steps: [tool.omega-bridge.step.<id>]; the ids are in the output of: omega-bridge plan.",
                "type": "object",
                "additionalProperties": {
                    "type": "object",
                    "additionalProperties": False,
                    "properties": {option.name: _property(option) for option in STEP_FLAGS},
                },
            },
        },
    }


def _property(option: Option) -> dict[str, Any]:
    found = {"description": option.help, **_taken(option)}
    default = [] if option.default == () else option.default
    return found if default is None else {**found, "default": default}


def _taken(option: Option) -> dict[str, Any]:
    match option.takes:
        case "choice":
            return {"type": "string", "enum": list(option.choices)}
        case "seconds":
            return {"type": "number", "minimum": 0, "maximum": LONGEST}
        case "switch":
            return {"type": "boolean"}
        case "texts":
            return _TEXTS
        case "text or texts":
            return {"oneOf": [_TEXT, _TEXTS]}
        case _:
            return _TEXT
