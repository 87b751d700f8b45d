"""A script that was written for psql, or by ``pg_dump``, as SQL that a server takes: without psql's own commands and a dump's settings.

What stands in strings, in bodies between dollars and in comments is never taken for a command.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from omega_bridge.errors import ConfigurationInvalid, StepSyntaxError
from omega_bridge.sql.libpg_query import pb
from omega_bridge.sql.nodes import ParseNode, inner, name_of
from omega_bridge.sql.parser import Statement, deparse_expression, parse
from omega_bridge.tags import Tag

_PIECE = re.compile(
    r"""
      (?P<copy>^COPY\s(?:"[^"]*"|[^;"])*?\sFROM\s+STDIN\b[^;]*;[ \t]*\r?\n(?P<rows>.*?)^\\\.[ \t]*\r?(?:\n|\Z))
    | ^[ \t]*\\(?P<command>[^\s]*)(?P<rest>[^\n]*)(?:\n|\Z)
    | --[^\n]* | /\*.*?\*/
    | (?<!\w)[eE]'(?:[^'\\]|\\.|'')*' | '(?:[^']|'')*' | "(?:[^"]|"")*"
    | (?<![\w$])(?P<tag>\$(?:[^\W\d]\w*)?\$).*?(?P=tag)
    """,
    re.M | re.S | re.X | re.I,
)
_HEADINGS = re.compile(
    r"^--\n-- (?:PostgreSQL database dump(?: complete)?|Data for Name: [^\n]*)\n--\n+|^-- Dumped (?:from database|by pg_dump) version .*\n+",
    re.M,
)
"""What ``pg_dump`` writes over the whole, and over rows, which are not in a script that was read."""
_OF_PSQL_ALONE = {"restrict", "unrestrict", "echo", "qecho", "warn", "pset", "timing", "x", "a", "t", "o", "errverbose"}
"""Commands of psql that say how it shows things, and not what the server is sent."""
_VARIABLES_OF_PSQL = {"ON_ERROR_STOP", "ON_ERROR_ROLLBACK", "ECHO", "QUIET", "VERBOSITY", "SHOW_CONTEXT", "AUTOCOMMIT"}
_SETTINGS: dict[str, tuple[str, ...] | None] = {
    "statement_timeout": None,
    "lock_timeout": None,
    "idle_in_transaction_session_timeout": None,
    "transaction_timeout": None,
    "client_min_messages": None,
    "client_encoding": ("UTF8", "UTF-8", "utf8", "utf-8"),
    "standard_conforming_strings": ("on", "true"),
    "xmloption": ("content",),
    "row_security": ("off", "false"),
    "default_tablespace": ("",),
    "default_table_access_method": ("heap",),
    "default_with_oids": ("false", "off"),
}
"""What ``pg_dump`` sets for whoever reads the dump in, with the values that mean nothing for what is made; ``None`` for any."""


@dataclass(frozen=True, slots=True)
class Rows:
    """What a ``COPY ... FROM stdin`` of a script brings: its statement, and its lines."""

    statement: str
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Script:
    """``text``: what the server is sent. ``rows``: what stood in between for it."""

    text: str
    rows: tuple[Rows, ...] = ()


def read_script(text: str, name: str) -> Script:
    """``name`` is for messages. Raises ``ConfigurationInvalid`` for a command of psql that does something, ``StepSyntaxError``."""
    rows: list[Rows] = []

    def replaced(found: re.Match[str]) -> str:
        if found["copy"] is not None:
            rows.append(Rows(found["copy"].partition("\n")[0].rstrip().removesuffix(";"), tuple(found["rows"].splitlines())))
            return ""
        if found["command"] is None:
            return found[0]
        if not _is_of_psql_alone(found["command"], found["rest"].split()):
            line = text.count("\n", 0, found.start("command")) + 1
            raise ConfigurationInvalid(
                f"{name}:{line} is for psql alone: \\{found['command']}{found['rest'].rstrip()}",
                hint="Write the SQL itself, or give what psql made of it: pg_dump --schema-only --no-owner --no-privileges.",
            )
        return ""

    plain = _PIECE.sub(replaced, text.replace("\r\n", "\n"))
    try:
        return Script(_HEADINGS.sub("", without(plain, is_of_a_dump)), tuple(rows))
    except StepSyntaxError as error:
        raise StepSyntaxError(
            f"{name}: {error.message}", hint=error.hint, step=name, line=error.line, column=error.column
        ) from error


def without(text: str, is_unwanted: Callable[[Statement], bool]) -> str:
    """The text without these statements; every other letter stays."""
    parts: list[str] = []
    begin = 0
    for statement in parse(text):
        if not is_unwanted(statement):
            continue
        parts.append(text[begin : statement.offset])
        end = statement.offset + len(statement.text)
        rest = re.compile(r"\s*;?[ \t]*\n?").match(text, end)
        begin = rest.end() if rest else end
    return re.sub(r"\n{4,}", "\n\n\n", "".join((*parts, text[begin:])).strip("\n")) + "\n"


def ended(text: str) -> str:
    """The text with a semicolon behind its last statement, so that others may follow."""
    found = parse(text)
    if not found or text.find(";", found[-1].offset + len(found[-1].text)) >= 0:
        return text
    place = found[-1].offset + len(found[-1].text)
    return f"{text[:place]};{text[place:]}"


def is_of_a_dump(statement: Statement) -> bool:
    """Whether it only says how the rest is read in: a setting of ``pg_dump``'s, ``BEGIN``, ``COMMIT``; or makes what every database has."""
    match statement.tag:
        case Tag.TRANSACTION:
            return statement.node.kind in (pb.TRANS_STMT_BEGIN, pb.TRANS_STMT_START, pb.TRANS_STMT_COMMIT)
        case Tag.VARIABLE_SET if statement.node.name == "search_path":
            return [_value(a) for a in statement.node.args] in (["public", "pg_catalog"], ["public"])
        case Tag.VARIABLE_SET if statement.node.name in _SETTINGS:
            allowed = _SETTINGS[statement.node.name]
            return allowed is None or [_value(a) for a in statement.node.args] in [[value] for value in allowed]
        case Tag.CREATE_SCHEMA:
            return statement.node.schemaname == "public" and not statement.node.if_not_exists and not statement.node.schema_elts
        case Tag.SELECT:
            return statement.text.replace(" ", "") == "SELECTpg_catalog.set_config('search_path','',false)"
    return False


def settings_in(text: str) -> tuple[str, ...]:
    """The settings that statements of a text change, each once."""
    found = (s.node.name for s in parse(text) if s.tag == Tag.VARIABLE_SET)
    return tuple(dict.fromkeys(name for name in found if name and not name.isupper()))


def is_of_roles(statement: Statement) -> bool:
    """Whether it says who owns something, or who may do what: the roles may be those of another server."""
    if statement.tag == Tag.ALTER_TABLE:
        return all(inner(c).subtype == pb.AT_ChangeOwner for c in statement.node.cmds)
    return statement.tag in (Tag.ALTER_OWNER, Tag.GRANT, Tag.GRANT_ROLE, Tag.ALTER_DEFAULT_PRIVILEGES)


def _value(node: ParseNode) -> str:
    found = inner(node)
    is_text = name_of(found) == "A_Const" and found.WhichOneof("val") == "sval"
    return str(found.sval.sval) if is_text else deparse_expression(found)


def _is_of_psql_alone(command: str, words: list[str]) -> bool:
    match command:
        case "set":
            return bool(words) and words[0] in _VARIABLES_OF_PSQL
        case "encoding":
            return [w.strip("'\"").upper() for w in words] in (["UTF8"], ["UTF-8"])
    return command in _OF_PSQL_ALONE
