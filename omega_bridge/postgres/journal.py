"""What is done of a step that no transaction holds together, statement by statement, in the ledger.

A statement that can runs in one transaction with its entry, so that the entry is there exactly where its work is. A statement
that may leave something behind when it is stopped (an INVALID index) is entered before it is sent.
"""

from __future__ import annotations

from omega_bridge.ledger import Draft, Driver, Event, Outcome, Tip
from omega_bridge.postgres import ledger_store
from omega_bridge.postgres.session import Session

BEGUN = "begun"

_HERE = """(l.detail OPERATOR(pg_catalog.#>>) '{by,schema}' IS NULL
  OR l.detail OPERATOR(pg_catalog.#>>) '{by,schema}' OPERATOR(pg_catalog.=) coalesce(pg_catalog.current_schema(), '')::pg_catalog.text)"""
_APPLIED = f"""SELECT FROM omega_bridge.omega_bridge_ledger a WHERE ((a.event OPERATOR(pg_catalog.=) 'step' AND a.outcome OPERATOR(pg_catalog.=) 'applied'
    AND a.checksum OPERATOR(pg_catalog.=) l.checksum)
  OR (a.event OPERATOR(pg_catalog.=) 'upgrade' AND a.outcome OPERATOR(pg_catalog.<>) ALL ('{{failed,refused}}'::pg_catalog.text[])
    AND (a.checksum OPERATOR(pg_catalog.=) l.checksum OR l.checksum OPERATOR(pg_catalog.=) ANY (pg_catalog.string_to_array(a.checksum, ',')))))
  AND a.seq OPERATOR(pg_catalog.>) l.seq AND {_HERE.replace("l.", "a.")}"""
_DONE = f"""
SELECT (l.detail OPERATOR(pg_catalog.->>) 'statement')::pg_catalog.int4 FROM omega_bridge.omega_bridge_ledger l
WHERE l.event OPERATOR(pg_catalog.=) 'statement' AND l.outcome OPERATOR(pg_catalog.=) 'applied'
  AND l.checksum OPERATOR(pg_catalog.=) %s::pg_catalog.text AND {_HERE} AND NOT EXISTS ({_APPLIED})
"""
_OURS = f"""
SELECT EXISTS (SELECT FROM omega_bridge.omega_bridge_ledger l
  WHERE l.event OPERATOR(pg_catalog.=) 'statement' AND l.outcome OPERATOR(pg_catalog.=) 'begun'
  AND l.detail OPERATOR(pg_catalog.->>) 'index' OPERATOR(pg_catalog.=) %s::pg_catalog.text AND NOT EXISTS ({_APPLIED}))
"""


class Journal:
    """The entries of one step; ``tip`` is the ledger's end after them. What was applied as a whole is not half-applied."""

    def __init__(self, session: Session, step: tuple[str, str], run: str, driver: Driver, tip: Tip) -> None:
        self._session = session
        self._step, self._checksum = step
        self._run, self._driver = run, driver
        self.tip = tip

    def done(self) -> frozenset[int]:
        """The numbers, from 1, of the statements that are done since the step was last applied as a whole."""
        return frozenset(row[0] for row in self._session.rows(_DONE, (self._checksum,)))

    def is_ours(self, index: str) -> bool:
        """Whether an INVALID index of this name is what a statement of ours left: begun, and its step not applied since."""
        return bool(self._session.rows(_OURS, (index,))[0][0])

    def begun(self, number: int, of: int, index: str) -> None:
        """A statement is about to be sent that may leave an INVALID index."""
        self.tip = self._append(BEGUN, {"statement": number, "of": of, "index": index})

    def applied(self, number: int, of: int) -> Tip:
        """A statement is done: the new end of the ledger, once the open transaction, if any, is committed."""
        return self._append(Outcome.APPLIED, {"statement": number, "of": of})

    def _append(self, outcome: str, detail: dict[str, object]) -> Tip:
        draft = Draft(self._driver, Event.STATEMENT, self._run, self._step, self._checksum, outcome, detail)
        return ledger_store.append(self._session.connection, [draft], self.tip)
