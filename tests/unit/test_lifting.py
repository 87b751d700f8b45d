"""What a statement becomes in a revision file, and how it is undone."""

from __future__ import annotations

import ast

import pytest

from omega_bridge.analysis import analyse
from omega_bridge.planning import World, evaluate
from omega_bridge.planning.settling import empty_catalog
from omega_bridge.revisions import guards
from omega_bridge.revisions.lifting import Lifted, lift, render
from omega_bridge.steps import Registry

T = "CREATE TABLE t (id int PRIMARY KEY, a varchar(20) NOT NULL DEFAULT 'x')"


def lifted(text: str, *before: str) -> Lifted:
    """A step's translation, after other steps."""
    world = World(empty_catalog())
    for step in analyse(Registry.of(before or [T])):
        evaluate(step.program, world)
    return lift(analyse(Registry.of([text])).steps[0], world)


def up(text: str, *before: str) -> str:
    """The operations, as the file shows them."""
    return "\n".join(render([o for p in lifted(text, *before).parts for o in p.operations or ()])[0])


def down(text: str, *before: str) -> str:
    """What undoes them."""
    return "\n".join(render([o for p in lifted(text, *before).parts for o in p.reverse or ()])[0])


LIFTED = {
    "citext": ("ALTER TABLE t ADD COLUMN b citext", "op.add_column('t', sa.Column('b', sqltypes.Type('citext'), nullable=True), if_not_exists=True)", None),
    "nulls not distinct": ("CREATE UNIQUE INDEX IF NOT EXISTS i ON t (a) NULLS NOT DISTINCT", 'op.ensure("index", "i", "CREATE UNIQUE INDEX IF NOT EXISTS i ON t (a) NULLS NOT DISTINCT")', "op.drop_index('i', table_name='t', if_exists=True)"),
    "table with a foreign key": ("CREATE TABLE IF NOT EXISTS n (a int REFERENCES t (id) ON DELETE CASCADE)", "op.create_table('n',\n        sa.Column('a', sa.Integer(), nullable=True),\n        sa.ForeignKeyConstraint(['a'], ['t.id'], ondelete='CASCADE'),\n        if_not_exists=True\n    )", "op.drop_table('n', if_exists=True)"),
    "operator as default": ("ALTER TABLE t ADD COLUMN b timestamp DEFAULT (now() AT TIME ZONE 'utc')", "op.add_column('t', sa.Column('b', sa.DateTime(), server_default=sa.text(\"(now() AT TIME ZONE 'utc')\"), nullable=True), if_not_exists=True)", None),
    "add column": ("ALTER TABLE t ADD COLUMN b numeric(10,2)", "op.add_column('t', sa.Column('b', sa.Numeric(precision=10, scale=2), nullable=True), if_not_exists=True)", "op.drop_column('t', 'b', if_exists=True)"),
    "array": ("ALTER TABLE t ADD COLUMN b text[] NOT NULL DEFAULT '{}'::text[]", "op.add_column('t', sa.Column('b', postgresql.ARRAY(sa.Text()), server_default=sa.text(\"'{}'::text[]\"), nullable=False), if_not_exists=True)", None),
    "own type": ("ALTER TABLE t ADD COLUMN b vector(3)", "op.add_column('t', sa.Column('b', sqltypes.Type('vector(3)'), nullable=True), if_not_exists=True)", None),
    "identity": ("ALTER TABLE t ADD COLUMN b int GENERATED ALWAYS AS IDENTITY", 'op.ensure("column", "b", "ALTER TABLE t ADD COLUMN b int GENERATED ALWAYS AS IDENTITY", table="t")', None),
    "generated": ("ALTER TABLE t ADD b int GENERATED ALWAYS AS (id * 2) STORED", 'op.ensure("column", "b", "ALTER TABLE t ADD b int GENERATED ALWAYS AS (id * 2) STORED", table="t")', None),
    "percent": ("ALTER TABLE t ADD b text DEFAULT '100 % :x'", "op.ensure(\"column\", \"b\", \"ALTER TABLE t ADD b text DEFAULT '100 % :x'\", table=\"t\")", None),
    "referring column": ("ALTER TABLE t ADD b int REFERENCES t", 'op.ensure("column", "b", "ALTER TABLE t ADD b int REFERENCES t", table="t")', None),
    "drop default": ("ALTER TABLE t ALTER a DROP DEFAULT", 'op.ensure_column("t", "a", default=None)', "op.ensure_column(\"t\", \"a\", default=\"'x'\")"),
    "type": ("ALTER TABLE t ALTER a TYPE varchar(40)", 'op.ensure_column("t", "a", type_="varchar(40)")', 'op.ensure_column("t", "a", type_="varchar(20)")'),
    "using": ("ALTER TABLE t ALTER a TYPE int USING a::int", 'op.ensure_column("t", "a", type_="int", using="a::int")', ""),
    "unique": ("ALTER TABLE t ADD UNIQUE (a)", 'op.ensure("constraint", "t_a_key", "ALTER TABLE t ADD UNIQUE (a)", table="t")', "op.drop_constraint('t_a_key', 't', if_exists=True)"),
    "exclusion": ("ALTER TABLE t ADD CONSTRAINT e EXCLUDE USING gist (a WITH =)", 'op.ensure("constraint", "e", "ALTER TABLE t ADD CONSTRAINT e EXCLUDE USING gist (a WITH =)", table="t")', None),
    "include": ("CREATE INDEX i ON t (a) INCLUDE (id)", "op.create_index('i', 't', ['a'], unique=False, postgresql_include=['id'], if_not_exists=True)", "op.drop_index('i', table_name='t', if_exists=True)"),
    "expression": ("CREATE INDEX i ON t ((a || 'x') DESC)", "op.create_index('i', 't', [sa.literal_column(\"(a || 'x') DESC\")], unique=False, if_not_exists=True)", None),
    "concurrently": ("CREATE INDEX CONCURRENTLY i ON t (a)", "op.drop_invalid_index(\"i\")\nop.create_index('i', 't', ['a'], unique=False, postgresql_concurrently=True, if_not_exists=True)", None),
    "collation": ('CREATE INDEX i ON t (a COLLATE "C")', 'op.ensure("index", "i", "CREATE INDEX i ON t (a COLLATE \\"C\\")")', None),
    "enum value": ("ALTER TYPE m ADD VALUE 'b' AFTER 'a'", 'op.ensure_enum_value("m", "b", after="a")', ""),
    "view": ("CREATE VIEW v AS SELECT 1 AS a", 'op.ensure("view", "v", "CREATE VIEW v AS SELECT 1 AS a")', 'op.ensure_absent("view", "v")'),
    "materialised view": ("CREATE MATERIALIZED VIEW v AS SELECT 1 AS a", 'op.ensure("materialized view", "v", "CREATE MATERIALIZED VIEW v AS SELECT 1 AS a")', None),
    "sequence": ("CREATE SEQUENCE s START 5", 'op.ensure("sequence", "s", "CREATE SEQUENCE s START 5")', 'op.ensure_absent("sequence", "s")'),
    "schema": ("CREATE SCHEMA x", 'op.ensure("schema", "x", "CREATE SCHEMA x")', 'op.ensure_absent("schema", "x")'),
    "row security": ("ALTER TABLE t ENABLE ROW LEVEL SECURITY", 'op.ensure_row_security("t", enabled=True)', 'op.ensure_row_security("t", enabled=False)'),
    "rename": ("ALTER TABLE t RENAME COLUMN a TO b", 'op.ensure_renamed("column", "a", "b", table="t")', 'op.ensure_renamed("column", "b", "a", table="t")'),
    "grant": ("GRANT SELECT ON t TO public", 'op.run_step("GRANT SELECT ON t TO public")', 'op.run_step("REVOKE select ON t FROM public")'),
    "comment": ("COMMENT ON TABLE t IS 'it''s'", 'op.ensure_comment("table", "t", "it\'s")', 'op.ensure_comment("table", "t", None)'),
    "drop what is not there": ("DROP INDEX IF EXISTS nowhere", 'op.ensure_absent("index", "nowhere")', ""),
    "other schema": ("ALTER TABLE s.t ADD COLUMN b int", "op.add_column('t', sa.Column('b', sa.Integer(), nullable=True), schema='s', if_not_exists=True)", "op.drop_column('t', 'b', schema='s', if_exists=True)"),
}  # fmt: skip


@pytest.mark.parametrize(("text", "operations", "reverse"), LIFTED.values(), ids=[n.replace(" ", "-") for n in LIFTED])
def test_statements_become_operations(text: str, operations: str, reverse: str | None) -> None:
    """Each kind has its line, and its way back where there is one; both are Python."""
    assert up(text) == operations
    ast.parse(operations)
    if reverse is not None:
        assert down(text) == reverse


KEPT = [
    "CREATE TABLE n (a text STORAGE external)", "CREATE TABLE n (a text COMPRESSION pglz)", "CREATE TABLE n (a int NOT NULL NO INHERIT)",
    "CREATE TABLE n (a int REFERENCES t (id) DEFERRABLE)", "CREATE TABLE n (a int CHECK (a > 0) NOT ENFORCED)", "CREATE TABLE n OF p",
    "CREATE TABLE n (a int, UNIQUE NULLS NOT DISTINCT (a))", "CREATE TABLE n (a int) TABLESPACE x", "CREATE TABLE n (a int) USING heap",
    "CREATE TABLE n (a int) WITH (fillfactor = 50)", "CREATE UNLOGGED TABLE n (a int)", "CREATE TABLE n (a int, UNIQUE (a) INCLUDE (b))",
    "CREATE TABLE n (a int, PRIMARY KEY (a) WITH (fillfactor = 50))", "CREATE TABLE n (a int CHECK (a > 0) NO INHERIT)", "CREATE TABLE n (LIKE t)",
    "CREATE TABLE n (a int REFERENCES t (id) MATCH FULL)", "CREATE TABLE n (a int) PARTITION BY LIST (a)", "CREATE TABLE n (a int) INHERITS (t)",
    "CREATE TABLE n (a int REFERENCES t (id) ON DELETE SET NULL (a))", "CREATE TABLE n (a text COLLATE \"C\")", "ALTER TABLE ONLY t ADD b int",
    "ALTER TABLE t ADD b text STORAGE external", "ALTER TABLE t ADD b text COMPRESSION pglz", "ALTER TABLE t ADD b int NOT NULL NO INHERIT",
    "CREATE INDEX i ON ONLY t (a)", "CREATE INDEX i ON t (a) TABLESPACE x", "CREATE INDEX i ON t (a) WITH (fillfactor = 50)",
    "CREATE INDEX i ON t (a s.ops)", "CREATE INDEX i ON t (a ops (x = 1))",
]  # fmt: skip


@pytest.mark.parametrize("text", KEPT)
def test_what_alembic_would_lose_is_made_by_the_statement_itself(text: str) -> None:
    """A clause that Alembic's own operation does not carry keeps the statement's text in the operation."""
    assert up(text).startswith("op.ensure(")
    assert f'"{text}"'.replace('"C"', '\\"C\\"') in up(text)


def test_a_privilege_to_grant_comes_back_as_one() -> None:
    """The way back of REVOKE GRANT OPTION FOR gives that option again."""
    assert "with grant option" in down("REVOKE GRANT OPTION FOR SELECT ON t FROM r").lower()
    assert "grant option" not in down("GRANT SELECT ON t TO r WITH GRANT OPTION").lower()
    assert lifted("REVOKE SELECT ON t FROM r CASCADE").irreversible


BLOCKS = {
    "guard": "DO $$ BEGIN IF NOT EXISTS (SELECT 1 FROM information_schema.columns WHERE table_name = 't' AND column_name = 'b') THEN {} END IF; END $$",
    "count": "DO $$ BEGIN IF (SELECT count(*) FROM information_schema.columns WHERE table_name = 't' AND column_name = 'b') = 0 THEN {} END IF; END $$",
    "handler": "DO $$ BEGIN {} EXCEPTION WHEN duplicate_column THEN NULL; END $$",
    "others": "DO $x$ BEGIN {} EXCEPTION WHEN OTHERS THEN RAISE NOTICE '%', SQLERRM; END $x$",
    "execute": "DO $$ BEGIN EXECUTE 'ALTER TABLE t ADD COLUMN b int'; END $$",
    "nested": "DO $$ BEGIN BEGIN {} EXCEPTION WHEN duplicate_column THEN RAISE NOTICE 'there'; END; END $$",
    "into": "DO $$ DECLARE found_it boolean; BEGIN SELECT EXISTS (SELECT 1 FROM pg_attribute WHERE attrelid = 't'::regclass AND attname = 'b')"
    " INTO found_it; IF NOT found_it THEN {} END IF; END $$",
}


@pytest.mark.parametrize("block", BLOCKS.values(), ids=BLOCKS)
def test_blocks_are_seen_through(block: str) -> None:
    """Guard and statement, or handler and statement, are one operation."""
    plain = "ALTER TABLE t ADD COLUMN b int"
    assert up(block.replace("{}", plain + ";")) == up(plain)


VERBATIM = {
    "only": ("ALTER TABLE ONLY t ALTER a SET DEFAULT 'y'", "ALTER TABLE ONLY"),
    "only a column": ("ALTER TABLE ONLY t DROP COLUMN a", "ALTER TABLE ONLY"),
    "only renamed": ("ALTER TABLE ONLY t RENAME a TO b", "ALTER TABLE ONLY"),
    "several tables": ("DROP TABLE IF EXISTS t, u", "which may depend on one another"),
    "a temporary view": ("CREATE TEMP VIEW v AS SELECT 1 AS a", "no operation says it"),
    "a statement with an unread name": ("ALTER TABLE d.public.t ADD b int", "no operation says it"),
    "rows": ("UPDATE t SET a = 'y'", "it touches rows"),
    "rows under a guard": ("DO $$ BEGIN IF to_regclass('t') IS NOT NULL THEN UPDATE t SET a = 'y'; END IF; END $$", "rows are touched under a guard"),
    "another object's guard": ("DO $$ BEGIN IF NOT EXISTS (SELECT 1 FROM pg_type WHERE typname = 'm') THEN ALTER TABLE t ADD b int; END IF; END $$", "its guard protects another object"),
    "a guard that asks more": ("DO $$ BEGIN IF EXISTS (SELECT 1 FROM information_schema.columns WHERE table_name = 't' AND column_name = 'a' AND is_nullable = 'NO') THEN ALTER TABLE t ALTER a DROP NOT NULL; END IF; END $$", "asks for more"),
    "one handler over several": ("DO $$ BEGIN GRANT USAGE ON SCHEMA public TO PUBLIC; CREATE TABLE x (a int); EXCEPTION WHEN OTHERS THEN NULL; END $$", "its handler undoes the others, too"),
    "two arms": ("DO $$ BEGIN IF to_regclass('x') IS NULL THEN CREATE TABLE x (a int); ELSE ALTER TABLE x ADD b int; END IF; END $$", "a choice between several arms"),
    "a handler that works": ("DO $$ BEGIN ALTER TABLE t ADD b int; EXCEPTION WHEN OTHERS THEN CREATE TABLE x (a int); END $$", "its exception handler does work"),
    "computed": ("DO $$ BEGIN EXECUTE format('ALTER TABLE %I ADD b int', 't'); END $$", "EXECUTE of a computed string"),
    "search_path": ("SET search_path = x; CREATE TABLE y (a int)", "sets variables or controls transactions"),
    "no sql": ("ALTER TABEL t", "does not parse"),
    "alter system": ("ALTER SYSTEM SET work_mem = '1MB'", "no operation says it"),
}  # fmt: skip


@pytest.mark.parametrize(("text", "reason"), VERBATIM.values(), ids=[n.replace(" ", "-") for n in VERBATIM])
def test_what_is_not_exact_stays_the_steps_own_sql(text: str, reason: str) -> None:
    """With the reason, and without a way back."""
    found = lifted(text)
    assert found.is_verbatim
    assert reason in "; ".join(found.reasons)
    assert found.irreversible


BY_ROWS = {
    "unique index": "CREATE UNIQUE INDEX IF NOT EXISTS i ON t (a);",
    "index of an expression": "CREATE INDEX IF NOT EXISTS i ON t ((a::int));",
    "check": "ALTER TABLE t ADD CONSTRAINT c CHECK (a <> '');",
    "check of a new column": "ALTER TABLE t ADD COLUMN IF NOT EXISTS b int CHECK (b IS NOT NULL);",
    "mandatory column": "ALTER TABLE t ADD COLUMN b int NOT NULL;",
    "computed column": "ALTER TABLE t ADD COLUMN b int GENERATED ALWAYS AS (a::int) STORED;",
    "set not null": "ALTER TABLE t ALTER a SET NOT NULL;",
    "type": "ALTER TABLE t ALTER a TYPE int USING a::int;",
    "validate": "ALTER TABLE t VALIDATE CONSTRAINT c;",
    "materialized view": "CREATE MATERIALIZED VIEW IF NOT EXISTS m AS SELECT a::int FROM t;",
}


@pytest.mark.parametrize("statement", BY_ROWS.values(), ids=[n.replace(" ", "-") for n in BY_ROWS])
def test_a_handler_around_what_rows_may_make_fail_is_kept(statement: str) -> None:
    """The step goes on past such rows; an operation would stop the upgrade at them."""
    reasons = lifted(BLOCKS["others"].replace("{}", statement)).reasons
    assert any("rows that are there may make it fail" in r for r in reasons)
    without = lifted(BLOCKS["handler"].replace("{}", statement)).reasons
    assert not any("rows that are there" in r for r in without)


@pytest.mark.parametrize(
    "statement",
    [
        "ALTER TABLE t ADD COLUMN IF NOT EXISTS b int NOT NULL DEFAULT 0;",
        "ALTER TABLE t ADD CONSTRAINT c CHECK (a <> '') NOT VALID;",
        "CREATE INDEX IF NOT EXISTS i ON t (a);",
        "CREATE MATERIALIZED VIEW IF NOT EXISTS m AS SELECT a FROM t WITH NO DATA;",
    ],
)
def test_what_does_not_look_at_rows_is_lifted_out_of_a_handler(statement: str) -> None:
    """Its success hangs on the schema alone."""
    assert not lifted(BLOCKS["others"].replace("{}", statement)).is_verbatim


def test_what_an_earlier_step_made_is_not_undone_by_a_later_one() -> None:
    """The second of two equal steps has nothing to undo."""
    step = "ALTER TABLE t ADD COLUMN IF NOT EXISTS b int"
    assert down(step) == "op.drop_column('t', 'b', if_exists=True)"
    assert down(step, T, step) == ""


def test_a_table_that_is_there_does_not_gain_the_columns_of_its_new_text() -> None:
    """Models that gained a column change the text of their table, which makes none of it: the step that adds the column can be undone."""
    world = World(empty_catalog())
    for text in (T, T.replace("(id", "(b int, id").replace("TABLE t", "TABLE IF NOT EXISTS t")):
        lift(analyse(Registry.of([text])).steps[0], world)
    found = lift(analyse(Registry.of(["ALTER TABLE t ADD COLUMN IF NOT EXISTS b int"])).steps[0], world)
    (reverse,) = (o for p in found.parts for o in p.reverse or ())
    assert render([reverse])[0] == ["op.drop_column('t', 'b', if_exists=True)"]


def test_a_rebuild_takes_nothing_away() -> None:
    """DROP IF EXISTS right before CREATE of the same thing: undone by dropping what was created."""
    text = "DROP TRIGGER IF EXISTS x ON t; CREATE TRIGGER x BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION f()"
    assert down(text) == 'op.ensure_absent("trigger", "x", table="t")'


@pytest.mark.parametrize("name", ["plain", "Mixed", 'quo"te', "back\\slash", "ñandú", "a'b", "$omega$"])
def test_guards_quote_every_name(name: str) -> None:
    """Names and texts reach the catalog's questions as they are."""
    text = guards.unless(guards.is_there("column", name, "t"), guards.drop("column", name, "t"))
    assert text.startswith("DO $")
    assert f"DROP COLUMN {guards.identifier(name)};" in text
    assert f"attname = {guards.literal(name)} " in text
