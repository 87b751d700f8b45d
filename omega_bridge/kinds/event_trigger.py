"""An event trigger."""

from omega_bridge.catalog import Kind
from omega_bridge.kinds.counted import Counted
from omega_bridge.kinds.room import Room, Stored
from omega_bridge.kinds.statements import COMMENT, DROP, NONE, OWNER, RENAME, Statements, unnamed
from omega_bridge.tags import Tag

ROOM = Room(
    Kind.EVENT_TRIGGER,
    Stored("pg_event_trigger", "x.evtname", owner="evtowner"),
    {
        "event": "x.evtevent",
        "function": "x.evtfoid::regprocedure::text",
        "enabled": "x.evtenabled",
        "tags": "x.evttags",
    },
    only=(
        "x.evtfoid NOT IN (SELECT f.oid FROM pg_proc f JOIN pg_namespace n ON n.oid = f.pronamespace WHERE "
        "n.nspname IN ('omega_bridge', 'omega_bridge_sentinel'))"
    ),
    named="EVENT TRIGGER {name}",
    again="CREATE EVENT TRIGGER {name} ON {event}{tags} EXECUTE FUNCTION {function}",
    alter={
        "enabled": "ALTER EVENT TRIGGER {name} {enabled}",
    },
    statements=Statements(
        create=unnamed(Tag.CREATE_EVENT_TRIG, leaves=("pg_event_trigger",)),
        alter=unnamed(Tag.ALTER_EVENT_TRIG, leaves=("pg_event_trigger",)),
        drop=DROP,
        comment=COMMENT,
        rename=RENAME,
        owner=OWNER,
        grant=NONE,
        set_schema=NONE,
    ),
    counted=(Counted("pg_event_trigger"),),
)
