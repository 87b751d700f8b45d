"""A schema."""

from omega_bridge.catalog import Kind
from omega_bridge.kinds.room import Room, Stored

ROOM = Room(
    Kind.SCHEMA,
    Stored("pg_namespace", "x.nspname", owner="nspowner"),
    {
        "grants": (
            "CASE WHEN x.nspacl IS NULL OR x.nspacl = (SELECT p.initprivs FROM pg_init_privs p WHERE p.objoid = "
            "x.oid AND p.classoid = 'pg_namespace'::regclass::oid AND p.objsubid = 0) THEN NULL ELSE (SELECT "
            "array_agg(g::text ORDER BY g::text) FROM unnest(x.nspacl) g) END"
        ),
    },
    rows="schemas x",
    comment="nullif(obj_description(x.oid, 'pg_namespace'), 'standard public schema')",
    is_common=True,
)
