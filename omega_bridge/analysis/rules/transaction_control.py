"""``BEGIN``, ``COMMIT``, ``ROLLBACK``, ``SAVEPOINT`` in a step."""

from __future__ import annotations

from collections.abc import Iterator

from omega_bridge import sql
from omega_bridge.analysis.findings import Hit, Listed, Rule, Severity
from omega_bridge.analysis.program import statements
from omega_bridge.analysis.written import written
from omega_bridge.sql.grammar import TransactionStmtKind
from omega_bridge.tags import Tag

_WORDS = {
    TransactionStmtKind.BEGIN: "BEGIN",
    TransactionStmtKind.START: "START TRANSACTION",
    TransactionStmtKind.COMMIT: "COMMIT",
    TransactionStmtKind.ROLLBACK: "ROLLBACK",
    TransactionStmtKind.SAVEPOINT: "SAVEPOINT",
    TransactionStmtKind.RELEASE: "RELEASE",
    TransactionStmtKind.ROLLBACK_TO: "ROLLBACK TO",
    TransactionStmtKind.PREPARE: "PREPARE TRANSACTION",
}
_IN_BLOCKS = {"PLpgSQL_stmt_commit": "COMMIT", "PLpgSQL_stmt_rollback": "ROLLBACK"}


def find(listed: Listed) -> Iterator[Hit]:
    """One finding a step, with the word that it begins with."""
    for _, step in listed.steps():
        words = [(_WORDS.get(w.statement.node.kind, "it"), w.sql.text) for w in written(step) if w.sql.tag == Tag.TRANSACTION]
        words += [(_IN_BLOCKS[s.text], _IN_BLOCKS[s.text]) for s in statements(step.program) if s.text in _IN_BLOCKS]
        if words:
            word, text = words[0]
            yield Hit(
                step,
                f"controls the transaction that it runs in: {word}",
                "Leave it out: each step has a transaction of its own, and what needs another one is another step.",
                at=text,
                edit=_edit(step.step.sql),
            )


def _edit(text: str) -> tuple[str, str] | None:
    """What stands between BEGIN and COMMIT, where these are the first and the last statement and the only ones of their kind."""
    found = sql.parse(text)
    kinds = [s.node.kind for s in found if s.tag == Tag.TRANSACTION]
    is_around = len(found) > 2 and found[0].tag == found[-1].tag == Tag.TRANSACTION
    if not is_around or kinds not in (
        [TransactionStmtKind.BEGIN, TransactionStmtKind.COMMIT],
        [TransactionStmtKind.START, TransactionStmtKind.COMMIT],
    ):
        return None
    return text, text[found[1].offset : found[-1].offset].rstrip()


RULE = Rule(
    "transaction-control",
    Severity.WARNING,
    "The transaction is its driver's: what the step ends, with the work of others in it, no failure takes back, "
    "and nothing of the step can be judged by the catalog.",
    find,
)
