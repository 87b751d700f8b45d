"""What the models need and the database lacks once the list has run: told with the model, its attribute and the step to add."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from omega_bridge.catalog import Catalog, Kind, texts
from omega_bridge.errors import OmegaBridgeError
from omega_bridge.planning.gaps import Unkept, What
from omega_bridge.planning.needs import unmet
from omega_bridge.planning.renames import renames
from omega_bridge.steps import Place
from omega_bridge.values import dataclass

if TYPE_CHECKING:
    from sqlalchemy import MetaData

    from omega_bridge.typed import JsonObject


@dataclass(frozen=True, slots=True)
class Lack:
    """``name``: what it is called in the models, such as ``Tenant.new_flag``. ``append``: statements that would bring it about."""

    unkept: Unkept
    name: str
    place: Place = Place()
    append: tuple[str, ...] = ()
    why: str = ""
    """Where no step can be told: what has to be decided first."""
    perhaps: tuple[str, ...] = ()
    """Columns of its table that no model has: it may be one of them by a new name."""

    def __str__(self) -> str:
        where = f" ({self.place})" if self.place.file else ""
        if self.unkept.attribute == "labels":
            lacking = [label for label in texts(self.unkept.expected) if label not in texts(self.unkept.found)]
            return f"{self.name}{where}: {self.unkept.key} lacks the label(s) {', '.join(lacking)}"
        if self.unkept.what is What.DIFFERENT:
            return f"{self.name}{where}: {self.unkept}"
        return f"{self.name}{where}: {self.unkept.key} is not there"

    def as_dict(self) -> JsonObject:
        """The public JSON keys."""
        return {
            "model": self.name,
            "place": str(self.place) if self.place.file else None,
            "object": str(self.unkept.key),
            "attribute": self.unkept.attribute or None,
            "append": list(self.append),
            "why": self.why or None,
            "perhaps": list(self.perhaps),
        }


def lacks(catalog: Catalog, metadata: MetaData | None) -> tuple[Lack, ...]:
    """What is lacking; SQLAlchemy is asked about it only where something is."""
    if metadata is None:
        return ()
    return tuple(replace(named(one, metadata), perhaps=_perhaps(one, catalog, metadata)) for one in unmet(catalog, metadata))


def _perhaps(unkept: Unkept, catalog: Catalog, metadata: MetaData) -> tuple[str, ...]:
    wanted = _type(unkept, metadata) if unkept.key.kind is Kind.COLUMN else None
    may_be = renames([unkept], catalog, metadata, {unkept.key: wanted} if wanted else {}, {})
    return tuple(one.told for one in may_be[:_FEW])


def _type(unkept: Unkept, metadata: MetaData) -> str | None:
    """The type that the models give a column, in the catalog's words; ``None`` where it is not known."""
    from omega_bridge.analysis import analyse
    from omega_bridge.analysis.program import statements
    from omega_bridge.revisions.mapped import table_of
    from omega_bridge.revisions.models import every_table

    table = table_of(metadata, unkept.key)
    if table is None:
        return None
    made = (s for step in analyse(every_table(metadata, only=table)) for s in statements(step.program))
    effects = (e for s in made for e in s.results if e.key.kind is Kind.COLUMN and e.key.name == unkept.key.name)
    return next((found for e in effects if isinstance(found := dict(e.attributes).get("type"), str)), None)


_FEW = 3


def told(found: Sequence[Lack]) -> str:
    """One line for each, and the step to add below it."""
    lines = []
    for lack in found:
        lines.append(f"  {lack}")
        lines += [f"    append: {' '.join(text.split())}" for text in lack.append]
        lines += [f"    {lack.why}"] if lack.why else []
        lines += [f"    or an old column by a new name: omega-bridge add --renamed {one}" for one in lack.perhaps]
    return "\n".join(lines)


def named(unkept: Unkept, metadata: MetaData) -> Lack:
    """With what it is called in the models, and the steps that would bring it about."""
    from omega_bridge.revisions.additions import additions
    from omega_bridge.revisions.mapped import attribute_of, mapped_class, place_of, table_of

    try:
        found = additions([unkept], metadata)
        append, why = tuple(step.sql for step in found.steps), "; ".join(dict.fromkeys(why for _, why in found.left))
    except OmegaBridgeError as error:  # an index without a name, for one: what lacks is told all the same
        append, why = (), error.hint
    table = table_of(metadata, unkept.key)
    if table is None:
        return Lack(unkept, unkept.key.name, append=append, why=why)
    mapped = mapped_class(table)
    name = (
        attribute_of(table, unkept.key.name) if unkept.key.kind is Kind.COLUMN else mapped.__name__ if mapped else table.fullname
    )
    place = place_of(table, name.rpartition(".")[2] if unkept.key.kind is Kind.COLUMN else "")
    return Lack(unkept, name, place, append, why)
