"""SQL that asks the catalog whether something is there, and the block that acts on the answer. Text only.

Names follow the session's ``search_path`` where no schema is given, as the statement itself would.
"""

from __future__ import annotations

import re

from omega_bridge.catalog import Kind
from omega_bridge.kinds import ROOMS
from omega_bridge.kinds.room import Asked
from omega_bridge.revisions.dialect import PREPARER
from omega_bridge.sql.building import without_into


def identifier(name: str, schema: str | None = None) -> str:
    """A name as SQL, quoted where it has to be."""
    quoted = PREPARER.quote(name) if name else ""
    return f"{PREPARER.quote(schema)}.{quoted}" if schema else str(quoted)


def literal(text: str) -> str:
    """A string constant as SQL, whatever ``standard_conforming_strings`` says."""
    plain = "'" + text.replace("'", "''") + "'"
    return "E" + plain.replace("\\", "\\\\") if "\\" in text else plain


def regclass(name: str, schema: str | None = None) -> str:
    """``to_regclass('name')``: the relation's oid, or NULL."""
    return f"to_regclass({literal(identifier(name, schema))})"


def is_there(kind: str, name: str, table: str | None = None, schema: str | None = None) -> str:
    """A condition that holds where the object exists; an INVALID index does, too: ``CREATE INDEX`` finds it there, and whose it is, who knows.

    ``kind`` is one of the catalog's words; ``table`` is the owner of a column, constraint, trigger or policy. A
    function's name carries its argument types.
    """
    return _asked(kind).there.format_map(_words(name, table, schema))


def drop(kind: str, name: str, table: str | None = None, schema: str | None = None, *, cascade: bool = False) -> str:
    """The statement that takes the object away."""
    return _asked(kind).gone.format_map(_words(name, table, schema)) + (" CASCADE" if cascade else "")


def rename(kind: str, old: str, new: str, table: str | None = None, schema: str | None = None) -> str:
    """The statement that gives the object its new name."""
    return _asked(kind).renamed.format_map({**_words(old, table, schema), "new": identifier(new)})


def named(kind: str, name: str, table: str | None = None, schema: str | None = None) -> str:
    """The object as statements name it, such as ``COLUMN t.c``."""
    return ROOMS[Kind(kind)].named.format_map(_words(name, table, schema))


def _asked(kind: str) -> Asked:
    asked = ROOMS[Kind(kind)].asked if kind in ROOMS else None
    if asked is None:
        raise ValueError(f"no way to look for a {kind} in the catalog")
    return asked


def _words(name: str, table: str | None, schema: str | None) -> dict[str, str]:
    """What stands in a room's templates."""
    bare, bracket, arguments = name.partition("(")
    whole, routine = identifier(name, schema), f"{identifier(bare, schema)}{bracket}{arguments}"
    return {
        "name": identifier(name),
        "object": whole,
        "routine": routine,
        "owner": identifier(table, schema) if table else "",
        "literal": literal(name),
        "text": literal(whole),
        "routine_text": literal(routine),
        "of": regclass(table or "", schema),
    }


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
    text = f"BEGIN\n    EXECUTE {tagged(without_into(sql))};\nEXCEPTION WHEN OTHERS THEN\n    RAISE NOTICE {told};\nEND"
    return f"DO {tagged(f' {text} ')}"


def tagged(text: str) -> str:
    """A text as a string constant between dollar quotes that it does not hold."""
    number = 0
    tag = "$omega$"
    while tag[:-1] in text:
        number += 1
        tag = f"$omega{number}$"
    return f"{tag}{text}{tag}"


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
    found = _asked(kind).comment.format_map(_words(name, table, schema))
    if not found:
        raise ValueError(f"no way to look for the comment on a {kind} in the catalog")
    return f"{found} IS NOT DISTINCT FROM {literal(wanted) if wanted is not None else 'NULL'}"
