"""An extension; what it owns is part of it, and is read nowhere else."""

from omega_bridge.catalog import Kind
from omega_bridge.kinds.room import Room, Stored

ROOM = Room(
    Kind.EXTENSION,
    Stored("pg_extension", "x.extname"),
    {
        "schema": "n.nspname",
    },
    rows="pg_extension x",
    joins="JOIN pg_namespace n ON n.oid = x.extnamespace",
    comment="obj_description(x.oid, 'pg_extension')",
    is_common=True,
    named="EXTENSION {name}",
    again="CREATE EXTENSION {name} SCHEMA {in}",
)
