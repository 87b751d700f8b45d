"""A program whose models need more than the database has does not start: the models make the tables, and the list adds to them."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import Boolean, Column, Enum, Integer, MetaData, String, Table
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

import omega_bridge
from omega_bridge.errors import ModelsAhead, StepFailed
from omega_bridge.startup.start import boot
from tests.fixtures.wire import Tape

YESTERDAY = ("id", "name")
ADDS = "ALTER TABLE tenants ADD COLUMN IF NOT EXISTS flag BOOLEAN"
LABELS = "ALTER TYPE mood ADD VALUE IF NOT EXISTS 'bright'"


def tenants(*more: Column[object], metadata: MetaData | None = None) -> MetaData:
    """The models: one table, as it was yesterday, and what it has gained."""
    found = metadata or MetaData()
    Table("tenants", found, Column("id", Integer, primary_key=True), Column("name", String(64)), *more)
    return found


def mood(*labels: str) -> Column[object]:
    """A column of an enumeration."""
    return Column("mood", Enum(*labels, name="mood"))


def test_a_column_without_a_step_stops_the_start(database: str) -> None:
    """At each start, whoever made the table; with model, attribute and the step to add; with that step it starts."""
    omega_bridge.boot(database, [], metadata=tenants())

    class Base(DeclarativeBase): ...

    class Tenant(Base):
        __tablename__ = "tenants"
        id: Mapped[int] = mapped_column(primary_key=True)
        name: Mapped[str] = mapped_column(String(64))
        is_new: Mapped[bool | None] = mapped_column("flag", Boolean)

    for _ in range(2):
        with pytest.raises(ModelsAhead) as stopped:
            omega_bridge.boot(database, [], metadata=Base.metadata)
        (lack,) = stopped.value.lacks
        assert "Tenant.is_new" in str(lack)
        line = next(n for n, text in enumerate(Path(__file__).read_text().splitlines(), 1) if text.lstrip().startswith("is_new:"))
        assert f"{Path(__file__).name}:{line})" in str(lack)
        assert ADDS in stopped.value.message
        assert "omega-bridge add" in stopped.value.hint
    assert omega_bridge.boot(database, [ADDS], metadata=Base.metadata).outcome == "repaired"
    assert omega_bridge.boot(database, [ADDS], metadata=Base.metadata).outcome == "current"


def test_an_old_column_by_a_new_name_is_thought_of_where_its_type_is_the_same(database: str) -> None:
    """Another type is another column: no name of one is told as what the missing one may have been."""
    kept = ["ALTER TABLE tenants ADD COLUMN IF NOT EXISTS api_key varchar(255), ADD COLUMN IF NOT EXISTS was boolean"]
    omega_bridge.boot(database, kept, metadata=tenants())
    with pytest.raises(ModelsAhead) as stopped:
        omega_bridge.boot(database, kept, metadata=tenants(Column("flag", Boolean)))
    assert stopped.value.lacks[0].perhaps == ("tenants.was=flag",)
    with pytest.raises(ModelsAhead) as stopped:
        omega_bridge.boot(database, kept, metadata=tenants(mood("calm")))
    assert stopped.value.lacks[-1].perhaps == ()


def test_who_wants_to_serve_all_the_same_may(database: str) -> None:
    """The run is ready and degraded, says what is lacking, and the next start looks again."""
    omega_bridge.boot(database, [], metadata=tenants())
    for options in ({"on_gap": "degraded"}, {"on_error": "continue"}, {"on_gap": "degraded"}):
        run = boot(database, [], metadata=tenants(Column("flag", Boolean)), **options)  # type: ignore[arg-type]
        assert (run.outcome, run.ready) == ("degraded", True)
        assert [lack["model"] for lack in run.as_dict()["lacks"]] == ["tenants.flag"]
        assert any("tenants.flag" in warning for warning in run.warnings)
    assert omega_bridge.boot(database, [ADDS], metadata=tenants(Column("flag", Boolean))).lacks == ()


def test_a_label_that_no_step_adds_stops_the_start(database: str) -> None:
    """A row with it would be rejected; the step is told."""
    omega_bridge.boot(database, [], metadata=tenants(mood("calm")))
    with pytest.raises(ModelsAhead, match="bright") as stopped:
        omega_bridge.boot(database, [], metadata=tenants(mood("calm", "bright")))
    assert LABELS in stopped.value.message
    assert omega_bridge.boot(database, [LABELS], metadata=tenants(mood("calm", "bright"))).outcome == "repaired"


def test_a_column_that_somebody_drops_is_missed(database: str) -> None:
    """Where no step would put it back, the start that finds the change stops."""
    metadata = tenants(Column("flag", Boolean))
    omega_bridge.boot(database, [], metadata=metadata)
    with psycopg.connect(database, autocommit=True) as conn:
        conn.execute("ALTER TABLE tenants DROP COLUMN flag")
    with pytest.raises(ModelsAhead, match=r"tenants\.flag"):
        omega_bridge.boot(database, [], metadata=metadata)


def test_a_step_that_hides_its_error_does_not_hide_the_gap(database: str) -> None:
    """It is without effect, which is a warning; that the program cannot work stops the start."""
    hides = "DO $$ BEGIN ALTER TABLE tenants ADD COLUMN flag nonsense; EXCEPTION WHEN OTHERS THEN NULL; END $$"
    omega_bridge.boot(database, [], metadata=tenants())
    with pytest.raises(ModelsAhead, match=r"tenants\.flag") as stopped:
        omega_bridge.boot(database, [hides], metadata=tenants(Column("flag", Boolean)))
    assert any("nonsense" in warning for warning in stopped.value.run.warnings)  # type: ignore[attr-defined]


def test_tables_elsewhere_views_and_what_is_no_column_of_its_own(database: str) -> None:
    """A table in another schema is looked for there; a model of a view finds its columns; a system column is not missed."""
    metadata = MetaData()
    Table("stock", metadata, Column("id", Integer, primary_key=True), Column("xmin", String, system=True), schema="app")
    Table("open_stock", metadata, Column("id", Integer, primary_key=True), schema="app")
    steps = [
        "CREATE SCHEMA IF NOT EXISTS app",
        "CREATE TABLE IF NOT EXISTS app.stock (id int PRIMARY KEY)",
        "CREATE OR REPLACE VIEW app.open_stock AS SELECT id FROM app.stock",
    ]
    with psycopg.connect(database, autocommit=True) as conn:
        for step in steps:
            conn.execute(step.encode())
    assert omega_bridge.boot(database, steps, metadata=metadata).lacks == ()
    more = MetaData()
    Table("stock", more, Column("id", Integer, primary_key=True), Column("amount", Integer), schema="app")
    with pytest.raises(ModelsAhead, match=r"ALTER TABLE app\.stock ADD COLUMN IF NOT EXISTS amount INTEGER"):
        omega_bridge.boot(database, steps, metadata=more)


def test_a_start_with_nothing_to_do_keeps_its_one_question(sent: Tape) -> None:
    """What was recorded as clean had nothing lacking, so it is not asked again."""
    metadata = tenants(mood("calm"), Column("flag", Boolean))
    omega_bridge.boot(sent.url, [], metadata=metadata)
    run = omega_bridge.boot(sent.url, [], metadata=metadata)
    assert (run.outcome, run.round_trips) == ("current", 1)


def test_a_relation_whose_model_nobody_imported_is_told_with_the_import(
    database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A step that needs it fails with PostgreSQL's words; the hint has the import to add."""
    name = f"orders_of_{tmp_path.name.replace('-', '_')}"
    package = tmp_path / name
    package.mkdir()
    (package / "__init__.py").write_text(
        "from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column\nclass Base(DeclarativeBase): ...\n"
        "class Tenant(Base):\n    __tablename__ = 'tenants'\n    id: Mapped[int] = mapped_column(primary_key=True)\n"
    )
    (package / "invoice.py").write_text(f"from {name} import Base\nclass Invoice(Base):\n    __tablename__ = 'invoices'\n")
    monkeypatch.syspath_prepend(tmp_path)
    metadata = importlib.import_module(name).Base.metadata
    try:
        with pytest.raises(StepFailed, match="invoices") as stopped:
            omega_bridge.boot(database, ["ALTER TABLE invoices ADD COLUMN IF NOT EXISTS paid boolean"], metadata=metadata)
        assert f"from {name}.invoice import Invoice" in stopped.value.hint
    finally:
        del sys.modules[name]


def test_an_index_of_a_column_without_a_step_is_told_with_the_column(database: str) -> None:
    """What PostgreSQL rejects is the index; what to append is the column."""
    omega_bridge.boot(database, [], metadata=tenants())
    for _ in range(2):
        with pytest.raises(ModelsAhead, match="flag") as stopped:
            omega_bridge.boot(database, [], metadata=tenants(Column("flag", Boolean, index=True)))
        assert ADDS in str(stopped.value)
