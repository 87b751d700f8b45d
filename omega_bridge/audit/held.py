"""Models, list and the databases that stand, held together: each is made by PostgreSQL on scratch, read, and compared.

Three databases: one of the models alone, one of yesterday's schema on which the list then runs, and an empty one on which it runs.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from omega_bridge.analysis import Analysis, analyse
from omega_bridge.analysis.program import VISIBLE
from omega_bridge.audit import not_nulls
from omega_bridge.audit.by_hand import on_top
from omega_bridge.audit.expected import WENT_WRONG
from omega_bridge.audit.not_nulls import Names, not_null_names
from omega_bridge.audit.rebuilt import rebuild
from omega_bridge.audit.rejected import Rejected, for_a_column, rejected
from omega_bridge.audit.scratch import Scratch, ScratchDatabase, scratch_database
from omega_bridge.audit.yesterday import Yesterday
from omega_bridge.catalog import Catalog, Key, Kind
from omega_bridge.errors import StepFailed
from omega_bridge.outcomes import StepOutcome
from omega_bridge.planning import renamed_along
from omega_bridge.planning.foundation import Foundation
from omega_bridge.planning.gaps import Unkept
from omega_bridge.planning.held import PRINTED, Promised, otherwise
from omega_bridge.planning.meant import asked
from omega_bridge.planning.needs import type_names
from omega_bridge.planning.renames import Rename, kept_mandatory, left_mandatory, renames
from omega_bridge.planning.world import World
from omega_bridge.postgres.catalog_reader import read_catalog
from omega_bridge.revisions.models import every_table, is_model, without_indexes
from omega_bridge.revisions.renaming import added_by
from omega_bridge.revisions.sums import read_sum
from omega_bridge.sql import identifier
from omega_bridge.steps import Registry, Step

if TYPE_CHECKING:
    from sqlalchemy import MetaData


@dataclass(frozen=True, slots=True)
class Setting:
    """What models are held against. ``analysis``: the list, with the models' own tables ahead; ``promised``: a step for each of their tables.

    ``listed``: the digest of list, models and foundation. ``by_list``: the list has to make the models' own tables, too.
    ``history``: the folder in which revisions may have been written by hand since yesterday; databases that stand get them by Alembic.
    """

    registry: Registry
    analysis: Analysis
    metadata: MetaData | None
    promised: Analysis
    yesterday: Yesterday = field(default_factory=lambda: Yesterday(None, "nobody asked"))
    listed: str = ""
    foundation: Foundation | None = None
    by_list: bool = False
    history: Path | None = None
    allowed: Collection[str] = ()
    """Steps that a scratch database may reject."""

    @property
    def models(self) -> MetaData:
        """The models; for who has asked whether there are any."""
        if self.metadata is None:
            raise ValueError("no models are configured")
        return self.metadata


@dataclass(frozen=True, slots=True)
class Held:
    """``gaps``: what the models promise and the databases that stand do not get. ``hidden``: those of them that an empty database
    gets, so that an export would take them for done. ``twofold``: columns that old and new databases have otherwise (``expected`` is what
    a new one has, ``found`` an old one). ``unseen``: what was not looked at, and why.
    """

    gaps: tuple[Unkept, ...]
    hidden: tuple[Unkept, ...]
    twofold: tuple[Unkept, ...]
    unseen: tuple[str, ...]
    own: frozenset[tuple[str, str]] = frozenset()
    """Schema and name of the tables that stand, and that the models alone make."""
    renames: tuple[Rename, ...] = ()
    """What missing columns may have been called before."""
    stood: Catalog | None = None
    wanted: Catalog | None = None
    """What the databases that stand hold, and one that was made of the models alone; where the two were compared."""
    rejected: tuple[Rejected, ...] = ()

    def with_names(self, moved: Sequence[Rename]) -> tuple[Rename, ...]:
        """Renames with what changes its name along, as far as both are known. A table of the list keeps the names that the list gives."""
        if self.stood is None or self.wanted is None:
            return tuple(moved)
        own = {one for one in moved if (one.new.schema, one.new.table) in self.own}
        named = iter(renamed_along.with_names([one for one in moved if one in own], self.stood, self.wanted))
        return tuple(next(named) if one in own else one for one in moved)


def hold_together(setting: Setting, server: Scratch) -> Held:
    """Compare. What becomes of steps on scratch is not logged: it is told with the result."""
    log = logging.getLogger("omega_bridge")
    before = log.level
    log.setLevel(logging.CRITICAL)
    try:
        return _compared(setting, server)
    finally:
        log.setLevel(before)


def _compared(setting: Setting, server: Scratch) -> Held:
    promised, wanted, unseen = _promised(setting, server)
    stands = setting.yesterday.schema
    if stands is not None and stands.listed == setting.listed and not setting.by_list:
        failing = (
            f"what step {step} makes: on a scratch database it fails: {why}{asked(why, stands.catalog)}"
            for step, why in stands.rejected.items()
        )
        made = _Made(stands.catalog, stands.promised, tuple(failing))
        gaps = (*_against(promised, made, server), *_kept_mandatory(setting, promised, stands.catalog))
        return Held(gaps, (), (), (*unseen, *made.unseen))
    new = _after(setting, None, server)
    if stands is None:
        return Held(_against(promised, new, server), (), (), (*unseen, *new.unseen))
    old = _after(_on_what_stands(setting, stands.catalog), stands.catalog, server)
    gaps = (*_against(promised, old, server), *left_mandatory(old.catalog, new.catalog, setting.models))
    lacking = _against(promised, new, server)
    in_new = {(u.key, u.attribute) for u in lacking}
    own = _own_tables(setting.analysis, promised, stands.catalog)
    twofold = tuple(
        one
        for one in otherwise(new.catalog, old.catalog, own)
        if one.key in promised.keys and one.key not in (old.failed | new.failed)
    )
    told = {(u.key, u.attribute) for u in gaps}
    hidden = tuple(u for u in gaps if (u.key, u.attribute) not in in_new)
    types = {key: str(promised.catalog.objects[key].get("type")) for key in promised.keys if key.kind is Kind.COLUMN}
    whole = tuple(u for u in lacking if setting.by_list and u.key.kind is Kind.TABLE)
    places = {step.id: step.step.place for step in setting.analysis if not is_model(step.step)}
    return Held(
        (*whole, *gaps, *_kept_mandatory(setting, promised, new.catalog)),
        hidden,
        (*(u for u in twofold if (u.key, u.attribute) not in told), *_called_otherwise(own, old, new, promised, wanted)),
        tuple(dict.fromkeys((*unseen, *old.unseen, *new.unseen))),
        own,
        renames(gaps, stands.catalog, setting.models, types, stands.by),
        stands.catalog,
        promised.catalog,
        rejected(old.lacking, new.lacking, places, {*stands.rejected, *setting.allowed}),
    )


def _called_otherwise(
    own: frozenset[tuple[str, str]], old: _Made, new: _Made, promised: Promised, wanted: Names
) -> Iterator[Unkept]:
    """What an empty database has by another name than those that stand."""
    yield from renamed_along.called_otherwise(own, old.catalog, new.catalog, promised.catalog)
    yield from not_nulls.called_otherwise(own, old.not_nulls, {k: v for k, v in wanted.items() if new.not_nulls.get(k) == v})


def _on_what_stands(setting: Setting, there: Catalog) -> Setting:
    """Of a table of the models that stands already nobody makes an index again but the list: the models would, under a lock on its writers."""
    tables = {(k.schema, k.name) for k in there if k.kind is Kind.TABLE}
    registry = Registry(tuple(replace(s.step, id=s.id) for s in setting.analysis))
    return replace(setting, analysis=analyse(without_indexes(registry, setting.models, tables)), by_list=False)


def _kept_mandatory(setting: Setting, promised: Promised, there: Catalog) -> tuple[Unkept, ...]:
    own = _own_tables(setting.analysis, promised, there)
    return kept_mandatory(there, setting.models, own, lambda key: ", ".join(added_by(setting.registry, key)))


# --- what the models make --------------------------------------------------------------------------------------


def _promised(setting: Setting, server: Scratch) -> tuple[Promised, Names, tuple[str, ...]]:
    """The models' tables with all that is on them, made by PostgreSQL of the models alone; and what of them it did not take."""
    metadata = setting.models
    kinds = type_names(metadata)
    with scratch_database(server, "models") as database:
        _lay_schemas(database, metadata)
        if setting.foundation is not None:
            _lay_ground(database, setting.foundation, kinds)
        if ground := _ground(setting.registry):
            database.boot(ground)
        run = database.boot(every_table(metadata))
        with database.session() as session:
            catalog = read_catalog(session.connection)
        names = not_null_names(database)
    rejected = tuple(
        f"what {s.id.removeprefix('model-')} is by the models: {s.error or s.reason}"
        for s in run.steps
        if s.outcome in WENT_WRONG
    )
    tables = frozenset((t.schema or "public", t.name) for t in metadata.tables.values())
    return Promised(catalog, tables, kinds), names, rejected


def _lay_schemas(database: ScratchDatabase, metadata: MetaData) -> None:
    """The schemas that the models name: SQLAlchemy makes none, so they are there before the models are."""
    kinds = {getattr(column.type, "schema", None) for table in metadata.tables.values() for column in table.columns}
    with database.session() as session:
        for name in sorted({t.schema for t in metadata.tables.values()} | kinds - {None}, key=str):
            if name:
                session.execute(f"CREATE SCHEMA IF NOT EXISTS {identifier(str(name))}")


def _lay_ground(database: ScratchDatabase, foundation: Foundation, enums: frozenset[str]) -> None:
    """What the foundation has beside tables, but for the models' own enumerations."""
    objects = {
        key: attributes
        for key, attributes in foundation.catalog.objects.items()
        if key.kind in _GROUND or (key.kind is Kind.ENUM and key.name not in enums)
    }
    with database.session() as session:
        rebuild(session.connection, replace(foundation.catalog, objects=objects))


_GROUND = frozenset(
    {Kind.SCHEMA, Kind.EXTENSION, Kind.DOMAIN, Kind.COMPOSITE, Kind.RANGE, Kind.FUNCTION, Kind.SEQUENCE, Kind.COLLATION}
)
"""What models may stand on, and do not make."""


def _ground(registry: Registry) -> list[Step]:
    """The steps that make nothing else."""
    found = []
    for step in analyse(registry):
        statements = step.reading.statements
        effects = [e for s in statements for e in s.effects]
        if effects and all(e.present and e.key.kind in _GROUND for e in effects) and not any(s.opaque for s in statements):
            found.append(step.step)
    return found


# --- what the list makes ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Made:
    """A database after the list ran there. ``failed``: what steps promise that the server rejected there."""

    catalog: Catalog
    failed: frozenset[Key] = frozenset()
    unseen: tuple[str, ...] = ()
    lacking: Mapping[str, StepOutcome] = field(default_factory=dict)
    not_nulls: Names = field(default_factory=dict)


def _after(setting: Setting, ground: Catalog | None, server: Scratch) -> _Made:
    """A database as it is after the list ran on ``ground``, or on an empty one or the foundation."""
    analysis = setting.analysis
    with scratch_database(server, "held") as database:
        left: tuple[str, ...] = ()
        if ground is not None:
            with database.session() as session:
                left = rebuild(session.connection, ground)
            _by_hand(setting.history, database)
        else:
            database.lay(setting.foundation)
        _lay_schemas(database, setting.models)
        run = database.boot(tuple(replace(step.step, destructive=True) for step in analysis))  # there are no rows
        with database.session() as session:
            catalog = read_catalog(session.connection)
        names = not_null_names(database)
    amiss = {s.id: str(s.error or s.reason) for s in run.steps if s.outcome in WENT_WRONG}
    elsewhere = {step.id for step in analysis} - {s.id for s in run.steps}
    failed = _promises(analysis, World(catalog), {*amiss, *elsewhere})
    unseen = (
        *(f"{key} of yesterday's schema: it could not be made on scratch" for key in left),
        *(
            f"what step {step} makes: on a scratch database it fails: {why}{asked(why, catalog)}"
            for step, why in amiss.items()
            if not step.startswith("model-")
        ),
    )
    return _Made(catalog, failed, unseen, for_a_column(run.steps), names)


def _by_hand(history: Path | None, database: ScratchDatabase) -> None:
    """Run what was written by hand since the last export. What PostgreSQL rejects may be there already: what is not, is found missing."""
    if history is None or (block := on_top(history, read_sum(history))) is None:
        return
    with suppress(StepFailed):
        block.run(history, database)
    with database.session() as session:
        session.execute("DROP TABLE IF EXISTS public.alembic_version")


def _promises(analysis: Analysis, world: World, steps: set[str]) -> frozenset[Key]:
    """What steps of the list make where they work, as far as that was read."""
    return frozenset(
        world.place(effect.key)
        for step in analysis
        if step.id in steps and not is_model(step.step)
        for statement in step.reading.statements
        for effect in (*statement.effects, *statement.implied)
        if effect.present
    )


def _own_tables(analysis: Analysis, promised: Promised, there: Catalog) -> frozenset[tuple[str, str]]:
    """The tables that stand and that the models alone make: an empty database gets them as the models say, whatever steps add."""
    made = {
        e.key for s in analysis if is_model(s.step) for q in s.reading.statements for e in q.effects if e.key.kind is Kind.TABLE
    }
    return frozenset(
        table
        for table in promised.tables
        if Key(Kind.TABLE, *_parts(table)) in there and any(k.name == table[1] and k.schema in (table[0], VISIBLE) for k in made)
    )


def _parts(table: tuple[str, str]) -> tuple[str, str, str]:
    return table[0], "", table[1]


# --- compared --------------------------------------------------------------------------------------------------


def _against(promised: Promised, made: _Made, server: Scratch) -> tuple[Unkept, ...]:
    """What is not kept. What PostgreSQL printed in other words is compared once more after it has read both again."""
    found = promised.against(made.catalog, made.failed)
    if not any(u.attribute in PRINTED or u.expected is not None for u in found):
        return found
    again = {
        (u.key, u.attribute)
        for u in replace(promised, catalog=_printed_again(promised.catalog, server)).against(
            _printed_again(made.catalog, server), made.failed
        )
    }
    return tuple(u for u in found if (u.key, u.attribute) in again)


def _printed_again(catalog: Catalog, server: Scratch) -> Catalog:
    """The catalog of a database that was made of what this one prints."""
    with scratch_database(server, "again") as database, database.session() as session:
        rebuild(session.connection, catalog)
        found = read_catalog(session.connection)
    objects: dict[Key, Any] = {
        **{k: a for k, a in catalog.objects.items() if k not in found},
        **{k: a for k, a in found.objects.items() if k in catalog},
    }
    return replace(catalog, objects=objects)
