"""A composite type that is no table."""

from omega_bridge.catalog import Kind
from omega_bridge.kinds.room import Asked, Guards, Room, Stored
from omega_bridge.kinds.statements import GRANT, OWNER, RENAME, SET_SCHEMA, Read, ReadAs, Statements, altered_unread
from omega_bridge.tags import Tag

ROOM = Room(
    Kind.COMPOSITE,
    Stored("pg_type", "x.typname", namespace="typnamespace", owner="typowner", acl="typacl"),
    {
        "attributes": (
            "(SELECT array_agg(concat(format('%I %s', a.attname, format_type(a.atttypid, a.atttypmod)), (SELECT "
            "format(' COLLATE %I.%I', cn.nspname, co.collname) FROM pg_collation co JOIN pg_namespace cn ON cn.oid = "
            "co.collnamespace JOIN pg_type y ON y.oid = a.atttypid WHERE co.oid = a.attcollation AND a.attcollation <> "
            "y.typcollation)) ORDER BY a.attnum) FROM pg_attribute a WHERE a.attrelid = x.typrelid AND a.attnum > 0 AND NOT "
            "a.attisdropped)"
        ),
        "attribute_comments": (
            "(SELECT json_object_agg(a.attname, w.description ORDER BY a.attnum) FROM pg_attribute a JOIN "
            "pg_description w ON w.objoid = a.attrelid AND w.classoid = 'pg_class'::regclass::oid AND w.objsubid "
            "= a.attnum WHERE a.attrelid = x.typrelid)"
        ),
    },
    rows="types x",
    only="x.typtype = 'c' AND EXISTS (SELECT 1 FROM pg_class k WHERE k.oid = x.typrelid AND k.relkind = 'c')",
    is_common=True,
    named="TYPE {object}",
    again="CREATE TYPE {object} AS ({fields})",
    asked=Asked(
        there="to_regtype({text}) IS NOT NULL",
        gone="DROP TYPE {object}",
        comment="obj_description(to_regtype({text}), 'pg_type')",
    ),
    guards=Guards(columns={"typtype": "typtype", "oid": "oid"}),
    statements=Statements(
        create=Read(Tag.COMPOSITE_TYPE, "objects.create_composite", twice="duplicate_object", is_batched=True),
        alter=altered_unread(),
        drop=ReadAs(Kind.ENUM, "the statement does not say which kind of type"),
        comment=ReadAs(Kind.ENUM, "the statement does not say which kind of type"),
        rename=RENAME,
        owner=OWNER,
        grant=GRANT,
        set_schema=SET_SCHEMA,
    ),
    counted=(),
)
