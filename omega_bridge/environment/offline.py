"""``alembic upgrade --sql``: the migrations as a script, with the guard of rows in it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from functools import cache, partial
from typing import TYPE_CHECKING

from omega_bridge.environment.asked import allowed_of, exported_of, may_set
from omega_bridge.errors import ConfigurationInvalid
from omega_bridge.revisions import alembic_border, own_settings
from omega_bridge.revisions.own_enums import own_enums
from omega_bridge.revisions.row_guard import GUARD, AsSql
from omega_bridge.revisions.set_before import set_before
from omega_bridge.sql import identifier
from omega_bridge.unread import Unread, outliving
from omega_bridge.version_table import VersionTable

if TYPE_CHECKING:
    from alembic.runtime.environment import EnvironmentContext
    from alembic.runtime.migration import MigrationContext, MigrationStep

    from omega_bridge.typed import Migrations


def as_sql(context: EnvironmentContext, table: VersionTable | None) -> None:
    """Write it. ``table``: where the history's revision is kept. Raises ``ConfigurationInvalid`` where not all of it could be written.

    A reader of stdout that goes away (``| head``) ends nothing.
    """
    out = outliving(sys.stdout) if context.config.output_buffer is None else None
    context.configure(
        output_buffer=out,
        version_table=(table or VersionTable()).name,
        version_table_schema=table.schema if table is not None else None,
        dialect_name="postgresql",
        dialect_opts={"paramstyle": "named"},
        literal_binds=True,
        transaction_per_migration=True,
    )
    migrations = context.get_context()
    given = allowed_of(context, None)
    enums = cache(partial(own_enums, context.script))

    def guarded(inner: Migrations) -> Migrations:
        def steps(heads: tuple[str, ...], target: MigrationContext) -> Iterator[MigrationStep]:
            if table is not None and table.schema is not None and not heads:  # Alembic makes the table, and no schema
                target.impl.static_output(f"CREATE SCHEMA IF NOT EXISTS {identifier(table.schema)};")
            for step in inner(heads, target):
                exported, command = exported_of(step), "downgrade" if step.is_downgrade else "upgrade"
                free = exported is None or (command == "upgrade" and exported.keeps_rows)
                if exported is not None and not free:
                    flags = exported.destructive if command == "upgrade" else ()
                    free = given is None or exported.is_allowed((*given, *flags))
                target.opts[GUARD] = None if free or exported is None else AsSql(target.impl, exported, command, enums)
                yield step

        return steps

    before = partial(set_before, context.script)
    alembic_border.around(migrations, lambda inner: guarded(own_settings.in_script(inner, may_set, before)))
    try:
        with context.begin_transaction():
            context.run_migrations()
    finally:
        if out is not None:
            out.flush()
    if Unread.lost:
        raise ConfigurationInvalid(
            f"not all of the SQL could be written: {Unread.lost}", hint="Make room, and run the same command again."
        )
