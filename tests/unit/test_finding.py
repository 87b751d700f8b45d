"""``omega-bridge init`` finds the list and the models, whatever shape a project has, and writes down only what can be read."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from omega_bridge.cli.finding import find
from omega_bridge.errors import SourceNotFound, SourceSyntaxError
from omega_bridge.sources import load
from omega_bridge.sources.appending import append
from omega_bridge.steps import Step

T = '"CREATE TABLE IF NOT EXISTS tenants (id int)"'
A = '"ALTER TABLE tenants ADD COLUMN IF NOT EXISTS a text"'
B = "f'ALTER TABLE tenants ADD COLUMN IF NOT EXISTS {name} text'"

TEXT: dict[str, tuple[Mapping[str, str], str]] = {
    "a list": ({"main.py": f"migration_steps = [{T}, {A}]\n"}, "main.py:migration_steps"),
    "a list in the lifespan of a service": (
        {"main.py": f"async def lifespan(app):\n    migration_steps = [\n        {T},\n        {A},\n    ]\n    yield\n"},
        "main.py:lifespan.migration_steps",
    ),
    "a constant of another name": ({"service/repair.py": f"MIGRATIONS = [{T}, {A}]\n"}, "service/repair.py:MIGRATIONS"),
    "a tuple, known by its SQL": ({"run.py": f"TODO = (\n    {T},\n    {A},\n)\n"}, "run.py:TODO"),
    "a class attribute": (
        {"o.py": f"class O:\n    migration_steps = [\n        {T},\n        {A},\n    ]\n"},
        "o.py:O.migration_steps",
    ),
    "an attribute of self": (
        {
            "o.py": f"class O:\n    def __init__(self):\n        self.migration_steps = [{T}]\n        self.migration_steps.append({A})\n"
        },
        "o.py:O.__init__.migration_steps",
    ),
    "a method": ({"o.py": f"class O:\n    def _migration_steps(self):\n        return [{T}, {A}]\n"}, "o.py:O._migration_steps"),
    "two lists put together": ({"s.py": f"_T = [{T}]\n_A = [{A}]\nmigration_steps = _T + _A\n"}, "s.py:migration_steps"),
    "two lists unpacked": ({"s.py": f"_T = [{T}]\n_A = [{A}]\nMIGRATION_STEPS = [*_T, *_A]\n"}, "s.py:MIGRATION_STEPS"),
    "pairs": ({"main.py": f"migration_steps = [('tenants', {T}), ('a', {A})]\n"}, "main.py:migration_steps"),
    "the name before the length": (
        {"main.py": f"migration_steps = [{T}, {A}]\n", "old/all.py": f"STEPS = [{T}, {A}, {A}]\n"},
        "main.py:migration_steps",
    ),
    "a folder of files": ({"migrations/001_a.sql": "SELECT 1;", "migrations/002_b.sql": "SELECT 2;"}, "migrations"),
}
IMPORTED: dict[str, tuple[Mapping[str, str], str, tuple[str, ...]]] = {
    "a loop": (
        {"by_a_loop.py": f"migration_steps = [{T}]\nfor name in ('a',):\n    migration_steps.append({B})\n"},
        "by_a_loop:migration_steps",
        (),
    ),
    "a generator": (
        {"by_yield.py": f"def migration_steps():\n    yield {T}\n    for name in ('a',):\n        yield {B}\n"},
        "by_yield:migration_steps",
        (),
    ),
    "a function": (
        {"by_call.py": f"def get_migration_steps(names=('a',)):\n    return [{T}, *[{B} for name in names]]\n"},
        "by_call:get_migration_steps",
        (),
    ),
    "what a function gives": (
        {
            "by_build.py": f"def build():\n    out = [{T}]\n    for name in ('a',):\n        out.append({B})\n    return out\n\n\n"
            "migration_steps = build()\n"
        },
        "by_build:migration_steps",
        (),
    ),
    "a package below src": (
        {
            "src/below_src/__init__.py": "",
            "src/below_src/names.py": "NAMES = ('a',)\n",
            "src/below_src/start.py": "from below_src.names import NAMES\n"
            f"migration_steps = [{T}]\nmigration_steps += [{B} for name in NAMES]\n",
        },
        "below_src.start:migration_steps",
        ("src",),
    ),
}


def project(root: Path, files: Mapping[str, str]) -> Path:
    """A project with these files."""
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


@pytest.mark.parametrize(("files", "source"), TEXT.values(), ids=TEXT)
def test_a_list_is_found_and_read_as_text(tmp_path: Path, files: Mapping[str, str], source: str) -> None:
    """Every shape that stands in the text is taken without running anything, and is what the next command reads."""
    found = find(project(tmp_path, files), None, None)
    assert (found.steps, found.python_path) == (source, ())
    assert len(load(source, root=tmp_path)) == 2
    assert not any("imported" in note for note in found.notes)


@pytest.mark.parametrize(("files", "source", "path"), IMPORTED.values(), ids=IMPORTED)
def test_what_python_computes_is_imported(tmp_path: Path, files: Mapping[str, str], source: str, path: tuple[str, ...]) -> None:
    """A loop, an f-string, a generator: the importable form is written, with the path that it needs, and it is said why."""
    found = find(project(tmp_path, files), None, None)
    assert (found.steps, found.python_path) == (source, path)
    assert len(load(source, root=tmp_path, python_path=[tmp_path / p for p in path])) == 2
    assert any("it is imported, since" in note for note in found.notes)


def test_what_cannot_be_read_is_not_written_down(tmp_path: Path) -> None:
    """A module that needs its settings: an error with both reasons, instead of a source that fails later."""
    text = f"import os\nURL = os.environ['NOT_SET_ANYWHERE']\nmigration_steps = [{T}]\nfor name in 'ab':\n    migration_steps.append({B})\n"
    with pytest.raises(SourceNotFound, match="NOT_SET_ANYWHERE") as told:
        find(project(tmp_path, {"needs_settings.py": text}), None, None)
    assert "--env-file" in told.value.hint


def test_a_source_that_was_named_is_tried(tmp_path: Path) -> None:
    """``--steps`` with a mistake in it is an error now, and not in the next command."""
    with pytest.raises(SourceNotFound):
        find(project(tmp_path, {"main.py": "x = 1\n"}), "main.py:migration_steps", None)


def test_other_lists_are_told(tmp_path: Path) -> None:
    """Of two, one is taken, and the other is named with the option for it."""
    found = find(project(tmp_path, {"a.py": f"migration_steps = [{T}]\n", "b.py": f"migration_steps = [{A}]\n"}), None, None)
    assert found.steps == "a.py:migration_steps"
    assert any("b.py:migration_steps" in note and "--steps" in note for note in found.notes)


def test_lists_of_other_things_are_left(tmp_path: Path) -> None:
    """Words, numbers, Alembic's own revisions and tests are no list of steps."""
    files = {
        "words.py": "steps = ['select a plan', 'pay']\nnames = ['update', 'delete']\n",
        "alembic/versions/a.py": f"down_revision = None\nmigration_steps = [{T}]\n",
        "tests/test_x.py": f"migration_steps = [{T}]\n",
    }
    assert find(project(tmp_path, files), None, None).steps is None


BASE = "from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column\n\n\nclass Base(DeclarativeBase):\n    pass\n"
MODEL = "class Tenant(Base):\n    __tablename__ = 'tenants'\n    id: Mapped[int] = mapped_column(primary_key=True)\n"
FLASK = """
class SQLAlchemy:
    def __init__(self):
        from sqlalchemy.orm import declarative_base

        self.Model = declarative_base()
        self.metadata = self.Model.metadata
"""
MODELS: dict[str, tuple[Mapping[str, str], str, tuple[str, ...]]] = {
    "one module": ({"one_module.py": f"{BASE}\n\n{MODEL}"}, "one_module:Base.metadata", ()),
    "a package that takes them together": (
        {
            "together/__init__.py": "",
            "together/base.py": BASE,
            "together/models/__init__.py": "from together.base import Base\nfrom together.models.tenant import Tenant\n",
            "together/models/tenant.py": f"from sqlalchemy.orm import Mapped, mapped_column\nfrom together.base import Base\n\n\n{MODEL}",
        },
        "together.models:Base.metadata",
        (),
    ),
    "an extension and a factory": (
        {
            "shop/__init__.py": "def create_app():\n    from shop import models\n    return models\n",
            "shop/sqla.py": FLASK,
            "shop/extensions.py": "from shop.sqla import SQLAlchemy\n\ndb = SQLAlchemy()\n",
            "shop/models.py": "from sqlalchemy import Column, Integer\nfrom shop.extensions import db\n\n\n"
            "class Tenant(db.Model):\n    __tablename__ = 'tenants'\n    id = Column(Integer, primary_key=True)\n",
        },
        "shop.models:db.metadata",
        (),
    ),
    "tables, below src": (
        {
            "src/plain_tables/__init__.py": "",
            "src/plain_tables/tables.py": "from sqlalchemy import Column, Integer, MetaData, Table\n\nmeta = MetaData()\n"
            "tenants = Table('tenants', meta, Column('id', Integer))\n",
        },
        "plain_tables.tables:meta",
        ("src",),
    ),
}


@pytest.mark.parametrize(("files", "metadata", "path"), MODELS.values(), ids=MODELS)
def test_the_models_are_found(tmp_path: Path, files: Mapping[str, str], metadata: str, path: tuple[str, ...]) -> None:
    """The module from which all of them can be had is written down, with the path that it needs."""
    found = find(project(tmp_path, {**files, "main.py": f"migration_steps = [{T}]\n"}), None, None)
    assert (found.metadata, found.python_path) == (metadata, path)
    assert any(note.startswith(f"models: {metadata} (1 table)") for note in found.notes)


def test_models_that_cannot_be_imported_are_told(tmp_path: Path) -> None:
    """They are named with what is in the way, and not written down."""
    text = f"import not_installed_anywhere\n{BASE}\n\n{MODEL}"
    found = find(project(tmp_path, {"not_importable.py": text, "main.py": f"migration_steps = [{T}]\n"}), None, None)
    assert found.metadata is None
    assert any("not_importable.py" in note and "not_installed_anywhere" in note for note in found.notes)


APPENDED = ["a list in the lifespan of a service", "a class attribute", "an attribute of self", "a method"]


@pytest.mark.parametrize("shape", APPENDED)
def test_a_step_can_be_appended_where_the_list_was_found(tmp_path: Path, shape: str) -> None:
    """``omega-bridge add`` writes to it, and Python still takes the file."""
    files, source = TEXT[shape]
    project(tmp_path, files)
    append(source, [Step("SELECT 3")], load(source, root=tmp_path), root=tmp_path)
    assert [s.sql for s in load(source, root=tmp_path)][2:] == ["SELECT 3"]
    (name,) = files
    text = (tmp_path / name).read_text()
    compile(text, name, "exec")
    assert shape != "an attribute of self" or 'self.migration_steps.append("SELECT 3")' in text


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (b'migration_steps = [\n    "caf\xe9",\n]\n', "main.py is not in the encoding"),
        (b"migration_steps = [\n    'x',\n}\n", "main.py:3 is not valid Python"),
        (b"<<<<<<< HEAD\nmigration_steps = []\n", "main.py:1 holds merge markers"),
    ],
    ids=["encoding", "syntax", "merge"],
)
def test_a_list_that_python_does_not_read_is_not_taken_for_none(tmp_path: Path, text: bytes, told: str) -> None:
    """An empty list beside it would pass for the project's; a file that does not speak of one is none of its business."""
    (tmp_path / "broken.py").write_text("{{ template }} (")
    assert find(tmp_path, None, None).steps is None
    (tmp_path / "main.py").write_bytes(text)
    with pytest.raises(SourceSyntaxError, match=told):
        find(tmp_path, None, None)


def test_a_file_names_its_encoding(tmp_path: Path) -> None:
    """As Python reads it."""
    (tmp_path / "main.py").write_bytes(f"# -*- coding: latin-1 -*-\nmigration_steps = [{T}]  # caf\xe9\n".encode("latin-1"))
    assert find(tmp_path, None, None).steps == "main.py:migration_steps"
