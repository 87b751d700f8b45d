"""A collation."""

from omega_bridge.catalog import Kind
from omega_bridge.kinds.room import Room, Stored

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
        "rules": "to_jsonb(x) ->> 'collicurules'",
    },
    named="COLLATION {object}",
)
