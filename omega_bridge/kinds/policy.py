"""A row-level security policy of a table."""

from omega_bridge.catalog import Kind
from omega_bridge.kinds.room import Room, Stored

ROOM = Room(
    Kind.POLICY,
    Stored("pg_policy", "x.polname", table="polrelid"),
    {
        "command": "x.polcmd",
        "permissive": "x.polpermissive",
        "roles": (
            "(SELECT array_agg(CASE WHEN r OPERATOR(pg_catalog.=) 0::pg_catalog.oid THEN 'public' ELSE "
            "pg_get_userbyid(r) END ORDER BY 1) FROM unnest(x.polroles) r)"
        ),
        "using": "pg_get_expr(x.polqual, x.polrelid)",
        "check": "pg_get_expr(x.polwithcheck, x.polrelid)",
    },
    rows="tables t JOIN pg_policy x ON x.polrelid = t.oid",
    is_common=True,
    named="POLICY {name} ON {owner}",
)
