"""``DO`` blocks: PL/pgSQL's tree to a program. Every inner statement is parsed again; what is not understood is opaque."""

from __future__ import annotations

from collections.abc import Iterator
from enum import IntEnum

from omega_bridge.analysis.block_tree import flat, holds, is_single, query
from omega_bridge.analysis.effects import read
from omega_bridge.analysis.guards import (
    cannot_fail,
    found_pattern,
    is_harmless,
    may_be_null,
    read_binding,
    read_condition,
    read_value,
)
from omega_bridge.analysis.program import (
    Condition,
    Exists,
    Handled,
    If,
    Node,
    Not,
    Program,
    Raise,
    Sql,
    Unknown,
)
from omega_bridge.analysis.variables import Bindings, Variables, common
from omega_bridge.errors import StepSyntaxError
from omega_bridge.regexes import regex
from omega_bridge.sql import TOO_DEEP, Statement, Tree, inner, name_of, parse, parse_block, parse_expression
from omega_bridge.tags import Tag
from omega_bridge.values import dataclass

_ERROR_LEVEL = 21  # PL/pgSQL's elog level of RAISE EXCEPTION; a re-raise has it too

MAX_DEPTH = 50
"""Blocks within blocks that are read. Whatever walks a program recurses, four frames a level, and Python's own limit is
no guard: json's scanner met it at 1,000 levels up to 3.11, and keeps to a larger one of C's stack since 3.12."""


def read_block(statement: Statement, before: str) -> Program:
    """What a ``DO`` statement does; ``before`` is the text in front of it. Raises ``StepSyntaxError``."""
    language = [inner(a.def_elem.arg).sval for a in statement.node.args if a.def_elem.defname == "language"]
    if language and language[0].lower() != "plpgsql":
        return (Sql(statement.text, statement.tag, opaque=True, offset=statement.offset),)
    tree = parse_block(statement.text, before)
    reader = _Reader(tree.get("datums", []), statement.text)
    block = tree["action"]["PLpgSQL_stmt_block"]
    return (*reader.declarations(block), *reader.block(block).nodes)


class _Leaves(IntEnum):
    """Whether what was read goes on behind its end."""

    NEVER = 0
    PERHAPS = 1
    ALWAYS = 2


@dataclass(frozen=True, slots=True)
class _Read:
    nodes: Program
    leaves: _Leaves = _Leaves.NEVER


_LEAVING = ("PLpgSQL_stmt_return", "PLpgSQL_stmt_exit")
_ENDING = ("PLpgSQL_stmt_commit", "PLpgSQL_stmt_rollback")


class _Reader(Variables):
    """Walks one block."""

    depth = 0
    in_handlers = 0
    """How many handlers are around what is read: SQLSTATE and SQLERRM are there alone (PostgreSQL's manual, "Trapping Errors")."""

    # --- the way through ---------------------------------------------------------------------------------------

    def declarations(self, block: Tree) -> Program:
        """What the variables begin with. Which block declares one is not in the tree: known where there is no other block."""
        nodes: list[Node] = []
        is_plain = is_single(block)
        for name, datum in zip(self.names, self.datums, strict=True):
            if not self.is_known(datum):
                nodes.append(Sql(name, Tag.EXPRESSION))
            if "default_val" in datum:
                nodes.extend(self.value(name if is_plain else "", datum, query(datum["default_val"])))
            if "cursor_explicit_expr" in datum:
                nodes.extend(self.unread("a cursor"))
        return tuple(nodes)

    def block(self, block: Tree) -> _Read:
        before = dict(self.bindings)
        read = self.body(block.get("body", []))
        if "exceptions" not in block:
            return read
        ends = [self.bindings]
        at_failure = common(before, self.bindings)
        handlers = []
        leaves = read.leaves
        for entry in block["exceptions"]["PLpgSQL_exception_block"]["exc_list"]:
            handler = entry["PLpgSQL_exception"]
            names = tuple(c["PLpgSQL_condition"].get("condname", "others") for c in handler["conditions"])
            self.bindings = {k: v for k, v in at_failure.items() if k != "found"}
            self.in_handlers += 1
            arm = self.body(handler.get("action", []))
            self.in_handlers -= 1
            handlers.append((names, arm.nodes))
            ends.append(self.bindings)
            leaves = leaves if arm.leaves == leaves else _Leaves.PERHAPS
        self.bindings = common(*ends)
        return _Read((Handled(read.nodes, tuple(handlers)),), leaves)

    def body(self, statements: list[Tree]) -> _Read:
        if self.depth == MAX_DEPTH:
            raise StepSyntaxError(TOO_DEEP)
        self.depth += 1
        try:
            return self.following(flat(statements))
        finally:
            self.depth -= 1

    def following(self, statements: list[tuple[str, Tree]]) -> _Read:
        """Statements in a row, up to the first that may leave it, and what then follows."""
        nodes: list[Node] = []
        for index, (kind, content) in enumerate(statements):
            if kind == "PLpgSQL_stmt_return":
                return _Read(tuple(nodes), _Leaves.ALWAYS)
            rest = statements[index + 1 :]
            is_choice = kind in ("PLpgSQL_stmt_if", "PLpgSQL_stmt_case")
            if is_choice:
                before, found = self.choice(kind, content, rest)
                nodes.extend(before)
            else:
                found = self.statement(kind, content)
            nodes.extend(found.nodes)
            if found.leaves is not _Leaves.NEVER:
                if not is_choice and found.leaves is _Leaves.PERHAPS:
                    nodes.extend(self.perhaps(rest))
                return _Read(tuple(nodes), found.leaves)
        return _Read(tuple(nodes))

    def perhaps(self, rest: list[tuple[str, Tree]]) -> Program:
        """What follows a way out that is not followed: it runs, or it does not."""
        if self.depth == MAX_DEPTH:
            raise StepSyntaxError(TOO_DEEP)
        self.depth += 1
        read = self.following(rest)
        self.depth -= 1
        return (If(((Unknown("where the block goes on"), read.nodes),)),) if read.nodes else ()

    def choice(self, kind: str, content: Tree, rest: list[tuple[str, Tree]]) -> tuple[Program, _Read]:
        """``IF`` and ``CASE``. Where all arms but one leave the block, that one goes on with the rest."""
        before: list[Node] = []
        arms: list[tuple[Condition, _Read]] = []
        ends: list[Bindings] = []
        start = self.bindings
        for condition, statements in self.arms(kind, content, before):
            self.bindings = dict(start)
            arms.append((condition, self.body(statements)))
            ends.append(self.bindings)
        self.bindings = dict(start)
        has_else = kind == "PLpgSQL_stmt_if" or bool(content.get("have_else"))
        last = self.body(content.get("else_body") or content.get("else_stmts") or [])
        otherwise = last if has_else else _Read((Raise(True, "case not found"),))
        ends.append(self.bindings)
        reads = [*(read for _, read in arms), otherwise]
        going_on = [n for n, read in enumerate(reads) if read.leaves is _Leaves.NEVER]
        is_followed = all(read.leaves is not _Leaves.PERHAPS for read in reads)
        if len(going_on) == len(reads):
            self.bindings = common(*ends)
            return tuple(before), _Read((If(tuple((c, r.nodes) for c, r in arms), otherwise.nodes),))
        if is_followed and len(going_on) == 1 and self.depth < MAX_DEPTH:
            (n,) = going_on
            self.bindings = ends[n]
            self.depth += 1
            more = self.following(rest)
            self.depth -= 1
            reads[n] = _Read((*reads[n].nodes, *more.nodes), more.leaves)
        elif going_on or not is_followed:
            self.bindings = common(*(end for end, read in zip(ends, reads, strict=True) if read.leaves is not _Leaves.ALWAYS))
            more_nodes = self.perhaps(rest)
            found = If(tuple((c, r.nodes) for (c, _), r in zip(arms, reads, strict=False)), reads[-1].nodes)
            return tuple(before), _Read((found, *more_nodes), _Leaves.PERHAPS)
        leaves = _Leaves.ALWAYS if all(r.leaves is _Leaves.ALWAYS for r in reads) else _Leaves.PERHAPS
        found = If(tuple((c, r.nodes) for (c, _), r in zip(arms, reads, strict=False)), reads[-1].nodes)
        return tuple(before), _Read(_turned(found), leaves)

    def arms(self, kind: str, content: Tree, before: list[Node]) -> Iterator[tuple[Condition, list[Tree]]]:
        if kind == "PLpgSQL_stmt_if":
            yield self.guard(content["cond"], before), content.get("then_body", [])
            for entry in content.get("elsif_list", []):
                other = entry["PLpgSQL_if_elsif"]
                yield self.guard(other["cond"], before), other.get("stmts", [])
            return
        if "t_expr" in content:
            before.extend(self.value("", {}, query(content["t_expr"])))
        for entry in content.get("case_when_list", []):
            when = entry["PLpgSQL_case_when"]
            yield self.guard(when["expr"], before), when.get("stmts", [])

    def statement(self, kind: str, content: Tree) -> _Read:
        match kind:
            case "PLpgSQL_stmt_block":
                return self.block(content)
            case "PLpgSQL_stmt_execsql":
                return _Read(self.sql(content))
            case "PLpgSQL_stmt_perform":
                return _Read(self.perform(query(content["expr"])))
            case "PLpgSQL_stmt_dynexecute":
                return _Read(self.execute(content))
            case "PLpgSQL_stmt_raise":
                return _Read(self.raised(content))
            case "PLpgSQL_stmt_assign":
                return _Read(self.assign(content))
            case "PLpgSQL_stmt_assert":
                return _Read((If(((Unknown(query(content["cond"])), ()),), (Raise(True, "assertion failed"),)),))
            case "PLpgSQL_stmt_exit":
                return _Read((), _Leaves.PERHAPS)
        leaves = _Leaves.PERHAPS if holds(content, _LEAVING) else _Leaves.NEVER
        return _Read(self.unread(kind, is_alone=holds({kind: content}, _ENDING)), leaves)

    def unread(self, what: str, *, is_alone: bool = False) -> Program:
        """Something runs, and what it does is not known. ``is_alone``: it ends its transaction."""
        self.bindings = {}
        return (Sql(what, Tag.UNREAD, opaque=True, transactional=not is_alone),)

    # --- statements --------------------------------------------------------------------------------------------

    def guard(self, expression: Tree, before: list[Node]) -> Condition:
        """A condition; what evaluating it may do comes ``before``."""
        text = query(expression)
        try:
            found = Unknown(text) if self.has_aliases else read_condition(text, self.bindings, self.variables)
            if isinstance(found, Unknown) and not is_harmless(parse_expression(text)):
                before.extend(self.unread(text))
        except StepSyntaxError:
            before.extend(self.unread(text))
            return Unknown(text)
        return found

    def sql(self, content: Tree) -> Program:
        text = query(content["sqlstmt"])
        if not content.get("into"):
            found = self.text(text)
            self.forget(found)
            return found
        (statement,) = parse(text)
        row = content.get("target", {}).get("PLpgSQL_row", {}).get("fields", [])
        if len(row) != 1 or content.get("strict") or statement.tag != Tag.SELECT or self.is_spoken_in(text):
            return self.computed(text, statement)
        self.bindings.pop("found", None)
        name, found_row = row[0]["name"], None
        if "found" not in self.twice and (pattern := found_pattern(statement.node, self.variables)) is not None:
            found_row = Exists(pattern)
        bound = read_binding(statement.node, self.bindings, self.variables)
        self.bind(name, self.datums[row[0]["varno"]], bound)
        if found_row is not None:
            self.bindings["found"] = found_row
        if bound is None and found_row is None:
            return self.computed(text, statement)
        return () if bound is None or name in self.bindings else (Sql(text, Tag.EXPRESSION),)

    def computed(self, text: str, statement: Statement) -> Program:
        """A query whose values are not known from here on."""
        found = read(statement)
        self.bindings = {}
        if found.tag == Tag.SELECT and not found.data and not found.opaque:
            return (found,)
        return (Sql(text, statement.tag, data=found.data, opaque=True),)

    def perform(self, text: str) -> Program:
        """``PERFORM`` sets ``FOUND``: over a catalog that is a guard's other form."""
        (statement,) = parse(text)
        self.bindings.pop("found", None)
        is_query = statement.tag == Tag.SELECT and not self.is_spoken_in(text)
        pattern = found_pattern(statement.node, self.variables) if is_query else None
        if pattern is None:
            found = self.text(text)
            self.forget(found)
            return found
        if "found" not in self.twice:
            self.bindings["found"] = Exists(pattern)
        return ()

    def assign(self, content: Tree) -> Program:
        datum = self.datums[content["varno"]]
        name = str(datum.get("refname", ""))
        expression = content["expr"]["PLpgSQL_expr"]
        found = _ASSIGNMENT.match(expression["query"])
        if found is None:
            return self.unread(expression["query"])
        target = found[1][1:-1] if found[1].startswith('"') else found[1].lower()
        is_plain = expression.get("parseMode") == 3 and target == name
        return self.value(name if is_plain else "", datum, expression["query"][found.end() :])

    def value(self, name: str, datum: Tree, text: str) -> Program:
        """A variable gets a value. Without ``name`` it is not followed which one."""
        before: list[Node] = []
        try:
            node = parse_expression(text)
            bound = read_value(node, self.bindings, self.variables)
            if bound is None and not is_harmless(node):
                before.extend(self.unread(text))
        except StepSyntaxError:
            return self.unread(text)
        if not name and datum:
            self.bindings.pop(str(datum.get("refname", "")), None)
        if name:
            self.bind(name, datum, bound)
        is_taken = not datum or self.takes(datum, node) or (bound is not None and (not name or name in self.bindings))
        if not before and not (is_taken and (bound is not None or cannot_fail(node, self.there()))):
            before.append(Sql(text, Tag.EXPRESSION))
        return tuple(before)

    def there(self) -> frozenset[str]:
        """The variables that an expression here may name."""
        return self.variables | {"found"} | ({"sqlstate", "sqlerrm"} if self.in_handlers else frozenset())

    def raised(self, content: Tree) -> Program:
        level = content.get("elog_level", _ERROR_LEVEL)
        given = [query(p) for p in content.get("params", [])]
        given += [query(o["PLpgSQL_raise_option"]["expr"]) for o in content.get("options", [])]
        before: list[Node] = []
        for text in given:
            before.extend(self.value("", {}, text))
        if level < _ERROR_LEVEL:
            return tuple(n for n in before if isinstance(n, Sql))
        error = Raise(True, content.get("message", ""))
        if content.get("condname") or content.get("options"):  # which handler takes it is not followed
            return (*before, If(((Unknown("the error's own condition"), (error,)),)))
        return (*before, error)

    def execute(self, content: Tree) -> Program:
        """``EXECUTE`` of a constant string is that statement; anything else is opaque."""
        text = query(content["query"])
        node = inner(parse_expression(text))
        if name_of(node) != "A_Const" or node.WhichOneof("val") != "sval" or content.get("params") or content.get("into"):
            self.bindings = {}
            return (Sql(f"EXECUTE {text}", Tag.EXECUTE_COMPUTED, opaque=True),)
        found = self.text(node.sval.sval)
        self.forget(found)
        return found

    def text(self, text: str) -> Program:
        try:
            statements = parse(text)
        except StepSyntaxError:  # a variable in a place where SQL has none
            return (Sql(text, Tag.UNREADABLE, opaque=True),)
        found = tuple(read(s) for s in statements)
        if self.is_spoken_in(text):  # PL/pgSQL puts the variable's value there
            return tuple(Sql(s.text, s.tag, data=s.data, opaque=True) for s in found)
        return found


_ASSIGNMENT = regex(r'\s*("(?:[^"]|"")+"|\w+)\s*:?=')


def _turned(choice: If) -> Program:
    """``IF c THEN RETURN; END IF; ...`` says ``IF NOT c THEN ...``, where the answer is never NULL."""
    if len(choice.arms) == 1 and not choice.arms[0][1]:
        condition = choice.arms[0][0]
        if not choice.otherwise:
            return ()
        if not may_be_null(condition):
            turned = condition.condition if isinstance(condition, Not) else Not(condition)
            return (If(((turned, choice.otherwise),)),)
    return (choice,)
