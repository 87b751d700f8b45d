"""A materialised view. Whether it is filled is a matter of its rows."""

from omega_bridge.catalog import Kind
from omega_bridge.kinds.room import Asked, Guards, Room, Stored
from omega_bridge.kinds.statements import (
    CREATE_TABLE_AS,
    DEPENDS,
    GRANT,
    RELATION_OWNER,
    SET_SCHEMA,
    Statements,
    altered_unread,
    commented,
    dropped,
    renamed,
)
from omega_bridge.kinds.values import extensions

ROOM = Room(
    Kind.MATERIALIZED_VIEW,
    Stored("pg_class", "x.relname", namespace="relnamespace", owner="relowner", acl="relacl"),
    {
        "definition": "pg_get_viewdef(x.oid)",
        "options": "x.reloptions",
        "clustered": (
            "(SELECT r.relname FROM pg_index i JOIN pg_class r ON r.oid = i.indexrelid WHERE i.indrelid = x.oid "
            "AND i.indisclustered)"
        ),
        "method": "(SELECT a.amname FROM pg_am a WHERE a.oid = x.relam AND a.amname <> 'heap')",
        "depends_on": extensions("pg_class"),
        "tablespace": "(SELECT e.spcname FROM pg_tablespace e WHERE e.oid = x.reltablespace)",
    },
    rows="relations x",
    joins="LEFT JOIN pg_description w ON w.objoid = x.oid AND w.classoid = 'pg_class'::regclass::oid AND w.objsubid = 0",
    only="x.relkind = 'm'",
    comment="w.description",
    is_common=True,
    named="MATERIALIZED VIEW {object}",
    again="CREATE MATERIALIZED VIEW {object} AS {definition}",
    alter={
        "definition": "DROP MATERIALIZED VIEW {object}; CREATE MATERIALIZED VIEW {object} AS {definition}",
    },
    asked=Asked(
        there="to_regclass({text}) IS NOT NULL",
        gone="DROP MATERIALIZED VIEW {object}",
        comment="obj_description(to_regclass({text}), 'pg_class')",
        renamed="ALTER MATERIALIZED VIEW {object} RENAME TO {new}",
    ),
    guards=Guards(
        letters="m",
        columns={"relkind": "relkind", "oid": "oid"},
        views={"pg_matviews": {"schemaname": "schema", "matviewname": "name"}},
    ),
    statements=Statements(
        create=CREATE_TABLE_AS,
        alter=(altered_unread(), DEPENDS),
        drop=dropped("OBJECT_MATVIEW"),
        comment=commented("OBJECT_MATVIEW"),
        rename=renamed("OBJECT_MATVIEW"),
        owner=RELATION_OWNER,
        grant=GRANT,
        set_schema=SET_SCHEMA,
    ),
    counted=(),
)
