"""SQL that asks the catalog whether something is there, and the block that acts on the answer. Text only.

Names follow the session's ``search_path`` where no schema is given, as the statement itself would.
"""

from __future__ import annotations

import re

from omega_bridge.revisions.dialect import PREPARER

_RELATIONS = {"table", "view", "materialized view", "sequence"}
_TYPES = {"enum", "domain", "composite type"}
_MEMBERS = {
    "column": ("pg_attribute", "attrelid", "attname", " AND attnum > 0 AND NOT attisdropped"),
    "constraint": ("pg_constraint", "conrelid", "conname", ""),
    "trigger": ("pg_trigger", "tgrelid", "tgname", " AND NOT tgisinternal"),
    "policy": ("pg_policy", "polrelid", "polname", ""),
}


def identifier(name: str, schema: str | None = None) -> str:
    """A name as SQL, quoted where it has to be."""
    quoted = PREPARER.quote(name)
    return f"{PREPARER.quote(schema)}.{quoted}" if schema else str(quoted)


def literal(text: str) -> str:
    """A string constant as SQL, whatever ``standard_conforming_strings`` says."""
    plain = "'" + text.replace("'", "''") + "'"
    return "E" + plain.replace("\\", "\\\\") if "\\" in text else plain


def regclass(name: str, schema: str | None = None) -> str:
    """``to_regclass('name')``: the relation's oid, or NULL."""
    return f"to_regclass({literal(identifier(name, schema))})"


def is_there(kind: str, name: str, table: str | None = None, schema: str | None = None) -> str:
    """A condition that holds where the object exists; an INVALID index does not count.

    ``kind`` is one of the catalog's words; ``table`` is the owner of a column, constraint, trigger or policy. A
    function's name carries its argument types.
    """
    if kind in _RELATIONS:
        return f"{regclass(name, schema)} IS NOT NULL"
    if kind in _TYPES:
        return f"to_regtype({literal(identifier(name, schema))}) IS NOT NULL"
    if kind in _MEMBERS:
        catalog, owner, column, more = _MEMBERS[kind]
        return (
            f"EXISTS (SELECT FROM {catalog} WHERE {owner} = {regclass(table or '', schema)} AND {column} = {literal(name)}{more})"
        )
    if kind == "index":
        return f"EXISTS (SELECT FROM pg_index WHERE indexrelid = {regclass(name, schema)} AND indisvalid)"
    if kind == "function":
        return f"to_regprocedure({literal(_function(name, schema))}) IS NOT NULL"
    if kind == "extension":
        return f"EXISTS (SELECT FROM pg_extension WHERE extname = {literal(name)})"
    if kind == "schema":
        return f"to_regnamespace({literal(identifier(name))}) IS NOT NULL"
    raise ValueError(f"no way to look for a {kind} in the catalog")


def drop(kind: str, name: str, table: str | None = None, schema: str | None = None, *, cascade: bool = False) -> str:
    """The statement that takes the object away."""
    tail = " CASCADE" if cascade else ""
    if kind in {"column", "constraint"}:
        return f"ALTER TABLE {identifier(table or '', schema)} DROP {kind.upper()} {identifier(name)}{tail}"
    if kind in ("trigger", "policy"):
        return f"DROP {kind.upper()} {identifier(name)} ON {identifier(table or '', schema)}{tail}"
    if kind == "function":
        return f"DROP ROUTINE {_function(name, schema)}{tail}"
    word = {"enum": "TYPE", "composite type": "TYPE"}.get(kind, kind.upper())
    return f"DROP {word} {identifier(name, None if kind in ('extension', 'schema') else schema)}{tail}"


def unless(condition: str, *statements: str, optional: str | None = None) -> str:
    """A block that runs the statements where the condition does not hold: no lock is taken where it does.

    ``optional`` names what may be left out: an error becomes a notice.
    """
    ended = [s if "--" not in s else s + "\n" for s in statements]  # a comment at the end would take the semicolon along
    body = ";\n        ".join(ended)
    handler = ""
    if optional is not None:
        told = literal(f"omega-bridge: {optional.replace('%', '%%')} was left out: %")
        handler = f"EXCEPTION WHEN OTHERS THEN\n    RAISE NOTICE {told}, SQLERRM;\n"
    text = f"BEGIN\n    IF NOT ({condition}) THEN\n        {body};\n    END IF;\n{handler}END"
    return f"DO {tagged(f' {text} ')}"


def attempted(sql: str) -> str:
    """A block that runs the text, and takes its error for a notice."""
    told = "'omega-bridge: the step was not possible here: %', SQLERRM"
    text = f"BEGIN\n    EXECUTE {tagged(sql)};\nEXCEPTION WHEN OTHERS THEN\n    RAISE NOTICE {told};\nEND"
    return f"DO {tagged(f' {text} ')}"


def tagged(text: str) -> str:
    """A text as a string constant between dollar quotes that it does not hold."""
    number = 0
    tag = "$omega$"
    while tag[:-1] in text:
        number += 1
        tag = f"$omega{number}$"
    return f"{tag}{text}{tag}"


def _function(name: str, schema: str | None) -> str:
    bare, bracket, arguments = name.partition("(")
    return f"{identifier(bare, schema)}{bracket}{arguments}"


def default_is(table: str, column: str, wanted: str | None, schema: str | None = None) -> str:
    """A condition that holds where the column's default is the one wanted, as PostgreSQL prints it.

    A constant is printed with its type (``'new'::character varying``): that is taken off on both sides. Where the two
    spellings differ all the same, the condition is false, and setting the default again does no harm.
    """
    found = f"(SELECT pg_get_expr(adbin, adrelid) FROM pg_attrdef JOIN pg_attribute ON attrelid = adrelid AND attnum = adnum WHERE adrelid = {regclass(table, schema)} AND attname = {literal(column)})"  # noqa: E501
    if wanted is None:
        return f"{found} IS NULL"
    plain = re.sub(r"^('(?:[^']|'')*')::[\w \".\[\]]+(\([0-9, ]+\))?$", r"\1", wanted)
    stripped = f"regexp_replace({found}, '^(''([^'']|'''')*'')::.*$', '\\1')"
    return f"{stripped} IS NOT DISTINCT FROM {literal(plain)}"


def type_is(table: str, column: str, printed: str, schema: str | None = None) -> str:
    """A condition that holds where the column has the type that ``format_type`` prints like this."""
    return f"EXISTS (SELECT FROM pg_attribute WHERE attrelid = {regclass(table, schema)} AND attname = {literal(column)} AND format_type(atttypid, atttypmod) = {literal(printed)})"  # noqa: E501


def nullable_is(table: str, column: str, wanted: bool, schema: str | None = None) -> str:
    """A condition that holds where the column takes NULL, or does not."""
    return f"EXISTS (SELECT FROM pg_attribute WHERE attrelid = {regclass(table, schema)} AND attname = {literal(column)} AND attnotnull = {not wanted})"


def comment_is(kind: str, name: str, table: str | None, wanted: str | None, schema: str | None = None) -> str:
    """A condition that holds where the object carries that comment."""
    if kind == "column":
        found = f"(SELECT col_description(attrelid, attnum) FROM pg_attribute WHERE attrelid = {regclass(table or '', schema)} AND attname = {literal(name)})"
    elif kind in _TYPES:
        found = f"obj_description(to_regtype({literal(identifier(name, schema))}), 'pg_type')"
    else:
        found = f"obj_description({regclass(name, schema)}, 'pg_class')"
    return f"{found} IS NOT DISTINCT FROM {literal(wanted) if wanted is not None else 'NULL'}"
