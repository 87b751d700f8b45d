"""An extension; what it owns is part of it, and is read nowhere else."""

from omega_bridge.catalog import Kind
from omega_bridge.kinds.counted import Counted
from omega_bridge.kinds.room import Asked, Guards, Room, Stored
from omega_bridge.kinds.statements import COMMENT, NONE, SET_SCHEMA, Opaque, Read, Statements, dropped
from omega_bridge.tags import Tag

ROOM = Room(
    Kind.EXTENSION,
    Stored("pg_extension", "x.extname"),
    {
        "schema": "n.nspname",
        "version": "x.extversion",
    },
    rows="pg_extension x",
    joins="JOIN pg_namespace n ON n.oid = x.extnamespace",
    comment="obj_description(x.oid, 'pg_extension')",
    is_common=True,
    named="EXTENSION {name}",
    again="CREATE EXTENSION {name} SCHEMA {in}",
    alter={
        "schema": "ALTER EXTENSION {name} SET SCHEMA {in}",
        "version": "ALTER EXTENSION {name} UPDATE TO '{value}'",
    },
    asked=Asked(there="EXISTS (SELECT FROM pg_extension WHERE extname = {literal})", gone="DROP EXTENSION {name}"),
    guards=Guards(columns={}),
    statements=Statements(
        create=Read(
            Tag.CREATE_EXTENSION,
            "objects.create_extension",
            twice="duplicate_object",
            unless="if_not_exists",
            is_additive=True,
            is_batched=True,
        ),
        alter=Opaque("what a version brings is the extension's", (Tag.ALTER_EXTENSION, Tag.ALTER_EXTENSION_CONTENTS)),
        drop=dropped("OBJECT_EXTENSION"),
        comment=COMMENT,
        rename=NONE,
        owner=NONE,
        grant=NONE,
        set_schema=SET_SCHEMA,
    ),
    counted=(Counted("pg_extension", condition=""),),
)
