"""A field of a statement's tree that its reader does not know leaves the statement to the server."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from google.protobuf.message import Message
from postgast import pg_query_pb2 as pb

from omega_bridge.analysis.effects import alter_table, read, reader_of
from omega_bridge.analysis.program import DOUBT, Sql
from omega_bridge.catalog import Key, Kind
from omega_bridge.kinds import READ
from omega_bridge.planning import World
from omega_bridge.planning.settling import empty_catalog
from omega_bridge.sql import Fields, Statement, inner, parse
from omega_bridge.tags import Tag

EVERY_CONSTRAINT = (
    "CONSTRAINT k CHECK (a > 0) NO INHERIT, UNIQUE NULLS NOT DISTINCT (a) INCLUDE (b) WITH (fillfactor = 50) USING INDEX TABLESPACE s, "
    "PRIMARY KEY (a), FOREIGN KEY (a, PERIOD b) REFERENCES s.u (c, PERIOD d) MATCH FULL ON DELETE SET NULL (a) ON UPDATE CASCADE "
    "DEFERRABLE INITIALLY DEFERRED, EXCLUDE USING gist (a WITH =) WHERE (a > 0)"
)
FORMS = [
    f"CREATE UNLOGGED TABLE IF NOT EXISTS s.t (a varchar(5)[3] STORAGE external COMPRESSION pglz COLLATE \"C\" DEFAULT 1 NOT NULL, "
    f"b int GENERATED ALWAYS AS IDENTITY (START 3), c int GENERATED ALWAYS AS (a) VIRTUAL, LIKE s.u INCLUDING ALL, {EVERY_CONSTRAINT}) "
    "INHERITS (s.p) PARTITION BY LIST (a) USING heap WITH (fillfactor = 5) TABLESPACE x",
    "CREATE TABLE t OF pair", "CREATE TABLE t PARTITION OF s.p FOR VALUES IN (1)", "CREATE TEMP TABLE t (a int) ON COMMIT DROP",
    "CREATE UNLOGGED TABLE IF NOT EXISTS s.t (a) USING heap WITH (fillfactor = 5) TABLESPACE x AS SELECT 1 WITH NO DATA",
    "CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS i ON ONLY s.t USING btree (a COLLATE \"C\" s.ops (x = 1) DESC NULLS LAST, (a + 1)) "
    "INCLUDE (b) NULLS NOT DISTINCT WITH (fillfactor = 5) TABLESPACE x WHERE a > 0",
    "CREATE OR REPLACE VIEW s.v (a) WITH (security_barrier) AS SELECT 1 WITH LOCAL CHECK OPTION", "CREATE SEQUENCE IF NOT EXISTS s.q START 5",
    "ALTER TABLE IF EXISTS ONLY s.t ENABLE ROW LEVEL SECURITY", "ALTER TABLE s.t RENAME COLUMN a TO b", "ALTER INDEX IF EXISTS i RENAME TO j",
    "DROP TABLE IF EXISTS s.t, u CASCADE", "DROP INDEX CONCURRENTLY i", "DROP FUNCTION f(a int, OUT b text)", "DROP TYPE IF EXISTS s.m",
    "TRUNCATE s.t, u RESTART IDENTITY CASCADE", "CREATE TYPE s.m AS ENUM ('a')", "ALTER TYPE m ADD VALUE IF NOT EXISTS 'b' AFTER 'a'",
    "ALTER TYPE m RENAME VALUE 'a' TO 'b'", "CREATE DOMAIN s.d AS text COLLATE \"C\" CHECK (VALUE <> '')", "CREATE TYPE s.c AS (a int)",
    "CREATE EXTENSION IF NOT EXISTS citext SCHEMA s CASCADE", "CREATE SCHEMA IF NOT EXISTS s AUTHORIZATION r", "CREATE SCHEMA s CREATE TABLE t (a int)",
    "COMMENT ON COLUMN s.t.a IS 'x'", "COMMENT ON TYPE s.m IS 'x'",
    "CREATE POLICY p ON s.t AS RESTRICTIVE FOR ALL TO r USING (a > 0) WITH CHECK (a > 1)",
    "CREATE OR REPLACE FUNCTION s.f(a int DEFAULT 1, OUT b varchar(3)) RETURNS int LANGUAGE sql AS 'SELECT 1'",
    "CREATE OR REPLACE PROCEDURE s.f(INOUT a int) LANGUAGE sql BEGIN ATOMIC SELECT 1; END",
    "CREATE OR REPLACE TRIGGER g AFTER UPDATE OF a ON s.t REFERENCING NEW TABLE AS x FOR EACH ROW WHEN (NEW.a > 0) EXECUTE FUNCTION f('a')",
    "CREATE CONSTRAINT TRIGGER g AFTER INSERT ON t FROM s.u DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION f()",
    "INSERT INTO s.t AS x (a) OVERRIDING USER VALUE VALUES (1) ON CONFLICT (a) DO NOTHING", "UPDATE s.t AS x SET a = 1 FROM u WHERE x.a = u.a",
    "DELETE FROM s.t USING u WHERE t.a = u.a", "SELECT DISTINCT a FROM t WHERE a > 0 GROUP BY a HAVING true ORDER BY a LIMIT 1 OFFSET 1 FOR UPDATE",
    "WITH x AS (SELECT 1) SELECT a FROM t UNION ALL SELECT 1", "CALL f()", "REFRESH MATERIALIZED VIEW CONCURRENTLY v", "LOCK TABLE t IN SHARE MODE NOWAIT",
    "SHOW work_mem", "EXPLAIN (COSTS OFF) SELECT 1", "MERGE INTO t USING u ON true WHEN MATCHED THEN DELETE", "COPY t (a) FROM STDIN WITH (FORMAT csv)",
]  # fmt: skip
COMMANDS = [
    "ADD COLUMN IF NOT EXISTS a varchar(5)[3] STORAGE external COMPRESSION pglz COLLATE \"C\" DEFAULT 1 CHECK (a > 0)", "DROP COLUMN IF EXISTS a CASCADE",
    "ALTER a SET DEFAULT 1", "ALTER a SET NOT NULL", "ALTER a DROP NOT NULL", "ALTER a TYPE varchar(5) COLLATE \"C\" USING a::text",
    "ALTER a ADD GENERATED ALWAYS AS IDENTITY (START 3)", "ALTER a DROP IDENTITY IF EXISTS", "VALIDATE CONSTRAINT k",
    *(f"ADD {constraint}" for constraint in ("CONSTRAINT k CHECK (a > 0) NO INHERIT NOT VALID", "UNIQUE (a) INCLUDE (b)", "FOREIGN KEY (a) REFERENCES s.u (c)",
                                            "CONSTRAINT k PRIMARY KEY USING INDEX i")),
    "DROP CONSTRAINT IF EXISTS k CASCADE", "FORCE ROW LEVEL SECURITY",
]  # fmt: skip


def nodes(node: Any, known: Fields) -> Iterator[Any]:
    """A node and those that are looked at in turn from there, as they can be changed."""
    yield node
    for field, value in node.ListFields():
        if known[type(node)].get(field) is True:
            for below in [value] if isinstance(value, Message) else value:
                if (found := inner(below)) is not None:
                    yield from nodes(found, known)


def copied(text: str) -> Statement:
    """A statement whose tree can be changed."""
    (statement,) = parse(text)
    node = type(statement.node)()
    node.CopyFrom(statement.node)
    return Statement(statement.text, node, statement.tag, statement.offset)


@pytest.mark.parametrize("tag", READ)
def test_the_reader_that_a_room_names_is_there(tag: Tag) -> None:
    """It is loaded when a statement is read: a room that names another one would be seen by users."""
    assert reader_of(tag) is not None


def places(text: str) -> Iterator[tuple[Statement, Any, Fields]]:
    """Each node of a statement that its reader looks at, in a copy of its own, and what is known there."""
    for number in range(200):
        statement = copied(text)
        reader = reader_of(statement.tag)
        assert reader is not None
        known = reader.known
        found = [(node, known) for node in nodes(statement.node, known)]
        if statement.tag == "alter_table_stmt":
            for command in map(inner, statement.node.cmds):
                own = alter_table.COMMANDS[command.subtype]
                found += [(node, own) for node in nodes(command, own)]
        if number == len(found):
            return
        yield statement, *found[number]


def read_or_left(statement: Statement) -> Sql:
    """A reading; what breaks a reader is a reading of nothing."""
    try:
        return read(statement)
    except Exception:
        return Sql(statement.text, "unreadable", opaque=True)


def is_left(found: Sql) -> bool:
    """Whether a statement claims nothing; one that touches rows claims nothing when it is sent at every start."""
    return found.lookahead is None if found.data and not found.opaque else found.opaque and not found.effects


def fill(node: Any, field: Any, *, beside: frozenset[int | str] = frozenset()) -> bool:
    """Set a field to something beside the values that are known; whether there is any."""
    if field.message_type is not None:
        value = getattr(node, field.name)
        made = value if isinstance(value, Message) else value.add()
        if field.message_type is pb.Node.DESCRIPTOR:
            made.integer.ival = 1
        else:
            made.SetInParent()
            for name in (f.name for f in made.DESCRIPTOR.fields if isinstance(getattr(made, f.name), str)):
                setattr(made, name, "x")
    elif field.enum_type is not None:
        others = set(field.enum_type.values_by_number) - beside - {0}
        if not others:
            return False
        setattr(node, field.name, min(others))
    else:
        setattr(node, field.name, {field.CPPTYPE_STRING: "?", field.CPPTYPE_BOOL: True}.get(field.cpp_type, 7))
    return True


ALL = [*FORMS, *(f"ALTER TABLE s.t {command}" for command in COMMANDS)]


@pytest.mark.parametrize("text", ALL)
def test_every_form_is_read(text: str) -> None:
    """Each form is known as it stands: what is left to the server below is left for the field that was set."""
    found = read(copied(text))
    if not text.startswith(
        (
            "CREATE TEMP",
            "CREATE SCHEMA s CREATE",
            "ALTER TABLE IF EXISTS",
            "CALL",
            "REFRESH",
            "ALTER INDEX IF EXISTS",
            "DROP FUNCTION",
        )
    ):
        assert not found.opaque


@pytest.mark.parametrize("text", ALL)
def test_a_field_that_no_reader_knows_leaves_the_statement_to_the_server(text: str) -> None:
    """Every field of every node that is looked at is a known one, or nothing is claimed where it is set."""
    for statement, node, known in places(text):
        for field in node.DESCRIPTOR.fields:
            allowed = known[type(node)].get(field)
            before = type(node)()
            before.CopyFrom(node)
            if allowed is None or isinstance(allowed, frozenset):
                if fill(node, field, beside=allowed or frozenset()):
                    assert is_left(read_or_left(statement)), f"{type(node).__name__}.{field.name}"
                    node.CopyFrom(before)
            elif allowed is True and field.message_type is pb.Node.DESCRIPTOR:  # a kind of node that is not known there
                value = getattr(node, field.name)
                (value if isinstance(value, Message) else value.add()).var.varno = 1
                assert is_left(read_or_left(statement)), f"{type(node).__name__}.{field.name}"
                node.CopyFrom(before)


@pytest.mark.parametrize("text", ALL)
def test_a_field_of_a_later_grammar_leaves_the_statement_to_the_server(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A field that is known today, and were not, would be seen wherever it is set."""
    for statement, node, known in places(text):
        mine = known[type(node)]
        for field, _ in list(node.ListFields()):
            if mine.get(field) is None or field.name == "location":
                continue
            shrunk = {one: how for one, how in mine.items() if one is not field}
            monkeypatch.setitem(known, type(node), shrunk)  # type: ignore[arg-type]
            assert is_left(read(statement)), f"{type(node).__name__}.{field.name}"
            monkeypatch.setitem(known, type(node), mine)  # type: ignore[arg-type]


def test_what_is_in_doubt_answers_no_guard() -> None:
    """Of what a statement that was not read to its end may have made, only the server can tell whether it is there."""
    statement = copied("CREATE TABLE t (a int)")
    statement.node.relation.catalogname = "elsewhere"
    found = read(statement)
    table = Key(Kind.TABLE, "", "", "t")
    assert next((e.key, e.attributes) for e in found.implied) == (table, ((DOUBT, True),))
    world = World(empty_catalog())
    for effect in found.results:
        world.apply(effect)
    assert world.has(table) is None
