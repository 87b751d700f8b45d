"""Models that nobody imported are found in their files; what a project's module raises is told with its line."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Column, ForeignKey, Integer, MetaData, Table

import omega_bridge
from omega_bridge.config import Config
from omega_bridge.errors import ConfigurationInvalid, ModelsIncomplete, ModuleFailed, SourceNotFound
from omega_bridge.model_files import of_table, unimported
from omega_bridge.revisions.models import every_table
from omega_bridge.sources.imported import from_module

BASE = "from sqlalchemy.orm import DeclarativeBase\n\n\nclass Base(DeclarativeBase): ...\n"
MODEL = """
from sqlalchemy.orm import Mapped, mapped_column
from {package}.base import Base


class {name}(Base):
    __tablename__ = "{table}"
    id: Mapped[int] = mapped_column(primary_key=True)
"""


class Package:
    """A package of models in a folder, imported as a service would."""

    def __init__(self, root: Path) -> None:
        self.root, self.name = root, f"models_of_{root.name.replace('-', '_')}"
        self.write("base", BASE)

    def write(self, module: str, text: str) -> None:
        path = self.root / self.name / f"{module.replace('.', '/')}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def model(self, module: str, name: str, table: str) -> None:
        self.write(module, MODEL.format(package=self.name, name=name, table=table))

    def load(self) -> Any:
        """As the configuration would have it."""
        config = Config(self.root, None, {"metadata": f"{self.name}:Base.metadata"})
        return config.load_metadata()


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Package]:
    """A package, and no trace of it afterwards."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    found = Package(tmp_path)
    yield found
    for name in [name for name in sys.modules if name.partition(".")[0] == found.name]:
        del sys.modules[name]


def test_a_model_that_nobody_imports_is_found_in_its_file(package: Package) -> None:
    """With its line and the import to add; the file is not run."""
    package.model("tenant", "Tenant", "tenants")
    package.model("billing.invoice", "Invoice", "invoices")
    (package.root / package.name / "billing" / "__init__.py").write_text("raise SystemExit('nobody imports this')\n")
    package.write("__init__", f"from {package.name}.base import Base\nfrom {package.name}.tenant import Tenant\n")
    metadata = package.load()
    (one,) = unimported(metadata)
    assert (one.table, one.name, one.line) == ("invoices", "Invoice", 6)
    assert one.file == f"{package.name}/billing/invoice.py"
    assert one.statement == f"from {package.name}.billing.invoice import Invoice"
    assert one.into == f"{package.name}/__init__.py"
    assert f"{package.name}.billing" not in sys.modules
    assert of_table(metadata, "public.invoices") == one
    assert of_table(metadata, "tenants") is None


NO_MODELS = {
    "of-another-base": "from sqlalchemy.orm import DeclarativeBase\nclass Base(DeclarativeBase): ...\nclass A(Base):\n    __tablename__ = 'a'\n",
    "abstract": "from x.base import Base\nclass A(Base):\n    __abstract__ = True\n",
    "not-python": "class A(Base:\n    __tablename__ = 'a'\n",
    "of-no-base": "class A:\n    __tablename__ = 'a'\n",
    "known-already": "from x.base import Base\nclass T(Base):\n    __tablename__ = 'tenants'\n",
}


@pytest.mark.parametrize("text", NO_MODELS.values(), ids=NO_MODELS)
def test_what_is_no_model_of_ours_is_not_told(package: Package, text: str) -> None:
    """Another base, a mixin, a file that is not Python, a table that is known."""
    package.model("tenant", "Tenant", "tenants")
    package.write("__init__", f"from {package.name}.base import Base\nfrom {package.name}.tenant import Tenant\n")
    package.write("other", text)
    assert unimported(package.load()) == ()


def test_a_mixin_in_between_and_a_plain_table_are_models(package: Package) -> None:
    """A class on a class on the base, and ``Table`` on its metadata."""
    package.model("tenant", "Tenant", "tenants")
    package.write("__init__", f"from {package.name}.base import Base\nfrom {package.name}.tenant import Tenant\n")
    package.write(
        "more",
        "from x.base import Base\nfrom sqlalchemy import Table\n\nclass Owned(Base):\n    __abstract__ = True\n\n"
        "class A(Owned):\n    __tablename__: str = 'a'\n\nlinks = Table('links', Base.metadata)\n",
    )
    assert [(u.table, u.name, u.line) for u in unimported(package.load())] == [("a", "A", 7), ("links", "links", 10)]


def test_models_without_a_table_are_an_error(package: Package) -> None:
    """With the imports that are missing; a start says so, too, before it connects."""
    package.model("tenant", "Tenant", "tenants")
    package.write("__init__", f"from {package.name}.base import Base\n")
    with pytest.raises(ModelsIncomplete, match="import Tenant"):
        package.load()
    with pytest.raises(ModelsIncomplete, match="no table"):
        omega_bridge.boot("postgresql://nobody@127.0.0.1:1/x", [], metadata=MetaData())


def test_a_foreign_key_to_an_unknown_model_is_an_error(package: Package) -> None:
    """Which file has it is told where one has; and that it may be declared, where none has."""
    package.model("tenant", "Tenant", "tenants")
    package.model("customer", "Customer", "customers")
    package.write("__init__", f"from {package.name}.base import Base\nfrom {package.name}.tenant import Tenant\n")
    metadata = package.load()
    Table("orders", metadata, Column("id", Integer, primary_key=True), Column("c", ForeignKey("customers.id")))
    with pytest.raises(ModelsIncomplete, match="customers") as told:
        every_table(metadata)
    assert f"from {package.name}.customer import Customer" in told.value.hint
    alone = MetaData()
    Table("orders", alone, Column("id", Integer, primary_key=True), Column("c", ForeignKey("nobody.id")))
    with pytest.raises(ModelsIncomplete, match="nobody") as told:
        every_table(alone)
    assert "declare" in told.value.hint


RAISES = {
    "settings": ("import os\nurl = os.environ['NOBODY_SET_THIS']\n", "KeyError", "environment"),
    "a-library": ("import nobody_has_this\n", "ModuleNotFoundError", "Install"),
    "whatever": ("\n\n1 / 0\n", "ZeroDivisionError", "Mend"),
    "an-exit": ("import sys\nsys.exit('no')\n", "SystemExit", "Mend"),
    "no-python": ("x = (\n", "SyntaxError", "Mend"),
}


@pytest.mark.parametrize(("text", "error", "hint"), RAISES.values(), ids=RAISES)
def test_what_a_module_raises_is_told_with_its_line(package: Package, text: str, error: str, hint: str) -> None:
    """Of the models, and of a list that is imported."""
    package.write("__init__", f"from {package.name} import settings\n")
    package.write("settings", text)
    with pytest.raises(ModuleFailed, match=error) as told:
        package.load()
    assert told.value.place.startswith(f"{package.name}/settings.py:") or error == "ModuleNotFoundError"
    assert hint in told.value.hint
    with pytest.raises((ModuleFailed, SourceNotFound), match=package.name):
        from_module(package.name, "steps", (package.root,))


@pytest.mark.parametrize(
    ("quoted", "shown"),
    [
        ("postgresql://me:s3cret@db/x is down", "postgresql://me@db/x is down"),
        (
            "no URL: 'postgresql+psycopg://me:s3 cret@db:5432/x?password=s3cret'",
            "no URL: 'postgresql+psycopg://me:***@db:5432/x?***'",
        ),
        ("see https://example.com/page?", "see https://example.com/page?"),
    ],
)
def test_what_a_module_raises_quotes_no_password(package: Package, quoted: str, shown: str) -> None:
    """Of whichever database: the project's own check of its settings may quote one that is not ours."""
    package.write("__init__", f"from {package.name} import settings\n")
    package.write("settings", f"raise RuntimeError({quoted!r})\n")
    with pytest.raises(ModuleFailed) as told:
        package.load()
    assert told.value.message.endswith(f"RuntimeError: {shown}")


def test_models_that_are_not_where_they_are_named_are_a_matter_of_configuration(package: Package) -> None:
    """No such module, no such attribute, and what is no MetaData."""
    package.write("__init__", f"from {package.name}.base import Base\nelse_ = 1\n")
    for named in (f"{package.name}_not:Base.metadata", f"{package.name}:Bass.metadata", f"{package.name}:else_"):
        with pytest.raises(ConfigurationInvalid, match="MetaData"):
            Config(package.root, None, {"metadata": named}).load_metadata()
