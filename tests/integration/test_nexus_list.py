"""What is true of the reference orchestrator's own list, models and legacy database, before any bridge comes in.

The naive loop of these tests is what the users' services do today: each string on its own in autocommit, errors
ignored, then ``create_all``. The other tests build on what is held here.
"""

from __future__ import annotations

import ast
import asyncio
import importlib.util
import os
import re
import subprocess
import sys
import tokenize
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx
import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine, MetaData, create_engine

from tests.fixtures.databases import MakeDatabase

NEXUS = Path(__file__).parents[2] / "examples" / "nexus"
ONLY_IN_MODELS = ("agents", "users")
LEGACY_TABLES = (
    "tenants",
    "tools",
    "credentials",
    "customers",
    "chat_conversations",
    "chat_messages",
    "system_events",
    "tenant_human_handoff_config",
    "users",
)

SCHEMA = """
SELECT 'column', c.relname || '.' || a.attname,
       concat_ws(' ', format_type(a.atttypid, a.atttypmod), CASE WHEN a.attnotnull THEN 'not null' END,
                 'default ' || pg_get_expr(d.adbin, d.adrelid))
FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped
UNION ALL
SELECT 'constraint', conrelid::regclass || '.' || conname, pg_get_constraintdef(oid)
FROM pg_constraint WHERE connamespace = 'public'::regnamespace AND conrelid <> 0 AND contype <> 't'
UNION ALL
SELECT 'index', indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'
UNION ALL
SELECT 'enum', t.typname, string_agg(e.enumlabel, ', ' ORDER BY e.enumsortorder)
FROM pg_enum e JOIN pg_type t ON t.oid = e.enumtypid GROUP BY t.typname
UNION ALL
SELECT 'comment', concat_ws('.', c.relname, a.attname), d.description
FROM pg_description d JOIN pg_class c ON c.oid = d.objoid AND d.classoid = 'pg_class'::regclass
LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = d.objsubid AND a.attnum > 0
WHERE c.relnamespace = 'public'::regnamespace
UNION ALL
SELECT 'sequence', sequencename, data_type::text FROM pg_sequences WHERE schemaname = 'public'
"""
ROUTINES = """
SELECT 'trigger', tgname, pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal
UNION ALL
SELECT 'function', proname, prosrc FROM pg_proc WHERE proname LIKE 'nexus%'
UNION ALL
SELECT 'extension', extname, '' FROM pg_extension
"""

Facts = dict[tuple[str, str], str]


@pytest.fixture(scope="module")
def nexus() -> Iterator[ModuleType]:
    """``examples/nexus/main.py``, imported as uvicorn would but under a name of its own."""
    sys.path.insert(0, str(NEXUS))
    try:
        spec = importlib.util.spec_from_file_location("nexus_main", NEXUS / "main.py")
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules["nexus_main"] = module
        spec.loader.exec_module(module)
        yield module
    finally:
        sys.path.remove(str(NEXUS))
        sys.modules.pop("nexus_main", None)


@pytest.fixture(scope="module")
def steps(nexus: ModuleType) -> list[str]:
    """The list, with what was appended."""
    return list(nexus.migration_steps)


@pytest.fixture(scope="module")
def metadata(nexus: ModuleType) -> MetaData:
    """What the models know."""
    found = nexus.Base.metadata
    assert isinstance(found, MetaData)
    return found


@pytest.fixture
def legacy(database: str) -> str:
    """The URL of a database with ``legacy.sql`` in it, sent as one multi-statement string."""
    with psycopg.connect(database, autocommit=True) as conn:
        conn.execute((NEXUS / "legacy.sql").read_bytes())
    return database


@contextmanager
def engine_on(url: str) -> Iterator[Engine]:
    """SQLAlchemy on the test's database, closed at the end."""
    engine = create_engine("postgresql+psycopg://", creator=lambda: psycopg.connect(url))
    try:
        yield engine
    finally:
        engine.dispose()


def naive_boot(url: str, steps: Sequence[str], metadata: MetaData) -> list[str]:
    """One start of today's loop; returns the errors that it ignored and those that its steps swallowed."""
    ignored: list[str] = []
    with psycopg.connect(url, autocommit=True) as conn:
        conn.add_notice_handler(lambda notice: ignored.append(notice.message_primary or ""))
        for step in steps:
            try:
                conn.execute(step.encode())
            except psycopg.Error as error:
                ignored.append(str(error.diag.message_primary))
    with engine_on(url) as engine:
        metadata.create_all(engine, tables=[metadata.tables[name] for name in ONLY_IN_MODELS])
    return [line for line in ignored if not line.endswith(("already exists, skipping", "does not exist, skipping"))]


def converge(url: str, steps: Sequence[str], metadata: MetaData) -> None:
    """Start naively until nothing is left to complain about."""
    for _ in range(5):
        if not naive_boot(url, steps, metadata):
            return
    pytest.fail("five starts of the naive loop did not converge")


def facts(url: str, *queries: str) -> Facts:
    """What the catalog says, keyed by kind and name."""
    with psycopg.connect(url, autocommit=True) as conn:
        return {(kind, name): definition for query in queries for kind, name, definition in conn.execute(query)}


def rows(url: str, table: str, *, without: Sequence[str] = ()) -> list[dict[str, Any]]:
    """Every row of a table, as names and values."""
    with psycopg.connect(url, autocommit=True, row_factory=psycopg.rows.dict_row) as conn:
        found = conn.execute(f"SELECT * FROM {table}").fetchall()
    return [{name: value for name, value in row.items() if name not in without} for row in found]


def model_differences(url: str, metadata: MetaData) -> list[str]:
    """What ``alembic check`` would find, in words, with types and server defaults compared."""
    options = {"compare_type": True, "compare_server_default": True}
    with engine_on(url) as engine, engine.connect() as conn:
        found = compare_metadata(MigrationContext.configure(conn, opts=options), metadata)
    return sorted(_in_words(difference) for difference in found)


def _in_words(difference: Any) -> str:
    if isinstance(difference, list):
        return "; ".join(map(_in_words, difference))
    words = (part for part in difference if isinstance(part, str))
    return " ".join([*words, *(part.name for part in difference if hasattr(part, "primary_key"))])


class TestOnAnEmptyDatabase:
    def test_the_naive_loop_needs_a_second_start(self, database: str, steps: list[str], metadata: MetaData) -> None:
        """The list is realistic: on an empty database one step fails, one swallows its error, and both mend later."""
        first = naive_boot(database, steps, metadata)
        after_first = facts(database, SCHEMA, ROUTINES)
        second = naive_boot(database, steps, metadata)
        after_second = facts(database, SCHEMA, ROUTINES)
        third = naive_boot(database, steps, metadata)

        assert first == [
            'customer_id en chat_conversations: relation "customers" does not exist',
            'relation "agents" does not exist',
        ]
        assert ("column", "chat_conversations.customer_id") not in after_first
        assert ("column", "chat_conversations.assigned_agent_id") not in after_first
        assert second == third == []
        assert after_second.keys() - after_first.keys() == {
            ("column", "chat_conversations.customer_id"),
            ("column", "chat_conversations.assigned_agent_id"),
            ("constraint", "chat_conversations.fk_chat_conversations_customer"),
            ("constraint", "chat_conversations.fk_chat_conversations_agent"),
            ("index", "idx_chat_conversations_customer"),
        }
        assert facts(database, SCHEMA, ROUTINES) == after_second

    def test_the_models_agree_with_the_list(self, database: str, steps: list[str], metadata: MetaData) -> None:
        """``alembic check`` is clean after the list ran: types, nullability and server defaults included."""
        converge(database, steps, metadata)
        assert model_differences(database, metadata) == []

    def test_create_all_makes_exactly_what_the_list_makes(
        self, make_database: MakeDatabase, steps: list[str], metadata: MetaData
    ) -> None:
        """Either route to a table ends in one definition, down to the names that PostgreSQL chooses."""
        by_list, by_models = make_database(), make_database()
        converge(by_list, steps, metadata)
        with psycopg.connect(by_models, autocommit=True) as conn:
            conn.execute("CREATE EXTENSION pg_trgm")
        with engine_on(by_models) as engine:
            metadata.create_all(engine)

        assert facts(by_models, SCHEMA) == facts(by_list, SCHEMA)
        assert naive_boot(by_models, steps, metadata) == []
        assert facts(by_models, SCHEMA, ROUTINES) == facts(by_list, SCHEMA, ROUTINES)

    def test_no_step_creates_what_only_the_models_know(self, database: str, steps: list[str]) -> None:
        """``agents`` and ``users`` come from the models alone; every other table comes from the list."""
        errors: list[str | None] = []
        with psycopg.connect(database, autocommit=True) as conn:
            for step in steps:
                try:
                    conn.execute(step.encode())
                except psycopg.Error as error:
                    errors.append(error.diag.message_primary)
        assert errors == ['relation "agents" does not exist']
        tables = {name.split(".")[0] for kind, name in facts(database, SCHEMA) if kind == "column"}
        assert tables == {
            "tenants",
            "tools",
            "credentials",
            "chat_conversations",
            "chat_messages",
            "chat_media",
            "customers",
            "system_events",
            "business_assets",
            "tenant_human_handoff_config",
        }


class TestOnTheLegacyDatabase:
    def test_the_file_runs_with_psql_too(self, database: str, psql: str) -> None:
        """``psql -f legacy.sql`` fills every table: a few dozen rows, with accents, backslashes and NULLs."""
        command = [psql, "-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", database, "-f", str(NEXUS / "legacy.sql")]
        environment = os.environ | {"PGCLIENTENCODING": "UTF8"}
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)

        assert (done.returncode, done.stderr) == (0, "")
        held = {table: rows(database, table) for table in LEGACY_TABLES}
        assert all(held.values())
        assert 36 <= sum(map(len, held.values())) <= 72
        values = [value for table in held.values() for row in table for value in row.values()]
        assert None in values
        assert "Ñandú Zapatería" in values
        assert "C:\\fotos\\zapatilla.jpg" in values

    def test_it_is_yesterdays_shape(self, legacy: str) -> None:
        """Integer keys, the old credentials, and none of the columns that the guide's repairs add."""
        columns = {name: shape for (kind, name), shape in facts(legacy, SCHEMA).items() if kind == "column"}
        integer_keys = ["tenants", "tools", "credentials", "customers", "chat_conversations", "chat_messages"]

        assert {columns[f"{table}.id"].split()[0] for table in integer_keys} == {"integer", "bigint"}
        assert columns["system_events.id"].startswith("bigint")
        assert columns["credentials.api_key_encrypted"] == "text not null"
        assert columns["credentials.service_name"] == "character varying(100) not null"
        missing = {f"credentials.{name}" for name in ("scope", "category", "name", "value")}
        missing |= {"chat_conversations.customer_id", "tenants.openai_api_key", "tenants.new_feature_flag", "agents.id"}
        assert columns.keys().isdisjoint(missing)

    def test_the_naive_loop_loses_the_events(self, legacy: str, steps: list[str], metadata: MetaData) -> None:
        """The danger is real: today's loop drops ``system_events`` with its rows at the first start, silently."""
        before = rows(legacy, "system_events")
        said = naive_boot(legacy, steps, metadata)

        assert len(before) == 5
        assert rows(legacy, "system_events") == []
        assert not any("system_events" in line for line in said)

    def test_nothing_else_is_lost(self, legacy: str, steps: list[str], metadata: MetaData) -> None:
        """Of every other table each row and each value is still there; only prompts that were NULL got the default."""
        before = {table: rows(legacy, table) for table in LEGACY_TABLES}
        converge(legacy, steps, metadata)
        after = {table: rows(legacy, table) for table in LEGACY_TABLES}
        for row in after["credentials"]:
            row["id"] = row["legacy_id"]

        for table in set(LEGACY_TABLES) - {"system_events", "tenants"}:
            kept = [{name: row[name] for name in before[table][0]} for row in after[table]]
            assert all(row in kept for row in before[table]), table
        old = {row["id"]: row for row in before["tenants"]}
        new = {row["id"]: {name: row[name] for name in before["tenants"][0]} for row in after["tenants"]}
        changed = {(key, name) for key in old for name in old[key] if old[key][name] != new[key][name]}
        assert changed == {(key, "system_prompt") for key in old if old[key]["system_prompt"] is None}

    def test_the_old_credentials_become_the_new_ones(self, legacy: str, steps: list[str], metadata: MetaData) -> None:
        """Each old secret is filed under its service's name with a UUID key; a new one needs no old column."""
        converge(legacy, steps, metadata)
        found = rows(legacy, "credentials")

        assert [(row["name"], row["value"]) for row in found] == [
            (row["service_name"], row["api_key_encrypted"]) for row in found
        ]
        assert {(row["scope"], row["category"]) for row in found} == {("tenant", "general")}
        assert sorted(row["legacy_id"] for row in found) == [1, 2, 3, 4, 5, 6]
        shape = facts(legacy, SCHEMA)
        assert shape["column", "credentials.id"] == "uuid not null default gen_random_uuid()"
        assert shape["constraint", "credentials.credentials_pkey"] == "PRIMARY KEY (id)"
        with psycopg.connect(legacy, autocommit=True) as conn:
            conn.execute("INSERT INTO credentials (tenant_id, name, value) VALUES (1, 'smtp', 'x')")

    def test_it_converges_whether_or_not_the_events_are_dropped(self, legacy: str, steps: list[str], metadata: MetaData) -> None:
        """Without the ``DROP TABLE`` the other steps still do all their work, and every event stays."""
        old_columns = [f"remove_column credentials {name}" for name in ("api_key_encrypted", "legacy_id", "service_name")]
        harmless = [step for step in steps if "DROP TABLE" not in step]
        events = rows(legacy, "system_events")

        converge(legacy, harmless, metadata)
        assert rows(legacy, "system_events", without=["payload"]) == events
        changed = [line for line in model_differences(legacy, metadata) if line not in old_columns]
        assert changed
        assert all("system_events id" in line for line in changed), changed

        converge(legacy, steps, metadata)
        assert model_differences(legacy, metadata) == old_columns

    def test_the_default_prompt_arrives_as_it_is_written(self, legacy: str, steps: list[str], metadata: MetaData) -> None:
        """Percent signs, names with colons, braces, quotes, backslashes, line breaks and accents survive the way."""
        naive_boot(legacy, steps, metadata)
        prompts = {row["store_name"]: row["system_prompt"] for row in rows(legacy, "tenants")}
        prompt = prompts["Pointe Coach"]

        assert prompt == prompts["Café O'Higgins"]
        for piece in (
            "100% gratis",
            '"%s"',
            "%(nombre)s",
            ":name",
            "{store_name}",
            "{{order_id}}",
            "'humano'",
            '"quiero hablar con alguien"',
            r"^\+54\d{10}$",
            r"\\nexus\compartido\año_nuevo",
            r"\n ni \t literales",
            "\n\nREGLAS DE ORO:\n",
            "-- y nada más; /* ni una palabra */",
            "$$0$$",
            "ñandú, pingüino, corazón",
            "🧵",
        ):
            assert piece in prompt, piece
        assert prompts["Librería «El Túnel»"] == ""


INFORMATION_SCHEMA = r"information_schema\.columns"
PATTERNS = {
    "create table": r"CREATE TABLE IF NOT EXISTS",
    "several statements in one string": r"\);\s+CREATE (UNIQUE )?INDEX",
    "plain index": r"CREATE INDEX IF NOT EXISTS \w+ ON \w+ \([^()]+\);",
    "unique index": r"CREATE UNIQUE INDEX",
    "partial index": r"CREATE INDEX [^;]+\) WHERE",
    "partial unique index": r"CREATE UNIQUE INDEX [^;]+\) WHERE",
    "expression index": r"\(lower\(email\)\)",
    "guarded constraint": r"FROM pg_constraint WHERE conname = '(\w+)'\) THEN\s+ALTER TABLE \w+\s+ADD CONSTRAINT \1 ",
    "foreign key": r"ADD CONSTRAINT \w+\s+FOREIGN KEY",
    "unique constraint": r"ADD CONSTRAINT \w+ UNIQUE",
    "check constraint": r"ADD CONSTRAINT \w+ CHECK",
    "set default": r"ALTER COLUMN \w+ SET DEFAULT",
    "drop not null": r"ALTER COLUMN \w+ DROP NOT NULL",
    "type": r"ALTER COLUMN \w+ TYPE ",
    "extension inside a block": r"DO \$\$\s+BEGIN\s+CREATE EXTENSION IF NOT EXISTS",
    "enum": r"CREATE TYPE \w+ AS ENUM",
    "enum value": r"ALTER TYPE \w+ ADD VALUE IF NOT EXISTS",
    "trigger function": r"CREATE OR REPLACE FUNCTION \w+\(\) RETURNS trigger",
    "trigger": r"CREATE TRIGGER",
    "comment": r"COMMENT ON TABLE",
    "repair of chat_conversations.customer_id": r"ALTER TABLE chat_conversations ADD COLUMN customer_id",
    "repair of tenants.openai_api_key": r"ALTER TABLE tenants ADD COLUMN openai_api_key",
    "repair of the credentials' columns": r"(?s)COLUMN scope .+COLUMN category .+COLUMN name .+COLUMN value",
    "repair of the credentials' key": r"RENAME COLUMN id TO legacy_id;\s+ALTER TABLE credentials ADD COLUMN id UUID",
    "the guide's example": INFORMATION_SCHEMA
    + r"\s+WHERE table_name='tenants' AND column_name='new_feature_flag'\) THEN\s+"
    + r"ALTER TABLE tenants ADD COLUMN new_feature_flag BOOLEAN DEFAULT FALSE;",
    "guard: columns": INFORMATION_SCHEMA,
    "guard: tables": r"information_schema\.tables",
    "guard: pg_constraint": r"FROM pg_constraint WHERE conname",
    "guard: pg_type": r"FROM pg_type WHERE typname",
    "guard: pg_trigger": r"FROM pg_trigger WHERE tgname",
    "guard: to_regclass": r"IF to_regclass\('",
    "nested if": r"THEN\s+IF EXISTS",
    "execute of a constant": r"EXECUTE '[^']+'",
    "handler: everything": r"EXCEPTION WHEN OTHERS THEN\s+RAISE NOTICE",
    "handler: duplicate_object": r"WHEN duplicate_object THEN NULL",
    "handler: duplicate_column": r"WHEN duplicate_column THEN NULL",
    "primary key rebuilt at every run": r"DROP CONSTRAINT IF EXISTS (\w+_pkey);\s.+ ADD CONSTRAINT \1 PRIMARY KEY",
    "conditional drop of a table": r"data_type <> 'uuid'\s+\) THEN\s+DROP TABLE system_events CASCADE",
    "seed": r"(?s)^\s*INSERT INTO tools .+ON CONFLICT \(name\) DO NOTHING;\s*$",
    "update of what is null": r"UPDATE tenants SET system_prompt = '[\s\S]+WHERE system_prompt IS NULL",
    "reference to a table of the models": r"REFERENCES agents",
}


class TestTheListItself:
    @pytest.mark.parametrize("pattern", PATTERNS.values(), ids=PATTERNS.keys())
    def test_every_pattern_of_real_lists_is_there(self, steps: list[str], pattern: str) -> None:
        """What real lists have, the reference list has at least once."""
        assert any(re.search(pattern, step) for step in steps)

    def test_it_is_long_enough_and_repeats_itself_once(self, steps: list[str]) -> None:
        """Between 34 and 42 steps, and exactly one of them twice, to the letter."""
        assert 34 <= len(steps) <= 42
        assert [count for count in Counter(steps).values() if count > 1] == [2]
        ((twice, _),) = Counter(steps).most_common(1)
        assert "openai_api_key" in twice

    def test_guards_name_no_schema(self, steps: list[str]) -> None:
        """The look-ups in information_schema are as the guide writes them, which any schema's table can satisfy."""
        guards = [step for step in steps if "information_schema" in step]
        assert len(guards) >= 10
        assert not any("table_schema" in step for step in guards)

    def test_the_events_are_created_again_right_after_the_drop(self, steps: list[str]) -> None:
        """The step after the conditional ``DROP TABLE`` makes the table in the UUID shape."""
        (place,) = (n for n, step in enumerate(steps) if "DROP TABLE" in step)
        assert re.search(
            r"CREATE TABLE IF NOT EXISTS system_events \(\s+id UUID PRIMARY KEY DEFAULT gen_random_uuid",
            steps[place + 1],
        )

    def test_its_titles_are_comments_and_some_are_repeated(self) -> None:
        """The list is a bare list of strings: Python's comments are its only titles, and "1c" stands there twice."""
        source = NEXUS / "main.py"
        (listed,) = (
            node.value
            for node in ast.parse(source.read_text("utf-8")).body
            if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "migration_steps"
        )
        assert isinstance(listed, ast.List)
        assert all(isinstance(entry, ast.Constant) and isinstance(entry.value, str) for entry in listed.elts)
        with tokenize.open(source) as file:
            comments = [
                token.string
                for token in tokenize.generate_tokens(file.readline)
                if token.type == tokenize.COMMENT and listed.lineno < token.start[0] < (listed.end_lineno or 0)
            ]
        numbers = Counter(found[1] for comment in comments if (found := re.match(r"# (\d+\w?)\.", comment)))
        assert numbers["1c"] == 2
        assert len(comments) < len(listed.elts)

    def test_one_step_is_appended_below_the_routes(self, steps: list[str]) -> None:
        """The last step is not in the list's brackets: an ``append`` far below puts it there."""
        body = ast.parse((NEXUS / "main.py").read_text("utf-8")).body
        appends = [node for node in body if ast.unparse(node).startswith("migration_steps.append(")]
        routes = [node for node in body if isinstance(node, ast.FunctionDef) and node.decorator_list]

        assert len(appends) == 1
        assert all(route.lineno < appends[0].lineno for route in routes)
        assert "tool_config" in steps[-1]

    def test_new_tables_have_uuid_keys(self, metadata: MetaData) -> None:
        """Keys are as the guide says: UUIDs with a server default in new tables, integers in legacy ones."""
        legacy = {"tenants", "tools", "customers", "chat_conversations", "chat_messages"}
        for table in metadata.tables.values():
            (key,) = table.primary_key.columns
            if table.name in legacy:
                assert key.type.python_type is int
            else:
                assert str(key.type) == "UUID"
                assert str(key.server_default.arg) == "gen_random_uuid()"


class TestTheService:
    def test_importing_it_needs_no_database_and_little_else(self) -> None:
        """``import main`` works with FastAPI, SQLAlchemy and the bridge alone, and opens no connection."""
        code = (
            "import sys\n"
            "for name in ('alembic', 'asyncpg', 'uvicorn', 'httpx', 'typer'): sys.modules[name] = None\n"
            "import main\n"
            "print(len(main.migration_steps), main.app.title)"
        )
        done = subprocess.run(
            [sys.executable, "-c", code],
            cwd=NEXUS,
            env=os.environ | {"PYTHONPATH": str(NEXUS.parents[1])},
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.returncode, done.stdout, done.stderr) == (0, "42 Nexus orchestrator\n", "")

    def test_without_a_database_it_says_what_to_set(self, nexus: ModuleType) -> None:
        """A start without a database in the environment ends with the variable's name, not with a refused socket."""

        async def start() -> None:
            async with nexus.lifespan(nexus.app):
                pass

        with pytest.raises(RuntimeError, match="set DATABASE_URL"):
            asyncio.run(start())

    @pytest.mark.parametrize("variable", ["OMEGA_BRIDGE_DATABASE_URL", "DATABASE_URL", "POSTGRES_DSN"])
    def test_the_database_comes_from_the_environment(
        self, nexus: ModuleType, monkeypatch: pytest.MonkeyPatch, variable: str
    ) -> None:
        """Each of the three variables names the database."""
        monkeypatch.setenv(variable, "postgresql://nexus@db/nexus")
        assert nexus.database_url() == "postgresql://nexus@db/nexus"

    def test_its_routes_read_a_repaired_legacy_database(
        self, nexus: ModuleType, legacy: str, steps: list[str], metadata: MetaData
    ) -> None:
        """The models read old rows after the repair, on a database whose events kept their numbers, by any URL form."""
        converge(legacy, [step for step in steps if "DROP TABLE" not in step], metadata)
        nexus.app.state.sessions = nexus.session_factory(legacy.replace("postgresql://", "postgresql+asyncpg://", 1))

        async def read(*paths: str) -> list[httpx.Response]:
            async with httpx.AsyncClient(transport=httpx.ASGITransport(nexus.app), base_url="http://nexus") as client:
                return [await client.get(path) for path in paths]

        try:
            answers = asyncio.run(read("/tenants", "/tenants/1/conversations", "/events", "/tenants/99/conversations"))
        finally:
            nexus.app.state.sessions.kw["bind"].dispose()
        assert [answer.status_code for answer in answers] == [200, 200, 200, 404]
        tenants, conversations, events, _ = (answer.json() for answer in answers)
        assert [tenant["store_name"] for tenant in tenants] == ["Pointe Coach", "Ñandú Zapatería", "Café O'Higgins"]
        assert {tenant["timezone"] for tenant in tenants} == {"UTC"}
        assert [(found["display_name"], found["messages"]) for found in conversations] == [
            ("María José 🩰", 3),
            ("lu.pointe", 3),
            (None, 0),
        ]
        assert events[0]["message"] == 'relation "agents" does not exist'
        assert len(events) == 5
