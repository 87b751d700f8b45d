"""A constraint of a table: primary key, unique, foreign key, check, exclusion."""

from omega_bridge.catalog import Kind
from omega_bridge.kinds.room import Asked, Compared, Guards, Room, Stored
from omega_bridge.kinds.statements import COMMENT, NONE, Statements, altered, renamed
from omega_bridge.kinds.values import ordered

_WITH_PARTS = (
    "CASE WHEN (SELECT f.relkind FROM pg_class f WHERE f.oid = x.confrelid) = 'p' THEN ARRAY(SELECT f.oid FROM pg_constraint f "
    "WHERE f.conrelid = x.conrelid AND f.contype = 'f' AND f.conkey = x.conkey AND (f.oid = x.oid OR f.conparentid <> 0::oid)) "
    "ELSE ARRAY[x.oid] END"
)
"""A reference to a partitioned table has one more to each partition, by a name that differs from release to release: all of them are one."""

ROOM = Room(
    Kind.CONSTRAINT,
    Stored("pg_constraint", "x.conname", namespace="connamespace", table="conrelid"),
    {
        "type": "x.contype",
        "definition": "pg_get_constraintdef(x.oid)",
        "validated": "x.convalidated",
        "deferrable": "x.condeferrable",
        "deferred": "x.condeferred",
        "disabled": (
            "CASE WHEN x.contype = 'f' THEN "
            + ordered(
                "DISTINCT g.tgrelid::regclass::text",
                f"pg_trigger g WHERE g.tgconstraint = ANY ({_WITH_PARTS}) AND g.tgisinternal AND g.tgenabled <> 'O'",
            )
            + " END"
        ),
    },
    rows="pg_constraint x JOIN pg_class r ON r.oid = x.conrelid JOIN schemas s ON s.oid = r.relnamespace",
    joins=("LEFT JOIN pg_description w ON w.objoid = x.oid AND w.classoid = 'pg_constraint'::regclass::oid AND w.objsubid = 0"),
    only=(
        "x.contype IN ('p', 'u', 'f', 'c', 'x') AND r.relname <> 'alembic_version' AND r.oid NOT IN (SELECT oid FROM version_tables) AND {constraint_filter} "
        "AND (x.conparentid = 0::oid OR NOT EXISTS (SELECT FROM pg_constraint o WHERE o.oid = x.conparentid AND o.conrelid = x.conrelid)) "
        "AND r.oid NOT IN (SELECT objid FROM extension_owned WHERE classid = 'pg_class'::regclass::oid)"
    ),
    comment="w.description",
    is_common=True,
    place=("s.nspname", "r.relname"),
    named="CONSTRAINT {name} ON {owner}",
    again="ALTER TABLE {owner} ADD CONSTRAINT {name} {definition}",
    alter={
        "definition": "ALTER TABLE {owner} DROP CONSTRAINT {name}, ADD CONSTRAINT {name} {definition}",
        "validated": "ALTER TABLE {owner} VALIDATE CONSTRAINT {name}",
        "disabled": "ALTER TABLE {owner} ENABLE TRIGGER ALL",
    },
    asked=Asked(
        there="EXISTS (SELECT FROM pg_constraint WHERE conrelid = {of} AND conname = {literal})",
        gone="ALTER TABLE {owner} DROP CONSTRAINT {name}",
        renamed="ALTER TABLE {owner} RENAME CONSTRAINT {name} TO {new}",
    ),
    compared={"definition": Compared.CONSTRAINT},
    guards=Guards(
        columns={"contype": "type", "convalidated": "validated"},
        views={
            "table_constraints": {
                "constraint_schema": "schema",
                "table_schema": "schema",
                "table_name": "table",
                "constraint_name": "name",
                "constraint_type": "constraint_type",
            },
            "referential_constraints": {"constraint_schema": "schema", "constraint_name": "name"},
        },
    ),
    statements=Statements(
        create=altered(),
        alter=altered(),
        drop=altered(),
        comment=COMMENT,
        rename=renamed("OBJECT_TABCONSTRAINT"),
        owner=NONE,
        grant=NONE,
        set_schema=NONE,
    ),
    counted=(),
)
