"""A function, procedure, window function or aggregate."""

from omega_bridge.catalog import Kind
from omega_bridge.kinds.counted import EQUALS, Counted
from omega_bridge.kinds.room import Asked, Compared, Guards, Room, Stored
from omega_bridge.kinds.statements import COMMENT, DEPENDS, GRANT, OWNER, RENAME, SET_SCHEMA, Opaque, Read, Statements, dropped
from omega_bridge.kinds.values import extensions
from omega_bridge.tags import Tag

ROOM = Room(
    Kind.FUNCTION,
    Stored(
        "pg_proc",
        "format('%s(%s)', x.proname, oidvectortypes(x.proargtypes))",
        namespace="pronamespace",
        owner="proowner",
        acl="proacl",
    ),
    {
        "kind": "x.prokind",
        "definition": "CASE WHEN x.prokind IN ('f', 'p', 'w') THEN pg_get_functiondef(x.oid) END",
        "depends_on": extensions("pg_proc"),
        "aggregate": (
            "CASE WHEN x.prokind = 'a' THEN (SELECT (to_jsonb(a) - "
            "'{aggfnoid,aggsortop,aggtranstype,aggmtranstype}'::text[]) || jsonb_build_object('sortop', "
            "nullif(a.aggsortop, 0::oid)::regoper::text, 'transtype', format_type(a.aggtranstype, NULL), "
            "'mtranstype', format_type(nullif(a.aggmtranstype, 0::oid), NULL), 'result', "
            "format_type(x.prorettype, NULL), 'parallel', x.proparallel) FROM pg_aggregate a WHERE a.aggfnoid = "
            "x.oid) END"
        ),
    },
    rows="pg_proc x JOIN schemas s ON s.oid = x.pronamespace",
    only=("{function_filter} AND x.oid NOT IN (SELECT objid FROM extension_owned WHERE classid = 'pg_proc'::regclass::oid)"),
    is_common=True,
    place=("s.nspname", "''"),
    named="ROUTINE {object}",
    again="{definition}",
    alter={
        "definition": "{definition}",
    },
    asked=Asked(there="to_regprocedure({routine_text}) IS NOT NULL", gone="DROP ROUTINE {routine}"),
    compared={"definition": Compared.ROUTINE},
    guards=Guards(columns={"proname": "name"}, views={"routines": {"routine_schema": "schema", "routine_name": "name"}}),
    statements=Statements(
        create=(
            Read(
                Tag.CREATE_FUNCTION,
                "routines.create_function",
                twice="duplicate_function",
                unless="replace",
                is_additive=True,
                is_batched=True,
            ),
            Opaque("what an aggregate is made of is not read", (Tag.DEFINE,)),
        ),
        alter=(Opaque("the attributes that it sets are compared in the catalog, not promised", (Tag.ALTER_FUNCTION,)), DEPENDS),
        drop=dropped("OBJECT_FUNCTION", "OBJECT_PROCEDURE"),
        comment=COMMENT,
        rename=RENAME,
        owner=OWNER,
        grant=GRANT,
        set_schema=SET_SCHEMA,
    ),
    counted=(
        Counted(
            "pg_depend",
            "(objid::pg_catalog.int8 OPERATOR(pg_catalog.<<) 32) OPERATOR(pg_catalog.+) refobjid::pg_catalog.int8",
            f"refclassid {EQUALS} 3079::pg_catalog.oid AND deptype {EQUALS} 'x'::pg_catalog.\"char\"",  # 3079: pg_extension
        ),
    ),
)
