"""What the file of a squash runs on: its parts, each of them a revision as it was before.

Each part has a transaction of its own, as it had then: a later part may use what PostgreSQL shows only after a commit
(a new label of an enum type), and no transaction holds the locks of them all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, TypeAlias

from alembic import op

if TYPE_CHECKING:
    from alembic.runtime.migration import MigrationContext, MigrationInfo, MigrationStep

    from omega_bridge.typed import Migrations


Part: TypeAlias = tuple[str, Callable[[], None], Callable[[], None] | None]
"""Revision, upgrade, and downgrade where the whole squash has one."""

STANDS_AT = "omega_bridge_stands_at"
"""The migration context's option that names the part at which a database stands that knew it as a revision."""


def upgrade_parts(parts: Sequence[Part]) -> None:
    """Run each part in order; on a database that stands at one of them, what follows it."""
    known = [revision for revision, _, _ in parts]
    stands_at = op.get_context().opts.get(STANDS_AT)
    start = known.index(stands_at) + 1 if stands_at in known else 0
    _run([upgrade for _, upgrade, _ in parts[start:]])


def downgrade_parts(parts: Sequence[Part]) -> None:
    """Take each part back, the last one first."""
    _run([downgrade for _, _, downgrade in reversed(parts) if downgrade is not None])


def _run(steps: Sequence[Callable[[], None]]) -> None:
    for number, step in enumerate(steps):
        if number:
            with op.get_context().autocommit_block():
                pass  # leaving it begins the next transaction
        step()


def from_a_part(migrations: Migrations, away: Mapping[str, str]) -> Migrations:
    """``alembic upgrade`` for databases at a revision of ``away``: they run the rest of the squash that took it in."""

    def steps(heads: tuple[str, ...], context: MigrationContext) -> Iterator[MigrationStep]:
        stands_at = [h for h in heads if h in away]
        if stands_at and getattr(migrations, "__name__", "") == "upgrade":
            context.opts[STANDS_AT] = stands_at[0]
            heads = tuple(h for h in heads if h not in away)
        yield from migrations(heads, context)

    return steps


def left_the_part(context: MigrationContext, step: MigrationInfo) -> None:
    """After the squash ran: ``alembic_version`` forgets the part, in the same transaction."""
    stands_at = context.opts.get(STANDS_AT)
    known = [part[0] for part in getattr(getattr(step.up_revision, "module", None), "parts", ())]
    if stands_at in known:
        version = context._version
        context.impl._exec(version.delete().where(version.c.version_num == stands_at))
        del context.opts[STANDS_AT]
