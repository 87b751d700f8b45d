"""No input makes the reading raise: what breaks a reader is a reading of nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from google.protobuf.message import Message
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from postgast import pg_query_pb2 as pb

from omega_bridge.analysis import analyse, blocks, guards, programs
from omega_bridge.analysis.reading import forget, reading_of
from omega_bridge.planning import World, evaluate, make_plan
from omega_bridge.planning.settling import empty_catalog
from omega_bridge.sources import load
from omega_bridge.sql import parse_block, parse_expression
from omega_bridge.steps import Registry
from tests.oracle.guards.forms import guard_forms

LISTS = Path(__file__).parents[1] / "data" / "lists"
NAMES = {
    "clinic": "migration_steps",
    "shop": "REPAIRS",
    "library": "list_of_repairs",
    "chat": "migration_steps",
    "crm": "crm_steps",
}
REAL = [step.sql for name, variable in NAMES.items() for step in load(f"{name}_main.py:{variable}", root=LISTS).steps]
TEXTS = [*REAL, *(text for text, _ in guard_forms().values())]
WORDS = [
    "IF", "ELSE", "END", "LOOP", "RETURN", "EXIT", "BEGIN", "EXCEPTION", "WHEN", "THEN", "OTHERS", "NOT", "NULL", ";", "(", ")", "'", '"', "$$",
    "DECLARE", "INTO", "STRICT", "FOUND", "=", ":=", "::", ".", ",", "*", "SELECT", "1", "x", "t", "COLLATE", "ONLY", "CASE", "ALIAS FOR",
]  # fmt: skip
many = settings(max_examples=250, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))


@st.composite
def mutated(draw: st.DrawFn) -> str:
    """A text of a real list, or a form of the table, with words left out, doubled, exchanged or put in."""
    words = re.findall(r"\s+|\w+|.", draw(st.sampled_from(TEXTS)), re.S)
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(words) - 1))
        match draw(st.sampled_from(["out", "twice", "other", "in"])):
            case "out" if len(words) > 1:
                del words[at]
            case "twice":
                words.insert(at, words[at])
            case "other":
                words[at] = draw(st.sampled_from(words))
            case _:
                words.insert(at, f" {draw(st.sampled_from(WORDS))} ")
    return "".join(words)


def thought_through(texts: list[str]) -> None:
    """Read, and run in thought."""
    analysis = analyse(Registry.of([t for t in texts if t.strip()] or ["SELECT 1"]))
    make_plan(analysis, empty_catalog())
    for step in analysis:
        world = World(empty_catalog())
        found = evaluate(step.program, world, analysis.provided())
        assert not (found.is_certain and found.unknown)
        assert step.reading.is_certain in (True, False)


@many
@given(texts=st.lists(mutated(), min_size=1, max_size=3))
def test_a_mutated_list_is_read_or_left_to_the_server(texts: list[str]) -> None:
    """Whatever a text holds, the analysis ends, and so does the thought about it."""
    thought_through(texts)


def parts(node: Any) -> Iterator[tuple[Message, Any]]:
    """Every field that is set, at any depth, with the message that holds it."""
    for field, value in node.ListFields():
        yield node, field
        for below in [value] if isinstance(value, Message) else value if field.message_type is not None else []:
            yield from parts(below)


GUARDS = [text for text, _ in guard_forms().values()]


@many
@given(data=st.data(), text=st.sampled_from(GUARDS))
def test_an_odd_condition_is_read_or_left_to_the_server(data: st.DataObject, text: str) -> None:
    """A condition's tree with a field that is missing breaks a reader at most: it claims nothing then."""

    def odd(expression: str) -> Any:
        node = pb.Node()
        node.CopyFrom(parse_expression(expression))
        fields = list(parts(node))
        holder, field = fields[data.draw(st.integers(0, len(fields) - 1))]
        holder.ClearField(field.name)
        return node

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(guards, "parse_expression", odd)
        patch.setattr(blocks, "parse_expression", odd)
        read_anew(text)


def places(tree: Any) -> Iterator[tuple[Any, Any]]:
    """Every entry of nested dictionaries and lists, with what holds it."""
    for key, value in tree.items() if isinstance(tree, dict) else enumerate(tree):
        yield tree, key
        if isinstance(value, (dict, list)):
            yield from places(value)


@many
@given(data=st.data(), text=st.sampled_from([t for t in TEXTS if t.lstrip().upper().startswith("DO")]))
def test_an_odd_block_is_read_or_left_to_the_server(data: st.DataObject, text: str) -> None:
    """So does a tree of PL/pgSQL of a form that was never seen."""

    def odd(sql: str, before: str = "") -> dict[str, Any]:
        tree = parse_block(sql, before)
        holder, key = data.draw(st.sampled_from(list(places(tree))))
        if data.draw(st.booleans()):
            del holder[key]
        else:
            holder[key] = data.draw(st.sampled_from([None, 0, -1, "x", [], {}, {"PLpgSQL_stmt_new": {}}]))
        return tree

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(blocks, "parse_block", odd)
        read_anew(text)


def read_anew(text: str) -> None:
    """Read a text, and run it in thought, without what was kept of it; and keep nothing."""
    programs.read_program.cache_clear()
    forget()
    try:
        evaluate(reading_of(text).program, World(empty_catalog()))
    finally:
        programs.read_program.cache_clear()
        forget()
