"""Columns that may have got a new name: one that the models have gained, beside one of its type that they no longer have. Pure.

Nobody can tell from a schema whether the rows' values are to move along, so it is asked and never assumed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from omega_bridge.analysis.program import VISIBLE
from omega_bridge.catalog import Catalog, Key, Kind
from omega_bridge.planning.gaps import MODELS, Unkept, What
from omega_bridge.steps import Place
from omega_bridge.values import dataclass

if TYPE_CHECKING:
    from sqlalchemy import MetaData

NOT_NULL = "not null"


@dataclass(frozen=True, slots=True)
class Along:
    """A name that is made of the column's. ``kind``: one of the catalog's words, or ``NOT_NULL``."""

    kind: str
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Rename:
    """``by``: the step that makes the old one. ``is_likely``: it came by itself, and not with a table that the list makes.

    ``along``: what is to have a new name with it (``renamed_along``).
    """

    old: Key
    new: Key
    by: str = ""
    is_likely: bool = True
    along: tuple[Along, ...] = ()

    @property
    def told(self) -> str:
        """As ``--renamed`` takes it."""
        return f"{self.old.table}.{self.old.name}={self.new.name}"


def renames(
    missing: Iterable[Unkept], there: Catalog, metadata: MetaData, types: Mapping[Key, str], by: Mapping[Key, str]
) -> tuple[Rename, ...]:
    """What each missing column may have been called. ``types``: those of the missing columns. ``by``: the step that each object comes from."""
    known = _known(metadata)
    found = []
    for new in (u.key for u in missing if u.what is What.MISSING and u.key.kind is Kind.COLUMN):
        names = known.get((new.schema, new.table)) or known.get((VISIBLE, new.table), frozenset())
        for old in there.columns(new.schema, new.table):
            if old.name not in names and types.get(new, there.objects[old].get("type")) == there.objects[old].get("type"):
                maker = by.get(old, "")
                with_table = maker == by.get(Key(Kind.TABLE, new.schema, "", new.table), "") and not maker.startswith("model-")
                found.append(Rename(old, new, maker, not (maker and with_table)))
    return tuple(found)


def left_mandatory(old: Catalog, new: Catalog, metadata: MetaData) -> tuple[Unkept, ...]:
    """Columns that no model has any more, and without which a row is rejected where they still are: in old databases, and not in new ones."""
    found = []
    for (schema, table), names in _known(metadata).items():
        for key in (
            k
            for k in old
            if k.kind is Kind.COLUMN and k.table == table and k.schema in (schema, "public") and k.name not in names
        ):
            if key not in new and not _is_free(old.objects[key]):
                found.append(Unkept(What.DIFFERENT, key, MODELS, Place(), "nullable", True, False))
    return tuple(found)


def kept_mandatory(
    there: Catalog, metadata: MetaData, own: Iterable[tuple[str, str]], by: Callable[[Key], str]
) -> tuple[Unkept, ...]:
    """Columns that no model has, of tables that the models alone make, and without which a row of the program's is rejected everywhere.

    ``by``: the step of the list that makes a column; one without such a step, or with a trigger on its table, is not told.
    """
    known = _known(metadata)
    found = []
    for schema, table in own:
        names = known.get((schema, table)) or known.get((VISIBLE, table), frozenset())
        if any(k.kind is Kind.TRIGGER and (k.schema, k.table) == (schema, table) for k in there):
            continue
        for key in there.columns(schema, table):
            if key.name not in names and not _is_free(there.objects[key]) and (step := by(key)):
                found.append(Unkept(What.DIFFERENT, key, step, Place(), "nullable", True, False))
    return tuple(found)


def _is_free(attributes: Mapping[str, Any]) -> bool:
    """Whether a row may leave the column out."""
    return bool(
        attributes.get("nullable", True) or attributes.get("default") or attributes.get("identity") or attributes.get("generated")
    )


def _known(metadata: MetaData) -> dict[tuple[str, str], frozenset[str]]:
    """The models' columns, by schema and table."""
    return {(t.schema or VISIBLE, str(t.name)): frozenset(str(c.name) for c in t.columns) for t in metadata.tables.values()}
