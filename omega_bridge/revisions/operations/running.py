"""How an operation of ours runs: under the guard of rows, on record, or as text for ``--sql``."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from typing import Any

from alembic.operations import Operations

from omega_bridge.analysis.context import changes_search_path
from omega_bridge.analysis.reading import reading_of
from omega_bridge.discarding import in_parts
from omega_bridge.revisions import recording, row_guard
from omega_bridge.revisions.alembic_border import rejection
from omega_bridge.revisions.operations.carried import AttemptStepOp
from omega_bridge.revisions.operations.invalid_index import DropInvalidIndexOp
from omega_bridge.revisions.operations.operation import INDEXES, Operation, is_held_back
from omega_bridge.revisions.recording import ATTEMPTS, Rejected
from omega_bridge.revisions.row_guard import GUARD
from omega_bridge.revisions.sending import send
from omega_bridge.sql import ends_transaction, parse, sendable

log = logging.getLogger("omega_bridge")


def run(operations: Operations, operation: Operation) -> None:
    """Carry an operation out, where the record does not hold it back."""
    with on_record(operations):
        _work(operations, operation)


def _work(operations: Operations, operation: Operation) -> None:
    if is_held_back(operations, operation.undoes()):
        return
    context = operations.migration_context
    is_apart = isinstance(operation, AttemptStepOp) and operation.is_apart
    if operation.attempted and not context.as_sql and (is_apart or ATTEMPTS in context.opts):
        _attempt(operations, operation, is_apart=is_apart)
        return
    if isinstance(operation, DropInvalidIndexOp) and not context.as_sql and INDEXES in context.opts:
        if context.opts[INDEXES].begins(operation.name, operation.schema):
            emit(operations, operation.drop)
        return
    for text in operation.statements():
        words = operation.words if not is_apart and operation.words != text else None  # apart: each is judged by itself
        _guarded(operations, text, partial(emit, operations, text), words)


def on_record(operations: Operations) -> AbstractContextManager[None]:
    """In an ``env.py`` that knows nothing of the record, what a revision of ours does goes into it all the same."""
    context = operations.migration_context
    return nullcontext() if GUARD in context.opts or context.as_sql else recording.of(context, operations.get_bind())


def emit(operations: Operations, text: str) -> None:
    """To the server, or into what ``--sql`` writes. Raises ``StepSyntaxError`` for a text that no server can be sent."""
    context = operations.migration_context
    if context.as_sql:
        sendable(text)
        plain = in_parts(text).rstrip()
        ended = plain if plain.endswith(";") else f"{plain}\n;"
        context.impl.static_output(row_guard.AS_ONE.format(ended) if _is_one_transaction(text) else ended)
    else:
        send(operations.get_bind(), text)


def _is_one_transaction(text: str) -> bool:
    """Whether a text that goes out by itself is one transaction to a server, and several statements to ``psql``."""
    return (
        changes_search_path(text)
        and not ends_transaction(text)
        and len(parse(text)) > 1
        and reading_of(text).transactional
        and not text.lstrip().upper().startswith("DO ")
    )


def _guarded(operations: Operations, text: str, send: Callable[[], object], words: str | None = None) -> None:
    """Run ``send``, which sends ``text``, under the guard of rows. ``words``: the step's own, where ``text`` is made of them."""
    opts = operations.migration_context.opts
    if GUARD not in opts:
        for part in row_guard.without_an_environment(text, words):
            emit(operations, part)
    elif opts[GUARD] is None:
        send()
    else:
        opts[GUARD].run(send, words or text)


def _attempt(operations: Operations, operation: Operation, *, is_apart: bool) -> None:
    """Send a step, or each statement of one that refuses a transaction; at the first error all is as before that statement."""
    bind: Any = operations.get_bind()
    is_apart = is_apart or bind.get_execution_options().get("isolation_level") == "AUTOCOMMIT"
    is_whole = len(operation.attempted) == 1  # each statement of several is judged by itself
    for text in operation.attempted:
        words = operation.words if is_whole and operation.words != text else None
        if not is_apart:
            send(bind, "SAVEPOINT omega_bridge_attempt")
        try:
            _guarded(operations, text, partial(send, bind, text), words)
        except Exception as exc:
            told = rejection(exc)
            if told is None:
                raise
            if is_apart:
                bind.connection.dbapi_connection.rollback()
            else:
                send(bind, "ROLLBACK TO SAVEPOINT omega_bridge_attempt")
            log.warning("omega-bridge: the step was not possible here: %s", told[1])
            operations.migration_context.opts.get(ATTEMPTS, []).append(Rejected(*told, operation.words or text))
            return
