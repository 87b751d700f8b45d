"""The record of what revisions of ours did in an ``env.py`` that knows nothing of it, whatever the driver.

Each revision's entry is written when the transaction that holds it commits; what failed goes into one of its own, on another
connection, since nothing else of that transaction stands. Where there is no record that is in trusted hands, none is written.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import Connection, event
from sqlalchemy.exc import SQLAlchemyError

from omega_bridge.analysis.already import speaks_of_its_own
from omega_bridge.analysis.context import may_set
from omega_bridge.analysis.reading import reading_of
from omega_bridge.errors import StepRefused
from omega_bridge.ledger import Draft, Driver, Event, Outcome, Tip, new_run, seal, written
from omega_bridge.revisions import own_settings
from omega_bridge.revisions.alembic_border import server_error
from omega_bridge.revisions.guards import literal
from omega_bridge.revisions.row_guard import Exported, running
from omega_bridge.revisions.sending import send
from omega_bridge.who import who

if TYPE_CHECKING:
    from alembic.runtime.migration import MigrationContext


log = logging.getLogger("omega_bridge")

ATTEMPTS = "omega_bridge_attempts"
"""The migration context's option that gathers what ``attempt_step`` could not do, a ``Rejected`` each."""


class Rejected(NamedTuple):
    """What PostgreSQL said of a ``text``; "" for what is no text of the list's."""

    sqlstate: str | None
    message: str
    text: str = ""

    @property
    def is_of_its_own(self) -> bool:
        """Whether it says "there already" of what the text itself makes."""
        return bool(self.text) and speaks_of_its_own(reading_of(self.text).program, self.sqlstate)


_RECORDING = "omega_bridge_recording"

_TRUSTED = """
SELECT count(*) FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace
WHERE c.oid OPERATOR(pg_catalog.=) ANY (ARRAY[pg_catalog.to_regclass('omega_bridge.omega_bridge_ledger')::pg_catalog.oid,
    pg_catalog.to_regclass('omega_bridge.omega_bridge_chain')::pg_catalog.oid])
  AND c.relkind OPERATOR(pg_catalog.=) 'r'::pg_catalog."char" AND NOT c.relrowsecurity
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_rewrite w WHERE w.ev_class OPERATOR(pg_catalog.=) c.oid)
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_trigger g JOIN pg_catalog.pg_proc p ON p.oid OPERATOR(pg_catalog.=) g.tgfoid
    WHERE g.tgrelid OPERATOR(pg_catalog.=) c.oid AND NOT g.tgisinternal AND NOT {p.proowner})
  AND {n.nspowner} AND {c.relowner}
"""
_OWNER = """(pg_catalog.pg_has_role({owner}, 10::pg_catalog.oid, 'MEMBER') OR {owner} OPERATOR(pg_catalog.=)
  (SELECT d.datdba FROM pg_catalog.pg_database d WHERE d.datname OPERATOR(pg_catalog.=) pg_catalog.current_database())
  OR (pg_catalog.current_setting('is_superuser') OPERATOR(pg_catalog.=) 'off' AND pg_catalog.pg_has_role({owner}, 'MEMBER')))"""
_TIP = """
SELECT seq, hash, current_user, session_user, pg_catalog.current_setting('application_name'),
  coalesce(pg_catalog.current_schema(), ''), pg_catalog.current_setting('search_path') FROM omega_bridge.omega_bridge_chain FOR UPDATE
"""


@contextmanager
def of(context: MigrationContext, bind: Connection | None) -> Iterator[None]:
    """Put on record what the revision that runs does; nothing where it is none of ours."""
    found = running()
    if found is None or bind is None:
        yield
        return
    recording = context.opts.get(_RECORDING)
    if recording is None:
        recording = context.opts[_RECORDING] = _Recording(bind, table=context.version_table)
        context.opts[ATTEMPTS] = recording.attempts
        context.on_version_apply_callbacks = (*context.on_version_apply_callbacks, recording.applied)
        event.listen(bind, "before_cursor_execute", recording.before)
        event.listen(bind, "commit", recording.write)
        event.listen(bind, "rollback", recording.forget)
    recording.exported[found[0].revision] = found[0]
    recording.note_own(found[0])
    try:
        yield
    except Exception as error:
        recording.failed(found[0], found[1], error)
        raise


@dataclass(slots=True)
class _Recording:
    """Of one command: what is to be written with the next commit."""

    bind: Connection
    run: str = field(default_factory=new_run)
    exported: dict[str, Exported] = field(default_factory=dict)
    attempts: list[Rejected] = field(default_factory=list)
    drafts: list[Draft] = field(default_factory=list)
    has_failed: bool = False
    table: str = "alembic_version"
    is_context: bool = False
    """Whether a step may have left other settings behind."""
    is_own: bool = False
    """Whether those are in force with which the command began, for the rest of a transaction."""

    def note_own(self, exported: Exported) -> None:
        """Ahead of what may set others: the settings with which the command began."""
        if not self.is_context and any(map(may_set, exported.texts)):
            self.is_context = True
            send(self.bind, own_settings.noted())

    def before(self, _connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        """Ahead of what Alembic says of its versions: it is written by who began, where he looks for it."""
        if self.is_context and not self.is_own and self.table in statement and "version_num" in statement:
            self._be_own()

    def _be_own(self) -> None:
        self.is_own = True
        send(self.bind, own_settings.put_aside())

    def applied(self, *, ctx: Any, step: Any, heads: Any, run_args: Any) -> None:
        """Alembic's ``on_version_apply``: one entry a revision."""
        if self.is_own:
            self.is_own = False
            send(self.bind, own_settings.taken_up())
        exported = self.exported.pop(step.up_revision_id or "", None)
        if exported is not None:
            kind = Event.UPGRADE if step.is_upgrade else Event.DOWNGRADE
            error = next((a[:2] for a in self.attempts if not a.is_of_its_own), None)
            self.drafts.append(self._draft(exported, kind, Outcome.FAILED if error else Outcome.APPLIED, error))
        self.attempts.clear()

    def failed(self, exported: Exported, command: str, error: Exception) -> None:
        """In a transaction of its own; once for a command, which ends there."""
        told = server_error(error)
        if self.has_failed or (told is None and not isinstance(error, StepRefused)):
            return
        self.has_failed = True
        kind = Event.UPGRADE if command == "upgrade" else Event.DOWNGRADE
        is_refused = told is None or told[0] == "OB303"
        outcome = Outcome.REFUSED if is_refused else Outcome.FAILED
        draft = self._draft(
            exported, kind, outcome, None if is_refused else told, str(told[1] if told else error) if is_refused else ""
        )
        try:
            with self.bind.engine.connect() as other:
                send(other, "SET lock_timeout = '5s'")
                _append(other, [draft])
                other.commit()
        except SQLAlchemyError as lost:
            log.warning("omega-bridge: what failed could not be recorded: %s", lost)

    def write(self, connection: Connection) -> None:
        """Before a commit: the entries of what it holds."""
        drafts, self.drafts = self.drafts, []
        if not drafts:
            return
        send(connection, "SAVEPOINT omega_bridge_record")
        if self.is_context:
            send(connection, own_settings.put_back())  # until this commit
        try:
            send(connection, "SET LOCAL lock_timeout = '10s'")
            _append(connection, drafts)
        except Exception as error:
            if server_error(error) is None:
                raise
            send(connection, "ROLLBACK TO SAVEPOINT omega_bridge_record")
            log.warning("omega-bridge: what was done could not be recorded: %s", error)

    def forget(self, _connection: Connection) -> None:
        """After a rollback nothing of it stands."""
        self.drafts.clear()

    def _draft(
        self, exported: Exported, kind: Event, outcome: Outcome, error: tuple[str | None, str] | None, reason: str = ""
    ) -> Draft:
        detail: dict[str, Any] = {"steps": list(exported.steps), "checksums": list(exported.checksums)}
        if error is not None:
            detail["error"] = {"sqlstate": error[0], "message": error[1]}
        if reason:
            detail["reason"] = reason
        return Draft(Driver.ALEMBIC, kind, self.run, exported.revision, ",".join(exported.checksums), outcome, detail)


def _append(connection: Connection, drafts: list[Draft]) -> None:
    """Seal and insert, after the end of the chain, which is held until the commit."""
    text = _TRUSTED
    for owner in ("p.proowner", "n.nspowner", "c.relowner"):
        text = text.replace(f"{{{owner}}}", _OWNER.replace("{owner}", owner))
    if connection.exec_driver_sql(text).scalar() != 2:
        log.warning("omega-bridge: there is no record in trusted hands: a first start makes one")
        return
    seq, digest, role, login, application, schema, path = connection.exec_driver_sql(_TIP).one()
    client = f"alembic, {connection.dialect.driver}"
    by = who(role=role, login=login, application=application, schema=schema, search_path=path, client=client)
    end = Tip(seq, digest)
    for draft in drafts:
        told = Draft(
            draft.driver, draft.event, draft.run, draft.subject, draft.checksum, draft.outcome, {**draft.detail, "by": dict(by)}
        )
        detail = written(told.detail)
        entry = seal(end, told, datetime.now(UTC), detail)
        values = (
            str(entry.seq), f"{literal(entry.at.isoformat())}::timestamptz", literal(told.driver), literal(told.event),
            f"{literal(told.run)}::uuid", literal(told.subject), literal(told.checksum), literal(told.outcome),
            f"{literal(detail)}::jsonb", literal(entry.previous), literal(entry.hash),
        )  # fmt: skip
        names = "seq, at, driver, event, run, subject, checksum, outcome, detail, previous, hash"
        send(connection, f"INSERT INTO omega_bridge.omega_bridge_ledger ({names}) VALUES ({', '.join(values)})")
        end = Tip(entry.seq, entry.hash)
    send(connection, f"UPDATE omega_bridge.omega_bridge_chain SET seq = {end.seq}, hash = {literal(end.hash)}")
