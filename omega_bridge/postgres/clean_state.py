"""What a clean boot leaves for the next start to compare with: the state row and ``alembic_version``."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
from psycopg import sql
from psycopg.rows import TupleRow

from omega_bridge.analysis import Analysis, StepAnalysis, StepKind
from omega_bridge.analysis.program import Handled
from omega_bridge.catalog import Catalog
from omega_bridge.errors import StepSyntaxError
from omega_bridge.ledger import Outcome
from omega_bridge.outcomes import CriticalTable, StepOutcome
from omega_bridge.planning import Action, PlannedStep, World, evaluate
from omega_bridge.planning.rejected import lack
from omega_bridge.planning.step_outcome import outcome_of
from omega_bridge.postgres import catalog_store, ledger_store
from omega_bridge.postgres.fast_path import probe_function
from omega_bridge.postgres.fast_path.dependencies import Watched, watched
from omega_bridge.postgres.states import State
from omega_bridge.sql import ends_transaction, sendable
from omega_bridge.steps import Repeat
from omega_bridge.values import dataclass
from omega_bridge.version_table import VersionTable

if TYPE_CHECKING:
    from omega_bridge.postgres.elsewhere import Effects
    from omega_bridge.typed import KeptData, KeptStanding, KeptStep


Connection = psycopg.Connection[TupleRow]


@dataclass(frozen=True)
class Promised:
    """What is recorded of a list, whatever becomes of its steps: thought out once, where there is time for it."""

    analysis: Analysis
    names: frozenset[str]
    effects: Effects = field(default_factory=dict)
    """What steps of unknown effect made or changed, and what is watched by no name."""
    path: frozenset[str] = frozenset()
    """The schemas of the ``search_path``, where there are such ``effects``: there a start looks at everything for them."""

    @cached_property
    def watched(self) -> Watched:
        """What the token goes over."""
        found = watched(self.analysis, self.names)
        if not self.effects:
            return found
        from omega_bridge.postgres import elsewhere

        made = [m for m in elsewhere.every(self.effects) if not (found.is_whole and m.schema in self.path)]
        schemas = found.schemas | {m.schema for m in made}
        return replace(found, elsewhere=tuple((m.catalog, m.oid) for m in made), schemas=schemas)

    def with_effects(
        self, connection: Connection, known: State | None, file: Path | None, outcomes: Iterable[StepOutcome] = ()
    ) -> Promised:
        """With what unread statements are about; of steps of unknown effect with what earlier starts recorded, what the catalog file tells, and
        what these ``outcomes`` did.
        """
        if not self.watched.said and not self.watched.is_whole:
            return self
        from omega_bridge.postgres import elsewhere

        effects = {elsewhere.SAID: elsewhere.said(connection, self.watched)} if self.watched.said else {}
        if self.watched.is_whole:
            from omega_bridge.expectation_file import kept  # most starts need none

            expected = kept(file) if file is not None else None
            ran = {o.checksum: tuple(elsewhere.Made(*row) for row in o.elsewhere) for o in outcomes}
            here = elsewhere.named(connection, expected.catalog) if expected is not None else ()
            effects = elsewhere.together(
                effects, elsewhere.recorded(connection, known, self.analysis), ran, {elsewhere.FILE: here}
            )
        return replace(self, effects=effects, path=elsewhere.path(connection)) if any(effects.values()) else self

    @cached_property
    def steps(self) -> tuple[KeptStep, ...]:
        """Each step as a later start of another list has to know it."""
        return tuple(map(self._kept, self.analysis))

    def _kept(self, step: StepAnalysis) -> KeptStep:
        kept: KeptStep = {"id": step.id, "checksum": step.checksum, "additive": step.is_additive}
        if step.checksum in self.effects:
            kept["elsewhere"] = [*self.effects[step.checksum]]
        return kept

    @cached_property
    def steps_by_id(self) -> Mapping[str, StepAnalysis]:
        """Each step by its id."""
        return {s.id: s for s in self.analysis}

    @cached_property
    def has_context(self) -> bool:
        """Whether a step may set what later ones run under: then each of them means something only in its place."""
        return any(step.reading.leaves_settings for step in self.analysis)

    @cached_property
    def contexts(self) -> tuple[tuple[str, ...] | None, ...]:
        """By step, what those before it have set, as statements for one transaction; ``None`` where that is not certain."""
        found: list[tuple[str, ...] | None] = []
        now: tuple[str, ...] | None = ()
        for step in self.analysis:
            found.append(now)
            if now is not None and step.reading.leaves_settings:
                from omega_bridge.analysis.context import for_one_transaction

                further = for_one_transaction(step.step.sql) if step.reading.only_sets else None
                now = None if further is None else (*now, *further)
        return tuple(found)

    def think(self) -> None:
        """Do it now."""
        _ = self.watched, self.steps, self.contexts


def remember(
    connection: Connection,
    promised: Promised,
    outcomes: Iterable[StepOutcome],
    catalog: Catalog,
    asked: probe_function.Asked,
    digest: str,
    revision: str | None,
    inspection: Iterable[CriticalTable] = (),
    table: VersionTable | None = None,
    settled: Collection[str] = (),
) -> None:
    """Leave the state of a clean boot, in its row and in what the probe says. Runs in the transaction that records it.

    ``asked``: the token of just this ``catalog``, or of one before it. ``table``: where ``revision`` is kept. ``settled``: the steps, by
    id, that were seen to have nothing to do in this ``catalog``.
    """
    stands = {o.id: o for o in outcomes if o.is_undone}
    left = State(
        digest,
        revision,
        tuple(sorted(promised.names)),
        asked.token,
        catalog.digest(),
        tuple({**kept, "settled": True} if kept["id"] in settled else kept for kept in promised.steps),
        tuple(
            _daily(s, context)
            for s, context in zip(promised.analysis, promised.contexts, strict=True)
            if s.kind is StepKind.DATA and s.step.repeat is Repeat.ALWAYS and s.id not in stands
        ),
        tuple(_standing(promised, o) for o in stands.values()),
        tuple(t.as_dict() for t in inspection),
    )
    made = _made(connection, promised.effects)
    probe_function.remember(connection, asked, left, catalog_store.text(connection, catalog, promised.names, made), table)


def _made(connection: Connection, effects: Effects) -> dict[str, list[tuple[str, str]]]:
    """What steps have made, by schema and name."""
    if not effects:
        return {}
    from omega_bridge.postgres import elsewhere

    return elsewhere.by_name(connection, effects)


def _standing(promised: Promised, outcome: StepOutcome) -> KeptStanding:
    """What the next start has to know of a step that did not work out: all that it needs to try a failed one again, and to tell it.

    ``in_place``: it means something only where it stands in the list, or holds a secret, which is kept nowhere. ``sql`` is ``None`` where no
    server can be sent the text.
    """
    told: KeptStanding = {"id": outcome.id, "outcome": str(outcome.outcome), "reason": outcome.reason}
    if outcome.outcome is not Outcome.FAILED:
        return told
    from omega_bridge.analysis.secrets import masked  # most starts leave no step failed

    step = promised.steps_by_id[outcome.id]
    error = outcome.error
    shown = masked(step.step.sql)
    return {
        **told,
        "kind": str(outcome.kind),
        "checksum": outcome.checksum,
        "place": (outcome.place.file, outcome.place.line),
        "title": outcome.title,
        "optional": outcome.optional,
        "error": {"sqlstate": error.sqlstate, "message": error.message} if error else None,
        "in_place": promised.has_context or not step.transactional or ends_transaction(step.step.sql) or shown != step.step.sql,
        "sql": shown if _is_sendable(step.step.sql) else None,
    }


def _is_sendable(text: str) -> bool:
    try:
        sendable(text)
    except StepSyntaxError:
        return False
    return True


def _daily(step: StepAnalysis, context: tuple[str, ...] | None) -> KeptData:
    """``context``: what it runs under; ``None`` where it means something only behind the steps that set that."""
    from omega_bridge.postgres.lookahead import lookahead

    return {
        "id": step.id,
        "checksum": step.checksum,
        "place": (step.step.place.file, step.step.place.line),
        "statements": list(step.texts()),
        "lookahead": lookahead(step),
        "context": context,
    }


def without_effect(analysis: Analysis, catalog: Catalog) -> tuple[StepOutcome, ...] | None:
    """What stands without effect after a history ran to its head; ``None`` where a boot would still have work to do.

    A step that hides every error has had its try in the history.
    """
    world, provided = World(catalog), analysis.provided()
    stands: list[StepOutcome] = []
    for step in analysis:
        if step.kind is not StepKind.SCHEMA:
            continue
        mark = world.mark()
        found = evaluate(step.program, world, provided)
        if found.fails or found.raises:
            return None
        hides_all = all(isinstance(n, Handled) and any("others" in names for names, _ in n.handlers) for n in step.program)
        if found.unmet or found.swallowed or (hides_all and found.missing):
            world.rollback(mark)
            if missing := lack(step.program, catalog, provided):
                planned = PlannedStep(step, Action.RUN, missing)
                stands.append(outcome_of(planned, Outcome.NO_EFFECT, f"it ran, and {missing}"))
    return None if world.surely_differs_since(0) else tuple(stands)


def settled_steps(known: State, analysis: Analysis) -> frozenset[int]:
    """The places of the steps of which an earlier start has recorded that they have nothing to do in the schema as it was recorded.

    The list must go on where the recorded one ended: a step that comes, goes or changes before may mean another thing for those behind it.
    """
    there = [kept["checksum"] for kept in known.steps]
    if there != [step.checksum for step in analysis.steps[: len(there)]]:
        return frozenset()
    return frozenset(number for number, kept in enumerate(known.steps) if kept.get("settled") is True)


def stamp(connection: Connection, move: Callable[[tuple[str, ...]], str | None], table: VersionTable | None = None) -> str | None:
    """Make ``alembic_version``, or the history's own ``table``, say what ``move`` makes of its rows, and say what it says then.

    ``None`` from ``move`` leaves it; so says ``None`` from here where it has no row, or several. Runs in the caller's transaction.
    """
    name = ledger_store.version_table(connection, table)
    found = tuple(str(r[0]) for r in connection.execute(f"SELECT version_num FROM {name}".encode())) if name is not None else ()
    revision = move(found)
    if revision is None or found == (revision,):
        return found[0] if len(found) == 1 else None
    name = name or make_version_table(connection, table)
    connection.execute(f"DELETE FROM {name}".encode())
    connection.execute(f"INSERT INTO {name} (version_num) VALUES ({sql.Literal(revision).as_string(connection)})".encode())
    return revision


def make_version_table(connection: Connection, table: VersionTable | None = None) -> str:
    """In the shape that Alembic gives it, and its schema, where they are missing. Its name with its schema, quoted. Raises ``NotPermitted``
    where no schema could take it.
    """
    if (there := ledger_store.version_table(connection, table)) is not None:
        return there
    parts = (_VERSION_TABLE,) if table is None else table.parts
    if table is not None and table.schema is not None:
        make_schema(connection, table.schema)
    made = sql.SQL(
        "CREATE TABLE {} (version_num pg_catalog.varchar(32) NOT NULL, CONSTRAINT {} PRIMARY KEY (version_num))"
    ).format(sql.Identifier(*parts), sql.Identifier(f"{parts[-1]}_pkc"))
    try:
        connection.execute(made)
    except psycopg.errors.InvalidSchemaName:
        if table is not None and table.schema is not None:
            raise
        from omega_bridge.postgres.grants import homeless

        raise homeless(connection) from None
    name = ledger_store.version_table(connection, table)
    assert name is not None  # it was made a line before
    return name


def make_schema(connection: Connection, name: str) -> None:
    """Where it is missing: who may use it need not be one who may make it."""
    row = connection.execute("SELECT pg_catalog.to_regnamespace(pg_catalog.quote_ident(%s)) IS NULL", (name,)).fetchone()
    if row is not None and row[0]:
        connection.execute(sql.SQL("CREATE SCHEMA IF NOT EXISTS {}").format(sql.Identifier(name)))


_VERSION_TABLE = "alembic_version"


def knows_revision(history: Path | None, revision: str) -> bool:
    """Whether the exported history holds a revision."""
    return history is not None and revision in (history / "omega.sum").read_text(encoding="utf-8")
