"""Whatever a list holds: no crash but errors of our own, and no changed statement."""

from __future__ import annotations

import ast
import contextlib

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from omega_bridge.analysis import analyse
from omega_bridge.errors import OmegaBridgeError
from omega_bridge.lint import lint
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
    analysis = analyse(Registry.of([text]))
    assume(not analysis.steps[0].is_empty)
    (revision,) = compile_chain(analysis).new
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


STATEMENTS = st.sampled_from(
    [
        "CREATE TABLE t (a int)", "CREATE TABLE IF NOT EXISTS t (a int NOT NULL)", "DROP TABLE IF EXISTS t CASCADE",
        "ALTER TABLE t ADD COLUMN b int NOT NULL", "ALTER TABLE t ADD COLUMN IF NOT EXISTS b int", "ALTER TABLE t DROP COLUMN b",
        "ALTER TABLE t DROP CONSTRAINT IF EXISTS p", "ALTER TABLE t ADD CONSTRAINT p PRIMARY KEY (a)",
        "ALTER TABLE t ADD CONSTRAINT p UNIQUE (a)", "ALTER TABLE t ADD CONSTRAINT c CHECK (a > 0)",
        "ALTER TABLE t ADD CONSTRAINT f FOREIGN KEY (a) REFERENCES u (a)", "CREATE INDEX i ON u (a)", "CREATE TYPE m AS ENUM ('x')",
        "CREATE EXTENSION IF NOT EXISTS citext", "TRUNCATE u", "UPDATE t SET a = 1", "INSERT INTO t VALUES (1)",
        "INSERT INTO t (a, b) VALUES (1, now()) ON CONFLICT (a) DO UPDATE SET c = EXCLUDED.c, b = EXCLUDED.b",
        "DROP TRIGGER IF EXISTS g ON t", "CREATE TRIGGER g AFTER INSERT ON t FOR EACH ROW EXECUTE FUNCTION f()",
        "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$", "SELECT 1",
    ]
)  # fmt: skip
GUARDS = st.sampled_from(
    [
        "NOT EXISTS (SELECT 1 FROM information_schema.columns WHERE table_name = 't' AND column_name = 'b')",
        "EXISTS (SELECT 1 FROM information_schema.columns WHERE table_name = 't' AND data_type NOT IN ('uuid', 'text'))",
        "NOT EXISTS (SELECT 1 FROM pg_constraint WHERE conname = 'c')", "to_regclass('t') IS NULL",
        "NOT EXISTS (SELECT 1 FROM pg_type WHERE typname = 'm') OR to_regclass('public.u') IS NOT NULL",
        "NOT EXISTS (SELECT 1 FROM pg_trigger WHERE tgname = 'g')", "EXISTS (SELECT 1 FROM pg_proc WHERE proname = 'f')",
        "(SELECT count(*) FROM t) > 1", "NOT EXISTS (SELECT 1 FROM pg_class WHERE relname = 'i')",
    ]
)  # fmt: skip


def blocks(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """PL/pgSQL around PL/pgSQL."""
    lines = st.lists(inner, min_size=1, max_size=3).map(" ".join)
    return st.one_of(
        st.builds("IF {} THEN {} END IF;".format, GUARDS, lines),
        st.builds("IF {} THEN {} ELSE {} END IF;".format, GUARDS, lines, lines),
        st.builds("BEGIN {} EXCEPTION WHEN OTHERS THEN NULL; END;".format, lines),
        st.builds("BEGIN {} EXCEPTION WHEN duplicate_column OR duplicate_object THEN RAISE; END;".format, lines),
    )


bodies = st.recursive(STATEMENTS.map("{};".format), blocks, max_leaves=6)
steps = st.one_of(
    STATEMENTS, st.lists(STATEMENTS, max_size=3).map(";".join).filter(bool), bodies.map("DO $do$ BEGIN {} END $do$".format)
)


@given(text=texts)
@many
def test_the_rules_take_anything(text: str) -> None:
    """A finding or none, and no crash; a text that does not parse is told to be so."""
    analysis = analyse(Registry.of([text]))
    found = {f.rule for f in lint(analysis)}
    assert ("unreadable-step" in found) is (analysis.steps[0].problem is not None)


@given(listed=st.lists(steps, min_size=1, max_size=4))
@many
def test_what_to_write_instead_is_free_of_its_finding(listed: list[str]) -> None:
    """For lists of every make: the steps that a finding shows can be read, and linted in its step's place they do not show it."""
    analysis = analyse(Registry.of(listed))
    at = {s.id: n for n, s in enumerate(analysis)}
    for finding in (f for f in lint(analysis) if f.instead):
        place = at[finding.step]
        new = [(f"new-{n}", text) for n, text in enumerate(finding.instead)]
        after = lint(analyse(Registry.of([*listed[:place], *new, *listed[place + 1 :]])))
        assert {"unreadable-step", finding.rule}.isdisjoint(f.rule for f in after if f.step.startswith("new-")), finding.instead
