"""What one generated list is about: a few tables, columns and names, so that its steps meet each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random
from typing import TypeVar

T = TypeVar("T")

LIMIT = 63
"""Bytes of a name (NAMEDATALEN - 1); PostgreSQL cuts what is longer, at a character's border."""


@dataclass(frozen=True, slots=True)
class Name:
    """A name as it is written; ``schema`` is empty where the statement leaves it out."""

    written: str
    schema: str = ""

    @property
    def cut(self) -> str:
        """As the catalog holds it."""
        return self.written.encode()[:LIMIT].decode(errors="ignore")

    @property
    def sql(self) -> str:
        """As an identifier, with its schema where that is said."""
        return f"{ident(self.schema)}.{ident(self.written)}" if self.schema else ident(self.written)

    @property
    def bare(self) -> str:
        """As an identifier without its schema."""
        return ident(self.written)

    @property
    def lit(self) -> str:
        """The catalog's form as a literal."""
        return lit(self.cut)

    @property
    def full(self) -> str:
        """As a literal that names it for ``to_regclass``."""
        return lit(self.sql)

    @property
    def home(self) -> str:
        """Its schema's name, as a literal."""
        return lit(self.schema or "public")


def ident(name: str) -> str:
    """A quoted identifier where it needs quotes."""
    if (
        name.isascii()
        and name.replace("_", "a").isalnum()
        and name == name.lower()
        and not name[0].isdigit()
        and name not in ("user", "order")
    ):
        return name
    return '"' + name.replace('"', '""') + '"'


def lit(text: str) -> str:
    """A literal."""
    return "'" + text.replace("'", "''") + "'"


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its name, type, a default, and types to which it may change."""

    name: Name
    type: str
    default: str
    wider: tuple[str, ...] = ()


PLAIN_TABLES = ("t", "orders", "customer_accounts", "u")
ODD_TABLES = (
    "Mixed Case", "straße_tàble", "order", 'a"quote', "o'brien", "with.dot", "a" * 59 + "_end", "ein_sehr_langer_name_" + "ü" * 30,
    "percent%s", "tab:name", "x" * 70,
)  # fmt: skip
COLUMNS = (
    ("note", "varchar(20)", "'x'", ("varchar(40)", "text")),
    ("amount", "int", "0", ("bigint", "numeric(12,2)")),
    ("price", "numeric(10,2)", "1.5", ("numeric(14,4)", "numeric")),
    ("is_on", "boolean", "false", ()),
    ("extra", "jsonb", "'{}'::jsonb", ()),
    ("tags", "text[]", "'{}'", ()),
    ("seen_at", "timestamptz", "now()", ()),
    ("day", "date", "CURRENT_DATE", ("timestamptz",)),
    ("code", "char(3)", "'abc'", ("text",)),
    ("ratio", "double precision", "0.5", ("numeric",)),
    ("ref", "uuid", "gen_random_uuid()", ("text",)),
    ("small", "smallint", "7", ("integer", "bigint")),
)
ODD_COLUMNS = (
    ("Größe", "decimal(5)", "3", ("decimal(9)",)),
    ("select", "text", "'%'", ()),
    ("c" * 63, "int", "5", ("bigint",)),
    ("weird col", "text", "'it''s 100 % :fine'", ("varchar(99)",)),
    ("bits", "bit(4)", "B'1010'", ()),
    ("span", "interval", "'1 day'", ()),
    ("d" * 66, "real", "1", ("double precision",)),
)


@dataclass(slots=True)
class Context:
    """The names of one list, and the chance that picks among them."""

    rng: Random
    odd: bool = False
    tables: tuple[Name, ...] = field(init=False)
    columns: tuple[Column, ...] = field(init=False)
    schemas: tuple[str, ...] = field(init=False)

    def __post_init__(self) -> None:
        rng = self.rng
        self.schemas = ("side", "Other Schema") if self.odd else ("side",)
        names = [Name(n) for n in rng.sample(PLAIN_TABLES, 2)]
        if self.odd:
            names[rng.randrange(2)] = Name(rng.choice(ODD_TABLES))
        if rng.random() < 0.25:
            names.append(Name(rng.choice([n.written for n in names]), rng.choice(self.schemas)))
        if rng.random() < 0.15:
            names[0] = Name(names[0].written, "public")
        self.tables = tuple(names)
        pool = [*COLUMNS, *(ODD_COLUMNS * 2 if self.odd else ())]
        self.columns = tuple(Column(Name(n), *rest) for n, *rest in {c[0]: c for c in rng.sample(pool, 4)}.values())

    def pick(self, *options: T) -> T:
        """One of them."""
        return self.rng.choice(options)

    def of(self, options: Sequence[T]) -> T:
        """One of a sequence."""
        return self.rng.choice(options)

    def chance(self, share: float) -> bool:
        """True in that share of the cases."""
        return self.rng.random() < share

    def table(self) -> Name:
        """One of the tables, the first more often."""
        return self.tables[0] if self.chance(0.5) else self.rng.choice(self.tables)

    def column(self) -> Column:
        """One of the columns."""
        return self.rng.choice(self.columns)

    def named(self, prefix: str, *of: Name) -> Name:
        """A name made of a prefix and others, cut nowhere: as people write them."""
        tail = "_".join(n.written for n in of)
        return Name(f"{prefix}_{tail}")

    def beside(self, table: Name, name: Name) -> Name:
        """A name in the schema of a table."""
        return Name(name.written, table.schema)
