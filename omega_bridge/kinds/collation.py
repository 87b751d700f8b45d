"""A collation."""

from omega_bridge.catalog import Kind
from omega_bridge.kinds.counted import Counted
from omega_bridge.kinds.room import Room, Stored
from omega_bridge.kinds.statements import COMMENT, DROP, NONE, OWNER, RENAME, SET_SCHEMA, Statements, unnamed
from omega_bridge.tags import Tag

ROOM = Room(
    Kind.COLLATION,
    Stored("pg_collation", "x.collname", namespace="collnamespace", owner="collowner"),
    {
        "provider": "x.collprovider",
        "deterministic": "x.collisdeterministic",
        "encoding": "x.collencoding",
        "collate": "x.collcollate",
        "ctype": "x.collctype",
        "locale": "coalesce(to_jsonb(x) ->> 'colllocale', to_jsonb(x) ->> 'colliculocale')",
        "outdated": (
            "(SELECT format('made for %s, and the library has %s', x.collversion, w.actual) FROM (SELECT "
            "pg_collation_actual_version(x.oid) AS actual) w WHERE w.actual <> x.collversion)"
        ),
        "rules": "to_jsonb(x) ->> 'collicurules'",
    },
    named="COLLATION {object}",
    alter={"outdated": "ALTER COLLATION {object} REFRESH VERSION"},
    statements=Statements(
        create=unnamed(Tag.DEFINE),
        alter=unnamed(Tag.ALTER_COLLATION),
        drop=DROP,
        comment=COMMENT,
        rename=RENAME,
        owner=OWNER,
        grant=NONE,
        set_schema=SET_SCHEMA,
    ),
    counted=(Counted("pg_collation"),),
)
