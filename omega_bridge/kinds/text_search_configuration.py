"""A text search configuration."""

from omega_bridge.catalog import Kind
from omega_bridge.kinds.counted import Counted, both
from omega_bridge.kinds.room import Room, Stored
from omega_bridge.kinds.statements import COMMENT, DROP, NONE, OWNER, RENAME, SET_SCHEMA, Statements, unnamed
from omega_bridge.tags import Tag

ROOM = Room(
    Kind.TEXT_SEARCH_CONFIGURATION,
    Stored("pg_ts_config", "x.cfgname", namespace="cfgnamespace", owner="cfgowner"),
    {
        "parser": (
            "(SELECT format('%I.%I', n.nspname, p.prsname) FROM pg_ts_parser p JOIN pg_namespace n ON n.oid = "
            "p.prsnamespace WHERE p.oid = x.cfgparser)"
        ),
        "mapping": (
            "(SELECT array_agg(format('%s: %s', m.maptokentype, m.dicts) ORDER BY m.maptokentype) FROM (SELECT "
            "c.maptokentype, string_agg(c.mapdict::regdictionary::text, ', ' ORDER BY c.mapseqno) AS dicts FROM "
            "pg_ts_config_map c WHERE c.mapcfg = x.oid GROUP BY c.maptokentype) m)"
        ),
    },
    named="TEXT SEARCH CONFIGURATION {object}",
    statements=Statements(
        create=unnamed(Tag.DEFINE),
        alter=unnamed(Tag.ALTER_TSCONFIGURATION),
        drop=DROP,
        comment=COMMENT,
        rename=RENAME,
        owner=OWNER,
        grant=NONE,
        set_schema=SET_SCHEMA,
    ),
    counted=(
        Counted("pg_ts_config"),
        Counted("pg_ts_config_map", both("mapcfg", "maptokentype"), "mapcfg OPERATOR(pg_catalog.>=) 16384"),
    ),
)
