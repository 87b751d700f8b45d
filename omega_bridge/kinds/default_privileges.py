"""Privileges that what a role makes will have."""

from omega_bridge.catalog import Kind
from omega_bridge.kinds.counted import Counted
from omega_bridge.kinds.room import Room, Stored
from omega_bridge.kinds.statements import NONE, Statements, unnamed
from omega_bridge.tags import Tag

ROOM = Room(
    Kind.DEFAULT_PRIVILEGES,
    Stored(
        "pg_default_acl",
        (
            "concat(CASE x.defaclobjtype WHEN 'r' THEN 'tables' WHEN 'S' THEN 'sequences' WHEN 'f' THEN "
            "'functions' WHEN 'T' THEN 'types' WHEN 'n' THEN 'schemas' ELSE x.defaclobjtype::text END, ' of "
            "', pg_get_userbyid(x.defaclrole))"
        ),
        owner="defaclrole",
        acl="defaclacl",
    ),
    {},
    rows="pg_default_acl x LEFT JOIN schemas s ON s.oid = x.defaclnamespace",
    only="x.defaclnamespace = 0::oid OR s.oid IS NOT NULL",
    comment="",
    place=("coalesce(s.nspname, '')", "''"),
    statements=Statements(
        create=unnamed(Tag.ALTER_DEFAULT_PRIVILEGES, leaves=("pg_default_acl",)),
        alter=unnamed(Tag.ALTER_DEFAULT_PRIVILEGES, leaves=("pg_default_acl",)),
        drop=unnamed(Tag.ALTER_DEFAULT_PRIVILEGES, leaves=("pg_default_acl",)),
        comment=NONE,
        rename=NONE,
        owner=NONE,
        grant=unnamed(Tag.ALTER_DEFAULT_PRIVILEGES, leaves=("pg_default_acl",)),
        set_schema=NONE,
    ),
    counted=(Counted("pg_default_acl"),),
)
