"""Whether a data step has nothing to do: asked of the server before the step is sent, read-only.

The question looks for rows alone. That the step would work at all (columns, types, privileges, the key of an ``ON CONFLICT``) is
seen from its plan, which PostgreSQL makes without running it; a step that would fail is sent, and fails.
"""

from __future__ import annotations

import psycopg
from psycopg import sql

from omega_bridge.analysis import StepAnalysis
from omega_bridge.analysis.program import Sql
from omega_bridge.catalog import Key
from omega_bridge.postgres import settings
from omega_bridge.postgres.data_steps import READ_ONLY
from omega_bridge.postgres.indexes import regclass
from omega_bridge.postgres.session import Session
from omega_bridge.tags import Tag


def lookahead(step: StepAnalysis) -> str | None:
    """The question whether a data step would do anything; ``None`` where none can be asked for sure."""
    questions = []
    for node in step.program:
        if not isinstance(node, Sql) or node.lookahead is None or not node.needs:
            return None
        questions += [f"({node.lookahead})", _acts_without_rows(node.needs[0], is_insert=node.tag == Tag.INSERT)]
    return f"SELECT {' OR '.join(questions)}" if questions else None


def has_nothing_to_do(session: Session, step: StepAnalysis, lock_timeout: float) -> bool:
    """Whether a data step can be spared: it would work, and no row would change."""
    question = lookahead(step)
    if question is None:
        return False
    plans = [_planned(node.text, session) for node in step.program if isinstance(node, Sql)]
    asked = [*settings.local(session, lock_timeout, 0.0), READ_ONLY, *plans, question]
    try:
        ((found,),) = session.ask("; ".join(asked), within=None)
        return found == "f"
    except psycopg.Error:
        return False


def _planned(text: str, session: Session) -> str:
    """A block that has a statement planned, and fails as that would. Of who keeps the table it is nothing to be told."""
    planned = sql.Literal(f"EXPLAIN {text}").as_string(session.connection)
    block = f"BEGIN EXECUTE {planned}; EXCEPTION WHEN lock_not_available THEN NULL; END"
    return f"DO {sql.Literal(block).as_string(session.connection)}"


def _acts_without_rows(target: Key, *, is_insert: bool) -> str:
    """The question whether a statement acts where it changes no row: by a trigger for each statement, by one before an INSERT, which
    fires though the row is there already (a partition's, too), or by a rule. Rows of a foreign table are not looked for.

    ``tgtype``: 1 is FOR EACH ROW, 2 BEFORE, 4 INSERT (``src/include/catalog/pg_trigger.h``).
    """
    table = f"{sql.Literal(regclass(target.schema, target.name)).as_string(None)}::pg_catalog.regclass"
    fires = "(t.tgtype OPERATOR(pg_catalog.&) 1) OPERATOR(pg_catalog.=) 0"
    tables = f"t.tgrelid OPERATOR(pg_catalog.=) {table}"
    if is_insert:
        fires += " OR (t.tgtype OPERATOR(pg_catalog.&) 7) OPERATOR(pg_catalog.=) 7"
        tables += f" OR t.tgrelid OPERATOR(pg_catalog.=) ANY (ARRAY(SELECT p.relid FROM pg_catalog.pg_partition_tree({table}) p))"
    return (
        f"(SELECT c.relhasrules OR c.relkind OPERATOR(pg_catalog.<>) ALL ('{{r,p}}'::pg_catalog.\"char\"[]) OR EXISTS ("
        f"SELECT 1 FROM pg_catalog.pg_trigger t WHERE NOT t.tgisinternal AND ({tables}) AND ({fires})) "
        f"FROM pg_catalog.pg_class c WHERE c.oid OPERATOR(pg_catalog.=) {table})"
    )
