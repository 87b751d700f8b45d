"""``omega-bridge add``: a model gains what the list lacks, and the list gets the steps for it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import psycopg
import pytest

import omega_bridge
from omega_bridge.sources import load
from tests.fixtures.databases import MakeDatabase

CONFIG = """
[tool.omega-bridge]
steps = "main.py:migration_steps"
metadata = "models:Base.metadata"
python-path = ["."]
"""
MAIN = """
migration_steps = [
    # the mood
    "DO $$ BEGIN IF to_regtype('mood') IS NULL THEN CREATE TYPE mood AS ENUM ('calm'); END IF; END $$",
    "CREATE TABLE IF NOT EXISTS tenants (id SERIAL PRIMARY KEY, name VARCHAR(64) NOT NULL, mood mood)",
]
"""
MODELS = """
import enum
import uuid
from datetime import datetime

from sqlalchemy import JSON, Boolean, Computed, Enum, ForeignKey, Index, Integer, Numeric, String, Text, func, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, UUID
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase): ...


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Tenant(Base):
    __tablename__ = "tenants"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(64))
    mood: Mapped[str | None] = mapped_column(Enum(MOODS, name="mood"))
COLUMNS

class Plan(Base):
    __tablename__ = "plans"
    id: Mapped[uuid.UUID] = mapped_column(UUID, primary_key=True, server_default=text("gen_random_uuid()"))
"""
ALL = """
    new_feature_flag: Mapped[bool] = mapped_column(Boolean, default=False)
    note: Mapped[str | None] = mapped_column(Text)
    greeting: Mapped[str] = mapped_column(String(32), default="it's: 100 %")
    plan_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("plans.id", ondelete="SET NULL"), index=True)
    slug: Mapped[str | None] = mapped_column(String(32), unique=True)
    seen: Mapped[datetime] = mapped_column(server_default=func.now())
    settings: Mapped[dict] = mapped_column(JSONB, server_default=text("'{}'::jsonb"))
    colour: Mapped[Colour] = mapped_column(Enum(Colour), default=Colour.RED)
    price: Mapped[int] = mapped_column(Numeric(10, 2), default=0)
    twice: Mapped[int | None] = mapped_column(Integer, Computed("id * 2", persisted=True))
    tags: Mapped[list[str] | None] = mapped_column(ARRAY(Text))
    order: Mapped[int | None] = mapped_column("Order")
    __table_args__ = (Index("idx_both", "note", "slug", unique=True, postgresql_where=text("note IS NOT NULL")),)
"""


class Project:
    """A service in a folder."""

    def __init__(self, root: Path) -> None:
        self.root = root
        (root / "pyproject.toml").write_text(CONFIG)
        (root / "main.py").write_text(MAIN)
        self.model("")

    def model(self, columns: str, moods: str = '"calm"') -> None:
        """The models, with these columns of ``tenants``."""
        (self.root / "models.py").write_text(MODELS.replace("COLUMNS", columns).replace("MOODS", moods))

    def call(self, *arguments: str) -> tuple[int, Any]:
        """A verb's exit code and JSON."""
        command = [sys.executable, "-m", "omega_bridge", *arguments, "--json"]
        done = subprocess.run(command, cwd=self.root, capture_output=True, text=True, check=False)
        assert done.stdout, done.stderr
        return done.returncode, json.loads(done.stdout)

    def boot(self, url: str) -> str:
        """A start, as the service makes it, in a process of its own."""
        code, found = self.call("boot", "--database-url", url)
        assert code == 0, found
        return str(found["outcome"])


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """Models and list agree."""
    return Project(tmp_path)


def models_check(project: Project) -> dict[str, Any]:
    """What the gate says of models and steps."""
    _, found = project.call("check")
    return dict(next(c for c in found["checks"] if c["name"] == "models"))


def test_what_the_models_gained_is_written_to_the_list(project: Project, make_database: MakeDatabase) -> None:
    """Every kind of column, in a database with rows: after the steps neither the gate nor drift has anything to say."""
    url, fresh = make_database(), make_database()
    assert project.call("add") == (0, {"added": [], "files": [], "notes": [], "left": []})
    assert project.boot(url) == "repaired"
    with psycopg.connect(url, autocommit=True) as conn:
        conn.execute("INSERT INTO tenants (name) VALUES ('one'), ('two')")
    project.model(ALL, '"calm", "bright"')
    before = (project.root / "main.py").read_text()
    assert not models_check(project)["ok"]
    code, shown = project.call("add", "--check")
    assert len({a["title"] for a in shown["added"]}) == len(shown["added"])  # each says what it is for
    assert (code, shown["files"]) == (1, [])
    assert (project.root / "main.py").read_text() == before

    code, done = project.call("add")
    assert (code, done["added"], done["left"]) == (0, shown["added"], [])
    assert [Path(f).name for f in done["files"]] == ["main.py"]
    assert (project.root / "main.py").read_text().startswith(before.rstrip("]\n"))
    assert [s.title for s in load("main.py:migration_steps", root=project.root)][-len(done["added"]) :] == [
        a["title"] for a in done["added"]
    ]
    assert project.call("add") == (0, {"added": [], "files": [], "notes": [], "left": []})
    assert models_check(project)["ok"]
    _, lint = project.call("lint")
    assert [f for f in lint["findings"] if f["severity"] == "error"] == []
    for database in (url, fresh):
        assert project.boot(database) == "repaired"
        assert project.boot(database) == "current"
        assert project.call("drift", "--database-url", database)[1]["differences"] == []
    with psycopg.connect(url) as conn:
        row = conn.execute("SELECT new_feature_flag, greeting, colour::text, price, settings, twice FROM tenants").fetchone()
        assert row == (False, "it's: 100 %", "RED", 0, {}, 2)
        found = conn.execute("SELECT indexdef FROM pg_indexes WHERE tablename = 'tenants' ORDER BY 1").fetchall()
    told = " ".join(row[0] for row in found)
    assert "idx_both" in told
    assert "ix_tenants_plan_id" in told
    assert "WHERE (note IS NOT NULL)" in told


HARD = """
    keyed: Mapped[int | None] = mapped_column("a key", key="k")
    raw: Mapped[bytes | None] = mapped_column(LargeBinary, default=b"a'x:")
    limit: Mapped[float | None] = mapped_column(Float, default=float("inf"))
    parts: Mapped[list[int]] = mapped_column(ARRAY(Integer), default=[])
    colours: Mapped[list[Colour] | None] = mapped_column(ARRAY(Enum(Colour)))
    kind: Mapped[Colour] = mapped_column(Enum(Colour, name="kind", schema="app"), default=Colour.BLUE)
    options: Mapped[dict] = mapped_column(JSONB, default={"a": [1, ":x", "it's"]})
    code: Mapped[str | None] = mapped_column(String(8), unique=True, index=True)
    z: Mapped[int | None] = mapped_column()
    b: Mapped[int | None] = mapped_column()
    parent: Mapped[int | None] = mapped_column(ForeignKey("tenants.id", name="up", deferrable=True, initially="DEFERRED"))
    __table_args__ = (
        Index("ix_bz", "b", "z"),
        Index("ix_lower", text("lower(code)")),
        UniqueConstraint("z", "b", name="zb"),
        CheckConstraint("z > 0", name="positive"),
    )
"""


def test_what_is_hard_to_write(project: Project, database: str) -> None:
    """Each column as SQLAlchemy makes it, indexes and constraints after all of their columns, each in a form that may run again."""
    with psycopg.connect(database, autocommit=True) as conn:
        conn.execute("CREATE SCHEMA app")
    assert project.boot(database) == "repaired"
    project.model(HARD)
    models = project.root / "models.py"
    extra = "CheckConstraint, Float, LargeBinary, UniqueConstraint, "
    models.write_text(models.read_text().replace("import JSON, ", f"import JSON, {extra}"))
    code, found = project.call("add")
    assert (code, found["left"]) == (0, [])
    assert project.boot(database) == "repaired"
    assert project.call("plan", "--database-url", database)[0] == 0
    assert project.call("drift", "--database-url", database)[1]["differences"] == []
    assert project.call("add")[1]["added"] == []
    with psycopg.connect(database) as conn:
        conn.execute("INSERT INTO tenants (name) VALUES ('one')")
        row = conn.execute('SELECT raw, "limit", parts, colours, kind::text, options FROM tenants').fetchone()
        assert row == (None, None, [], None, "BLUE", {"a": [1, ":x", "it's"]})
        names = conn.execute(
            "SELECT indexrelid::regclass::text FROM pg_index WHERE indrelid = 'tenants'::regclass ORDER BY 1"
        ).fetchall()
        keys = conn.execute(
            "SELECT conname, condeferred FROM pg_constraint WHERE conrelid = 'tenants'::regclass AND contype = 'f'"
        ).fetchall()
    assert [n for (n,) in names] == ["ix_bz", "ix_lower", "ix_tenants_code", "tenants_pkey", "zb"]
    assert keys == [("up", True)]


def test_tables_of_one_name_in_two_schemas(project: Project, database: str) -> None:
    """Each gets its own column."""
    with psycopg.connect(database, autocommit=True) as conn:
        conn.execute("CREATE SCHEMA app")
    models = project.root / "models.py"
    other = (
        "class Other(Base):\n    __tablename__ = 'tenants'\n    __table_args__ = {'schema': 'app'}\n"
        "    id: Mapped[int] = mapped_column(primary_key=True)\n"
    )
    with (project.root / "main.py").open("a") as file:
        file.write('migration_steps.append("CREATE TABLE IF NOT EXISTS app.tenants (id SERIAL PRIMARY KEY)")\n')
    project.model("    c: Mapped[int | None] = mapped_column()\n")
    models.write_text(
        models.read_text() + other + "    c: Mapped[str | None] = mapped_column(Text)\n    only: Mapped[int | None]\n"
    )
    code, found = project.call("add")
    assert (code, found["left"]) == (0, [])
    assert {a["sql"] for a in found["added"]} == {
        "ALTER TABLE tenants ADD COLUMN IF NOT EXISTS c INTEGER",
        "ALTER TABLE app.tenants ADD COLUMN IF NOT EXISTS c TEXT",
        'ALTER TABLE app.tenants ADD COLUMN IF NOT EXISTS "only" INTEGER',
    }
    assert project.boot(database) == "repaired"
    assert project.call("drift", "--database-url", database)[1]["differences"] == []


def test_what_is_a_decision_is_told_and_not_written(project: Project) -> None:
    """A mandatory column without a default, and a change of what is there; the rest is written all the same."""
    project.model("    boss: Mapped[str] = mapped_column(String(8))\n    note: Mapped[str | None] = mapped_column(Text)\n")
    models = project.root / "models.py"
    models.write_text(models.read_text().replace("String(64)", "String(128)"))
    code, found = project.call("add")
    assert code == 1
    assert [a["title"] for a in found["added"]] == ["tenants.note, from the models"]
    assert {(left["name"], left["what"]) for left in found["left"]} == {("boss", "missing"), ("name", "different")}
    assert all(left["why"] for left in found["left"])
    assert "default" in next(left["why"] for left in found["left"] if left["name"] == "boss")
    told = next(left["why"] for left in found["left"] if left["name"] == "name")
    assert told.endswith("omega-bridge add --sql 'ALTER TABLE tenants ALTER COLUMN name TYPE character varying(128)'")


def test_a_key_that_the_models_number_gets_its_sequence(project: Project, database: str) -> None:
    """Of a table that the list makes without one, or a foundation: it goes on behind the keys that are there; and once made, it stays."""
    (project.root / "ground.sql").write_text("CREATE TABLE tenants (id int PRIMARY KEY, name varchar(64) NOT NULL);\n")
    (project.root / "pyproject.toml").write_text(f'{CONFIG}foundation = "ground.sql"\n')
    (project.root / "main.py").write_text(MAIN.replace("(id SERIAL PRIMARY KEY", "(id INT PRIMARY KEY"))
    with psycopg.connect(database, autocommit=True) as conn:
        conn.execute((project.root / "ground.sql").read_bytes())
        conn.execute("INSERT INTO tenants VALUES (41, 'there')")
    code, found = project.call("add")
    assert code == 0, found
    assert {a["title"] for a in found["added"]} >= {"tenants.id, from the models", "tenants.mood, from the models"}
    assert [project.boot(database), project.boot(database)] == ["repaired", "current"]
    with psycopg.connect(database, autocommit=True) as conn:
        conn.execute("INSERT INTO tenants (name) VALUES ('new')")
        assert conn.execute("SELECT id FROM tenants ORDER BY id").fetchall() == [(41,), (42,)]
        owned = conn.execute("SELECT pg_get_serial_sequence('tenants', 'id')").fetchone()
    assert owned == ("public.tenants_id_seq",)


def test_a_renamed_column_that_a_step_would_make_again_is_left_to_do(project: Project) -> None:
    """The renaming is written; exit 1 until nothing in the list makes the old column any more."""
    main = project.root / "main.py"
    main.write_text(MAIN.replace("]", '    "ALTER TABLE tenants ADD COLUMN IF NOT EXISTS nick text",\n]'))
    project.model("    nick: Mapped[str | None] = mapped_column(Text)\n")
    assert project.call("export")[0] == 0
    project.model("    handle: Mapped[str | None] = mapped_column(Text)\n")
    code, found = project.call("add", "--renamed", "tenants.nick=handle")
    assert (code, len(found["added"])) == (1, 1)
    assert "step tenants-nick would make tenants.nick again" in found["notes"][-1]


def test_tables_are_the_models_own_unless_asked_for(project: Project, database: str) -> None:
    """A boot makes them from the models; with ``--tables`` the list does."""
    code, found = project.call("add", "--tables")
    assert code == 0
    assert [a["title"] for a in found["added"]] == ["plans, from the models"]
    run = omega_bridge.boot(database, load("main.py:migration_steps", root=project.root))
    assert [d.key.name for s in run.steps for d in s.differences if d.key.kind == "table"] == ["tenants", "plans"]


def test_without_models_there_is_nothing_to_add(project: Project) -> None:
    """That is a matter of configuration."""
    (project.root / "pyproject.toml").write_text(CONFIG.replace('metadata = "models:Base.metadata"', ""))
    code, found = project.call("add")
    assert code == 2
    assert "metadata" in found["error"]["hint"]


def test_a_plain_statement_is_written_in_its_guarded_form(project: Project, database: str) -> None:
    """No models are needed for it; a second start has nothing to do."""
    (project.root / "pyproject.toml").write_text(CONFIG.replace('metadata = "models:Base.metadata"', ""))
    code, found = project.call("add", "--sql", "ALTER TABLE tenants ADD CONSTRAINT named CHECK (name <> '')")
    assert (code, len(found["added"])) == (0, 2)
    assert "NOT VALID" in found["added"][0]["sql"]
    assert "VALIDATE CONSTRAINT" in found["added"][1]["sql"]
    assert project.boot(database) == "repaired"
    assert project.boot(database) == "current"
    before = (project.root / "main.py").read_text()
    code, found = project.call("add", "--sql", "ALTER TABLE tenants ADD CHECK (name <> '')")
    assert (code, found["error"]["code"]) == (2, "OB107")
    assert (project.root / "main.py").read_text() == before
