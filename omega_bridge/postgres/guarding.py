"""Who is watched: everything that does not certainly keep the rows, in the step's transaction or in one of the statement's own.

What cannot be watched while it runs (it ends its own transaction, or refuses one) is sent unasked only where it drops nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import psycopg
from psycopg import pq

from omega_bridge.analysis.keeping import keeps_rows
from omega_bridge.errors import StepSyntaxError
from omega_bridge.postgres.destruction import Channel, Refused, watch
from omega_bridge.sql import ends_transaction, inner, parse, pb

UNWATCHED = "ends its own transaction, so that nobody could see which rows it takes before they are gone"
TWO_STEPS = "; it stands beside what refuses a transaction: make two steps of it, so that each is whole"

OVERHEARD = (
    "SELECT EXISTS (SELECT FROM pg_catalog.pg_event_trigger WHERE evtenabled OPERATOR(pg_catalog.<>) 'D' "
    "AND evtname OPERATOR(pg_catalog.<>) ALL ('{omega_bridge_ddl,omega_bridge_drop}'))"
)

_OF_A_TRANSACTION = {
    pb.TRANS_STMT_BEGIN, pb.TRANS_STMT_START, pb.TRANS_STMT_COMMIT, pb.TRANS_STMT_ROLLBACK, pb.TRANS_STMT_SAVEPOINT,
    pb.TRANS_STMT_RELEASE, pb.TRANS_STMT_ROLLBACK_TO, pb.TRANS_STMT_PREPARE, pb.TRANS_STMT_ROLLBACK_PREPARED,
}  # fmt: skip
"""All but ``COMMIT PREPARED``: what was prepared elsewhere, nobody has watched."""

_KEEPS_ROWS_OUTSIDE = {
    "index_stmt",
    "vacuum_stmt",
    "reindex_stmt",
    "createdb_stmt",
    "alter_system_stmt",
    "create_table_space_stmt",
}
"""What refuses a transaction and takes no row; a tablespace is dropped only where it is empty."""

_REFUSES_A_TRANSACTION = {"dropdb_stmt", "create_subscription_stmt", "drop_subscription_stmt", "alter_subscription_stmt"}


@dataclass(frozen=True, slots=True)
class Guard:
    """Sends what a step holds, and raises ``Refused`` where that takes rows away.

    ``allowed``: it may. ``everything``: no reading of the step counts, because others listen to each statement (event
    triggers), or because its literals mean something else here.
    """

    allowed: bool
    everything: bool = False

    def inside(self, channel: Channel, text: str) -> None:
        """Send a text in the transaction that is open."""
        if self.allowed or (keeps_rows(text) and not self.everything):
            channel.execute(text)
            return
        if _may_end_its_transaction(text):
            raise Refused(UNWATCHED)
        watch(channel, lambda: channel.execute(text))

    def alone(self, channel: Channel, text: str, commit: Callable[[], object]) -> None:
        """Send one statement without a transaction around it; it gets one of its own, ended by ``commit``, where it takes one.

        A statement between a step's own ``BEGIN`` and ``COMMIT`` is watched there.
        """
        if self.allowed or not _is_to_be_watched(text) or (keeps_rows(text) and not self.everything):
            channel.execute(text)
            return
        if channel.connection.info.transaction_status == pq.TransactionStatus.INTRANS:
            watch(channel, lambda: channel.execute(text))
            return
        try:
            channel.execute("BEGIN")
            watch(channel, lambda: channel.execute(text))
        except (psycopg.errors.InvalidTransactionTermination, psycopg.errors.ActiveSqlTransaction) as exc:
            raise Refused(UNWATCHED) from exc
        commit()


def is_script(text: str) -> bool:
    """Whether a step says itself where its transactions begin and end."""
    try:
        return any(statement.tag == "transaction_stmt" for statement in parse(text))
    except StepSyntaxError:
        return False


def is_overheard(channel: Channel) -> bool:
    """Whether event triggers that are not ours run at each DDL statement."""
    return bool(channel.rows(OVERHEARD)[0][0])


def _may_end_its_transaction(text: str) -> bool:
    try:
        return any(statement.tag == "transaction_stmt" for statement in parse(text))
    except StepSyntaxError:
        return ends_transaction(text)


def _is_to_be_watched(text: str) -> bool:
    """Whether a transaction can hold a statement; what none can hold and takes no row is not. Raises ``Refused`` for the rest."""
    try:
        (statement,) = parse(text)
    except (StepSyntaxError, ValueError):
        if ends_transaction(text):
            raise Refused(UNWATCHED) from None
        return True
    node, tag = statement.node, statement.tag
    if tag == "transaction_stmt":
        if node.kind not in _OF_A_TRANSACTION:
            raise Refused(UNWATCHED)
        return False
    if tag in _REFUSES_A_TRANSACTION:
        raise Refused("refuses a transaction, so that nobody could see which rows it takes before they are gone")
    if tag == "drop_stmt" and node.concurrent:
        return False
    commands = [inner(c) for c in node.cmds] if tag == "alter_table_stmt" else []
    if commands and all(c.subtype in (pb.AT_DetachPartition, pb.AT_DetachPartitionFinalize) for c in commands):
        return False
    return tag not in _KEEPS_ROWS_OUTSIDE
