"""An enumeration."""

from omega_bridge.catalog import Kind
from omega_bridge.kinds.room import Room, Stored

ROOM = Room(
    Kind.ENUM,
    Stored("pg_type", "x.typname", namespace="typnamespace", owner="typowner", acl="typacl"),
    {
        "labels": "(SELECT array_agg(e.enumlabel ORDER BY e.enumsortorder) FROM pg_enum e WHERE e.enumtypid = x.oid)",
    },
    rows="types x",
    only="x.typtype = 'e'",
    is_common=True,
    named="TYPE {object}",
    again="CREATE TYPE {object} AS ENUM ({labels})",
)
