"""At the end of a start of a list that has grown: what its new steps do not name is as it was, and need not be read again.

Of that rest the token is asked behind the first reading of the catalog, and once more at the end. Where it is the same one, whoever
has been at work meanwhile, only what the new steps name is read.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

from omega_bridge.analysis import StepAnalysis, StepKind
from omega_bridge.catalog import Catalog, Key, Kind
from omega_bridge.outcomes import Action, StepOutcome
from omega_bridge.postgres import clean_state
from omega_bridge.postgres.executor import Executor
from omega_bridge.postgres.fast_path import probe_function, token
from omega_bridge.values import dataclass

if TYPE_CHECKING:
    from omega_bridge.typed import Connection


@dataclass(frozen=True, slots=True)
class Rest:
    """``before``: the catalog when this was asked. ``names``: those of the steps that may have something to do. ``columns``: what is asked
    of everything else that the list leans on; ``token``: the answer. ``settled``: the ids of the other steps.
    """

    before: Catalog
    names: frozenset[str]
    columns: tuple[str, ...]
    token: str
    settled: frozenset[str]


def rest_of(
    connection: Connection,
    before: Catalog,
    promised: clean_state.Promised,
    settled: Collection[int],
    recorded: Collection[str],
) -> Rest | None:
    """The rest, behind the reading of ``before``. ``settled``: the places of the steps that have nothing to do; ``recorded``: the names that the
    last start has kept; of others nobody has asked whether they are still as in ``before``. ``None`` where the steps that have something to do
    may do more than add what they name, or where what the list does is known by no name.
    """
    analysis, watched = promised.analysis, promised.watched
    others = [step for number, step in enumerate(analysis) if number not in settled]
    if len(promised.names) < _MANY or not settled or watched.is_whole or not all(map(_only_adds, others)):
        return None
    names = promised.names.difference(recorded).union(*(step.names for step in others))
    relations = watched.relations - names
    if not _is_near(before, watched.schemas, relations):
        return None
    rest = replace(
        watched,
        catalogs=watched.catalogs | _HANGING,
        relations=relations,
        types=watched.types - names,
        functions=watched.functions - names,
        loose={catalog: loose - names for catalog, loose in watched.loose.items()},
    )
    columns = token.expressions(connection, rest)
    ids = frozenset(analysis.steps[number].id for number in settled)
    return Rest(before, names, columns, probe_function.token(connection, columns), ids)


_HANGING = frozenset({"pg_index", "pg_constraint", "pg_trigger", "pg_policy", "pg_description"})
"""What a reading by names brings along: an index of a partitioned table shows in partitions that no step names."""


def _is_near(before: Catalog, schemas: Collection[str], relations: Collection[str]) -> bool:
    """Whether the token of the rest is of each schema that ``before`` shows something of (``token.schemas``)."""
    near = {"", *before.search_path, *schemas, *(key.schema for key in before if key.name in relations and not key.table)}
    return near.issuperset(key.schema for key in before)


_MANY = 100
"""Names from which on it pays: what has few is read in the time that asking takes."""


def _only_adds(step: StepAnalysis) -> bool:
    """Whether it takes nothing away, and renames nothing, by which others may be told or printed in other words."""
    reading = step.reading
    is_read = reading.kind is StepKind.SCHEMA and reading.is_certain and reading.transactional
    return is_read and not reading.may_destroy and not reading.taken_away


def read_with(rest: Rest, executor: Executor, outcomes: Iterable[StepOutcome]) -> Catalog | None:
    """The catalog as it is now; ``None`` where all of it has to be read."""
    catalog = executor.catalog
    if catalog.search_path != rest.before.search_path or any(o.action is Action.RUN and o.id in rest.settled for o in outcomes):
        return None
    if probe_function.token(executor.session.connection, rest.columns) != rest.token:
        return None
    names = rest.names | _deparsed(catalog)
    found = catalog.patched(executor.reader.read(names), names)
    return None if _shadows(rest.before, found) else found


def _deparsed(catalog: Catalog) -> frozenset[str]:
    """The names of what holds whole queries. Their texts are made of the tables as they are: of a join of two tables in parentheses, a new
    column of one of them shows in a view's, though no row of it has changed (``set_relation_column_names`` in PostgreSQL's ``ruleutils.c``).
    """
    return frozenset(key.table or key.name.partition("(")[0] for key in catalog if key.kind in _OF_QUERIES)


_OF_QUERIES = frozenset({Kind.VIEW, Kind.MATERIALIZED_VIEW, Kind.RULE, Kind.POLICY, Kind.FUNCTION})


def _shadows(before: Catalog, after: Catalog) -> bool:
    """Whether something new bears the name of something else: by it others, which name that, may be printed in other words. So may what
    calls a function, where there is another one of that name that the call may mean (``generate_function_name`` in ``ruleutils.c``).
    """
    hidden = {name for _, name in after.hidden}
    replaced = (k for k in after if k.kind is Kind.FUNCTION and k in before and before.objects[k] != after.objects[k])
    for key in (*(after.objects.keys() - before.objects.keys()), *replaced):
        name = _bare(key)
        others = (k for k in after.concerned((name,)) if _bare(k) == name and k != key)
        if key.kind is Kind.EXTENSION or (not key.table and (name in hidden or any(not k.table for k in others))):
            return True
    return False


def _bare(key: Key) -> str:
    return key.name.partition("(")[0]
