"""The bridge's own settings beside those that a step has set: who the session is, where it looks for names, how long it waits.

A step's stay in force for those behind it. What is not the list's, the table of versions before all, is written under those with which the
session began. Without a connection to ask (``--sql``) they are kept in the session itself (PostgreSQL's manual, "Customized Options").
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from functools import wraps
from typing import TYPE_CHECKING, Any

from omega_bridge.revisions.guards import literal

if TYPE_CHECKING:
    from alembic.runtime.migration import MigrationContext, MigrationStep

    from omega_bridge.typed import Migrations


NAMES = ("session_authorization", "role", "search_path", "lock_timeout", "statement_timeout", "row_security")
"""In the order in which they are put in force: who the session is decides what it may be."""

ASKED = "SELECT {}".format(", ".join(f"pg_catalog.current_setting('{name}')" for name in NAMES))
"""As they are, in the order of ``NAMES``."""

_OWN, _STEPS = "omega_bridge.own_", "omega_bridge.step_"
_LISTED = f"pg_catalog.unnest(ARRAY[{', '.join(map(literal, NAMES))}]) AS s (name)"


def given(values: Sequence[str], *, is_local: bool = False) -> str:
    """The statement that puts them in force; ``is_local``: for a transaction."""
    kind = str(is_local).lower()
    calls = (f"pg_catalog.set_config('{name}', {literal(value)}, {kind})" for name, value in zip(NAMES, values, strict=True))
    return f"SELECT {', '.join(calls)}"


def noted() -> str:
    """Before the first step: those with which the session began."""
    return _block(_kept(_OWN, is_local=False))


def put_back() -> str:
    """Behind the steps of a revision, for the rest of its transaction. After a ``DISCARD ALL`` nothing is noted, nor to be put back."""
    return _block(_again(_OWN))


def put_aside() -> str:
    """``put_back`` where the transaction goes on with the next revision, which takes up what the step has set."""
    return _block(_kept(_STEPS, is_local=True), _again(_OWN))


def taken_up() -> str:
    """The step's again."""
    return _block(_again(_STEPS))


def _kept(where: str, *, is_local: bool) -> str:
    kind = str(is_local).lower()
    return f"pg_catalog.set_config('{where}' || s.name, pg_catalog.current_setting(s.name), {kind}) FROM {_LISTED}"


def _again(where: str) -> str:
    value = f"pg_catalog.current_setting('{where}' || s.name, true)"
    return f"pg_catalog.set_config(s.name, {value}, true) FROM {_LISTED} WHERE {value} <> ''"


def _block(*calls: str) -> str:
    """A block, since a query would print what it found; operators are looked for where no step can put another one."""
    calls = tuple(
        call.replace(" || ", " OPERATOR(pg_catalog.||) ").replace(" <> ", " OPERATOR(pg_catalog.<>) ") for call in calls
    )
    return "DO $$ BEGIN\n{}\nEND $$;".format("\n".join(f"    PERFORM {call};" for call in calls))


def in_script(
    migrations: Migrations, may_set: Callable[[MigrationStep], bool], set_before: Callable[[Collection[str]], Sequence[str]]
) -> Migrations:
    """The migrations of ``--sql``, each version written under the settings with which the script began. ``may_set``: whether a migration
    may leave others behind; ``set_before``: the texts that those before the script's first one have left.
    """

    def steps(heads: tuple[str, ...], context: MigrationContext) -> Iterator[MigrationStep]:
        every = tuple(migrations(heads, context))
        first = next((n for n, step in enumerate(every) if may_set(step)), len(every))
        texts = set_before(heads) if every and not every[0].is_downgrade else ()
        if texts:
            first = 0
        write, goes_on = context.impl.static_output, not context._transaction_per_migration
        for n, step in enumerate(every):
            if n == first:
                write(noted())
                for text in texts:
                    write(f"{text.rstrip().rstrip(';')};")
                if goes_on:
                    context.on_version_apply_callbacks += (lambda **_: write(taken_up()),)
            if n >= first:
                step.migration_fn = _then(step.migration_fn, lambda: write(put_aside() if goes_on else put_back()))
            yield step

    return steps


def _then(migrate: Callable[..., Any], behind: Callable[[], object]) -> Callable[..., None]:
    @wraps(migrate)
    def then(**options: Any) -> None:
        migrate(**options)
        behind()

    return then
