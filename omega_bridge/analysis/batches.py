"""Blocks that change rows and commit as they go, such as a backfill in batches: nobody can watch them, so it is read what they touch.

Such a block certainly takes nothing away but the rows that it names where all its statements are read, and nothing of a user's runs
along with them: a trigger, a rule, a function in a check. The first is in its text, the second in the catalog. A trigger that only sets
values of the row, as one that keeps ``updated_at``, takes nothing away.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from functools import lru_cache

from omega_bridge.analysis.keeping import is_catalog, is_known, queries
from omega_bridge.errors import StepSyntaxError
from omega_bridge.sql import (
    ParseNode,
    Statement,
    Tree,
    commits_within,
    identifier,
    name_of,
    parse,
    parse_block,
    parse_expression,
    walk,
    words,
)
from omega_bridge.tags import Tag
from omega_bridge.values import dataclass

_STATEMENTS = {
    "block", "assign", "if", "case", "loop", "while", "fori", "fors", "exit", "return", "execsql", "perform", "raise", "getdiag",
    "commit", "rollback", "assert",
}  # fmt: skip
_ROWS = {Tag.SELECT, Tag.UPDATE, Tag.INSERT, Tag.DELETE}
_TYPES = {
    "bool",
    "int2",
    "int4",
    "int8",
    "text",
    "tid",
    "uuid",
    "varchar",
    "numeric",
    "date",
    "timestamp",
    "timestamptz",
    "record",
}


@dataclass(frozen=True, slots=True)
class Batches:
    """The tables whose rows a block touches, as it names them. ``deletes``: whether it deletes some."""

    tables: tuple[str, ...]
    deletes: bool


@lru_cache(maxsize=256)
def batches_of(text: str) -> Batches | None:
    """Of a block that commits as it goes; ``None`` where a text is anything else, or may do more than change rows."""
    try:
        if not commits_within(text):
            return None
        (block,) = parse(text)
        found = _Found() if block.tag == Tag.DO else None
        return found.all_of(text, parse_block(text)) if found else None
    except (StepSyntaxError, ValueError, _Unread):
        return None


class _Unread(Exception):
    """Something may do more."""


class _Found:
    def __init__(self) -> None:
        self.tables: dict[str, None] = {}
        self.deletes = False

    def all_of(self, text: str, tree: Tree) -> Batches:
        for kind in _kinds(tree):
            if kind.startswith("PLpgSQL_stmt_") and kind.removeprefix("PLpgSQL_stmt_") not in _STATEMENTS:
                raise _Unread(kind)
        for datum in tree.get("datums", []):
            ((kind, variable),) = datum.items()
            declared = variable.get("datatype", {}).get("PLpgSQL_type", {}).get("typname", "record")
            if kind == "PLpgSQL_rec" and not re.search(rf"\b{re.escape(variable['refname'])}\s+record\b", text, re.I):
                raise _Unread(declared)  # a type that the parser does not know is one, too
            if declared.removeprefix("_") not in _TYPES:
                raise _Unread(declared)
        for query in queries(tree):
            self.query(query)
        return Batches(tuple(self.tables), self.deletes)

    def query(self, text: str) -> None:
        try:
            for statement in parse(text):
                self.statement(statement)
        except StepSyntaxError:
            target, assigned, value = text.partition(":=")
            self.nodes(parse_expression(value if assigned else target))

    def statement(self, statement: Statement) -> None:
        if statement.tag not in _ROWS:
            raise _Unread(statement.tag)
        self.nodes(statement.node)

    def nodes(self, root: ParseNode) -> None:
        found = list(walk(root))
        own = {node.ctename for node in found if name_of(node) == "CommonTableExpr"}
        for node in found:
            match name_of(node):
                case "RangeVar" if not is_catalog(node) and (node.schemaname or node.relname not in own):
                    self.tables[identifier(node.schemaname, node.relname)] = None
                case "DeleteStmt":
                    self.deletes = True
                case "IntoClause" | "MergeStmt":
                    raise _Unread(name_of(node))
                case "SelectStmt":
                    continue
            if not is_known(node):
                raise _Unread(name_of(node))


def _kinds(tree: object) -> Iterator[str]:
    if isinstance(tree, dict):
        for name, value in tree.items():
            yield name
            yield from _kinds(value)
    elif isinstance(tree, list):
        for value in tree:
            yield from _kinds(value)


# --- what runs along with a change of rows ---------------------------------------------------------------------

QUESTION = """
WITH RECURSIVE touched (oid) AS (
    SELECT pg_catalog.to_regclass(name)::pg_catalog.oid FROM pg_catalog.unnest({tables}::pg_catalog.text[]) name
    UNION SELECT i.inhrelid FROM pg_catalog.pg_inherits i, touched t WHERE i.inhparent OPERATOR(pg_catalog.=) t.oid
), checked (classid, objid, told) AS (
    SELECT 'pg_catalog.pg_constraint'::pg_catalog.regclass, c.oid, pg_catalog.concat('constraint ', c.conname)
    FROM pg_catalog.pg_constraint c, touched t WHERE c.conrelid OPERATOR(pg_catalog.=) t.oid
    UNION ALL SELECT 'pg_catalog.pg_constraint'::pg_catalog.regclass, c.oid, pg_catalog.concat('constraint ', c.conname)
    FROM pg_catalog.pg_constraint c, pg_catalog.pg_attribute a, touched t
    WHERE c.contypid OPERATOR(pg_catalog.=) a.atttypid AND a.attrelid OPERATOR(pg_catalog.=) t.oid
    UNION ALL SELECT 'pg_catalog.pg_attrdef'::pg_catalog.regclass, d.oid, 'a default'
    FROM pg_catalog.pg_attrdef d, touched t WHERE d.adrelid OPERATOR(pg_catalog.=) t.oid
    UNION ALL SELECT 'pg_catalog.pg_policy'::pg_catalog.regclass, p.oid, pg_catalog.concat('policy ', p.polname)
    FROM pg_catalog.pg_policy p, touched t WHERE p.polrelid OPERATOR(pg_catalog.=) t.oid
)
SELECT pg_catalog.concat(c.oid::pg_catalog.regclass, ' is no table'), '', ''
FROM pg_catalog.pg_class c, touched t WHERE c.oid OPERATOR(pg_catalog.=) t.oid
AND c.relkind OPERATOR(pg_catalog.<>) ALL ('{{r,p}}'::pg_catalog."char"[])
UNION ALL SELECT pg_catalog.concat('trigger ', g.tgname, ' on ', g.tgrelid::pg_catalog.regclass), l.lanname::pg_catalog.text, p.prosrc
FROM touched t JOIN pg_catalog.pg_trigger g ON g.tgrelid OPERATOR(pg_catalog.=) t.oid
JOIN pg_catalog.pg_proc p ON p.oid OPERATOR(pg_catalog.=) g.tgfoid JOIN pg_catalog.pg_language l ON l.oid OPERATOR(pg_catalog.=) p.prolang
WHERE NOT g.tgisinternal AND g.tgenabled OPERATOR(pg_catalog.<>) 'D'
UNION ALL SELECT pg_catalog.concat('rule ', r.rulename, ' on ', r.ev_class::pg_catalog.regclass), '', ''
FROM pg_catalog.pg_rewrite r, touched t WHERE r.ev_class OPERATOR(pg_catalog.=) t.oid
UNION ALL SELECT pg_catalog.concat('constraint ', c.conname, ' on ', c.conrelid::pg_catalog.regclass), '', ''
FROM pg_catalog.pg_constraint c, touched t WHERE c.confrelid OPERATOR(pg_catalog.=) t.oid AND c.contype OPERATOR(pg_catalog.=) 'f'
AND (c.confupdtype OPERATOR(pg_catalog.<>) ALL ('{{a,r}}'::pg_catalog."char"[])
     OR ({deletes} AND c.confdeltype OPERATOR(pg_catalog.<>) ALL ('{{a,r}}'::pg_catalog."char"[])))
UNION ALL SELECT pg_catalog.concat(c.told, ', which calls ', d.refobjid::pg_catalog.regprocedure), '', ''
FROM checked c, pg_catalog.pg_depend d WHERE d.classid OPERATOR(pg_catalog.=) c.classid AND d.objid OPERATOR(pg_catalog.=) c.objid
AND d.refclassid OPERATOR(pg_catalog.=) 'pg_catalog.pg_proc'::pg_catalog.regclass
AND d.refobjid OPERATOR(pg_catalog.>=) 16384::pg_catalog.oid
"""
"""What may run along: told in a clause, and of a trigger the language and text of its function."""


def untold(why: str) -> str:
    """Why a block that is read is refused all the same."""
    return f"commits as it goes, so that nobody could see which rows go along with those it changes: {why}"


def question(found: Batches) -> str:
    """The query whose rows ``runs_along`` reads."""
    names = ", ".join("'" + name.replace("'", "''") + "'" for name in found.tables)
    return QUESTION.format(tables=f"ARRAY[{names}]", deletes=str(found.deletes).lower()).strip()


def runs_along(rows: Iterable[Collection[object]]) -> str | None:
    """The first thing of a user's that may do anything when the rows change; ``None`` where there is none."""
    return next((str(told) for told, language, body in rows if not (language == "plpgsql" and only_sets(str(body)))), None)


_WORDS = {
    "BEGIN", "END", "IF", "THEN", "ELSE", "ELSIF", "RETURN", "NEW", "OLD", "IS", "NOT", "NULL", "DISTINCT", "FROM", "AND", "OR", "TRUE",
    "FALSE", "CURRENT_TIMESTAMP", "CURRENT_DATE", "CURRENT_USER", "LOCALTIMESTAMP", "AT", "TIME", "ZONE",
}  # fmt: skip
_SIGNS = {":=", "=", "<>", "!=", ".", ";", "||", "+", "-", "(", ")", ",", "<", ">", "<=", ">="}
_CALLED = {
    "now",
    "lower",
    "upper",
    "btrim",
    "clock_timestamp",
    "statement_timestamp",
    "timezone",
    "to_tsvector",
    "md5",
    "coalesce",
}


def only_sets(body: str) -> bool:
    """Whether the text of a trigger's function does no more than set values of its row. A whitelist of words."""
    found = words(body)
    if not found or found[0].upper() != "BEGIN":
        return False
    for n, word in enumerate(found):
        is_field = n > 1 and found[n - 1] == "." and found[n - 2].upper() in ("NEW", "OLD")
        is_call = found[n + 1 : n + 2] == ["("]
        is_constant = word[:1] == "'" or word.isdigit()
        if is_call and word not in _SIGNS and word.upper() not in _WORDS and word.lower() not in _CALLED:
            return False
        if not (is_field or is_call or is_constant or word in _SIGNS or word.upper() in _WORDS):
            return False
    return True
