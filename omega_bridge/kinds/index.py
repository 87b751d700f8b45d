"""An index, that of a key included."""

from omega_bridge.catalog import Kind
from omega_bridge.kinds.counted import Counted
from omega_bridge.kinds.room import Asked, Compared, Guards, Room, Stored
from omega_bridge.kinds.statements import DEPENDS, NONE, Read, Statements, altered_unread, commented, dropped, renamed
from omega_bridge.kinds.values import extensions
from omega_bridge.tags import Tag

ROOM = Room(
    Kind.INDEX,
    Stored("pg_class", "x.relname", namespace="relnamespace"),
    {
        "table": "t.relname",
        "definition": "pg_get_indexdef(i.indexrelid)",
        "unique": "i.indisunique",
        "valid": "i.indisvalid AND i.indisready",
        "constraint": "i.indexrelid IN (SELECT k.conindid FROM pg_constraint k WHERE k.contype IN ('p', 'u', 'x'))",
        "parent": "(SELECT h.inhparent::regclass::text FROM pg_inherits h WHERE h.inhrelid = i.indexrelid)",
        "statistics": (
            "(SELECT array_agg(format('%s: %s', a.attnum, a.attstattarget) ORDER BY a.attnum) FROM pg_attribute a "
            "WHERE a.attrelid = i.indexrelid AND a.attstattarget >= 0)"
        ),
        "depends_on": extensions("pg_class", "i.indexrelid"),
        "tablespace": "(SELECT e.spcname FROM pg_tablespace e WHERE e.oid = x.reltablespace)",
    },
    rows=(
        "index_ids o JOIN pg_index i ON i.indexrelid = o.oid JOIN pg_class x ON x.oid = i.indexrelid JOIN "
        "pg_class t ON t.oid = i.indrelid JOIN schemas s ON s.oid = x.relnamespace"
    ),
    joins=("LEFT JOIN pg_description w ON w.objoid = i.indexrelid AND w.classoid = 'pg_class'::regclass::oid AND w.objsubid = 0"),
    only="t.relname <> 'alembic_version' AND t.oid NOT IN (SELECT oid FROM version_tables)",
    comment="w.description",
    is_common=True,
    place=("s.nspname", "''"),
    named="INDEX {object}",
    again="{definition}",
    alter={
        "definition": "DROP INDEX {object}; {definition}",
        "valid": "REINDEX INDEX CONCURRENTLY {object}",
    },
    asked=Asked(
        there="to_regclass({text}) IS NOT NULL",
        gone="DROP INDEX {object}",
        comment="obj_description(to_regclass({text}), 'pg_class')",
        renamed="ALTER INDEX {object} RENAME TO {new}",
    ),
    compared={"definition": Compared.INDEX},
    guards=Guards(
        letters="iI",
        columns={"relkind": "relkind", "oid": "oid"},
        views={"pg_indexes": {"schemaname": "schema", "tablename": "on table", "indexname": "name"}},
    ),
    statements=Statements(
        create=Read(
            Tag.INDEX,
            "tables.create_index",
            twice="duplicate_table",
            unless="if_not_exists",
            lock="SHARE",
            lock_concurrently="SHARE UPDATE EXCLUSIVE",
            is_additive=True,
            is_batched=True,
        ),
        alter=(altered_unread("pg_index"), DEPENDS),
        drop=dropped("OBJECT_INDEX"),
        comment=commented("OBJECT_INDEX"),
        rename=renamed("OBJECT_INDEX"),
        owner=NONE,
        grant=NONE,
        set_schema=NONE,
    ),
    counted=(Counted("pg_index", "indexrelid::pg_catalog.int8", "indrelid OPERATOR(pg_catalog.>=) 16384"),),
)
