"""A row-level security policy of a table."""

from omega_bridge.catalog import Kind
from omega_bridge.kinds.counted import Counted
from omega_bridge.kinds.room import Asked, Guards, Room, Stored
from omega_bridge.kinds.statements import COMMENT, NONE, RENAME, Opaque, Read, Statements, dropped
from omega_bridge.kinds.values import ordered
from omega_bridge.tags import Tag

ROOM = Room(
    Kind.POLICY,
    Stored("pg_policy", "x.polname", table="polrelid"),
    {
        "command": "x.polcmd",
        "permissive": "x.polpermissive",
        "roles": ordered(
            "CASE WHEN r OPERATOR(pg_catalog.=) 0::pg_catalog.oid THEN 'public' ELSE pg_get_userbyid(r)::text END",
            "unnest(x.polroles) r",
        ),
        "using": "pg_get_expr(x.polqual, x.polrelid)",
        "check": "pg_get_expr(x.polwithcheck, x.polrelid)",
    },
    rows="tables t JOIN pg_policy x ON x.polrelid = t.oid",
    is_common=True,
    named="POLICY {name} ON {owner}",
    again="CREATE POLICY {name} ON {owner}{restrictive}{for_command} TO {to}{using}{check}",
    alter={
        "command": "DROP POLICY {name} ON {owner}; CREATE POLICY {name} ON {owner}{restrictive}{for_command} TO {to}{using}{check}",
        "permissive": "DROP POLICY {name} ON {owner}; CREATE POLICY {name} ON {owner}{restrictive}{for_command} TO {to}{using}{check}",
        "roles": "ALTER POLICY {name} ON {owner} TO {to}",
        "using": "ALTER POLICY {name} ON {owner}{using}",
        "check": "ALTER POLICY {name} ON {owner}{check}",
    },
    asked=Asked(
        there="EXISTS (SELECT FROM pg_policy WHERE polrelid = {of} AND polname = {literal})",
        gone="DROP POLICY {name} ON {owner}",
    ),
    guards=Guards(views={"pg_policies": {"schemaname": "schema", "tablename": "table", "policyname": "name"}}),
    statements=Statements(
        create=Read(Tag.CREATE_POLICY, "objects.create_policy", twice="duplicate_object"),
        alter=Opaque(
            "the attributes that it sets are compared in the catalog, not promised",
            (Tag.ALTER_POLICY,),
            ("pg_policy",),
            names_tables=True,
        ),
        drop=dropped("OBJECT_POLICY"),
        comment=COMMENT,
        rename=RENAME,
        owner=NONE,
        grant=NONE,
        set_schema=NONE,
    ),
    counted=(Counted("pg_policy"),),
)
