"""A program as the text of a step: what a finding shows to write instead. Comments and messages of the original are not kept."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from omega_bridge.analysis.lookup_text import Unwritable, condition
from omega_bridge.analysis.program import Handled, If, Program, Raise, Sql
from omega_bridge.tags import Tag

LIMIT = 4000
"""A longer text is no help to a reader."""

_STEP = "    "


def write(program: Program) -> str | None:
    """The step's text; ``None`` where the program holds something that has none, or is long."""
    try:
        parts = list(_parts(program))
    except Unwritable:
        return None
    text = "\n".join(parts)
    return text if parts and len(text) <= LIMIT else None


def block(lines: Iterable[str]) -> str:
    """A ``DO`` block around lines of PL/pgSQL."""
    body = "\n".join(["BEGIN", *(_STEP + line for line in lines), "END"])
    tag, number = "$$", 0
    while tag in body:
        tag, number = f"$do{number or ''}$", number + 1
    return f"DO {tag}\n{body} {tag};"


def unless_there(guard: str, *statements: str) -> str:
    """A ``DO`` block that runs the statements where the guard holds."""
    return block([f"IF {guard} THEN", *(f"{_STEP}{s};" for s in statements), "END IF;"])


def guarded_in_place(statement: str, guard: str, *, is_in_block: bool) -> tuple[str, str]:
    """An edit that puts a statement behind a guard where it stands."""
    if is_in_block:
        return statement, f"IF {guard} THEN\n{_STEP}{statement};\nEND IF"
    return statement, unless_there(guard, statement).removesuffix(";")


def _parts(program: Program) -> Iterator[str]:
    """Plain statements as they are, everything else in blocks."""
    waiting: list[If | Handled] = []
    for node in program:
        match node:
            case If() | Handled():
                waiting.append(node)
            case _:
                if waiting:
                    yield block(_lines(tuple(waiting)))
                    waiting = []
                yield from _lines((node,))
    if waiting:
        yield block(_lines(tuple(waiting)))


def _lines(program: Program) -> Iterator[str]:
    for node in program:
        match node:
            case Sql(opaque=True) | Sql(tag=Tag.UNREADABLE | Tag.EXPRESSION):
                raise Unwritable
            case Sql(text=text):
                yield f"{text};" if "--" not in text.rpartition("\n")[2] else f"{text}\n;"
            case Raise(error=True):
                yield "RAISE;"
            case Raise():
                continue
            case If():
                for number, (guard, arm) in enumerate(node.arms):
                    yield f"{'ELSIF' if number else 'IF'} {condition(guard)} THEN"
                    yield from _indented(arm)
                if node.otherwise:
                    yield "ELSE"
                    yield from _indented(node.otherwise)
                yield "END IF;"
            case Handled():
                yield "BEGIN"
                yield from _indented(node.body)
                yield "EXCEPTION"
                for names, arm in node.handlers:
                    yield f"{_STEP}WHEN {' OR '.join(map(_caught, names))} THEN"
                    told = list(_lines(arm)) or ["RAISE NOTICE '%', SQLERRM;"]
                    yield from (_STEP + _STEP + line for line in told)
                yield "END;"


def _indented(program: Program) -> list[str]:
    return [_STEP + line for line in _lines(program)] or [f"{_STEP}NULL;"]


def _caught(name: str) -> str:
    return (
        f"SQLSTATE '{name}'"
        if len(name) == 5 and name.isalnum() and name.upper() == name and any(c.isdigit() for c in name)
        else name
    )
