"""Whatever a list holds: no crash but errors of our own, and no changed statement."""

from __future__ import annotations

import ast
import contextlib

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from omega_bridge.analysis import analyse
from omega_bridge.errors import OmegaBridgeError
from omega_bridge.revisions.chain import compile_chain
from omega_bridge.revisions.files import texts_in
from omega_bridge.revisions.lifting import lift
from omega_bridge.revisions.rendering import render_file
from omega_bridge.sql import canonical, checksum, on_one_line, parse, unswallowed
from omega_bridge.steps import Registry

PIECES = [
    "SELECT", " ", "\n", "\t", ";", "--", "/*", "*/", "$$", "$a$", "$b$", "'", "''", '"', "\\", "%", "%s", "%(x)s", ":name", "::text", "{x}",
    "DO ", "BEGIN ", "END ", "IF ", "THEN ", "EXCEPTION WHEN OTHERS THEN ", "NULL", "RAISE NOTICE '%', 1", "CREATE TABLE ", "t", " (a int)",
    "ALTER TABLE t ADD COLUMN b int", "NOT EXISTS (SELECT 1 FROM pg_class WHERE relname = 't')", "E'\\n'", "U&'\\0041'", "ñ", "🧵", "\r\n", "\x0b",
    "1", ",", "(", ")", "LANGUAGE plpgsql", "EXECUTE ", "<<<<<<<", "\ufeff",
    "\x00", "\ud800", "(" * 900, "NOT " * 900, "IF true THEN " * 300,
]  # fmt: skip
fragments = st.lists(st.sampled_from(PIECES), max_size=25).map("".join)
texts = st.one_of(st.text(alphabet=st.characters(), max_size=80), fragments).filter(lambda t: t.strip() != "")
many = settings(max_examples=300, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))


@many
@given(text=texts)
def test_the_parsers_room_takes_anything(text: str) -> None:
    """Canonical text, checksum, one line, unswallowing: total functions; parsing raises our own error, or parses."""
    assert checksum(text).startswith("c1:")
    assert canonical(canonical(text)) == canonical(text)
    assert checksum(on_one_line(text)) == checksum(text)
    raising = unswallowed(text)
    assert raising is None or len(raising) > len(text)
    with contextlib.suppress(OmegaBridgeError):
        assert all(s.text in text for s in parse(text))


@many
@given(text=texts)
def test_a_verbatim_step_comes_back_exactly(text: str) -> None:
    """The file of any step is Python; what is not lifted reaches the server as it was written, and the record keeps it."""
    (revision,) = compile_chain(analyse(Registry.of([text]))).new
    found = lift(revision.steps[0], settled=revision.settled)
    source = render_file(revision, [found])
    tree = ast.parse(source)
    calls = [
        ast.literal_eval(node.args[0])
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in ("run_step", "attempt_step")
    ]
    if found.is_verbatim and found.parts[0].transactional:
        assert calls[:1] == [text]
    (recorded,) = texts_in(ast.get_docstring(tree, clean=False) or "")
    assert checksum(recorded) == checksum(text)


@given(name=st.text(alphabet=st.characters(blacklist_categories=["Cs"], blacklist_characters="\x00"), min_size=1, max_size=30))
@settings(max_examples=150, deadline=None, derandomize=True)
def test_any_name_may_be_quoted(name: str) -> None:
    """A table and a column of any name are read, and named in what becomes of them."""
    quoted = '"' + name.replace('"', '""') + '"'
    (step,) = analyse(Registry.of([f"ALTER TABLE {quoted} ADD COLUMN {quoted} int"]))
    assert step.problem is None
    assert (step.effects[0].key.table, step.effects[0].key.name) == (name, name)
