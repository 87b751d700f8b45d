"""An enumeration."""

from omega_bridge.catalog import Kind
from omega_bridge.kinds.counted import Counted
from omega_bridge.kinds.room import Asked, Guards, Room, Stored
from omega_bridge.kinds.statements import GRANT, OWNER, RENAME, SET_SCHEMA, Read, Statements, commented, dropped
from omega_bridge.tags import Tag

ROOM = Room(
    Kind.ENUM,
    Stored("pg_type", "x.typname", namespace="typnamespace", owner="typowner", acl="typacl", parts=("pg_enum", "enumtypid")),
    {
        "labels": "(SELECT array_agg(e.enumlabel ORDER BY e.enumsortorder) FROM pg_enum e WHERE e.enumtypid = x.oid)",
    },
    rows="types x",
    only="x.typtype = 'e'",
    is_common=True,
    named="TYPE {object}",
    again="CREATE TYPE {object} AS ENUM ({labels})",
    asked=Asked(
        there="to_regtype({text}) IS NOT NULL",
        gone="DROP TYPE {object}",
        comment="obj_description(to_regtype({text}), 'pg_type')",
    ),
    guards=Guards(columns={"typtype": "typtype", "oid": "oid"}, part_columns={"enumlabel": "label"}),
    statements=Statements(
        create=Read(Tag.CREATE_ENUM, "objects.create_enum", twice="duplicate_object", is_additive=True, is_batched=True),
        alter=Read(Tag.ALTER_ENUM, "objects.alter_enum", is_additive=True),
        drop=dropped("OBJECT_TYPE"),
        comment=commented("OBJECT_TYPE"),
        rename=RENAME,
        owner=OWNER,
        grant=GRANT,
        set_schema=SET_SCHEMA,
    ),
    counted=(Counted("pg_enum"),),
)
