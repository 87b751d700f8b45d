"""Who is watched: everything that does not certainly keep the rows, in the step's transaction or in one of the statement's own.

What cannot be watched while it runs (it ends its own transaction, or refuses one) is sent unasked only where it drops nothing: a block
that commits as it goes where it is read, and nothing of a user's runs along with the rows that it changes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from psycopg import pq

from omega_bridge.analysis.keeping import UNWATCHED, Watched, is_script, keeps_rows, watched
from omega_bridge.discarding import in_parts
from omega_bridge.postgres.refused import Refused
from omega_bridge.values import dataclass

if TYPE_CHECKING:
    from omega_bridge.postgres.destruction import Channel

TWO_STEPS = "; it stands beside what refuses a transaction: make two steps of it, so that each is whole"

OVERHEARD = """
SELECT EXISTS (SELECT FROM pg_catalog.pg_event_trigger WHERE evtenabled OPERATOR(pg_catalog.<>) 'D'
    AND evtname OPERATOR(pg_catalog.<>) ALL ('{omega_bridge_ddl,omega_bridge_drop}'))
  OR EXISTS (SELECT FROM pg_catalog.pg_proc p WHERE p.oid OPERATOR(pg_catalog.>=) 16384::pg_catalog.oid
    AND p.provolatile OPERATOR(pg_catalog.=) 'v'
    AND p.prolang NOT IN (SELECT l.oid FROM pg_catalog.pg_language l WHERE l.lanname OPERATOR(pg_catalog.=) ANY ('{internal,c}'))
    AND (EXISTS (SELECT FROM pg_catalog.pg_cast c WHERE c.castfunc OPERATOR(pg_catalog.=) p.oid)
      OR EXISTS (SELECT FROM pg_catalog.pg_operator o WHERE o.oprcode OPERATOR(pg_catalog.=) p.oid)
      OR EXISTS (SELECT FROM pg_catalog.pg_amproc a WHERE a.amproc OPERATOR(pg_catalog.=) p.oid)
      OR EXISTS (SELECT FROM pg_catalog.pg_depend d JOIN pg_catalog.pg_constraint k ON k.oid OPERATOR(pg_catalog.=) d.objid
        WHERE d.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_constraint'::pg_catalog.regclass
          AND d.refclassid OPERATOR(pg_catalog.=) 'pg_catalog.pg_proc'::pg_catalog.regclass
          AND d.refobjid OPERATOR(pg_catalog.=) p.oid)))"""
"""Event triggers, and what users have made that may write and that a statement calls without naming it: casts, operators, what orders an
index, checks that a rewritten table is held against. What is not volatile cannot write. Source: PostgreSQL's manual, "Function Volatility
Categories".
"""


@dataclass(frozen=True, slots=True)
class Guard:
    """Sends what a step holds, and raises ``Refused`` where that takes rows away.

    ``allowed``: it may. ``everything``: no reading of the step counts, because others run along with statements (``OVERHEARD``),
    or because its literals mean something else here. ``is_read``: they do not.
    """

    allowed: bool
    everything: bool = False
    is_read: bool = True

    def inside(self, channel: Channel, text: str) -> None:
        """Send a text in the transaction that is open."""
        if self.allowed or (keeps_rows(text) and not self.everything):
            channel.execute(in_parts(text))
            return
        if watched(text) is Watched.NO or is_script(text):
            raise Refused(UNWATCHED)
        from omega_bridge.postgres.destruction import watch

        watch(channel, lambda: channel.execute(in_parts(text)), text=text)

    def alone(self, channel: Channel, text: str, commit: Callable[[], object]) -> None:
        """Send one statement without a transaction around it; it gets one of its own, ended by ``commit``, where it takes one.

        A statement between a step's own ``BEGIN`` and ``COMMIT`` is watched there.
        """
        if self.allowed or watched(text) is Watched.NEEDLESS or (keeps_rows(text) and not self.everything):
            channel.execute(text)
            return
        if self.is_read and goes_in_batches(channel, text):
            channel.execute(text)
            return
        if watched(text) is Watched.NO:
            raise Refused(UNWATCHED)
        from omega_bridge.postgres.destruction import ENDS_ITS_TRANSACTION, watch

        if channel.connection.info.transaction_status == pq.TransactionStatus.INTRANS:
            watch(channel, lambda: channel.execute(text), text=text)
            return
        try:
            channel.execute("BEGIN")
            watch(channel, lambda: channel.execute(text), text=text)
        except ENDS_ITS_TRANSACTION as exc:
            raise Refused(UNWATCHED) from exc
        commit()


def goes_in_batches(channel: Channel, text: str) -> bool:
    """Whether a text commits as it goes, and certainly takes nothing away but rows that it names.

    Raises ``Refused`` where it is read, and something on its tables may take more.
    """
    from omega_bridge.analysis.batches import batches_of, question, runs_along, untold

    found = batches_of(text)
    if found is not None and (why := runs_along(channel.rows(question(found)))):
        raise Refused(untold(why))
    return found is not None


def is_overheard(channel: Channel) -> bool:
    """Whether others run along with DDL statements that do not name them."""
    return bool(channel.rows(OVERHEARD)[0][0])
