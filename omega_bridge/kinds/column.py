"""A column of a table or view."""

from omega_bridge.catalog import Kind
from omega_bridge.kinds.room import OF_TYPE, Asked, Compared, Guards, Room, Since, Stored
from omega_bridge.kinds.statements import GRANT, NONE, Statements, altered, commented, renamed

ROOM = Room(
    Kind.COLUMN,
    Stored("pg_attribute", "x.attname", table="attrelid", acl="attacl"),
    {
        "type": "format_type(x.atttypid, x.atttypmod)",
        "nullable": "NOT x.attnotnull",
        "not_null": Since(
            180000,
            (
                "CASE WHEN x.attnotnull THEN (SELECT concat_ws(' ', CASE WHEN n.connoinherit THEN 'NO INHERIT' END, "
                "CASE WHEN NOT n.convalidated THEN 'NOT VALID' END, 'COMMENT ' || quote_literal(n.description)) FROM not_nulls n "
                "WHERE n.conrelid = x.attrelid AND n.attnum = x.attnum) END"
            ),
        ),
        "default": "CASE WHEN x.attgenerated = '' THEN pg_get_expr(d.adbin, d.adrelid) END",
        "identity": "x.attidentity",
        "generated": "x.attgenerated",
        "expression": "CASE WHEN x.attgenerated <> '' THEN pg_get_expr(d.adbin, d.adrelid) END",
        "collation": (
            "CASE WHEN x.attcollation <> y.typcollation THEN (SELECT format('%I.%I', cn.nspname, co.collname) "
            "FROM pg_collation co JOIN pg_namespace cn ON cn.oid = co.collnamespace WHERE co.oid = "
            "x.attcollation) END"
        ),
        "storage": "CASE WHEN x.attstorage <> y.typstorage THEN x.attstorage END",
        "compression": Since(
            140000,
            "nullif(x.attcompression::text, '')",
        ),
        "statistics": "CASE WHEN x.attstattarget >= 0 THEN x.attstattarget END",
        "options": "x.attoptions",
        "server_options": "x.attfdwoptions",
        "local": "CASE WHEN x.attinhcount > 0 AND x.attislocal THEN true END",
        "position": "row_number() OVER (PARTITION BY x.attrelid ORDER BY x.attnum)",
    },
    rows="tables t JOIN pg_attribute x ON x.attrelid = t.oid AND x.attnum > 0 AND NOT x.attisdropped",
    joins=(
        "JOIN pg_type y ON y.oid = x.atttypid LEFT JOIN pg_attrdef d ON d.adrelid = x.attrelid AND d.adnum = "
        "x.attnum LEFT JOIN pg_description w ON w.objoid = x.attrelid AND w.classoid = "
        "'pg_class'::regclass::oid AND w.objsubid = x.attnum"
    ),
    comment="w.description",
    is_common=True,
    named="COLUMN {owner}.{name}",
    again="ALTER TABLE {owner} ADD COLUMN {name} {type}{default}{not_null}",
    alter={
        "type": "ALTER TABLE {owner} ALTER COLUMN {name} TYPE {type}",
        "nullable": "ALTER TABLE {owner} ALTER COLUMN {name} {set_null}",
        "default": "ALTER TABLE {owner} ALTER COLUMN {name} {set_default}",
        "identity": "ALTER TABLE {owner} ALTER COLUMN {name} {no_identity}",
        "statistics": "ALTER TABLE {owner} ALTER COLUMN {name} SET STATISTICS {value}",
        "storage": "ALTER TABLE {owner} ALTER COLUMN {name} SET STORAGE {value}",
    },
    asked=Asked(
        there="EXISTS (SELECT FROM pg_attribute WHERE attrelid = {of} AND attname = {literal} AND attnum > 0 AND NOT attisdropped)",
        gone="ALTER TABLE {owner} DROP COLUMN {name}",
        comment="(SELECT col_description(attrelid, attnum) FROM pg_attribute WHERE attrelid = {of} AND attname = {literal})",
        renamed="ALTER TABLE {owner} RENAME COLUMN {name} TO {new}",
    ),
    compared={"type": Compared.TYPE},
    guards=Guards(
        columns={
            "attisdropped": "always false",
            "attnum": "attnum",
            "attnotnull": "not null",
            "atttypid": OF_TYPE,
            "atttypmod": OF_TYPE,
        },
        views={
            "columns": {
                "table_schema": "schema",
                "table_name": "table",
                "column_name": "name",
                "data_type": "data_type",
                "udt_name": "udt_name",
                "is_nullable": "is_nullable",
                "column_default": "default",
                "character_maximum_length": "length",
                "is_identity": "is_identity",
            },
        },
    ),
    statements=Statements(
        create=altered(),
        alter=altered(),
        drop=altered(),
        comment=commented("OBJECT_COLUMN"),
        rename=renamed("OBJECT_COLUMN"),
        owner=NONE,
        grant=GRANT,
        set_schema=NONE,
    ),
    counted=(),
)
