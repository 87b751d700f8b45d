"""A publication of logical replication."""

from omega_bridge.catalog import Kind
from omega_bridge.kinds.counted import Counted
from omega_bridge.kinds.room import Room, Since, Stored
from omega_bridge.kinds.statements import COMMENT, DROP, NONE, OWNER, RENAME, Statements, unnamed
from omega_bridge.tags import Tag

_CATALOGS = ("pg_publication", "pg_publication_rel", "pg_publication_namespace")

ROOM = Room(
    Kind.PUBLICATION,
    Stored("pg_publication", "x.pubname", owner="pubowner"),
    {
        "all_tables": "x.puballtables",
        "operations": (
            "concat_ws(', ', CASE WHEN x.pubinsert THEN 'insert' END, CASE WHEN x.pubupdate THEN 'update' END, "
            "CASE WHEN x.pubdelete THEN 'delete' END, CASE WHEN x.pubtruncate THEN 'truncate' END)"
        ),
        "via_root": "x.pubviaroot",
        "generated_columns": Since(
            180000,
            "nullif(x.pubgencols::text, 'n')",
        ),
        "tables": Since(
            150000,
            (
                "(SELECT array_agg(concat(p.prrelid::regclass, ' (' || (SELECT string_agg(quote_ident(a.attname), ', "
                "' ORDER BY a.attnum) FROM pg_attribute a WHERE a.attrelid = p.prrelid AND a.attnum = ANY "
                "(p.prattrs)) || ')', ' WHERE ' || pg_get_expr(p.prqual, p.prrelid)) ORDER BY "
                "p.prrelid::regclass::text) FROM pg_publication_rel p WHERE p.prpubid = x.oid)"
            ),
            otherwise=(
                "(SELECT array_agg(p.prrelid::regclass::text ORDER BY p.prrelid::regclass::text) FROM "
                "pg_publication_rel p WHERE p.prpubid = x.oid)"
            ),
        ),
        "schemas": Since(
            150000,
            (
                "(SELECT array_agg(n.nspname ORDER BY n.nspname) FROM pg_publication_namespace p JOIN pg_namespace n "
                "ON n.oid = p.pnnspid WHERE p.pnpubid = x.oid)"
            ),
        ),
    },
    named="PUBLICATION {name}",
    again="CREATE PUBLICATION {name}{published} WITH (publish = '{operations}', publish_via_partition_root = {via_root})",
    alter={
        "operations": "ALTER PUBLICATION {name} SET (publish = '{operations}')",
        "via_root": "ALTER PUBLICATION {name} SET (publish_via_partition_root = {via_root})",
        "tables": "ALTER PUBLICATION {name} SET {members}",
        "schemas": "ALTER PUBLICATION {name} SET {members}",
    },
    statements=Statements(
        create=unnamed(Tag.CREATE_PUBLICATION, leaves=_CATALOGS),
        alter=unnamed(Tag.ALTER_PUBLICATION, leaves=_CATALOGS),
        drop=DROP,
        comment=COMMENT,
        rename=RENAME,
        owner=OWNER,
        grant=NONE,
        set_schema=NONE,
    ),
    counted=(Counted("pg_publication"), Counted("pg_publication_rel"), Counted("pg_publication_namespace", since=150000)),
)
