"""Folders of .sql, in the order of versions; and entries without a statement."""

from __future__ import annotations

from pathlib import Path

import pytest

from omega_bridge.analysis import analyse
from omega_bridge.config import load_config
from omega_bridge.errors import OmegaBridgeError
from omega_bridge.planning.plan import make_plan
from omega_bridge.planning.settling import empty_catalog
from omega_bridge.revisions.chain import compile_chain
from omega_bridge.revisions.files import export
from omega_bridge.sources import load
from omega_bridge.sources.folder import from_folder
from omega_bridge.sources.text import from_text
from omega_bridge.steps import Registry, Step

ORDERS = {
    "numbers": ["1.sql", "2_b.sql", "010_c.sql", "10_d.sql"],
    "flyway": ["V1__a.sql", "V1.0.1__a.sql", "V1_1__b.SQL", "V1.2__c.sql", "v2__d.sql", "V10__e.sql", "R__a.sql", "R__b.sql"],
    "stamps": ["1_a.sql", "20240106.sql", "20240106093000_b.sql", "2024-01-07_c.sql", "2024_01_07T10_30.sql", "202401080900.sql"],
    "words": ["a1.sql", "a2.sql", "a10.sql", "b.sql"],
    "epochs": ["2.sql", "1704531600_a.sql", "1704531601_b.sql"],
    "days": ["20240106_7.sql", "20240106_10.sql", "20240107_1.sql"],
}


@pytest.mark.parametrize("names", ORDERS.values(), ids=list(ORDERS))
def test_files_stand_in_the_order_of_their_versions(tmp_path: Path, names: list[str]) -> None:
    """Numbers, Flyway's versions, and time stamps of any shape."""
    for name in reversed(names):
        (tmp_path / name).write_text("SELECT 1")
    assert [step.place.file for step in from_folder(tmp_path, "sql")] == [f"sql/{name}" for name in names]


def test_files_stand_in_plain_name_order_where_that_is_asked_for(tmp_path: Path) -> None:
    """By the setting sql-order."""
    for name in ("2.sql", "10.sql"):
        (tmp_path / name).write_text("SELECT 1")
    (tmp_path / "pyproject.toml").write_text('[tool.omega-bridge]\nsteps = "."\nsql-order = "name"\n')
    config = load_config(tmp_path / "pyproject.toml")
    assert [step.id for step in load(".", root=tmp_path, order=config.sql_order)] == ["10", "2"]
    (tmp_path / "pyproject.toml").write_text('[tool.omega-bridge]\nsql-order = "size"\n')
    with pytest.raises(OmegaBridgeError, match="sql-order does not take 'size'"):
        load_config(tmp_path / "pyproject.toml")


def test_files_that_take_back_are_no_steps(tmp_path: Path) -> None:
    """No start runs them."""
    for name in ("V1__a.sql", "U1__a.sql", "2_b.up.sql", "2_b.down.sql", "3.undo.sql", "Users.sql"):
        (tmp_path / name).write_text("SELECT 1")
    assert [step.id for step in from_folder(tmp_path)] == ["V1__a", "2_b.up", "Users"]


@pytest.mark.parametrize(
    "raw", ["SELECT 1;\n-- caf\xe9".encode("latin-1"), "SELECT 1;\n-- \ufffe".encode("utf-16")], ids=["latin", "wide"]
)
def test_a_file_that_is_no_utf8_is_named(tmp_path: Path, raw: bytes) -> None:
    """With the line and what to do."""
    (tmp_path / "1_a.sql").write_bytes(raw)
    with pytest.raises(OmegaBridgeError, match=r"sql/1_a.sql:\d is no UTF-8") as told:
        from_folder(tmp_path, "sql")
    assert "iconv" in told.value.hint


def test_python_source_in_another_encoding_is_named(tmp_path: Path) -> None:
    """As Python itself would refuse it."""
    (tmp_path / "main.py").write_bytes("steps = ['caf\xe9']".encode("latin-1"))
    with pytest.raises(OmegaBridgeError, match=r"main\.py is not in the encoding"):
        from_text(tmp_path / "main.py", "steps", "main.py")


def test_a_byte_order_mark_is_no_part_of_a_step(tmp_path: Path) -> None:
    """Some editors write one."""
    (tmp_path / "1.sql").write_bytes("\ufeffSELECT 1".encode())
    assert from_folder(tmp_path).steps[0].sql == "SELECT 1"


@pytest.mark.parametrize("nothing", ["", "  \n", "-- later", "/* a; b */ ;"])
def test_an_entry_without_a_statement_has_nothing_to_do(nothing: str) -> None:
    """It is in the list, and no revision stands for it."""
    analysis = analyse(Registry.of(["CREATE TABLE t (id int)", nothing]))
    assert [step.is_empty for step in analysis] == [False, True]
    assert [planned.action for planned in make_plan(analysis, empty_catalog())] == ["run", "skip"]
    assert [revision.labels for revision in compile_chain(analysis).new] == [("create-t",)]


@pytest.mark.parametrize("id", [None, "one"])
def test_a_step_that_was_emptied_is_retired(tmp_path: Path, id: str | None) -> None:
    """What it was stays in the history, which says that it is in the list no more; exported again, there is nothing new."""
    rest = Step("CREATE TABLE u (id int)")
    export(analyse(Registry.of([Step("CREATE TABLE t (id int)", id=id), rest])), tmp_path)
    emptied = analyse(Registry.of([Step("-- CREATE TABLE t (id int)", id=id), rest]))
    assert [(r.kind, r.past and r.past.label) for r in export(emptied, tmp_path).revisions] == [("retire", id or "create-t")]
    assert export(emptied, tmp_path).revisions == ()
