"""A role of the server, as far as the list speaks of it. Its password is not read."""

from omega_bridge.catalog import Kind
from omega_bridge.kinds.room import Room, Stored
from omega_bridge.kinds.statements import NONE, RENAME, SHARED, Opaque, Statements
from omega_bridge.kinds.values import ordered
from omega_bridge.tags import Tag

ROOM = Room(
    Kind.ROLE,
    Stored("pg_authid", "x.rolname"),
    {
        "superuser": "x.rolsuper",
        "inherit": "x.rolinherit",
        "create_role": "x.rolcreaterole",
        "create_database": "x.rolcreatedb",
        "login": "x.rolcanlogin",
        "replication": "x.rolreplication",
        "bypass_row_security": "x.rolbypassrls",
        "connection_limit": "x.rolconnlimit",
        "valid_until": "x.rolvaliduntil",
        "member_of": ordered("r.rolname::text", "pg_auth_members m JOIN pg_roles r ON r.oid = m.roleid WHERE m.member = x.oid"),
        "settings": ordered("c", "unnest(x.rolconfig) c"),
    },
    rows="pg_roles x",
    only="x.rolname = ANY ({names})",
    comment="shobj_description(x.oid, 'pg_authid')",
    is_of_server=True,
    named="ROLE {name}",
    statements=Statements(
        create=Opaque(SHARED, (Tag.CREATE_ROLE,), leaves=()),
        alter=Opaque(SHARED, (Tag.ALTER_ROLE,), leaves=()),
        drop=Opaque(SHARED, (Tag.DROP_ROLE,), leaves=()),
        comment=NONE,
        rename=RENAME,
        owner=NONE,
        grant=Opaque(SHARED, (Tag.GRANT_ROLE,), leaves=()),
        set_schema=NONE,
    ),
    counted=(),
)
