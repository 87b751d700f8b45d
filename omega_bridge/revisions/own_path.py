"""What Alembic and SQLAlchemy ask by themselves resolves nothing through the search path of who connects.

They compare ``name`` with ``varchar`` and the like, for which ``pg_catalog`` has no operator of just these types: one that a stranger
offers in a schema of the path would be called with the rights of who upgrades. So the path is ``pg_catalog`` alone while they work, and
that of the list while a revision, or the bridge, does: until the transaction ends, so that what a step has set stays as it is.
"""

from __future__ import annotations

from sqlalchemy import Connection

_KEPT = "coalesce(pg_catalog.current_setting('omega_bridge.own_path', true), '')"
_IS_KEPT = f"{_KEPT} OPERATOR(pg_catalog.<>) ''"
_PIN = f"""SELECT CASE WHEN NOT ({_IS_KEPT}) THEN pg_catalog.set_config('omega_bridge.own_path',
  'is ' OPERATOR(pg_catalog.||) pg_catalog.current_setting('search_path'), true) END,
  pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true)"""
_LET_GO = f"""SELECT CASE WHEN {_IS_KEPT} THEN pg_catalog.set_config('search_path', pg_catalog.substr({_KEPT}, 4), true) END,
  pg_catalog.set_config('omega_bridge.own_path', '', true)"""


def pin(connection: Connection) -> None:
    """For what Alembic does next."""
    connection.exec_driver_sql(_PIN)


def let_go(connection: Connection) -> None:
    """For what the list or the bridge does next; nothing where it is not pinned."""
    connection.exec_driver_sql(_LET_GO)
