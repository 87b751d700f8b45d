"""A sequence, that of an identity column included."""

from omega_bridge.catalog import Kind
from omega_bridge.kinds.counted import Counted
from omega_bridge.kinds.room import Asked, Guards, Room, Stored
from omega_bridge.kinds.statements import (
    GRANT,
    RELATION_OWNER,
    SET_SCHEMA,
    Read,
    Statements,
    altered_unread,
    commented,
    dropped,
    renamed,
    unnamed,
)
from omega_bridge.tags import Tag

ROOM = Room(
    Kind.SEQUENCE,
    Stored("pg_class", "x.relname", namespace="relnamespace", owner="relowner", acl="relacl"),
    {
        "type": "format_type(q.seqtypid, NULL)",
        "start": "q.seqstart",
        "increment": "q.seqincrement",
        "minimum": "q.seqmin",
        "maximum": "q.seqmax",
        "cycle": "q.seqcycle",
        "cache": "q.seqcache",
        "owned_by": (
            "(SELECT format('%I.%I', oc.relname, oa.attname) FROM pg_depend d JOIN pg_class oc ON oc.oid = "
            "d.refobjid JOIN pg_attribute oa ON oa.attrelid = d.refobjid AND oa.attnum = d.refobjsubid WHERE "
            "d.classid = 'pg_class'::regclass::oid AND d.objid = q.seqrelid AND d.refclassid = "
            "'pg_class'::regclass::oid AND d.deptype IN ('a', 'i') LIMIT 1)"
        ),
        "persistence": "x.relpersistence",
    },
    rows=(
        "sequence_ids o JOIN pg_sequence q ON q.seqrelid = o.oid JOIN pg_class x ON x.oid = q.seqrelid JOIN "
        "schemas s ON s.oid = x.relnamespace"
    ),
    is_common=True,
    place=("s.nspname", "''"),
    named="SEQUENCE {object}",
    again="CREATE SEQUENCE {object} AS {type} INCREMENT BY {increment} MINVALUE {minimum} MAXVALUE {maximum} START WITH {start} CACHE {cache}",
    alter={
        "owned_by": "ALTER SEQUENCE {object} OWNED BY {value}",
        "increment": "ALTER SEQUENCE {object} INCREMENT BY {value}",
        "cache": "ALTER SEQUENCE {object} CACHE {value}",
        "start": "ALTER SEQUENCE {object} START WITH {value}",
        "minimum": "ALTER SEQUENCE {object} MINVALUE {value}",
        "maximum": "ALTER SEQUENCE {object} MAXVALUE {value}",
    },
    asked=Asked(
        there="to_regclass({text}) IS NOT NULL",
        gone="DROP SEQUENCE {object}",
        comment="obj_description(to_regclass({text}), 'pg_class')",
        renamed="ALTER SEQUENCE {object} RENAME TO {new}",
    ),
    guards=Guards(
        letters="S",
        columns={"relkind": "relkind", "oid": "oid"},
        views={
            "sequences": {"sequence_schema": "schema", "sequence_name": "name"},
            "pg_sequences": {"schemaname": "schema", "sequencename": "name"},
        },
    ),
    statements=Statements(
        create=Read(
            Tag.CREATE_SEQ,
            "tables.create_sequence",
            twice="duplicate_table",
            unless="if_not_exists",
            is_additive=True,
            is_batched=True,
        ),
        alter=(unnamed(Tag.ALTER_SEQ, leaves=("pg_sequence",)), altered_unread("pg_sequence")),
        drop=dropped("OBJECT_SEQUENCE"),
        comment=commented("OBJECT_SEQUENCE"),
        rename=renamed("OBJECT_SEQUENCE"),
        owner=RELATION_OWNER,
        grant=GRANT,
        set_schema=SET_SCHEMA,
    ),
    counted=(Counted("pg_sequence", "seqrelid::pg_catalog.int8", ""),),
)
