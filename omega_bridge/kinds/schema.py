"""A schema. The one that every database has belongs to the first role, and from 15 on to ``pg_database_owner`` (6171)."""

from omega_bridge.catalog import Kind
from omega_bridge.kinds.counted import Counted
from omega_bridge.kinds.room import Asked, Guards, Room, Stored
from omega_bridge.kinds.statements import COMMENT, GRANT, NONE, OWNER, RENAME, Read, Statements, dropped
from omega_bridge.tags import Tag

ROOM = Room(
    Kind.SCHEMA,
    Stored("pg_namespace", "x.nspname", owner="nspowner"),
    {
        "owner": "CASE WHEN x.oid >= 16384::oid OR x.nspowner NOT IN (10::oid, 6171::oid) THEN pg_get_userbyid(x.nspowner) END",
        "grants": (
            "CASE WHEN x.nspacl IS NULL OR x.nspacl OPERATOR(pg_catalog.=) (SELECT p.initprivs FROM pg_init_privs p WHERE p.objoid = "
            "x.oid AND p.classoid = 'pg_namespace'::regclass::oid AND p.objsubid = 0) THEN NULL ELSE "
            "coalesce((SELECT array_agg(g::text ORDER BY g::text) FROM unnest(x.nspacl) g WHERE x.oid >= 16384::oid "
            "OR x.nspowner NOT IN (10::oid, 6171::oid) OR split_part(g::text, '=', 1) <> pg_get_userbyid(x.nspowner)), '{}') END"
        ),
    },
    rows="schemas x",
    comment="nullif(obj_description(x.oid, 'pg_namespace'), 'standard public schema')",
    is_common=True,
    named="SCHEMA {name}",
    again="CREATE SCHEMA {name}",
    asked=Asked(there="to_regnamespace({text}) IS NOT NULL", gone="DROP SCHEMA {name}"),
    guards=Guards(columns={}, views={"schemata": {"schema_name": "name"}}),
    statements=Statements(
        create=Read(
            Tag.CREATE_SCHEMA,
            "objects.create_schema",
            twice="duplicate_schema",
            unless="if_not_exists",
            is_additive=True,
            is_batched=True,
        ),
        alter=NONE,
        drop=dropped("OBJECT_SCHEMA"),
        comment=COMMENT,
        rename=RENAME,
        owner=OWNER,
        grant=GRANT,
        set_schema=NONE,
    ),
    counted=(Counted("pg_namespace", condition="nspname OPERATOR(pg_catalog.!~) '^pg_'"),),
)
