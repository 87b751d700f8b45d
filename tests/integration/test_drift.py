"""``drift``: the reference list and its models against databases that people worked on."""

from __future__ import annotations

import json
import secrets
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

import omega_bridge
from omega_bridge.analysis import analyse
from omega_bridge.audit.drift import Drift, drift
from omega_bridge.audit.expected import make
from omega_bridge.audit.scratch import GivenServer
from omega_bridge.cli.app import run
from omega_bridge.cli.setup import Setup, prepare
from omega_bridge.embedded import Server
from omega_bridge.expectation import Expectation
from omega_bridge.expectation_file import from_text, to_text
from omega_bridge.postgres.catalog_reader import read_catalog
from omega_bridge.revisions.models import every_table, with_models
from omega_bridge.steps import Registry
from tests.acceptance.test_lists import VARIABLES, listed
from tests.fixtures.roles import MakeRole

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def reference() -> Setup:
    """The reference list with its models."""
    return prepare(ROOT / "pyproject.toml", None)


@pytest.fixture(scope="module")
def expected(reference: Setup, server: Server) -> Expectation:
    """What the reference list and its models lead to, through the file that an export keeps."""
    return from_text(to_text(make(reference.analysis, "", GivenServer(server.url))), "here")


def compared(reference: Setup, database: str, expected: Expectation) -> Drift:
    """The drift of a database."""
    return drift(database, reference.analysis, reference.promised, expected)


def told(found: Drift) -> set[tuple[str, str, str, str]]:
    """What each difference is about, and who promised it."""
    return {(u.what, f"{u.key.table}.{u.key.name}".lstrip("."), u.attribute, u.by) for u in found.differences}


def test_drift_of_a_database_that_people_worked_on(reference: Setup, database: str, expected: Expectation) -> None:
    """After a start there is none; each thing that a hand changed is told, with who promised it; what it added stands apart."""
    omega_bridge.boot(database, reference.registry, metadata=reference.metadata)
    assert compared(reference, database, expected) == Drift((), ())
    with psycopg.connect(database, autocommit=True) as conn:
        conn.execute(
            "ALTER TABLE tenants DROP COLUMN openai_api_key, ADD COLUMN by_hand int, ALTER timezone DROP DEFAULT;"
            "ALTER TABLE users ALTER email TYPE text; ALTER TABLE agents DROP COLUMN model; DROP INDEX uq_handoff_tenant;"
            "DROP TABLE chat_media; CREATE TABLE by_hand (a int)"
        )
    found = compared(reference, database, expected)
    assert told(found) == {
        ("missing", "tenants.openai_api_key", "", "tenants-openai-api-key"),
        ("different", "tenants.timezone", "default", "tenants-timezone-default"),
        ("different", "users.email", "type", "models"),
        ("missing", "agents.model", "", "models"),
        ("missing", "uq_handoff_tenant", "", "drop-tenant-human-handoff-config-tenant-human-handoff-co"),
        ("missing", "chat_media", "", "create-chat-media"),
        ("only-in-database", "tenants.by_hand", "", "create-tenants"),
    }
    assert [str(key) for key in found.unclaimed] == ["table public.by_hand"]


def test_a_start_ends_the_drift_of_a_legacy_database(reference: Setup, database: str, expected: Expectation) -> None:
    """What is left afterwards is what the start refused for the sake of rows, and what the legacy tables have of their own."""
    with psycopg.connect(database, autocommit=True) as conn:
        conn.execute((ROOT / "examples" / "nexus" / "legacy.sql").read_bytes())
    assert len(compared(reference, database, expected).differences) > 30
    omega_bridge.boot(database, reference.registry, metadata=reference.metadata)
    assert told(compared(reference, database, expected)) == {
        ("different", "system_events.id", "type", "create-system-events"),
        ("different", "system_events.id", "default", "create-system-events"),
        *(
            ("only-in-database", f"credentials.{name}", "", "create-credentials")
            for name in ("api_key_encrypted", "legacy_id", "service_name")
        ),
    }


def test_the_verb_changes_nothing(database: str, capsys: pytest.CaptureFixture[str]) -> None:
    """It says what is missing as JSON, exits with 1, and leaves not even the bridge's own schema behind."""
    with pytest.raises(SystemExit) as ended:
        run(["drift", "--config", str(ROOT / "pyproject.toml"), "--database-url", database, "--json"])
    found = json.loads(capsys.readouterr().out)
    assert ended.value.code == 1
    assert {"what": "missing", "kind": "table", "schema": "public", "table": None, "name": "tenants"}.items() <= next(
        d for d in found["differences"] if d["name"] == "tenants"
    ).items()
    assert found["unclaimed"] == []
    with psycopg.connect(database) as conn:
        assert conn.execute("SELECT to_regnamespace('omega_bridge'), to_regclass('tenants')").fetchone() == (None, None)


def test_what_findings_say_to_write_runs(reference: Setup, database: str, expected: Expectation) -> None:
    """The steps that the findings about the reference list show run on a repaired database, and leave it as it is."""
    from omega_bridge.lint import lint

    omega_bridge.boot(database, reference.registry, metadata=reference.metadata)
    findings = lint(reference.analysis, models=reference.models, ignore=["destructive-drop"])
    with psycopg.connect(database, autocommit=True) as conn:
        for text in (text for f in findings for text in f.instead):
            conn.execute(text.encode())
    assert compared(reference, database, expected) == Drift((), ())


def test_what_stands_failed_is_told(
    database: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """There is no "no drift" while a step of the list stands failed; one that was edited since is judged by the catalog alone."""
    monkeypatch.chdir(tmp_path)
    steps = ["CREATE TABLE IF NOT EXISTS t (id int)", "GRANT SELECT ON t TO no_such_role_of_ours"]
    omega_bridge.boot(database, steps, on_error="continue")
    (tmp_path / "main.py").write_text(f"steps = {steps!r}\n")
    with pytest.raises(SystemExit) as ended:
        run(["drift", "--steps", f"{tmp_path}/main.py:steps", "--database-url", database])
    told = capsys.readouterr().out
    assert ended.value.code == 1
    assert "stands failed: 42704" in told
    assert "no difference in the schema, and 1 step(s) of the list stand undone" in told.splitlines()[-1]
    (tmp_path / "main.py").write_text(f"steps = {steps[:1]!r}\n")
    with pytest.raises(SystemExit) as ended:
        run(["drift", "--steps", f"{tmp_path}/main.py:steps", "--database-url", database, "--json"])
    assert ended.value.code == 0
    assert json.loads(capsys.readouterr().out)["standing"] == []


@pytest.mark.parametrize("name", VARIABLES)
def test_nothing_has_drifted_right_after_a_start(name: str, database: str, server: Server) -> None:
    """Whatever list was started: what it left is what it leads to, and what it could not do is told as that."""
    registry = listed(name)
    analysis = analyse(registry)
    omega_bridge.boot(database, registry, on_error="continue", allow_destructive=[s.id for s in analysis])
    found = drift(database, analysis, analyse(Registry(())), make(analysis, "", GivenServer(server.url)))
    assert (found.differences, found.unclaimed) == ((), ())


def test_models_of_every_type_have_not_drifted(database: str, server: Server) -> None:
    """Types and defaults as SQLAlchemy writes them are as PostgreSQL keeps them."""
    metadata = sa.MetaData()
    types = (
        sa.Numeric(10), sa.Numeric(10, 2), sa.Numeric(), sa.Float(), sa.Float(24), sa.Double(), sa.REAL(), sa.Integer(), sa.BigInteger(),
        sa.SmallInteger(), sa.Boolean(), sa.String(), sa.String(20), sa.Text(), sa.Unicode(7), sa.Date(), sa.Time(), sa.DateTime(),
        sa.DateTime(timezone=True), sa.Interval(), sa.LargeBinary(), sa.JSON(), sa.Uuid(), sa.Enum("a", "b", name="letters"),
        sa.Enum("x", "y", native_enum=False), sa.ARRAY(sa.Integer), sa.ARRAY(sa.Integer, dimensions=2), sa.ARRAY(sa.String(3)),
        sa.CHAR(3), sa.VARCHAR(4), sa.NUMERIC(6, 3), sa.DECIMAL(5), sa.TIMESTAMP(timezone=True), sa.Time(timezone=True),
        pg.JSONB(), pg.UUID(), pg.INET(), pg.CIDR(), pg.MACADDR(), pg.MACADDR8(), pg.MONEY(), pg.OID(), pg.REGCLASS(), pg.BIT(3),
        pg.BIT(varying=True), pg.BYTEA(), pg.TSVECTOR(), pg.TSQUERY(), pg.INTERVAL(fields="DAY TO SECOND", precision=3), pg.TIMESTAMP(precision=2),
        pg.TIME(precision=1), pg.DOUBLE_PRECISION(), pg.INT4RANGE(), pg.NUMRANGE(), pg.TSTZRANGE(), pg.DATERANGE(),
        pg.ENUM("p", "q", name="others"), pg.DOMAIN("positive", sa.Integer, check="VALUE > 0"),
    )  # fmt: skip
    defaults = (
        sa.text("NULL"), sa.text("now()"), sa.text("CURRENT_TIMESTAMP"), sa.text("gen_random_uuid()"), sa.text("'{}'::jsonb"), "plain", sa.func.now(),
        sa.text("nextval('counted')"), sa.text("'2024-01-31'"), sa.text("1 + 1"),
    )  # fmt: skip
    kept = (
        pg.TIMESTAMP(),
        sa.DateTime(),
        pg.TIMESTAMP(timezone=True),
        sa.Uuid(),
        pg.JSONB(),
        sa.String(9),
        sa.DateTime(),
        sa.Integer(),
        sa.Date(),
        sa.Integer(),
    )
    sa.Sequence("counted", metadata=metadata)
    sa.Table(
        "every", metadata, sa.Column("id", sa.Uuid, primary_key=True, server_default=sa.text("gen_random_uuid()")),
        *(sa.Column(f"c{n}", of, nullable=bool(n % 2)) for n, of in enumerate(types)),
        *(sa.Column(f"d{n}", of, server_default=default) for n, (of, default) in enumerate(zip(kept, defaults, strict=True))),
        sa.Column("number", sa.Integer, sa.Identity(always=True)), sa.Column("twice", sa.Integer, sa.Computed("c7 * 2")),
        sa.Index("ix_every", "c7", postgresql_where=sa.text("c10")), sa.CheckConstraint("c7 > 0", name="positive_c7"),
    )  # fmt: skip
    steps = Registry.of(
        [
            "CREATE SEQUENCE IF NOT EXISTS counted",
            "DO $$ BEGIN CREATE DOMAIN positive AS int CHECK (VALUE > 0); EXCEPTION WHEN duplicate_object THEN NULL; END $$",
        ]
    )
    with psycopg.connect(database, autocommit=True) as conn:
        for step in steps:
            conn.execute(step.sql.encode())
    omega_bridge.boot(database, steps, metadata=metadata)
    complete = analyse(with_models(steps, metadata))
    with psycopg.connect(database, autocommit=True) as conn:
        there = Expectation(read_catalog(conn), conn.info.user, "")
    found = drift(database, complete, analyse(every_table(metadata)), there)
    assert found.differences == ()


EVERYWHERE = [
    "CREATE TABLE IF NOT EXISTS tt (id serial PRIMARY KEY, a int CHECK (a > 0), b text DEFAULT 'x')",
    "CREATE INDEX IF NOT EXISTS ix ON tt (a) WHERE b > 'a'",
    "CREATE OR REPLACE FUNCTION tf() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$",
    "DROP TRIGGER IF EXISTS tr ON tt; CREATE TRIGGER tr BEFORE INSERT ON tt FOR EACH ROW EXECUTE FUNCTION tf()",
    "CREATE OR REPLACE VIEW v AS SELECT id, a FROM tt",
    "CREATE OR REPLACE RULE r AS ON DELETE TO tt DO INSTEAD NOTHING",
    "CREATE STATISTICS IF NOT EXISTS st ON a, b FROM tt",
    "DO $$ BEGIN EXECUTE 'CREATE TABLE IF NOT EXISTS kid (id int REFERENCES tt (id), parent int)'; END $$",
    "GRANT SELECT ON tt TO PUBLIC",
    "ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO PUBLIC",
    "ALTER VIEW v OWNER TO CURRENT_USER",
]


@pytest.mark.parametrize("taken", [False, True], ids=["free", "taken"])
def test_a_renamed_sequence_is_put_back_by_what_is_told(database: str, server: Server, *, taken: bool) -> None:
    """The statement to append runs, again and again: a new name, or, where the old one is another sequence's now, the default."""
    steps = ["CREATE TABLE IF NOT EXISTS t (id serial PRIMARY KEY)"]
    analysis = analyse(Registry.of(steps))
    wanted = make(analysis, "", GivenServer(server.url))
    omega_bridge.boot(database, steps)
    nothing = analyse(Registry(()))
    with psycopg.connect(database, autocommit=True) as conn:
        conn.execute("ALTER SEQUENCE t_id_seq RENAME TO other")
        if taken:
            conn.execute("CREATE SEQUENCE t_id_seq")
        (found,) = drift(database, analysis, nothing, wanted).differences
        assert found.instead.startswith("ALTER TABLE" if taken else "ALTER SEQUENCE IF EXISTS public.other RENAME TO t_id_seq")
        for _ in range(2):
            conn.execute(found.instead.encode())
    left = {(str(d.key), d.attribute) for d in drift(database, analysis, nothing, wanted).differences}
    assert ("column public.t.id", "default") not in left
    assert taken or not left


def test_another_role_in_another_schema(database: str, make_role: MakeRole, server: Server) -> None:
    """Who ran the list on the scratch database, and in which schema, is no drift, nor is who asks; a role that is no superuser sees all there is to see."""
    name = psycopg.conninfo.conninfo_to_dict(database)["dbname"]
    service = make_role(f"GRANT CREATE ON DATABASE {name} TO {{}}", 'CREATE SCHEMA "App-1" AUTHORIZATION {}')
    url = psycopg.conninfo.make_conninfo(service, options='-c search_path="App-1",public')
    omega_bridge.boot(url, EVERYWHERE)
    analysis = analyse(Registry.of(EVERYWHERE))
    expected = from_text(to_text(make(analysis, "", GivenServer(server.url))), "here")
    for who in (url, psycopg.conninfo.make_conninfo(database, options='-c search_path="App-1",public')):
        assert drift(who, analysis, analyse(Registry(())), expected) == Drift((), ())
    with psycopg.connect(database, autocommit=True) as conn:
        conn.execute(
            """ALTER TABLE "App-1".tt ALTER b DROP DEFAULT; DROP TRIGGER tr ON "App-1".tt; DROP RULE r ON "App-1".tt;"""
            f"""ALTER VIEW "App-1".v OWNER TO postgres; REVOKE USAGE ON SEQUENCE "App-1".tt_id_seq FROM {psycopg.conninfo.conninfo_to_dict(url)["user"]}"""
        )
    found = drift(url, analysis, analyse(Registry(())), expected)
    assert told(found) == {
        ("different", "tt.b", "default", "create-tt"), ("missing", "tt.tr", "", "drop-tt-tr"), ("missing", "tt.r", "", "step-3efe617c"),
        ("different", "v", "owner", "view-v"), ("different", "tt_id_seq", "grants", "create-tt"),
    }  # fmt: skip


def test_words_that_are_no_sql_are_compared_letter_by_letter(database: str) -> None:
    """Only what PostgreSQL prints as SQL is compared by its parse tree: a comment in other letters is another one."""
    steps = ["CREATE TABLE IF NOT EXISTS t (id int)", "COMMENT ON TABLE t IS 'one and  two'"]
    omega_bridge.boot(database, steps)
    with psycopg.connect(database, autocommit=True) as conn:
        expected = from_text(to_text(Expectation(read_catalog(conn), conn.info.user, "")), "here")
        conn.execute("COMMENT ON TABLE t IS 'One and two'")
    found = drift(database, analyse(Registry.of(steps)), analyse(Registry(())), expected)
    assert [(d.attribute, d.found) for d in found.differences] == [("comment", "One and two")]


def test_grants_that_no_step_gives_are_named(database: str) -> None:
    """They are no difference, since the database's own defaults may have given them; and there is no plain "no drift"."""
    steps = ["CREATE TABLE IF NOT EXISTS t (id int)"]
    omega_bridge.boot(database, steps)
    with psycopg.connect(database, autocommit=True) as conn:
        expected = from_text(to_text(Expectation(read_catalog(conn), conn.info.user, "")), "here")
        conn.execute("GRANT SELECT ON t TO PUBLIC")
    found = drift(database, analyse(Registry.of(steps)), analyse(Registry(())), expected)
    assert found.differences == ()
    assert len(found.unseen) == 1
    assert found.unseen[0].startswith("table public.t: its grants")


def test_grants_to_roles_that_only_this_server_has(database: str, make_role: MakeRole, server: Server) -> None:
    """Where the list ran on scratch, a role was missing: what steps give it is no drift right after a start, and what a hand gives or
    takes of it is told by what that start saw; another role's grant is a difference.
    """
    one, other = (f"role_{secrets.token_hex(4)}" for _ in range(2))
    guarded = f"IF EXISTS (SELECT FROM pg_roles WHERE rolname = '{other}') THEN GRANT SELECT, INSERT ON t TO {other}; END IF;"
    steps = [
        "CREATE TABLE IF NOT EXISTS t (id int)",
        "GRANT SELECT ON t TO PUBLIC",
        f"GRANT SELECT ON t TO {one}",
        f"DO $$ BEGIN {guarded} END $$",
    ]
    analysis = analyse(Registry.of(steps))
    expected = from_text(to_text(make(analysis, "", GivenServer(server.url))), "here")
    third = psycopg.conninfo.conninfo_to_dict(make_role())["user"]
    with psycopg.connect(database, autocommit=True) as conn:
        conn.execute(f"CREATE ROLE {one}; CREATE ROLE {other}")
        try:
            omega_bridge.boot(database, steps)
            found = drift(database, analysis, analyse(Registry(())), expected)
            assert found.differences == ()
            assert [(one in told, other in told) for told in found.unseen] == [(True, True)]
            for damage, by in (
                (f"GRANT DELETE ON t TO {one}", analysis.steps[2]),
                (f"REVOKE INSERT ON t FROM {other}", analysis.steps[3]),
                (f"GRANT SELECT ON t TO {third}", analysis.steps[0]),
            ):
                conn.execute(damage)
                found = drift(database, analysis, analyse(Registry(())), expected)
                assert [(d.key.name, d.attribute, d.by) for d in found.differences] == [("t", "grants", by.id)], damage
                omega_bridge.boot(database, steps)
        finally:
            conn.execute(f"DROP OWNED BY {one}, {other}; DROP ROLE {one}, {other}")


@pytest.mark.parametrize(
    ("hand", "name"),
    [
        ("CREATE STATISTICS by_hand ON a, b FROM t", "by_hand"),
        ('CREATE SCHEMA own; CREATE STATISTICS own.by_hand ON a, b FROM "S 1"."T 1"', "own.by_hand"),
        ("CREATE FUNCTION f(text) RETURNS int LANGUAGE sql AS 'SELECT 2'", "f(text)"),
        ("CREATE USER MAPPING FOR CURRENT_USER SERVER srv", " at srv"),
    ],
)
def test_what_a_hand_hung_on_something_of_the_list_is_told(database: str, server: Server, hand: str, name: str) -> None:
    """Statistics of a table, another routine of the same name, a mapping of a server: only in the database, with whose step it hangs on."""
    steps = [
        "CREATE TABLE IF NOT EXISTS t (id int, a int, b int)",
        'CREATE SCHEMA IF NOT EXISTS "S 1"',
        'CREATE TABLE IF NOT EXISTS "S 1"."T 1" (id int, a int, b int)',
        "CREATE OR REPLACE FUNCTION f(int) RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "DO $$ BEGIN CREATE FOREIGN DATA WRAPPER fdw; EXCEPTION WHEN duplicate_object THEN NULL; END $$",
        "CREATE SERVER IF NOT EXISTS srv FOREIGN DATA WRAPPER fdw",
    ]
    analysis, nothing = analyse(Registry.of(steps)), analyse(Registry(()))
    expected = from_text(to_text(make(analysis, "", GivenServer(server.url))), "here")
    omega_bridge.boot(database, steps)
    with psycopg.connect(database, autocommit=True) as conn:
        conn.execute("CREATE TABLE strange (a int, b int); CREATE STATISTICS strange_st ON a, b FROM strange")
        assert drift(database, analysis, nothing, expected).differences == ()
        conn.execute(hand.encode())
    (found,) = drift(database, analysis, nothing, expected).differences
    assert (str(found.what), bool(found.by)) == ("only-in-database", True)
    assert f"{found.key.schema}.{found.key.name}".endswith(name)


def test_what_a_step_takes_from_those_who_have_nothing_is_said(database: str, server: Server) -> None:
    """From 15 on nobody may create in the schema ``public``, and a ``REVOKE`` leaves no trace of itself; who is given it by a hand is told,
    as the next start takes it away. No step says anything of the table.
    """
    steps = ["CREATE TABLE IF NOT EXISTS t (id int)", "REVOKE CREATE ON SCHEMA public FROM PUBLIC"]
    analysis = analyse(Registry.of(steps))
    expected = from_text(to_text(make(analysis, "", GivenServer(server.url))), "here")
    omega_bridge.boot(database, steps)
    assert drift(database, analysis, analyse(Registry(())), expected) == Drift((), ())
    with psycopg.connect(database, autocommit=True) as conn:
        conn.execute("GRANT SELECT ON t TO PUBLIC; GRANT CREATE ON SCHEMA public TO PUBLIC")
    found = drift(database, analysis, analyse(Registry(())), expected)
    assert [(d.key.kind, d.key.name, d.attribute) for d in found.differences] == [("schema", "public", "grants")]
    omega_bridge.boot(database, steps)
    assert drift(database, analysis, analyse(Registry(())), expected).differences == ()
