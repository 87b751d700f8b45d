"""A procedural language."""

from omega_bridge.catalog import Kind
from omega_bridge.kinds.room import Room, Stored

ROOM = Room(
    Kind.LANGUAGE,
    Stored("pg_language", "x.lanname", owner="lanowner", acl="lanacl"),
    {
        "trusted": "x.lanpltrusted",
        "handler": "nullif(x.lanplcallfoid, 0::oid)::regprocedure::text",
        "inline": "nullif(x.laninline, 0::oid)::regprocedure::text",
        "validator": "nullif(x.lanvalidator, 0::oid)::regprocedure::text",
    },
    named="LANGUAGE {name}",
)
