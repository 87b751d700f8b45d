"""``DO`` blocks: PL/pgSQL's tree to a program. Every inner statement is parsed again; what is not understood is opaque."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

from omega_bridge.analysis.effects import read
from omega_bridge.analysis.guards import Scalar, read_binding, read_condition
from omega_bridge.analysis.program import Condition, Exists, Handled, If, Node, Not, Program, Raise, Sql, Unknown
from omega_bridge.errors import StepSyntaxError
from omega_bridge.sql import TOO_DEEP, Statement, inner, parse, parse_block, parse_expression

_ERROR_LEVEL = 21  # PL/pgSQL's elog level of RAISE EXCEPTION; a re-raise has it too

MAX_DEPTH = 50
"""Blocks within blocks that are read. Whatever walks a program recurses, four frames a level, and Python's own limit is
no guard: json's scanner met it at 1,000 levels up to 3.11, and keeps to a larger one of C's stack since 3.12."""


@lru_cache(maxsize=64)
def read_program(sql: str) -> Program:
    """A step's text as a program. Raises ``StepSyntaxError``."""
    nodes: list[Node] = []
    for statement in parse(sql):
        if statement.tag == "do_stmt":
            nodes.extend(_do(statement, sql[: statement.offset]))
        else:
            nodes.append(read(statement))
    if any(isinstance(n, Sql) and n.tag in ("variable_set_stmt", "transaction_stmt") for n in nodes):
        # From here on names may mean something else, or the work is committed piecemeal: nothing is claimed.
        return (
            Sql(
                sql,
                "script",
                opaque=True,
                transactional=not any(isinstance(n, Sql) and not n.transactional for n in nodes),
            ),
        )
    return tuple(nodes)


def _do(statement: Statement, before: str) -> Program:
    language = [inner(a.def_elem.arg).sval for a in statement.node.args if a.def_elem.defname == "language"]
    if language and language[0].lower() != "plpgsql":
        return (Sql(statement.text, statement.tag, opaque=True, offset=statement.offset),)
    tree = parse_block(statement.text, before)
    reader = _Reader([_variable(d) for d in tree.get("datums", [])])
    return reader.block(tree["action"]["PLpgSQL_stmt_block"])


def _variable(datum: dict[str, Any]) -> str:
    (content,) = datum.values()
    return str(content.get("refname", ""))


class _Reader:
    """Walks one block; remembers which variables hold the answer of a look-up."""

    def __init__(self, variables: list[str]) -> None:
        self.variables = variables
        self.depth = 0
        self.bindings: dict[str, Condition | Scalar] = {}

    def block(self, block: dict[str, Any]) -> Program:
        body = self.body(block.get("body", []))
        if "exceptions" not in block:
            return body
        handlers = []
        for entry in block["exceptions"]["PLpgSQL_exception_block"]["exc_list"]:
            handler = entry["PLpgSQL_exception"]
            names = tuple(c["PLpgSQL_condition"].get("condname", "others") for c in handler["conditions"])
            handlers.append((names, self.body(handler.get("action", []))))
        return (Handled(body, tuple(handlers)),)

    def body(self, statements: list[dict[str, Any]]) -> Program:
        if self.depth == MAX_DEPTH:
            raise StepSyntaxError(TOO_DEEP)
        self.depth += 1
        nodes: list[Node] = []
        for entry in statements:
            ((kind, content),) = entry.items()
            nodes.extend(self.statement(kind, content))
        self.depth -= 1
        return tuple(nodes)

    def statement(self, kind: str, content: dict[str, Any]) -> Program:
        match kind:
            case "PLpgSQL_stmt_block":
                return self.block(content)
            case "PLpgSQL_stmt_if":
                return self.condition(content)
            case "PLpgSQL_stmt_execsql":
                return self.sql(content)
            case "PLpgSQL_stmt_perform":
                return self.perform(_query(content["expr"]))
            case "PLpgSQL_stmt_dynexecute":
                return self.execute(content)
            case "PLpgSQL_stmt_raise":
                level = content.get("elog_level", _ERROR_LEVEL)
                return (Raise(level >= _ERROR_LEVEL, content.get("message", "")),)
            case "PLpgSQL_stmt_assign":
                return self.assign(_query(content["expr"]))
            case "PLpgSQL_stmt_return" if not content.get("expr"):
                return ()
        return (Sql(kind, kind, opaque=True),)

    def condition(self, content: dict[str, Any]) -> Program:
        arms = [(self.guard(content["cond"]), self.body(content.get("then_body", [])))]
        for entry in content.get("elsif_list", []):
            other = entry["PLpgSQL_if_elsif"]
            arms.append((self.guard(other["cond"]), self.body(other.get("stmts", []))))
        return (If(tuple(arms), self.body(content.get("else_body", []))),)

    def guard(self, expression: dict[str, Any]) -> Condition:
        text = _query(expression)
        if text.strip().upper() == "NOT FOUND":
            found = self.bindings.get("found")
            return Not(found) if found is not None and not isinstance(found, Scalar) else Unknown(text)
        try:
            return read_condition(text, self.bindings)
        except StepSyntaxError:
            return Unknown(text)

    def sql(self, content: dict[str, Any]) -> Program:
        text = _query(content["sqlstmt"])
        if not content.get("into"):
            return self.text(text)
        (statement,) = parse(text)
        row = content.get("target", {}).get("PLpgSQL_row", {}).get("fields", [])
        names = [f["name"] for f in row]
        found = read_binding(statement.node, self.bindings) if len(names) == 1 else None
        for name in names:
            self.bindings.pop(name, None)
        if found is None:
            return (
                ()
                if read(statement).tag == "select_stmt" and not read(statement).data
                else (Sql(text, statement.tag, opaque=True),)
            )
        self.bindings[names[0]] = found
        return ()

    def perform(self, text: str) -> Program:
        """``PERFORM`` sets ``FOUND``: over a catalog that is a guard's other form."""
        (statement,) = parse(text)
        self.bindings.pop("found", None)
        found = read_binding(statement.node, self.bindings) if statement.tag == "select_stmt" else None
        if found is None:
            return self.text(text)
        self.bindings["found"] = Exists(found.pattern) if isinstance(found, Scalar) else found
        return ()

    def assign(self, text: str) -> Program:
        name, _, value = text.partition(":=")
        name = name.strip()
        self.bindings.pop(name, None)
        try:
            condition = read_condition(value, self.bindings)
        except StepSyntaxError:
            return ()
        if not isinstance(condition, Unknown):
            self.bindings[name] = condition
        return ()

    def execute(self, content: dict[str, Any]) -> Program:
        """``EXECUTE`` of a constant string is that statement; anything else is opaque."""
        node = inner(parse_expression(_query(content["query"])))
        if node.DESCRIPTOR.name == "A_Const" and node.WhichOneof("val") == "sval" and not content.get("params"):
            return self.text(node.sval.sval)
        return (Sql(f"EXECUTE {_query(content['query'])}", "dynexecute", opaque=True),)

    def text(self, text: str) -> Program:
        try:
            statements = parse(text)
        except StepSyntaxError:  # a variable in a place where SQL has none
            return (Sql(text, "unreadable", opaque=True),)
        found = tuple(read(s) for s in statements)
        used = [
            v
            for v in self.variables
            if v not in ("", "found", "sqlstate", "sqlerrm") and re.search(rf"\b{re.escape(v)}\b", text, re.I)
        ]
        if used:  # PL/pgSQL puts the variable's value there
            return tuple(Sql(s.text, s.tag, data=s.data, opaque=True) for s in found)
        return found


def _query(expression: dict[str, Any]) -> str:
    return str(expression["PLpgSQL_expr"]["query"])
