"""The auditor's report: what the history holds, what was done to one database, and what of it can be checked. Read-only.

``as_of`` looks back: at the record as it stood then, and at what it says of the history. The checks are those of today.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import omega_bridge
from omega_bridge.analysis import Analysis
from omega_bridge.audit.drift import Drift, drift
from omega_bridge.audit.gate import Check
from omega_bridge.errors import ConfigurationInvalid, HistoryTampered
from omega_bridge.expectation_file import kept
from omega_bridge.ledger import Entry, Event, Outcome, Tip, judge
from omega_bridge.outcomes import NOT_DONE
from omega_bridge.postgres import ledger_store
from omega_bridge.postgres.dsn import normalise
from omega_bridge.postgres.session import open_session
from omega_bridge.postgres.undone import left_undone
from omega_bridge.redaction import redact
from omega_bridge.revisions import sums
from omega_bridge.revisions.graph import graph_of

if TYPE_CHECKING:
    from omega_bridge.typed import JsonObject, KeptStanding


@dataclass(frozen=True, slots=True)
class Line:
    """A revision of the history, and how this database came by it.

    ``how``: ``alembic``, ``boot`` (its steps, sent by a start), ``held`` (a start or a stamp found it all there), ``taken
    back`` (a downgrade), ``failed``, ``refused`` or ``no-effect`` (a start left a step of it so), or ``not there``. ``entry``: the ledger's, with its time.
    """

    revision: str
    kind: str
    steps: tuple[str, ...]
    proof: str
    file: str
    hash: str
    how: str
    entry: int | None
    at: datetime | None

    def as_dict(self) -> JsonObject:
        """The public JSON keys."""
        return {
            "revision": self.revision,
            "kind": self.kind,
            "steps": list(self.steps),
            "proof": self.proof,
            "file": self.file,
            "hash": self.hash,
            "how": self.how,
            "entry": self.entry,
            "at": self.at.isoformat() if self.at else None,
        }


@dataclass(frozen=True, slots=True)
class Report:
    """All of it. ``database`` is told without secrets; ``version`` is ``alembic_version``'s, or that of the history's own table."""

    database: str
    server: str
    version: tuple[str, ...]
    head: str | None
    made: datetime
    as_of: datetime | None
    checks: tuple[Check, ...]
    lines: tuple[Line, ...]
    entries: tuple[Entry, ...]

    @property
    def ok(self) -> bool:
        """Whether every check holds."""
        return all(c.ok for c in self.checks)

    def as_dict(self) -> JsonObject:
        """The public JSON keys."""
        return {
            "omega_bridge": omega_bridge.__version__,
            "database": self.database,
            "server": self.server,
            "made": self.made.isoformat(timespec="seconds"),
            "as_of": self.as_of.isoformat() if self.as_of else None,
            "head": self.head,
            "alembic_version": list(self.version),
            "ok": self.ok,
            "checks": [c.as_dict() for c in self.checks],
            "revisions": [line.as_dict() for line in self.lines],
            "entries": [entry.as_dict() for entry in self.entries],
        }


def report(
    database: str,
    history: Path,
    analysis: Analysis,
    models: Analysis,
    listed: str,
    *,
    made: datetime,
    as_of: datetime | None = None,
    certificate: Path | None = None,
) -> Report:
    """Look at one database and one history. ``models``: as ``drift`` takes them; ``listed``: the digest of both as they are.

    Raises ``DatabaseUnreachable``, ``AuthenticationFailed``, ``ConfigurationInvalid`` for what is no certificate.
    """
    with open_session(normalise(database)) as session:
        found = tuple(ledger_store.read(session.connection))
        end = ledger_store.end_of(session.connection)
        version = ledger_store.versions(session.connection, sums.version_table(history))
        (server,) = session.rows("SHOW server_version")[0]
        undone = left_undone(session.connection, {s.id: s.checksum for s in analysis})
    expected = kept(history, listed)
    schema = _schema(drift(database, analysis, models, expected) if expected else None, undone)
    entries = tuple(e for e in found if as_of is None or e.at <= as_of)
    try:
        recorded = sums.read_sum(history)
    except HistoryTampered:
        recorded = ()
    lines = tuple(_lines(sums.revisions(recorded), entries))
    head = sums.head_of(recorded)
    checks = [
        _history(history),
        _list(history, listed),
        _record(found, end),
        _version(version, _top(history, recorded) or head),
        schema,
    ]
    if certificate is not None:
        checks.append(_equivalence(certificate, head, recorded))
    return Report(redact(database), str(server), version, head, made, as_of, tuple(checks), lines, entries)


# --- checks ----------------------------------------------------------------------------------------------------


def _history(history: Path) -> Check:
    try:
        lines = sums.read_sum(history)
        sums.check(history, lines)
    except HistoryTampered as error:
        return Check("history", False, error.message)
    if not lines:
        return Check("history", False, f"{history} holds no {sums.NAME}")
    return Check(
        "history", True, f"{len(sums.revisions(lines))} revisions are as they were exported; the last hash is {lines[-1].hash}"
    )


def _list(history: Path, listed: str) -> Check:
    ok = sums.listed(history) == listed
    return Check("list", ok, "the history was made from the list and the models as they are" if ok else "the list has moved on")


def _record(entries: Sequence[Entry], end: Tip | None) -> Check:
    found = judge(entries, end)
    if not found.is_intact:
        return Check("record", False, f"{found.told}: the record was touched")
    if not entries:
        return Check("record", False, "the database has no record")
    return Check("record", True, f"{len(entries)} entries follow one from the other; the last hash is {entries[-1].hash}")


def _top(history: Path, recorded: Sequence[sums.SumLine]) -> str | None:
    """The head for Alembic: what was written by hand may follow the last export; ``None`` where there is not one."""
    try:
        return graph_of(history, recorded).head
    except ConfigurationInvalid:
        return None


def _version(version: tuple[str, ...], head: str | None) -> Check:
    ok = head is not None and version == (head,)
    return Check("database", ok, f"at {', '.join(version) or 'no revision'}" + (", the head" if ok else f"; the head is {head}"))


def _schema(drifted: Drift | None, undone: Sequence[KeptStanding]) -> Check:
    """What ``drift`` tells, and what the last start left undone."""
    if undone:
        first = undone[0]
        return Check("schema", False, f"{len(undone)} step(s) stand undone, the first: {first['id']}: {first['reason']}")
    if drifted is None:
        return Check(
            "schema", False, "not compared: there is no omega.catalog.json of this list; export writes it where it has a server"
        )
    if drifted.differences:
        told = f"{len(drifted.differences)} difference(s), the first: {drifted.differences[0]}; all: omega-bridge drift"
        return Check("schema", False, told)
    unseen = f"; not looked at: {'; '.join(drifted.unseen)}" if drifted.unseen else ""
    return Check("schema", True, f"as the list leads to, attribute by attribute{unseen}")


def _equivalence(certificate: Path, head: str | None, lines: Sequence[sums.SumLine]) -> Check:
    try:
        found = json.loads(certificate.read_text(encoding="utf-8"))
        equivalent, of, total = found["equivalent"], found["head"], found["sum"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ConfigurationInvalid(
            f"{certificate} is no certificate", hint="Write one: omega-bridge verify --certificate FILE"
        ) from error
    ok = bool(equivalent) and of == head and bool(lines) and total == lines[-1].hash
    if ok:
        told = f"boot and history led to one catalog at every one of {found.get('prefixes')} prefixes"
        if rejected := sorted({r["step"] for r in found.get("rejected", ())}):
            told += f"; PostgreSQL rejected {', '.join(rejected)} there: nothing is shown of that"
    elif equivalent:
        told = f"the certificate is about another history (head {of})"
    else:
        told = "the certificate says that they differ"
    return Check("equivalence", ok, told)


# --- the history in this database ------------------------------------------------------------------------------


def _lines(recorded: Sequence[sums.SumLine], entries: Sequence[Entry]) -> Iterator[Line]:
    order = {line.revision: n for n, line in enumerate(recorded)}
    for n, line in enumerate(recorded):
        how, entry = _how(line, n, order, entries)
        labels = tuple(step.label for step in line.steps)
        number, at = (entry.seq, entry.at) if entry else (None, None)
        yield Line(line.revision, line.kind, labels, line.proof, line.file, line.hash, how, number, at)


def _how(line: sums.SumLine, place: int, order: dict[str, int], entries: Sequence[Entry]) -> tuple[str, Entry | None]:
    """How a database came by a revision: by the first entry that says so after the last one that took it back."""
    checksums = {step.checksum for step in line.steps}
    found: tuple[str, Entry | None] = ("not there", None)
    undone: tuple[str, Entry | None] | None = None
    for entry in entries:
        told = entry.draft
        if told.event == Event.STEP and told.checksum in checksums:
            undone = (str(told.outcome), entry) if told.outcome in NOT_DONE else None
        elif told.event == Event.BOOT and undone is not None and undone[1] is not None and undone[1].draft.run != told.run:
            undone = None  # a start notes anew what it leaves undone
        if told.event == Event.DOWNGRADE and told.subject == line.revision:
            found = ("taken back", entry)
        if found[0] not in ("not there", "taken back"):
            continue
        if (
            told.event == Event.UPGRADE
            and told.subject == line.revision
            and told.outcome not in (Outcome.FAILED, Outcome.REFUSED)
        ):
            found = ("alembic", entry)
        elif told.event == Event.STEP and told.outcome == Outcome.APPLIED and told.checksum in checksums:
            found = ("boot", entry)
        elif order.get(entry.reached, -1) >= place:
            found = undone or ("held", entry)
    return found
