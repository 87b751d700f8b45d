"""A procedural language."""

from omega_bridge.catalog import Kind
from omega_bridge.kinds.counted import Counted
from omega_bridge.kinds.room import Room, Stored
from omega_bridge.kinds.statements import COMMENT, DROP, GRANT, NONE, OWNER, RENAME, Statements, unnamed
from omega_bridge.tags import Tag

ROOM = Room(
    Kind.LANGUAGE,
    Stored("pg_language", "x.lanname", owner="lanowner", acl="lanacl"),
    {
        "trusted": "x.lanpltrusted",
        "handler": "nullif(x.lanplcallfoid, 0::oid)::regprocedure::text",
        "inline": "nullif(x.laninline, 0::oid)::regprocedure::text",
        "validator": "nullif(x.lanvalidator, 0::oid)::regprocedure::text",
    },
    rows="pg_catalog.pg_language x",
    only=(  # of those that every database has, what somebody has given or taken
        "(x.lanacl IS NOT NULL OR (x.oid >= 16384::oid AND x.oid NOT IN "
        "(SELECT objid FROM extension_owned WHERE classid = 'pg_language'::regclass::oid)))"
    ),
    named="LANGUAGE {name}",
    statements=Statements(
        create=unnamed(Tag.CREATE_PLANG),
        alter=NONE,
        drop=DROP,
        comment=COMMENT,
        rename=RENAME,
        owner=OWNER,
        grant=GRANT,
        set_schema=NONE,
    ),
    counted=(Counted("pg_language", condition=""),),
)
