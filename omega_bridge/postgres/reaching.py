"""Whether a step reaches beyond the schemas that its start has locked: then it holds the lock of the whole database."""

from __future__ import annotations

from omega_bridge.analysis import StepAnalysis
from omega_bridge.catalog import Catalog
from omega_bridge.planning import reach
from omega_bridge.postgres.session import Session

_OTHERS = (
    "SELECT EXISTS (SELECT FROM pg_catalog.pg_proc p WHERE p.proname OPERATOR(pg_catalog.=) ANY (%s::pg_catalog.name[])"
    " AND p.pronamespace OPERATOR(pg_catalog.<>) 'pg_catalog'::pg_catalog.regnamespace::pg_catalog.oid)"
)
"""Whether one of these names is that of a function that is not PostgreSQL's own."""


def reaches_beyond(session: Session, step: StepAnalysis, catalog: Catalog, *, calls: bool = True) -> bool:
    """Whether it may. ``calls``: by a function that it calls, too. Without a lock there is nothing to reach beyond."""
    if session.held is None:
        return False
    called = reach.calls(step, catalog, session.held.schemas)
    return called is None or (calls and bool(called) and session.rows(_OTHERS, (sorted(called),)) == [(True,)])
