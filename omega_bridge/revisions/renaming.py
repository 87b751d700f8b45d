"""Which columns have got a new name: as it was said, or as it is answered; where nobody says, it is an error with both commands."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence

from omega_bridge.analysis import Analysis, analyse
from omega_bridge.catalog import Catalog, Key, Kind
from omega_bridge.errors import ConfigurationInvalid, DecisionNeeded
from omega_bridge.planning.gaps import Unkept
from omega_bridge.planning.renamed_along import after
from omega_bridge.planning.renames import Rename
from omega_bridge.planning.settling import empty_catalog, settle_in
from omega_bridge.planning.world import World
from omega_bridge.revisions.models import is_model
from omega_bridge.steps import Registry
from omega_bridge.tags import Tag


def decided(
    found: Collection[Rename], renamed: Iterable[str], new: Collection[str], ask: Callable[[str], bool] | None
) -> tuple[Rename, ...]:
    """The renames that are meant. ``renamed``, ``new``: what was said beforehand.

    Raises ``ConfigurationInvalid`` for one that cannot be, ``DecisionNeeded`` where nobody says.
    """
    said = {one.told: one for one in found}
    for given in renamed:
        if given not in said:
            raise ConfigurationInvalid(
                f"--renamed {given}: the models have no such new column, or the table no such old one of its type",
                hint=f"What may be renamed: {', '.join(said)}."
                if said
                else "Nothing that is missing may be an old column by a new name.",
            )
    meant = [said[given] for given in renamed]
    settled = {one.new for one in meant} | {one.new for one in found if f"{one.new.table}.{one.new.name}" in new}
    open_ = [one for one in found if one.is_likely and one.new not in settled]
    if ask is not None:
        for one in open_:
            if one.new not in settled and ask(f"Is {one.new.table}.{one.new.name} the column {one.old.name} by a new name?"):
                meant.append(one)
                settled.add(one.new)
        return tuple(meant)
    if open_:
        told = "".join(
            f"\n  {one.new.table}.{one.new.name}: is it {one.old.table}.{one.old.name} by a new name, with its values?"
            f"\n    yes: omega-bridge add --renamed {one.told}\n    no:  omega-bridge add --new {one.new.table}.{one.new.name}"
            for one in open_
        )
        raise DecisionNeeded(
            f"{len(open_)} column(s) may be new, or be there by another name{told}", hint="Say which; nothing was written."
        )
    return tuple(meant)


def without_renamed(unkept: Iterable[Unkept], moved: Collection[Rename]) -> tuple[Unkept, ...]:
    """What is left once the columns have their new names; what hangs on these is looked at when they have."""
    names = {(one.new.table, one.new.name) for one in moved} | {(one.old.table, one.old.name) for one in moved}

    def is_moved(one: Unkept) -> bool:
        if one.key.kind is Kind.COLUMN:
            return (one.key.table, one.key.name) in names
        return one.key.kind in (Kind.INDEX, Kind.CONSTRAINT) and any(name in str(one.expected) for _, name in names)

    return tuple(one for one in unkept if not is_moved(one))


def needing(moved: Sequence[Rename], stood: Catalog, analysis: Analysis, ground: Catalog | None = None) -> Mapping[str, Rename]:
    """The steps that would be sent at a start behind the renaming, and rejected: they need the old column, and it is not there.

    ``stood``: the databases that stand. ``analysis``: the list, with what only the models know ahead of it; ``ground``: what it stands on.
    """
    found: dict[str, Rename] = {}
    for catalog in (after(moved, stood), ground if ground is not None else empty_catalog()):
        for number, key in sorted(settle_in(World(catalog), analysis).lacking.items()):
            for one in moved:
                step = analysis.steps[number]
                if key.kind is Kind.COLUMN and (key.table, key.name) == (one.old.table, one.old.name) and not is_model(step.step):
                    found.setdefault(step.id, one)
    return found


def added_by(registry: Registry, old: Key) -> Iterator[str]:
    """The steps that would make the column anew at the start behind the renaming: those that add it to a table that is there."""
    for step in analyse(registry):
        made = {e.key for s in step.reading.statements if s.tag == Tag.ALTER_TABLE for e in (*s.effects, *s.implied) if e.present}
        if any(k.kind is Kind.COLUMN and (k.table, k.name) == (old.table, old.name) for k in made):
            yield step.id
