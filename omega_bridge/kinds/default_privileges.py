"""Privileges that what a role makes will have."""

from omega_bridge.catalog import Kind
from omega_bridge.kinds.room import Room, Stored

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
)
