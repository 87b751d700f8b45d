"""Which table locks a planned step takes."""

from __future__ import annotations

from omega_bridge.catalog import Kind
from omega_bridge.planning.plan import PlannedStep


def locks_of(planned: PlannedStep) -> list[str]:
    """The table locks that a step's pending statements take, by PostgreSQL's manual ("Explicit Locking")."""
    found: list[str] = []
    for s in planned.statements:
        if s.tag == "index_stmt":
            mode = "SHARE" if s.transactional else "SHARE UPDATE EXCLUSIVE"
        elif s.tag in ("alter_table_stmt", "drop_stmt", "rename_stmt", "truncate_stmt"):
            mode = "ACCESS EXCLUSIVE"
        elif s.tag == "create_trig_stmt":
            mode = "SHARE ROW EXCLUSIVE"
        elif s.tag in ("insert_stmt", "update_stmt", "delete_stmt"):
            mode = "ROW EXCLUSIVE"
        else:
            continue
        tables = [dict(e.attributes).get("table") or e.key.table or e.key.name for e in s.effects] or [
            k.name for k in s.needs if k.kind is Kind.TABLE
        ]
        found.extend(f"{mode} {table}" for table in dict.fromkeys(tables))
    return found
