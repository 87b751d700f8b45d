"""A table: ordinary, partitioned, or foreign."""

from omega_bridge.catalog import Kind
from omega_bridge.kinds.counted import Counted, both
from omega_bridge.kinds.room import Asked, Guards, Room, Stored
from omega_bridge.kinds.statements import (
    CREATE_TABLE_AS,
    GRANT,
    RELATION_OWNER,
    SET_SCHEMA,
    Read,
    Statements,
    altered,
    commented,
    dropped,
    renamed,
    unnamed,
)
from omega_bridge.kinds.values import options
from omega_bridge.tags import Tag

ROOM = Room(
    Kind.TABLE,
    Stored("pg_class", "x.relname", namespace="relnamespace", owner="relowner", acl="relacl"),
    {
        "kind": "x.relkind",
        "persistence": "x.relpersistence",
        "row_security": "x.relrowsecurity",
        "force_row_security": "x.relforcerowsecurity",
        "options": "x.reloptions",
        "partition_key": "pg_get_partkeydef(x.oid)",
        "partition_bound": "pg_get_expr(x.relpartbound, x.oid)",
        "inherits": (
            "(SELECT array_agg(h.inhparent::regclass::text ORDER BY h.inhseqno) FROM pg_inherits h WHERE h.inhrelid = x.oid)"
        ),
        "replica_identity": (
            "CASE x.relreplident WHEN 'i' THEN (SELECT format('index %I', r.relname) FROM pg_index i JOIN "
            "pg_class r ON r.oid = i.indexrelid WHERE i.indrelid = x.oid AND i.indisreplident) WHEN 'd' THEN NULL "
            "ELSE x.relreplident::text END"
        ),
        "clustered": (
            "(SELECT r.relname FROM pg_index i JOIN pg_class r ON r.oid = i.indexrelid WHERE i.indrelid = x.oid "
            "AND i.indisclustered)"
        ),
        "method": "(SELECT a.amname FROM pg_am a WHERE a.oid = x.relam AND a.amname <> 'heap')",
        "tablespace": "(SELECT e.spcname FROM pg_tablespace e WHERE e.oid = x.reltablespace)",
        "of_type": "CASE WHEN x.reloftype <> 0::oid THEN format_type(x.reloftype, NULL) END",
        "toast_options": "(SELECT o.reloptions FROM pg_class o WHERE o.oid = x.reltoastrelid)",
        "server": (
            "(SELECT v.srvname FROM pg_foreign_table f JOIN pg_foreign_server v ON v.oid = f.ftserver WHERE f.ftrelid = x.oid)"
        ),
        "server_options": options("pg_foreign_table f, unnest(f.ftoptions) o WHERE f.ftrelid = x.oid"),
    },
    rows="relations x",
    joins="LEFT JOIN pg_description w ON w.objoid = x.oid AND w.classoid = 'pg_class'::regclass::oid AND w.objsubid = 0",
    only="x.relkind IN ('r', 'p', 'f')",
    comment="w.description",
    is_common=True,
    named="TABLE {object}",
    alter={
        "row_security": "ALTER TABLE {object} {enable} ROW LEVEL SECURITY",
        "force_row_security": "ALTER TABLE {object} {force} ROW LEVEL SECURITY",
        "persistence": "ALTER TABLE {object} SET {logged}",
    },
    asked=Asked(
        there="to_regclass({text}) IS NOT NULL",
        gone="DROP TABLE {object}",
        comment="obj_description(to_regclass({text}), 'pg_class')",
        renamed="ALTER TABLE {object} RENAME TO {new}",
    ),
    guards=Guards(
        letters="rpf",
        columns={"relkind": "relkind", "oid": "oid"},
        views={
            "tables": {"table_schema": "schema", "table_name": "name", "table_type": "table_type"},
            "pg_tables": {"schemaname": "schema", "tablename": "name"},
        },
    ),
    statements=Statements(
        create=(
            Read(
                Tag.CREATE,
                "tables.create_table",
                twice="duplicate_table",
                unless="if_not_exists",
                is_additive=True,
                is_batched=True,
            ),
            CREATE_TABLE_AS,
            unnamed(Tag.CREATE_FOREIGN_TABLE, Tag.IMPORT_FOREIGN_SCHEMA),
        ),
        alter=altered("pg_index", "pg_inherits", "pg_foreign_table"),
        drop=dropped("OBJECT_TABLE"),
        comment=commented("OBJECT_TABLE"),
        rename=renamed("OBJECT_TABLE"),
        owner=RELATION_OWNER,
        grant=GRANT,
        set_schema=SET_SCHEMA,
    ),
    counted=(
        Counted("pg_inherits", both("inhrelid", "inhseqno"), ""),
        Counted("pg_foreign_table", "ftrelid::pg_catalog.int8", ""),
    ),
)
