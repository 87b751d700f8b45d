"""The rules about releases, locks, keys and texts: each form that they have to see, and those that they must not."""

from __future__ import annotations

import pytest

from omega_bridge.analysis import analyse
from omega_bridge.analysis.findings import Finding
from omega_bridge.analysis.secrets import masked
from omega_bridge.catalog import Catalog, Key, Kind
from omega_bridge.lint import lint
from omega_bridge.steps import Place, Registry, Step


def found(rule: str, *steps: str | Step, catalog: Catalog | None = None) -> list[Finding]:
    """What one rule says about a list."""
    return list(lint(analyse(Registry.of(list(steps))), select=[rule], catalog=catalog))


def do(body: str) -> str:
    """A block."""
    return f"DO $$ BEGIN {body} END $$"


ABSENT = "IF NOT EXISTS (SELECT 1 FROM pg_attribute WHERE attrelid = to_regclass('t') AND attname = 'a')"
T = "CREATE TABLE IF NOT EXISTS t (id uuid PRIMARY KEY)"

ILL: dict[str, tuple[str, tuple[str | Step, ...], str]] = {
    "a serial key": ("table-without-uuid-key", ("CREATE TABLE t (id serial PRIMARY KEY)",), "warning"),
    "a key given later": (
        "table-without-uuid-key",
        ("CREATE TABLE t (id bigint)", "ALTER TABLE t ADD PRIMARY KEY (id)"),
        "warning",
    ),
    "a code": ("table-without-uuid-key", ("CREATE TABLE t (code text PRIMARY KEY)",), "note"),
    "in a block": ("table-without-key", (do("CREATE TABLE IF NOT EXISTS t (a int);"),), "warning"),
    "unique is no key": ("table-without-key", ("CREATE TABLE t (a int UNIQUE)",), "warning"),
    "an int to a bigint": (
        "reference-type-differs",
        ("CREATE TABLE u (id bigint PRIMARY KEY)", "CREATE TABLE t (u_id int REFERENCES u)"),
        "warning",
    ),
    "a number to a uuid": (
        "reference-type-differs",
        ("CREATE TABLE u (id uuid PRIMARY KEY)", "ALTER TABLE t ADD COLUMN u_id int REFERENCES u (id)"),
        "error",
    ),
    "a key of its own": (
        "reference-type-differs",
        (
            "CREATE TABLE u (id uuid PRIMARY KEY)",
            "CREATE TABLE t (u_id text)",
            "ALTER TABLE t ADD CONSTRAINT f FOREIGN KEY (u_id) REFERENCES u (id)",
        ),
        "error",
    ),
    "a key of two columns": (
        "reference-type-differs",
        ("CREATE TABLE u (a int, b uuid, PRIMARY KEY (a, b))", "CREATE TABLE t (x int, y text, FOREIGN KEY (x, y) REFERENCES u)"),
        "error",
    ),
    "no if not exists": ("unguarded-statement", ("ALTER TABLE t ADD COLUMN a int",), "warning"),
    "no guard in a block": ("unguarded-statement", (do("CREATE TYPE m AS ENUM ('x');"),), "warning"),
    "another error is caught": (
        "unguarded-statement",
        (do("CREATE TYPE m AS ENUM ('x'); EXCEPTION WHEN undefined_table THEN NULL;"),),
        "warning",
    ),
    "a guard alone": ("guard-passed-at-once", (do(f"{ABSENT} THEN ALTER TABLE t ADD a int; END IF;"),), "note"),
    "a column that may be there": ("lock-though-satisfied", ("ALTER TABLE t ADD COLUMN IF NOT EXISTS a int",), "note"),
    "an index that may be there": ("lock-though-satisfied", ("CREATE INDEX IF NOT EXISTS i ON t (a)",), "note"),
    "a default that is set": ("lock-though-satisfied", (do("ALTER TABLE t ALTER a SET DEFAULT 1;"),), "note"),
    "a type that is known": (
        "type-change-rewrites",
        ("ALTER TABLE t ADD COLUMN IF NOT EXISTS a int", "ALTER TABLE t ALTER a TYPE bigint"),
        "warning",
    ),
    "a type that is not": ("type-change-rewrites", ("ALTER TABLE t ALTER a TYPE bigint",), "note"),
    "a uuid for each row": ("volatile-default", ("ALTER TABLE t ADD a uuid NOT NULL DEFAULT gen_random_uuid()",), "warning"),
    "within an expression": ("volatile-default", ("ALTER TABLE t ADD a text DEFAULT 'x' || random()",), "warning"),
    "a serial column": ("volatile-default", (do("ALTER TABLE t ADD a serial;"),), "warning"),
    "rows behind the column": (
        "data-with-schema",
        (do(f"{ABSENT} THEN ALTER TABLE t ADD a int; UPDATE t SET a = 1 WHERE a IS NULL; END IF;"),),
        "warning",
    ),
    "rows of the list's own table": (
        "data-with-schema",
        (T, "ALTER TABLE t ADD a int; UPDATE t SET a = 1 WHERE a IS NULL"),
        "note",
    ),
    "mandatory": ("not-null-reads-table", ("ALTER TABLE t ALTER a SET NOT NULL",), "warning"),
    "unique": ("unique-builds-index", ("ALTER TABLE t ADD CONSTRAINT c UNIQUE (a)",), "warning"),
    "a primary key": ("unique-builds-index", ("ALTER TABLE t ADD PRIMARY KEY (a)",), "warning"),
    "a table's name": ("rename-breaks-release", ("ALTER TABLE t RENAME TO u",), "warning"),
    "a column's name": ("rename-breaks-release", (do("ALTER TABLE t RENAME a TO b;"),), "warning"),
    "a column that goes": ("breaks-release-before", ("ALTER TABLE t DROP COLUMN IF EXISTS a",), "warning"),
    "a table that goes": ("breaks-release-before", (Step("DROP TABLE IF EXISTS t", destructive=True),), "warning"),
    "a value's name": ("breaks-release-before", ("ALTER TYPE m RENAME VALUE 'a' TO 'b'",), "warning"),
    "mandatory from now on": ("breaks-release-before", ("ALTER TABLE t ALTER a SET NOT NULL",), "warning"),
    "a value": ("no-way-back", ("ALTER TYPE m ADD VALUE IF NOT EXISTS 'x'",), "note"),
    "rows": ("no-way-back", ("DELETE FROM t WHERE a = 1",), "note"),
    "a drop that is meant": ("no-way-back", (Step("DROP TABLE IF EXISTS t", destructive=True),), "note"),
    "begin": ("transaction-control", ("BEGIN; UPDATE t SET a = 1 WHERE a IS NULL; COMMIT",), "warning"),
    "a savepoint": ("transaction-control", ("SAVEPOINT x",), "warning"),
    "commit in a block": ("transaction-control", (do("UPDATE t SET a = 1; COMMIT;"),), "warning"),
    "a search path": ("session-setting", ("SET search_path = x",), "note"),
    "a role": ("session-setting", ("SET ROLE x; SELECT 1",), "note"),
    "reset": ("session-setting", ("RESET ALL",), "note"),
    "beside another": (
        "concurrently-with-others",
        ("SELECT 1; CREATE INDEX CONCURRENTLY IF NOT EXISTS i ON t (a)",),
        "warning",
    ),
    "in a block, bare": ("concurrently-with-others", (do("CREATE INDEX CONCURRENTLY IF NOT EXISTS i ON t (a);"),), "error"),
    "in a block, guarded": (
        "concurrently-with-others",
        (do("IF to_regclass('i') IS NULL THEN CREATE INDEX CONCURRENTLY i ON t (a); END IF;"),),
        "warning",
    ),
    "a table named order": ("reserved-name", ('CREATE TABLE IF NOT EXISTS "order" (id uuid PRIMARY KEY)',), "note"),
    "a column named user": ("reserved-name", ('ALTER TABLE t ADD COLUMN IF NOT EXISTS "user" text',), "note"),
    "a long name": ("name-too-long", (f"ALTER TABLE t ADD COLUMN IF NOT EXISTS {'a' * 64} int",), "warning"),
    "a long name in a block": ("name-too-long", (do(f'ALTER TABLE t ADD COLUMN IF NOT EXISTS "{"ñ" * 32}" int;'),), "warning"),
    "a table that hides": (
        "rows-behind-row-security",
        ("ALTER TABLE t FORCE ROW LEVEL SECURITY", "DELETE FROM t WHERE a = 1"),
        "warning",
    ),
    "two types": (
        "column-added-differently",
        ("ALTER TABLE t ADD COLUMN IF NOT EXISTS a int", "ALTER TABLE t ADD COLUMN IF NOT EXISTS a text"),
        "warning",
    ),
    "another length": (
        "column-added-differently",
        ("CREATE TABLE IF NOT EXISTS t (a varchar(10))", "ALTER TABLE t ADD COLUMN IF NOT EXISTS a varchar(20)"),
        "warning",
    ),
    "int and int4": (
        "duplicate-step",
        ("ALTER TABLE t ADD COLUMN IF NOT EXISTS a INT", "ALTER TABLE t ADD IF NOT EXISTS a int4"),
        "note",
    ),
    "one guard, two spellings": (
        "duplicate-step",
        (
            do(f"{ABSENT} THEN ALTER TABLE t ADD a varchar(5); END IF;"),
            do(f"{ABSENT.lower()} THEN ALTER TABLE t ADD COLUMN a character varying(5); END IF;"),
        ),
        "note",
    ),
}


@pytest.mark.parametrize(("rule", "steps", "severity"), ILL.values(), ids=[k.replace(" ", "-") for k in ILL])
def test_what_is_ill_is_found(rule: str, steps: tuple[str | Step, ...], severity: str) -> None:
    """Each form of the problem is seen once, with the severity that it has."""
    assert [str(f.severity) for f in found(rule, *steps)] == [severity]


WELL: dict[str, tuple[str, tuple[str | Step, ...]]] = {
    "a uuid": ("table-without-uuid-key", (T,)),
    "a key that points": (
        "table-without-uuid-key",
        ("CREATE TABLE t (user_id bigint PRIMARY KEY REFERENCES users (id))",),
    ),
    "a key of two": ("table-without-uuid-key", ("CREATE TABLE t (a int, b int, PRIMARY KEY (a, b))",)),
    "a key behind the table": ("table-without-key", ("CREATE TABLE t (a int)", "ALTER TABLE t ADD PRIMARY KEY (a)")),
    "an heir": ("table-without-key", ("CREATE TABLE t () INHERITS (u)",)),
    "a partition": ("table-without-key", ("CREATE TABLE t PARTITION OF u FOR VALUES IN (1)",)),
    "a copy": ("table-without-key", ("CREATE TABLE t (LIKE u INCLUDING ALL)", "CREATE TABLE v AS SELECT 1 AS a")),
    "of the session": ("table-without-key", ("CREATE TEMP TABLE t (a int)",)),
    "a key that is computed": (
        "table-without-key",
        ("CREATE TABLE t (a int)", do("EXECUTE 'ALTER TABLE ' || x || ' ADD PRIMARY KEY (a)';")),
    ),
    "the same type by another name": (
        "reference-type-differs",
        ("CREATE TABLE u (id int8 PRIMARY KEY)", "CREATE TABLE t (u_id bigint REFERENCES u)"),
    ),
    "a serial that is pointed to": (
        "reference-type-differs",
        ("CREATE TABLE u (id serial PRIMARY KEY)", "CREATE TABLE t (u_id integer REFERENCES u)"),
    ),
    "a length is no type": (
        "reference-type-differs",
        ("CREATE TABLE u (id varchar(9) PRIMARY KEY)", "CREATE TABLE t (u_id varchar(20) REFERENCES u)"),
    ),
    "a type that changed": (
        "reference-type-differs",
        (
            "CREATE TABLE u (id int PRIMARY KEY)",
            "ALTER TABLE u ALTER id TYPE uuid USING gen_random_uuid()",
            "CREATE TABLE t (u_id uuid REFERENCES u)",
        ),
    ),
    "a key that nothing knows": ("reference-type-differs", ("CREATE TABLE t (u_id int REFERENCES elsewhere (id))",)),
    "two schemas": (
        "reference-type-differs",
        (
            "CREATE TABLE a.u (id int PRIMARY KEY)",
            "CREATE TABLE b.u (id uuid PRIMARY KEY)",
            "CREATE TABLE t (u_id uuid REFERENCES b.u (id))",
        ),
    ),
    "if not exists": ("unguarded-statement", ("ALTER TABLE t ADD COLUMN IF NOT EXISTS a int",)),
    "a handler for it": ("unguarded-statement", (do("CREATE TYPE m AS ENUM ('x'); EXCEPTION WHEN duplicate_object THEN NULL;"),)),
    "dropped before": (
        "unguarded-statement",
        ("DROP TRIGGER IF EXISTS g ON t; CREATE TRIGGER g AFTER INSERT ON t EXECUTE FUNCTION f()",),
    ),
    "replaced": ("unguarded-statement", ("CREATE OR REPLACE VIEW v AS SELECT 1 AS a",)),
    "asked twice": ("guard-passed-at-once", (do(f"{ABSENT} THEN ALTER TABLE t ADD COLUMN IF NOT EXISTS a int; END IF;"),)),
    "the error is taken": (
        "guard-passed-at-once",
        (do(f"{ABSENT} THEN ALTER TABLE t ADD a int; END IF; EXCEPTION WHEN duplicate_column THEN NULL;"),),
    ),
    "a lock of its own": (
        "guard-passed-at-once",
        (do(f"PERFORM pg_advisory_xact_lock(1); {ABSENT} THEN ALTER TABLE t ADD a int; END IF;"),),
    ),
    "behind a guard": ("lock-though-satisfied", (do(f"{ABSENT} THEN ALTER TABLE t ADD COLUMN IF NOT EXISTS a int; END IF;"),)),
    "a longer text": (
        "type-change-rewrites",
        ("ALTER TABLE t ADD COLUMN IF NOT EXISTS a varchar(10)", "ALTER TABLE t ALTER a TYPE varchar(20)"),
    ),
    "a type of the list's table": ("type-change-rewrites", (T, "ALTER TABLE t ALTER id TYPE text")),
    "one moment for all rows": ("volatile-default", ("ALTER TABLE t ADD a timestamptz DEFAULT now()",)),
    "a default for later rows": ("volatile-default", ("ALTER TABLE t ALTER a SET DEFAULT gen_random_uuid()",)),
    "a new table": ("volatile-default", ("CREATE TABLE u (id uuid PRIMARY KEY DEFAULT gen_random_uuid())",)),
    "rows alone": ("data-with-schema", ("UPDATE t SET a = 1 WHERE a IS NULL",)),
    "a table with its seeds": ("data-with-schema", (f"{T}; INSERT INTO t (id) SELECT gen_random_uuid() ON CONFLICT DO NOTHING",)),
    "a check before": (
        "not-null-reads-table",
        (
            "ALTER TABLE t ADD CONSTRAINT c CHECK (a IS NOT NULL) NOT VALID",
            "ALTER TABLE t VALIDATE CONSTRAINT c",
            "ALTER TABLE t ALTER a SET NOT NULL",
        ),
    ),
    "an index before": ("unique-builds-index", ("ALTER TABLE t ADD CONSTRAINT c UNIQUE USING INDEX c",)),
    "an index's name": ("rename-breaks-release", ("ALTER INDEX i RENAME TO j", "ALTER TABLE t RENAME CONSTRAINT a TO b")),
    "a view made anew": ("breaks-release-before", ("DROP VIEW IF EXISTS v; CREATE VIEW v AS SELECT 1 AS a",)),
    "an index that goes": ("breaks-release-before", ("DROP INDEX IF EXISTS i", "ALTER TABLE t DROP CONSTRAINT IF EXISTS c")),
    "mandatory with a default": (
        "breaks-release-before",
        ("ALTER TABLE t ALTER a SET DEFAULT 1", "ALTER TABLE t ALTER a SET NOT NULL"),
    ),
    "rows of its own": ("no-way-back", ("CREATE TEMP TABLE x AS SELECT 1 AS a; DELETE FROM x WHERE a = 1",)),
    "a block's begin": ("transaction-control", (do("PERFORM 1;"),)),
    "for the transaction": ("session-setting", ("SET LOCAL lock_timeout = '1s'",)),
    "alone": ("concurrently-with-others", ("CREATE INDEX CONCURRENTLY IF NOT EXISTS i ON t (a)",)),
    "two that are not": ("concurrently-with-others", ("CREATE INDEX i ON t (a); CREATE INDEX j ON t (b)",)),
    "words that are names": (
        "reserved-name",
        ("CREATE TABLE IF NOT EXISTS t (name text, type text, value text, key uuid PRIMARY KEY)",),
    ),
    "63 bytes": ("name-too-long", (f"ALTER TABLE t ADD COLUMN IF NOT EXISTS {'a' * 63} int",)),
    "a long literal": ("name-too-long", (f"UPDATE t SET a = '{'a' * 99}' WHERE a IS NULL",)),
    "not forced": ("rows-behind-row-security", ("ALTER TABLE t ENABLE ROW LEVEL SECURITY", "DELETE FROM t WHERE a = 1")),
    "one type by two names": (
        "column-added-differently",
        ("ALTER TABLE t ADD COLUMN IF NOT EXISTS a int", "ALTER TABLE t ADD COLUMN IF NOT EXISTS a int4"),
    ),
    "dropped in between": (
        "column-added-differently",
        ("ALTER TABLE t ADD a int", "ALTER TABLE t DROP COLUMN a", "ALTER TABLE t ADD a text"),
    ),
    "another default": (
        "duplicate-step",
        ("ALTER TABLE t ADD COLUMN IF NOT EXISTS a int", "ALTER TABLE t ADD COLUMN IF NOT EXISTS a int DEFAULT 1"),
    ),
    "what is not read": ("duplicate-step", ("INSERT INTO t SELECT f(1)", "INSERT INTO t SELECT f(2)")),
}


@pytest.mark.parametrize(("rule", "steps"), WELL.values(), ids=[k.replace(" ", "-") for k in WELL])
def test_what_is_well_is_not_found(rule: str, steps: tuple[str | Step, ...]) -> None:
    """A false alarm is worse than none."""
    assert found(rule, *steps) == []


@pytest.mark.parametrize(("rule", "steps"), [(r, s) for r, s, _ in ILL.values()], ids=[k.replace(" ", "-") for k in ILL])
def test_what_to_write_instead_is_well(rule: str, steps: tuple[str | Step, ...]) -> None:
    """The steps that a finding shows, in the place of its own, have no finding of that rule."""
    for finding in found(rule, *steps):
        assert found(rule, *finding.instead) == []


def test_a_finding_points_to_its_statement() -> None:
    """Line and column within the step, inside a block too."""
    (finding,) = found("unguarded-statement", "DO $$\nBEGIN\n    CREATE TYPE m AS ENUM ('x');\nEND $$")
    assert finding.span is not None
    assert (finding.span.line, finding.span.column, finding.span.length) == (3, 5, 27)


def test_what_the_database_knows_counts() -> None:
    """With its catalog a table that is there is not new, a type is known, and a forced policy is seen."""
    catalog = Catalog(
        {
            Key(Kind.TABLE, "public", "", "u"): {"force_row_security": True},
            Key(Kind.COLUMN, "public", "u", "id"): {"type": "uuid"},
            Key(Kind.CONSTRAINT, "public", "u", "u_pkey"): {"type": "p", "definition": "PRIMARY KEY (id)"},
        }
    )
    assert found("table-without-uuid-key", "CREATE TABLE IF NOT EXISTS u (id serial PRIMARY KEY)", catalog=catalog) == []
    assert len(found("reference-type-differs", "CREATE TABLE t (u_id int REFERENCES u)", catalog=catalog)) == 1
    assert len(found("rows-behind-row-security", "DELETE FROM u WHERE id IS NULL", catalog=catalog)) == 1
    assert len(found("type-change-rewrites", "ALTER TABLE u ALTER id TYPE text", catalog=catalog)) == 1


def test_a_reference_of_the_database_is_told_where_its_table_is_made() -> None:
    """A key that somebody gave a table of the list by hand is seen, and told at the step that makes the table."""
    catalog = Catalog(
        {
            Key(Kind.COLUMN, "public", "u", "id"): {"type": "bigint"},
            Key(Kind.COLUMN, "public", "t", "u_id"): {"type": "integer"},
            Key(Kind.CONSTRAINT, "public", "u", "u_pkey"): {"type": "p", "definition": "PRIMARY KEY (id)"},
            Key(Kind.CONSTRAINT, "public", "t", "f"): {"type": "f", "definition": "FOREIGN KEY (u_id) REFERENCES u(id)"},
        }
    )
    (finding,) = found(
        "reference-type-differs",
        T.replace("uuid", "uuid, u_id int", 1).replace("uuid, u_id int PRIMARY KEY", "uuid PRIMARY KEY, u_id int"),
        catalog=catalog,
    )
    assert "in the database t.u_id is integer" in finding.message


SECRETS = [
    "ALTER ROLE app PASSWORD 's3cr3t-of-app'",
    "CREATE USER MAPPING FOR app SERVER s OPTIONS (user 'x', password 's3cr3t-of-app')",
    "UPDATE settings SET url = 'postgres://app:s3cr3t-of-app@db/x' WHERE url IS NULL",
    "UPDATE settings SET key = 'sk-proj-s3cr3t-of-appppppppppp' WHERE key IS NULL",
    'UPDATE settings SET config = \'{"api_key": "s3cr3t-of-app"}\' WHERE config IS NULL',
    "UPDATE settings SET token = 'ghp_s3cr3tofapps3cr3tofapps3cr3tofapps3cr3t' WHERE token IS NULL",
    "SELECT 1 -- AKIAS3CR3TOFAPPXXXXX",
    "CREATE USER MAPPING IF NOT EXISTS FOR CURRENT_USER SERVER srv OPTIONS (user 'u', password 's3cr3t-of-app')",
    "CREATE SUBSCRIPTION sub CONNECTION 'host=h password=s3cr3t-of-app' PUBLICATION p",
    "SELECT dblink('password=s3cr3t-of-app host=h', 'SELECT 1')",
]


@pytest.mark.parametrize("text", SECRETS)
def test_a_secret_is_found_and_never_shown(text: str) -> None:
    """Neither the finding for it nor any other of that step holds it, in any of its parts."""
    steps = [text, do(f"{text.partition(' --')[0]};")] if "--" not in text else [text]
    assert len(found("secret-in-step", *steps)) == len(steps)
    for finding in lint(analyse(Registry.of(steps))):
        assert "s3cr3t" not in repr(finding.as_dict()).lower()


@pytest.mark.parametrize(
    "text",
    [
        "CREATE ROLE app PASSWORD 's3cr3t-of-app",
        "DO $$ BEGIN EXECUTE 'ALTER ROLE app PASSWORD ''s3cr3t-of-app'''; END $$",
        "CREATE ROLE app LOGIN PASSWORD 's3cr3t-of-app' BOGUS",
    ],
)
def test_a_secret_in_a_text_that_is_not_read_is_covered(text: str) -> None:
    """Neither what is said of its syntax nor what is recorded of it holds it."""
    (step,) = analyse(Registry.of([text]))
    said = [f.as_dict() for f in lint(analyse(Registry.of([text])))]
    assert "s3cr3t" not in repr((masked(text), step.reading.dependencies, said)).lower()


@pytest.mark.parametrize(
    "text",
    [
        "ALTER ROLE app PASSWORD NULL",
        "ALTER ROLE app PASSWORD 'SCRAM-SHA-256$4096:abc'",
        "UPDATE users SET password = '' WHERE password IS NULL",
        "ALTER TABLE users ADD COLUMN IF NOT EXISTS api_key text DEFAULT ''",
        "UPDATE settings SET url = 'postgres://app:${PASSWORD}@db/x' WHERE url IS NULL",
        "COMMENT ON COLUMN users.password IS 'bcrypt'",
        "UPDATE users SET hint = 'password = what you like' WHERE hint IS NULL",
        "INSERT INTO users (name, password) VALUES ('x', '$2b$12$abcdefghijklmnopqrstuv') ON CONFLICT DO NOTHING",
    ],
)
def test_what_is_no_secret_is_not_found(text: str) -> None:
    """Placeholders, hashes and columns with such names."""
    assert found("secret-in-step", text) == []


def test_the_tables_of_the_models_have_their_keys_judged() -> None:
    """A reference of a model to a key of another type, either way; a new model without a UUID key, where a database says that it is new."""
    models = [
        Step("CREATE TABLE IF NOT EXISTS owners (id INTEGER PRIMARY KEY)", id="model-owners", place=Place("(models)")),
        Step(
            "CREATE TABLE IF NOT EXISTS pets (id UUID PRIMARY KEY, t_id INTEGER REFERENCES t (id))",
            id="model-pets",
            place=Place("(models)"),
        ),
    ]
    own = [T, "ALTER TABLE t ADD COLUMN IF NOT EXISTS owner_id uuid REFERENCES owners (id)"]
    analysis = analyse(Registry.of([*models, *own]))
    told = [(f.step, str(f.severity)) for f in lint(analysis, models=2, select=["reference-type-differs"])]
    assert told == [("model-pets", "error"), ("t-owner-id", "error")]
    assert lint(analysis, models=2, select=["table-without-uuid-key"]) == ()
    (new,) = lint(analysis, models=2, select=["table-without-uuid-key"], catalog=Catalog({}))
    assert new.step == "model-owners"


ALL = [
    T,
    "CREATE TABLE IF NOT EXISTS plans (id serial PRIMARY KEY)",
    "CREATE TABLE IF NOT EXISTS bills (plan_id uuid REFERENCES plans (id))",
    "ALTER TABLE users ADD COLUMN plan text",
    do("IF to_regtype('mood') IS NULL THEN CREATE TYPE mood AS ENUM ('x'); END IF;"),
    "ALTER TABLE users ADD COLUMN IF NOT EXISTS visits int",
    "ALTER TABLE users ALTER COLUMN visits TYPE bigint",
    "ALTER TABLE users ADD COLUMN IF NOT EXISTS token uuid DEFAULT gen_random_uuid()",
    "ALTER TABLE users ADD COLUMN IF NOT EXISTS tier text; UPDATE users SET tier = 'free' WHERE tier IS NULL",
    "ALTER TABLE users ALTER COLUMN email SET NOT NULL",
    do("ALTER TABLE users ADD CONSTRAINT users_email_key UNIQUE (email); EXCEPTION WHEN duplicate_table THEN NULL;"),
    "ALTER TABLE users RENAME COLUMN mail TO email",
    "ALTER TABLE users DROP COLUMN IF EXISTS fax",
    "ALTER TYPE mood ADD VALUE IF NOT EXISTS 'y'",
    "BEGIN; UPDATE users SET tier = 'free' WHERE tier IS NULL; COMMIT",
    "SET search_path = app",
    "SELECT 1; CREATE INDEX CONCURRENTLY IF NOT EXISTS users_tier ON users (tier)",
    'ALTER TABLE users ADD COLUMN IF NOT EXISTS "order" int',
    f"ALTER TABLE users ADD COLUMN IF NOT EXISTS {'long_' * 13} int",
    "ALTER TABLE notes FORCE ROW LEVEL SECURITY",
    "DELETE FROM notes WHERE kind = 'x'",
    "ALTER TABLE users ADD COLUMN IF NOT EXISTS visits text",
    "ALTER TABLE users ADD COLUMN IF NOT EXISTS visits int4",
    "ALTER ROLE app PASSWORD 'correct-horse-battery'",
]


def test_a_list_with_every_problem_has_every_finding() -> None:
    """Each of the new rules speaks in one list, at the step that has the problem, beside all the others."""
    own = {rule for rule, _, _ in ILL.values()} | {"secret-in-step"}
    assert own <= {f.rule for f in lint(analyse(Registry.of(ALL)))}
