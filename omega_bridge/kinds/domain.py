"""A domain."""

from omega_bridge.catalog import Kind
from omega_bridge.kinds.room import Asked, Guards, Room, Stored
from omega_bridge.kinds.statements import COMMENT, GRANT, OWNER, RENAME, SET_SCHEMA, Opaque, Read, Statements, dropped
from omega_bridge.tags import Tag

ROOM = Room(
    Kind.DOMAIN,
    Stored("pg_type", "x.typname", namespace="typnamespace", owner="typowner", acl="typacl"),
    {
        "type": "format_type(x.typbasetype, x.typtypmod)",
        "nullable": "NOT x.typnotnull",
        "default": "pg_get_expr(x.typdefaultbin, 0)",
        "constraints": (
            "(SELECT json_object_agg(n.conname, pg_get_constraintdef(n.oid) ORDER BY n.conname) FROM "
            "pg_constraint n WHERE n.contypid = x.oid AND n.contype = 'c')"
        ),
        "collation": (
            "CASE WHEN x.typcollation <> (SELECT b.typcollation FROM pg_type b WHERE b.oid = x.typbasetype) THEN "
            "(SELECT format('%I.%I', cn.nspname, co.collname) FROM pg_collation co JOIN pg_namespace cn ON cn.oid "
            "= co.collnamespace WHERE co.oid = x.typcollation) END"
        ),
        "constraint_comments": (
            "(SELECT json_object_agg(n.conname, w.description ORDER BY n.conname) FROM pg_constraint n JOIN "
            "pg_description w ON w.objoid = n.oid AND w.classoid = 'pg_constraint'::regclass::oid WHERE "
            "n.contypid = x.oid)"
        ),
    },
    rows="types x",
    only="x.typtype = 'd'",
    is_common=True,
    named="DOMAIN {object}",
    again="CREATE DOMAIN {object} AS {type}",
    alter={
        "nullable": "ALTER DOMAIN {object} {set_null}",
        "default": "ALTER DOMAIN {object} {set_default}",
    },
    asked=Asked(
        there="to_regtype({text}) IS NOT NULL",
        gone="DROP DOMAIN {object}",
        comment="obj_description(to_regtype({text}), 'pg_type')",
    ),
    guards=Guards(columns={"typtype": "typtype", "oid": "oid"}),
    statements=Statements(
        create=Read(Tag.CREATE_DOMAIN, "objects.create_domain", twice="duplicate_object", is_additive=True, is_batched=True),
        alter=Opaque("the attributes that it sets are compared in the catalog, not promised", (Tag.ALTER_DOMAIN,)),
        drop=dropped("OBJECT_DOMAIN"),
        comment=COMMENT,
        rename=RENAME,
        owner=OWNER,
        grant=GRANT,
        set_schema=SET_SCHEMA,
    ),
    counted=(),
)
