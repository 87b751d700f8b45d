"""SQL that makes an object, or one of its attributes, as it should be; made of what the rooms say of their statements."""

from __future__ import annotations

import re

from omega_bridge.catalog import Attributes, Key, Kind, texts
from omega_bridge.kinds import ROOMS
from omega_bridge.kinds.privileges import RUNNER
from omega_bridge.sql import identifier

_ENABLED = {"O": "ENABLE", "D": "DISABLE", "R": "ENABLE REPLICA", "A": "ENABLE ALWAYS"}
_STORAGE = {"p": "PLAIN", "e": "EXTERNAL", "m": "MAIN", "x": "EXTENDED"}


def restored(key: Key, attributes: Attributes | None, attribute: str = "") -> str:
    """The statement that makes it (or, of what is there, sets one ``attribute``) as the attributes say; empty where none is known."""
    room = ROOMS[key.kind]
    if attributes is None:
        return ""
    if attribute == "comment":
        told = attributes.get("comment")
        return f"COMMENT ON {room.named.format_map(_names(key))} IS {quoted(str(told)) if told else 'NULL'}" if room.named else ""
    if attribute == "owner":
        owner = str(attributes["owner"])
        to = owner if owner == RUNNER else identifier(owner)
        return f"ALTER {room.named.format_map(_names(key))} OWNER TO {to}" if room.named else ""
    template = room.alter.get(attribute, "") if attribute else room.again
    words = {**_names(key), **_values(attributes, attributes.get(attribute))}
    needed = re.findall(r"\{(\w+)\}", template)
    return template.format_map(words).rstrip(" ;") if template and all(words.get(name) is not None for name in needed) else ""


def removed(key: Key) -> str:
    """The statement that takes it away where it is there; empty where none is known."""
    named = ROOMS[key.kind].named.format_map(_names(key))
    kind = ROOMS[key.kind].named.partition("{")[0]
    if key.kind in (Kind.COLUMN, Kind.CONSTRAINT):
        return f"ALTER TABLE {identifier(key.schema, key.table)} DROP {kind}IF EXISTS {identifier(key.name)}"
    return f"DROP {kind}IF EXISTS {named.removeprefix(kind)}" if named else ""


def _names(key: Key) -> dict[str, str]:
    name, paren, arguments = key.name.partition("(")
    return {
        "name": identifier(key.name),
        "plain": f"{identifier(key.schema)}.{key.name}".lstrip("."),
        "object": f"{identifier(key.schema, name)}{paren}{arguments}",
        "owner": identifier(key.schema, key.table),
    }


def _values(attributes: Attributes, value: object) -> dict[str, object]:
    default = attributes.get("default")
    labels, fields = texts(attributes.get("labels")), texts(attributes.get("attributes"))
    return {
        "value": _STORAGE.get(str(value), value) if value is not None else None,
        "type": attributes.get("type"),
        "definition": attributes.get("definition"),
        "in": attributes.get("schema"),
        "default": f" DEFAULT {default}" if default else "",
        "not_null": "" if attributes.get("nullable", True) else " NOT NULL",
        "set_null": "DROP NOT NULL" if attributes.get("nullable", True) else "SET NOT NULL",
        "set_default": f"SET DEFAULT {default}" if default else "DROP DEFAULT",
        "no_identity": None if attributes.get("identity") else "DROP IDENTITY IF EXISTS",
        "enabled": _ENABLED.get(str(attributes.get("enabled"))),
        "enable": "ENABLE" if attributes.get("row_security") else "DISABLE",
        "force": "FORCE" if attributes.get("force_row_security") else "NO FORCE",
        "logged": "UNLOGGED" if attributes.get("persistence") == "u" else "LOGGED",
        "labels": ", ".join(map(quoted, labels)) if labels else None,
        "fields": ", ".join(fields) if fields else None,
        **_policy(attributes),
        **_publication(attributes),
        "event": attributes.get("event"),
        "function": attributes.get("function"),
        "tags": f" WHEN TAG IN ({', '.join(map(quoted, texts(attributes['tags'])))})" if attributes.get("tags") else "",
        **{name: attributes.get(name) for name in ("increment", "minimum", "maximum", "start", "cache")},
    }


_COMMANDS = {"r": " FOR SELECT", "a": " FOR INSERT", "w": " FOR UPDATE", "d": " FOR DELETE"}


def _policy(attributes: Attributes) -> dict[str, object]:
    using, check = attributes.get("using"), attributes.get("check")
    return {
        "restrictive": " AS RESTRICTIVE" if attributes.get("permissive") is False else "",
        "for_command": _COMMANDS.get(str(attributes.get("command")), ""),
        "to": ", ".join(
            "PUBLIC" if role == "public" else identifier(role) for role in texts(attributes.get("roles")) or ("public",)
        ),
        "using": f" USING ({using})" if using else "",
        "check": f" WITH CHECK ({check})" if check else "",
    }


def _publication(attributes: Attributes) -> dict[str, object]:
    tables, schemas = texts(attributes.get("tables")), texts(attributes.get("schemas"))
    parts = [f"TABLE {', '.join(tables)}"] if tables else []
    parts += [f"TABLES IN SCHEMA {', '.join(map(identifier, schemas))}"] if schemas else []
    return {
        "members": ", ".join(parts) or None,
        "published": " FOR ALL TABLES" if attributes.get("all_tables") else f" FOR {', '.join(parts)}" if parts else "",
        "operations": attributes.get("operations"),
        "via_root": "true" if attributes.get("via_root") else "false",
    }


def quoted(text: str) -> str:
    """A string constant."""
    return "'" + text.replace("'", "''") + "'"
