"""A view."""

from omega_bridge.catalog import Kind
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
)
from omega_bridge.tags import Tag

ROOM = Room(
    Kind.VIEW,
    Stored("pg_class", "x.relname", namespace="relnamespace", owner="relowner", acl="relacl"),
    {
        "definition": "pg_get_viewdef(x.oid)",
        "options": "x.reloptions",
    },
    rows="relations x",
    joins="LEFT JOIN pg_description w ON w.objoid = x.oid AND w.classoid = 'pg_class'::regclass::oid AND w.objsubid = 0",
    only="x.relkind = 'v'",
    comment="w.description",
    is_common=True,
    named="VIEW {object}",
    again="CREATE OR REPLACE VIEW {object} AS {definition}",
    alter={
        "definition": "CREATE OR REPLACE VIEW {object} AS {definition}",
    },
    asked=Asked(
        there="to_regclass({text}) IS NOT NULL",
        gone="DROP VIEW {object}",
        comment="obj_description(to_regclass({text}), 'pg_class')",
        renamed="ALTER VIEW {object} RENAME TO {new}",
    ),
    guards=Guards(
        letters="v",
        columns={"relkind": "relkind", "oid": "oid"},
        views={
            "tables": {"table_schema": "schema", "table_name": "name", "table_type": "table_type"},
            "views": {"table_schema": "schema", "table_name": "name"},
            "pg_views": {"schemaname": "schema", "viewname": "name"},
        },
    ),
    statements=Statements(
        create=Read(Tag.VIEW, "tables.create_view", twice="duplicate_table", unless="replace", is_additive=True),
        alter=altered_unread(),
        drop=dropped("OBJECT_VIEW"),
        comment=commented("OBJECT_VIEW"),
        rename=renamed("OBJECT_VIEW"),
        owner=RELATION_OWNER,
        grant=GRANT,
        set_schema=SET_SCHEMA,
    ),
    counted=(),
)
