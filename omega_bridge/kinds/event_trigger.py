"""An event trigger."""

from omega_bridge.catalog import Kind
from omega_bridge.kinds.room import Room, Stored

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
    alter={
        "enabled": "ALTER EVENT TRIGGER {name} {enabled}",
    },
)
