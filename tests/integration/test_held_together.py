"""Models, list and the databases that stand: in a project whose models make the tables, what a model gains is seen before a request does."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import (
    CheckConstraint,
    Column,
    Enum,
    ForeignKey,
    Identity,
    Index,
    Integer,
    MetaData,
    Numeric,
    String,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    func,
    text,
)

import omega_bridge
from omega_bridge.analysis import analyse
from omega_bridge.audit.expected import make
from omega_bridge.audit.gate import check_models, refuse_to_hide, twofold
from omega_bridge.audit.held import Held, Setting, hold_together
from omega_bridge.audit.rebuilt import rebuild
from omega_bridge.audit.scratch import scratch_database, scratch_server
from omega_bridge.audit.yesterday import Yesterday, in_public, yesterday
from omega_bridge.embedded import Server
from omega_bridge.errors import ConfigurationInvalid, DecisionNeeded, HistoryWouldHide, NoServerFound
from omega_bridge.planning.foundation import understood
from omega_bridge.postgres.catalog_reader import read_catalog
from omega_bridge.revisions import sums
from omega_bridge.revisions.additions import Additions, additions
from omega_bridge.revisions.files import export
from omega_bridge.revisions.models import every_table, with_models
from omega_bridge.revisions.renaming import decided, needing, without_renamed
from omega_bridge.startup.start import promise_digest
from omega_bridge.steps import Registry
from tests.fixtures.databases import MakeDatabase
from tests.integration.test_by_hand import by_hand

Models = Callable[[], MetaData]
LEGACY = "CREATE TABLE IF NOT EXISTS plans (code integer PRIMARY KEY, title text)"


def models(*columns: Any, comment: str | None = None) -> Models:
    """A table of the models alone, with what it has gained."""

    def made() -> MetaData:
        metadata = MetaData()
        Table("plans", metadata, Column("code", Integer, primary_key=True, autoincrement=False), Column("title", Text))
        own: list[Any] = [Column("id", Integer, primary_key=True), Column("name", String(64)), Column("price", Numeric(10, 2))]
        Table("tenants", metadata, *own, *(c() for c in columns), comment=comment)
        return metadata

    return made


@dataclass
class Project:
    """A list, and yesterday's models and databases."""

    server: Server
    make_database: MakeDatabase
    before: Models = field(default_factory=models)
    steps: tuple[str, ...] = (LEGACY,)

    def setting(self, now: MetaData, *more: str) -> Setting:
        """Today's models and list, against yesterday's."""
        registry, before = Registry.of([*self.steps, *more]), self.before()
        analysis = analyse(with_models(Registry.of(list(self.steps)), before))
        with scratch_server(self.server.url) as scratch:
            stood = make(analysis, promise_digest(Registry.of(list(self.steps)).digest(), before, None), scratch)
        stands = Yesterday(stood, "yesterday")
        listed = promise_digest(registry.digest(), now, None)
        return Setting(registry, analyse(with_models(registry, now)), now, analyse(every_table(now)), stands, listed)

    def held(self, now: MetaData, *more: str) -> Held:
        """What is held together."""
        s = self.setting(now, *more)
        with scratch_server(self.server.url) as scratch:
            return hold_together(s, scratch)

    def added(self, now: MetaData, filled: dict[str, str] | None = None) -> Additions:
        """The steps that ``add`` would write."""
        held = self.held(now)
        return additions((*held.gaps, *held.twofold), now, filled, is_whole=True, own=held.own)


@pytest.fixture
def project(server: Server, make_database: MakeDatabase) -> Project:
    """Models that make their tables, a list that adds."""
    return Project(server, make_database)


def test_what_was_written_by_hand_is_there(project: Project, tmp_path: Path) -> None:
    """A column that a revision by hand adds, since the last export, reaches the databases that stand by Alembic: it is not asked for."""
    now = models(lambda: Column("flag", Integer))()
    export(analyse(with_models(Registry.of(list(project.steps)), project.before())), tmp_path)
    by_hand(tmp_path, "aaa1", sums.head(tmp_path), 'op.execute("ALTER TABLE tenants ADD COLUMN flag int")')
    setting = project.setting(now)
    with scratch_server(project.server.url) as scratch:
        assert [str(u.key) for u in hold_together(setting, scratch).hidden] == ["column public.tenants.flag"]
        found = hold_together(replace(setting, history=tmp_path), scratch)
    assert (found.hidden, found.gaps, found.twofold) == ((), (), ())


GAINED: dict[str, tuple[Models, list[str], dict[str, str]]] = {
    "column": (models(lambda: Column("flag", Integer)), ["column tenants.flag"], {}),
    "python-default": (models(lambda: Column("flag", Integer, nullable=False, default=7)), ["column tenants.flag"], {}),
    "uuid": (
        models(lambda: Column("token", Uuid, nullable=False, server_default=func.gen_random_uuid())),
        ["column tenants.token"],
        {},
    ),
    "mandatory": (models(lambda: Column("plan", Text, nullable=False)), ["column tenants.plan"], {"tenants.plan": "'free'"}),
    "enum": (models(lambda: Column("mood", Enum("calm", "loud", name="mood"))), ["column tenants.mood"], {}),
    "foreign-key-to-a-legacy-table": (
        models(lambda: Column("plan", ForeignKey("plans.code", ondelete="SET NULL"), index=True)),
        ["column tenants.plan", "index ix_tenants_plan"],
        {},
    ),
    "identity": (models(lambda: Column("number", Integer, Identity())), ["column tenants.number"], {}),
    "unique": (
        models(lambda: UniqueConstraint("name", "price", name="uq_tenants")),
        ["constraint tenants.uq_tenants"],
        {},
    ),
    "check": (models(lambda: CheckConstraint("price > 0", name="positive")), ["constraint tenants.positive"], {}),
    "check-that-is-printed-otherwise": (
        models(lambda: CheckConstraint("name IN ('a', 'b')", name="known")),
        ["constraint tenants.known"],
        {},
    ),
    "index-and-comment": (models(lambda: Index("ix_name", "name"), comment="those who pay"), ["index ix_name"], {}),
}


OTHERS_SAY = ("column", "check", "identity")
"""Cases that others hold nearly whole: of `make test-long`."""


@pytest.mark.parametrize(
    ("now", "gaps", "filled"),
    [pytest.param(*case, id=name, marks=[pytest.mark.long] if name in OTHERS_SAY else []) for name, case in GAINED.items()],
)
def test_what_a_model_gains_is_a_gap_until_a_step_adds_it(
    project: Project, now: Models, gaps: list[str], filled: dict[str, str]
) -> None:
    """On a table that stands, whoever makes it; the steps that are told bring it to old databases with rows, and to new ones alike."""
    found = project.held(now())
    assert [str(u.key).replace("public.", "") for u in found.gaps] == gaps
    assert found.unseen == ()
    written = project.added(now(), filled)
    assert written.left == ()
    steps = [s.sql for s in written.steps]
    assert all("INDEX CONCURRENTLY" in sql for sql in steps if "CREATE INDEX" in sql)
    closed = project.held(now(), *steps)
    assert (closed.gaps, closed.twofold, closed.hidden) == ((), (), ())

    old, new = project.make_database(), project.make_database()
    omega_bridge.boot(old, list(project.steps), metadata=project.before())
    with psycopg.connect(old, autocommit=True) as conn:
        conn.execute("INSERT INTO tenants (name, price) VALUES ('a', 1), ('b', 2)")
    for database in (old, new):
        run = omega_bridge.boot(database, [*project.steps, *steps], metadata=now(), strict=True)
        assert run.lacks == ()
        again = omega_bridge.boot(database, [*project.steps, *steps], metadata=now(), strict=True)
        assert again.outcome == "current"
    assert _shape(old) == _shape(new)


def _shape(database: str) -> dict[str, Any]:
    """What a database holds, but for the order of columns."""
    with psycopg.connect(database, autocommit=True) as conn:
        catalog = read_catalog(conn)
    return {str(k): {n: v for n, v in a.items() if n != "position"} for k, a in catalog.objects.items()}


def test_a_table_that_is_not_there_is_new_and_whole(project: Project) -> None:
    """The models make it, so no step has to."""
    now = project.before()
    Table("invoices", now, Column("id", Integer, primary_key=True), Column("note", Text))
    assert project.held(now).gaps == ()


def test_a_comment_on_a_table_of_the_list_is_a_gap(project: Project) -> None:
    """And so is one on a column; the statement for each is written."""
    now = project.before()
    now.tables["plans"].comment = "it's for sale"
    now.tables["plans"].columns["title"].comment = "as shown"
    written = [s.sql for s in project.added(now).steps]
    assert written == ["COMMENT ON COLUMN plans.title IS 'as shown'", "COMMENT ON TABLE plans IS 'it''s for sale'"]
    assert project.held(now, *written).gaps == ()


def test_a_mandatory_column_that_no_model_has_any_more_is_a_gap(project: Project) -> None:
    """A row of today's models would be rejected by old databases; not by new ones."""
    project.before = models(lambda: Column("gone", Text, nullable=False))
    found = project.held(models()())
    assert [str(u) for u in found.gaps] == ["column public.tenants.gone: nullable is False, not True"]
    steps = [s.sql for s in additions(found.gaps, models()(), is_whole=True, own=found.own).steps]
    assert steps == ["ALTER TABLE tenants ALTER COLUMN gone DROP NOT NULL"]
    assert project.held(models()(), *steps).gaps == ()


MADE = "ALTER TABLE tenants ADD COLUMN IF NOT EXISTS code text NOT NULL"
FILLS = (
    "CREATE OR REPLACE FUNCTION fill() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.code := 1; RETURN NEW; END'",
    "CREATE OR REPLACE TRIGGER fill BEFORE INSERT ON tenants FOR EACH ROW EXECUTE FUNCTION fill()",
)


@pytest.mark.parametrize("steps", [(MADE,), (f"{MADE} DEFAULT ''",), (MADE, *FILLS)], ids=["rejected", "default", "filled"])
def test_a_mandatory_column_that_the_list_makes_and_no_model_has(project: Project, steps: tuple[str, ...]) -> None:
    """Every database rejects the program's rows, new ones, too; not where it has a default, or a trigger that may fill it."""
    project.steps = (LEGACY, *steps)
    found = project.held(models()())
    assert [str(u) for u in found.gaps] == ["column public.tenants.code: nullable is False, not True"] * (steps == (MADE,))
    assert found.hidden == ()
    written = additions(found.gaps, models()(), is_whole=True, own=found.own)
    assert written.steps == ()
    assert all("take out of the list what makes it (tenants-code)" in why for _, why in written.left)


def renamed(name: str) -> Models:
    """A table whose column has another name, and what is called after it."""
    return models(
        lambda: Column(name, ForeignKey("plans.code"), nullable=False, index=True),
        lambda: UniqueConstraint(name, "price"),
        lambda: CheckConstraint(f"{name} > 0 AND name <> 'nick'"),
    )


def test_a_new_name_is_asked_for_and_never_taken_for_a_new_column(project: Project) -> None:
    """Without an answer nothing is written, and both commands are told; the answer moves the rows' values, and every name made of the column's."""
    project.before = renamed("nick")
    now = renamed("handle")()
    found = project.held(now)
    assert [one.told for one in found.renames] == ["tenants.nick=handle"]
    with pytest.raises(DecisionNeeded, match=r"--renamed tenants\.nick=handle(.|\n)*--new tenants\.handle"):
        decided(found.renames, [], [], None)
    with pytest.raises(ConfigurationInvalid, match=r"tenants\.no=handle"):
        decided(found.renames, ["tenants.no=handle"], [], None)
    assert decided(found.renames, [], ["tenants.handle"], None) == ()
    assert decided(found.renames, [], [], lambda _: False) == ()
    moved = decided(found.renames, [], [], lambda question: "nick" in question)
    assert moved == decided(found.renames, ["tenants.nick=handle"], [], None) == found.renames

    moved = found.with_names(moved)
    written = additions(without_renamed(found.gaps, moved), now, {}, moved, is_whole=True, own=found.own)
    (step,) = [s.sql for s in written.steps]
    old, new = project.make_database(), project.make_database()
    omega_bridge.boot(old, list(project.steps), metadata=project.before())
    with psycopg.connect(old, autocommit=True) as conn:
        conn.execute("INSERT INTO plans (code) VALUES (7)")
        conn.execute("INSERT INTO tenants (nick) VALUES (7)")
    for database in (old, new):
        assert omega_bridge.boot(database, [*project.steps, step], metadata=now).lacks == ()
        assert omega_bridge.boot(database, [*project.steps, step], metadata=now).outcome == "current"
    with psycopg.connect(old) as conn:
        assert conn.execute("SELECT handle FROM tenants").fetchall() == [(7,)]
    assert project.held(now, step).gaps == ()
    assert _shape(old) == _shape(new)
    assert _not_nulls(old) == _not_nulls(new)


def test_a_step_that_needs_the_old_name_is_named_and_fails_the_check(project: Project) -> None:
    """One that asks for the old index, and one that an empty database alone rejects; without them all is well."""
    project.before = renamed("nick")
    project.steps = (
        LEGACY,
        "CREATE INDEX IF NOT EXISTS ix_tenants_nick ON tenants (nick)",
        "CREATE INDEX IF NOT EXISTS own ON tenants (nick)",
    )
    now = renamed("handle")()
    found = project.held(now)
    moved = found.with_names(found.renames)
    assert found.stood is not None
    listed = analyse(with_models(Registry.of(list(project.steps)), now))
    assert [*needing(moved, found.stood, listed)] == ["index-ix-tenants-nick", "index-own"]
    (step,) = [s.sql for s in additions(without_renamed(found.gaps, moved), now, {}, moved, is_whole=True, own=found.own).steps]
    setting = project.setting(now, step)
    with scratch_server(project.server.url) as scratch:
        again = hold_together(setting, scratch)
        told = check_models(setting, lambda: nullcontext(scratch))
        with pytest.raises(HistoryWouldHide, match="index-own"):
            refuse_to_hide(setting, lambda: nullcontext(scratch))
        allowed = hold_together(replace(setting, allowed=("index-ix-tenants-nick", "index-own")), scratch)
    assert [(one.step, one.where) for one in again.rejected] == [
        (s, "an empty database") for s in ("index-ix-tenants-nick", "index-own")
    ]
    assert (told.ok, "42703" in told.told) == (False, True)
    assert (again.gaps, allowed.rejected) == ((), ())


def test_another_name_makes_two_schemas(project: Project) -> None:
    """A column that a step of one's own renames, on a table of the models: what is called after it has two names until a step renames it, too."""
    project.before = renamed("nick")
    now = renamed("handle")()
    by_hand = "DO $$ BEGIN IF EXISTS (SELECT FROM information_schema.columns WHERE table_schema = current_schema() AND table_name = 'tenants' AND column_name = 'nick') THEN ALTER TABLE tenants RENAME COLUMN nick TO handle; END IF; END $$"  # noqa: E501
    found = project.held(now, by_hand)
    names = {str(one.found): one.expected for one in found.twofold if one.attribute == "name"}
    assert names.items() >= {"ix_tenants_nick": "ix_tenants_handle", "tenants_nick_fkey": "tenants_handle_fkey"}.items()
    assert (found.gaps, len(found.twofold)) == ((), len(names))
    written = additions((*found.gaps, *found.twofold), now, is_whole=True, own=found.own)
    steps = [by_hand, *(s.sql for s in written.steps)]
    again = project.held(now, *steps)
    assert (written.left, again.gaps, again.twofold) == ((), (), ())
    old, new = project.make_database(), project.make_database()
    omega_bridge.boot(old, list(project.steps), metadata=project.before())
    for database in (old, new):
        assert omega_bridge.boot(database, [*project.steps, *steps], metadata=now).lacks == ()
    assert _shape(old) == _shape(new)
    assert _not_nulls(old) == _not_nulls(new)


def _not_nulls(database: str) -> list[Any]:
    """Their names; there are none before PostgreSQL 18."""
    with psycopg.connect(database) as conn:
        return conn.execute(
            "SELECT conname FROM pg_constraint WHERE contype = 'n' AND connamespace = 'public'::regnamespace ORDER BY 1"
        ).fetchall()


def test_a_column_that_came_with_a_table_of_the_list_stops_nobody(project: Project) -> None:
    """What the list's own table has and no model ever had is told as possible, and not asked."""
    project.steps = (LEGACY.replace("title text", "title text, legacy text"),)
    now = project.before()
    now.tables["plans"].append_column(Column("subtitle", Text))
    found = project.held(now)
    assert [(one.told, one.is_likely) for one in found.renames] == [("plans.legacy=subtitle", False)]
    assert decided(found.renames, [], [], None) == ()


OTHERWISE: dict[str, tuple[Models, Models, str]] = {
    "nullable": (
        models(lambda: Column("b", Integer)),
        models(lambda: Column("b", Integer, nullable=False)),
        "column public.tenants.b: nullable is True, not False",
    ),
    "default": (
        models(lambda: Column("b", Integer)),
        models(lambda: Column("b", Integer, server_default=text("1"))),
        "column public.tenants.b: default is None, not 1",
    ),
    "another-type": (
        models(lambda: Column("b", Integer)),
        models(lambda: Column("b", Text)),
        "column public.tenants.b: type is integer, not text",
    ),
    "label": (
        models(lambda: Column("m", Enum("x", name="m"))),
        models(lambda: Column("m", Enum("x", "y", name="m"))),
        "enum public.m: labels is ['x'], not ['x', 'y']",
    ),
    "what-a-foreign-key-does": (
        models(lambda: Column("p", ForeignKey("plans.code"))),
        models(lambda: Column("p", ForeignKey("plans.code", ondelete="CASCADE"))),
        "constraint public.tenants.tenants_p_fkey: definition is FOREIGN KEY (p) REFERENCES plans(code), "
        "not FOREIGN KEY (p) REFERENCES plans(code) ON DELETE CASCADE",
    ),
}


@pytest.mark.parametrize(("before", "now", "told"), OTHERWISE.values(), ids=OTHERWISE)
def test_what_a_model_says_otherwise_is_a_gap(project: Project, before: Models, now: Models, told: str) -> None:
    """Each attribute, whatever an empty database would get."""
    project.before = before
    found = project.held(now())
    assert [str(u) for u in found.gaps] == [told]
    assert found.hidden == found.gaps


SAME: dict[str, tuple[Models, tuple[str, ...]]] = {
    "now": (
        models(lambda: Column("at", Text, server_default=text("CURRENT_TIMESTAMP"))),
        ("ALTER TABLE tenants ADD COLUMN IF NOT EXISTS at text DEFAULT now()",),
    ),
    "an-index-of-another-name": (
        models(lambda: Index("ix_a", "name")),
        ("CREATE INDEX IF NOT EXISTS another ON tenants (name)",),
    ),
    "unique-by-an-index": (
        models(lambda: UniqueConstraint("name", name="uq_name")),
        ("CREATE UNIQUE INDEX IF NOT EXISTS another ON tenants (name)",),
    ),
    "a-check-of-another-name": (
        models(lambda: CheckConstraint("price > 0", name="one")),
        ("DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_constraint WHERE conname = 'two' AND conrelid = 'tenants'::regclass) "
         "THEN ALTER TABLE tenants ADD CONSTRAINT two CHECK (price > 0); END IF; END $$",),
    ),
}  # fmt: skip


@pytest.mark.parametrize(("now", "steps"), SAME.values(), ids=SAME)
def test_what_does_the_same_is_the_same(project: Project, now: Models, steps: tuple[str, ...]) -> None:
    """Under another name, or written otherwise."""
    assert project.held(now(), *steps).gaps == ()


def test_a_default_of_the_step_alone_makes_two_schemas(project: Project) -> None:
    """New databases come without it: said with the two ways out, each of which ends it, and so does what ``add`` writes."""
    step = "ALTER TABLE tenants ADD COLUMN IF NOT EXISTS is_new BOOLEAN DEFAULT FALSE"

    def flag(**said: Any) -> MetaData:
        found = project.before()
        found.tables["tenants"].append_column(Column("is_new", omega_boolean(), default=False, **said))
        return found

    found = project.held(flag(), step)
    (one,) = found.twofold
    said = twofold(one, flag())
    assert "two schemas: default is false in databases that stand, no default in new ones" in said
    assert 'server_default=text("false")' in said
    assert "no DEFAULT" in said
    with pytest.raises(HistoryWouldHide, match="two schemas"):
        refuse_to_hide(project.setting(flag(), step), partial(scratch_server, project.server.url))
    assert project.held(flag(server_default=text("false")), step).twofold == ()
    assert project.held(flag(), step.replace(" DEFAULT FALSE", "")).twofold == ()
    written = [s.sql for s in additions(found.twofold, flag(), is_whole=True, own=found.own).steps]
    assert written == ["ALTER TABLE tenants ALTER COLUMN is_new SET DEFAULT false"]
    assert project.held(flag(), step, *written).twofold == ()


def omega_boolean() -> Any:
    """The guide's type."""
    from sqlalchemy import Boolean

    return Boolean()


def test_what_fails_on_scratch_is_no_gap_and_named(project: Project) -> None:
    """A step that the server rejects there says nothing of the databases that stand."""
    step = "ALTER TABLE tenants ADD COLUMN IF NOT EXISTS place nonsense"
    now = models(lambda: Column("place", Text))()
    found = project.held(now, step)
    assert found.gaps == ()
    assert any("nonsense" in what for what in found.unseen)


def test_a_foundation_is_what_the_list_stands_on(project: Project) -> None:
    """Its tables are there as it makes them; what a model says beyond that is a gap, and no step of the models' own hides it."""
    foundation = understood("CREATE TABLE plans (code integer PRIMARY KEY, title text);", "schema.sql")
    now = MetaData()
    Table("plans", now, Column("code", Integer, primary_key=True, autoincrement=False), Column("title", Text, index=True))
    registry = Registry(())
    analysis = analyse(with_models(registry, now, foundation))
    setting = Setting(registry, analysis, now, analyse(every_table(now)), foundation=foundation)
    with scratch_server(project.server.url) as scratch:
        assert [str(u) for u in hold_together(setting, scratch).gaps] == ["index public.ix_plans_title"]


def test_without_a_server_what_is_read_is_told_and_the_rest_named(project: Project) -> None:
    """A column is seen in the file that the export left; constraints are not looked at."""

    def nobody() -> Any:
        raise NoServerFound("no server", hint="Install one.")

    check = check_models(project.setting(models(lambda: Column("flag", Integer))()), nobody)
    assert (check.ok, [d["name"] for d in check.details["differences"]]) == (False, ["flag"])
    assert any("constraints" in line for line in check.lines)
    with pytest.raises(HistoryWouldHide, match=r"tenants\.flag"):
        refuse_to_hide(project.setting(models(lambda: Column("flag", Integer))()), nobody)


def test_a_database_is_made_of_its_catalog(database: str, server: Server) -> None:
    """With sequences, identities, partitions, views and functions; what comes out is what went in."""
    steps = [
        "CREATE SCHEMA IF NOT EXISTS app",
        "CREATE TYPE app.mood AS ENUM ('calm', 'it''s loud')",
        "CREATE DOMAIN app.positive AS integer CHECK (VALUE > 0)",
        'CREATE TABLE app."Odd name" (id serial PRIMARY KEY, n integer GENERATED ALWAYS AS IDENTITY, m app.mood, p app.positive, '
        "twice integer GENERATED ALWAYS AS (id * 2) STORED, t text COLLATE \"C\" DEFAULT 'x', UNIQUE (t), CHECK (t IN ('a', 'b')))",
        "CREATE TABLE parts (at date NOT NULL, v int) PARTITION BY RANGE (at)",
        "CREATE TABLE parts_2026 PARTITION OF parts FOR VALUES FROM ('2026-01-01') TO ('2027-01-01')",
        "CREATE FUNCTION one() RETURNS integer LANGUAGE sql AS 'SELECT 1'",
        'CREATE TABLE t (a integer DEFAULT one(), b integer REFERENCES app."Odd name" ON DELETE CASCADE)',
        "CREATE INDEX ix ON t (a) WHERE b IS NOT NULL",
        "CREATE VIEW v AS SELECT a FROM t",
        "COMMENT ON COLUMN t.a IS 'it''s'",
    ]
    with psycopg.connect(database, autocommit=True) as conn:
        for step in steps:
            conn.execute(step.encode())
        catalog = read_catalog(conn)
    with scratch_server(server.url) as scratch, scratch_database(scratch, "made") as made, made.session() as session:
        assert rebuild(session.connection, catalog) == ()
        found = read_catalog(session.connection)
    ignored = {"position", "owner", "grants"}
    for key, attributes in catalog.objects.items():
        there = found.objects[key]
        differing = {n for n in attributes if n not in ignored and attributes[n] != there.get(n)}
        assert not differing or (key.kind == "constraint" and differing == {"definition"}), (key, differing)


def test_yesterday_is_the_file_or_a_database_or_what_git_has(tmp_path: Path, database: str, project: Project) -> None:
    """In that order; else it is not known, and that is said."""
    assert yesterday(tmp_path).schema is None
    assert "not known" not in yesterday(tmp_path).told
    omega_bridge.boot(database, list(project.steps), metadata=project.before())
    named = yesterday(tmp_path, database)
    assert named.schema is not None
    assert any(k.name == "tenants" for k in named.schema.catalog)

    from omega_bridge.expectation import FILE
    from omega_bridge.expectation_file import keep

    keep(named.schema, tmp_path)
    assert yesterday(tmp_path, "postgresql://nobody@127.0.0.1:1/x").told.endswith(FILE)
    git = partial(subprocess.run, cwd=tmp_path, check=True, capture_output=True)
    git(["git", "init", "-q"])
    git(["git", "add", "."])
    git(["git", "-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm", "one"])
    (tmp_path / FILE).unlink()
    assert yesterday(tmp_path).told.endswith("as git has it")


def test_a_tenants_schema_stands_for_public(make_database: MakeDatabase) -> None:
    """A database whose list works in another schema is held against as if it worked in ``public``."""
    url = make_database()
    with psycopg.connect(url, autocommit=True) as conn:
        conn.execute("CREATE SCHEMA one")
        conn.execute("SET search_path = one")
        conn.execute("CREATE TABLE t (id serial PRIMARY KEY)")
        found = in_public(read_catalog(conn)).catalog
    assert {k.schema for k in found if k.name == "t"} == {"public"}
    assert found.search_path == ("public",)


# --- as a user lives it ----------------------------------------------------------------------------------------

CONFIG = '[tool.omega-bridge]\nsteps = "main.py:migration_steps"\nmetadata = "models:Base.metadata"\npython-path = ["."]\n'
TENANT = """
from sqlalchemy import Boolean, String
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase): ...


class Tenant(Base):
    __tablename__ = "tenants"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(64))
"""
FLAG = "    new_feature_flag: Mapped[bool] = mapped_column(Boolean, default=False)\n"


@pytest.fixture
def service(tmp_path: Path) -> Callable[..., tuple[int, Any, str]]:
    """A service of the platform's shape, and its verbs."""
    (tmp_path / "pyproject.toml").write_text(CONFIG)
    (tmp_path / "main.py").write_text("migration_steps = [\n]\n")
    (tmp_path / "models.py").write_text(TENANT)

    def call(*arguments: str) -> tuple[int, Any, str]:
        command = [sys.executable, "-m", "omega_bridge", *arguments, "--json"]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        return done.returncode, json.loads(done.stdout), done.stderr

    return call


def test_from_edit_to_green(
    service: Callable[..., tuple[int, Any, str]], tmp_path: Path, database: str, make_database: MakeDatabase
) -> None:
    """The four steps: edited, ``check`` says what is lacking, ``export`` does not swallow it, ``add`` writes it, and all is well."""
    assert service("export")[0] == 0
    assert service("boot", "--database-url", database)[1]["outcome"] == "repaired"
    (tmp_path / "models.py").write_text(TENANT + FLAG)
    code, found, _ = service("check")
    (lack,) = next(c for c in found["checks"] if c["name"] == "models")["differences"]
    assert (code, lack["model"], lack["name"]) == (1, "Tenant.new_feature_flag", "new_feature_flag")
    assert lack["append"] == ["ALTER TABLE tenants ADD COLUMN IF NOT EXISTS new_feature_flag BOOLEAN DEFAULT false NOT NULL"]
    assert lack["place"] == "models.py:13"
    code, found, said = service("export")
    assert (code, found["error"]["code"]) == (1, "OB508")
    assert "MIGRATION" not in said
    code, found, _ = service("boot", "--database-url", database)
    assert (code, found["error"]["code"], found["lacks"][0]["model"]) == (3, "OB308", "Tenant.new_feature_flag")

    code, found, _ = service("status", "--database-url", database)
    assert (code, [one["model"] for one in found["models"]["lacks"]]) == (1, ["Tenant.new_feature_flag"])

    assert service("add")[0] == 0
    assert service("export")[0] == 0
    assert service("check")[0] == 0
    new = make_database()
    for url in (database, new):
        assert service("boot", "--database-url", url)[1]["outcome"] == "repaired"
        assert service("drift", "--database-url", url)[1]["differences"] == []
        assert service("status", "--database-url", url)[1]["models"]["lacks"] == []
