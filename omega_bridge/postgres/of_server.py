"""What lies in the server and not in a database: the roles that a list speaks of, and the database itself."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

import psycopg
from psycopg.rows import TupleRow

from omega_bridge.catalog import Attributes, Catalog, Key, Kind
from omega_bridge.expectation import Expectation
from omega_bridge.kinds import ROOMS
from omega_bridge.kinds.privileges import RUNNER
from omega_bridge.kinds.question import named, of_server
from omega_bridge.postgres.catalog_reader import ONE_VALUE, array, read_catalog
from omega_bridge.postgres.printing import alike, by_default
from omega_bridge.postgres.queries.qualified import qualified
from omega_bridge.postgres.runner import runs_as


def read_against(connection: psycopg.Connection[TupleRow], expected: Expectation) -> Catalog:
    """Everything in the database, and of the server what is expected."""
    with alike(connection):
        found = read_catalog(connection)
        wanted = [key for key in expected.catalog if ROOMS[key.kind].is_of_server]
        return replace(found, objects={**found.objects, **read(connection, wanted)}) if wanted else found


def read(connection: psycopg.Connection[TupleRow], wanted: Collection[Key]) -> dict[Key, Attributes]:
    """What is there of it."""
    if not wanted:
        return {}
    text = qualified(of_server(connection.info.server_version)).replace(
        "{names}", array(connection, {key.name for key in wanted})
    )
    with by_default(connection):
        row = connection.execute(ONE_VALUE.format(text).encode()).fetchone()
    rows = (row[0] if row else None) or ()
    kinds = named()
    found = {
        Key(kinds[kind][0], schema, table, name): dict(zip(kinds[kind][1], values, strict=True))
        for kind, schema, table, name, values in rows
    }
    return {key: found[key] for key in wanted if key in found} | _memberships(connection, wanted)


_MEMBER_OF = """
SELECT r.rolname FROM pg_catalog.pg_auth_members m JOIN pg_catalog.pg_roles r ON r.oid OPERATOR(pg_catalog.=) m.roleid
JOIN pg_catalog.pg_roles u ON u.oid OPERATOR(pg_catalog.=) m.member
WHERE u.rolname OPERATOR(pg_catalog.=) %s::pg_catalog.name AND r.rolname OPERATOR(pg_catalog.=) ANY (%s::pg_catalog.name[])
"""


def _memberships(connection: psycopg.Connection[TupleRow], wanted: Collection[Key]) -> dict[Key, Attributes]:
    """Those of who runs the list, among the wanted."""
    names = sorted({key.name for key in wanted if key.table == RUNNER})
    if not names:
        return {}
    role = runs_as(connection)
    return {Key(Kind.ROLE, "", RUNNER, name): {} for (name,) in connection.execute(_MEMBER_OF.encode(), (role, names))}
