"""Where rows come from and go to in a database, beside what statements name."""

from __future__ import annotations

from omega_bridge.planning.row_flow import Link, Routine, RowFlow
from omega_bridge.postgres.queries import query
from omega_bridge.postgres.session import Session


def read_row_flow(session: Session) -> RowFlow:
    """All of it, in one round trip. Asked only where a step waits, which is rare."""
    relations: list[str] = []
    routines: list[Routine] = []
    links: list[Link] = []
    for kind, name, other, source in session.rows(query("row_flow")):
        if kind == "relation":
            relations.append(name)
        elif kind == "routine":
            routines.append(Routine(name, other, source or ""))
        else:
            links.append(Link(kind, name, other))
    return RowFlow.of(relations, links, routines)
