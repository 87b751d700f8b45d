"""One list on every way, held against the loop; what differs is told as findings."""

from __future__ import annotations

import logging
import tempfile
from collections import Counter
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from typing import Any

from omega_bridge.analysis import analyse
from omega_bridge.audit.verdict import EMPTY, ROWS
from omega_bridge.ledger import Outcome
from omega_bridge.outcomes import BootOutcome, StepOutcome
from omega_bridge.planning import make_plan
from omega_bridge.planning.due import rebuilds
from omega_bridge.postgres.catalog_reader import read_catalog
from omega_bridge.sql import unswallowed
from omega_bridge.startup.run import Run
from tests.oracle.lists import ways
from tests.oracle.lists.history import apiece, beside, sent
from tests.oracle.lists.listed import Entry, Listed, Rows
from tests.oracle.lists.loop import PLACED, Settled, loop, one_pass, undone
from tests.oracle.lists.place import Place

LEFT = "a later step takes away or replaces what it makes"
HELD_BACK = "not sent: it would change what step "
CHECKS = ("boot", "again", "retry", "repair", "upgrade", "sql", "verify")


@dataclass(frozen=True, slots=True)
class Finding:
    """One way that did not end where the loop ends. ``minus`` is the loop's, ``plus`` the way's."""

    check: str
    what: str
    minus: tuple[str, ...] = ()
    plus: tuple[str, ...] = ()

    @property
    def kind(self) -> str:
        """What it has in common with other findings of its check."""
        return self.what.partition(":")[0][:40]

    def __str__(self) -> str:
        lines = [f"- {line}" for line in self.minus] + [f"+ {line}" for line in self.plus]
        return "\n    ".join([f"{self.check}: {self.what}", *(line[:300].replace("\n", " ") for line in lines[:8])])


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was found of a list; ``listed`` is the list with the start and the damage that PostgreSQL took.

    ``apart``: the loop makes again what a later step takes away, and ends elsewhere by that.
    """

    listed: Listed
    settled: Settled
    findings: tuple[Finding, ...]
    apart: bool = False


def judge(place: Place, listed: Listed, checks: Collection[str] = CHECKS, *, dump: bool = False) -> Verdict:
    """Try a list. ``dump`` asks pg_dump too, where the snapshots are equal."""
    place.fresh("start")
    listed = replace(listed, start=tuple(place.send("start", listed.start)))
    place.fresh("loop", like="start")
    settled = loop(place, "loop", listed.entries)
    trial = _Trial(place, listed, settled, dump)
    run = trial.start(checks)
    if settled.settles:
        trial.history(checks)
        if run is not None:
            trial.later_starts(run, checks)
    return Verdict(trial.listed, settled, tuple(trial.findings), trial.apart)


class _Trial:
    def __init__(self, place: Place, listed: Listed, settled: Settled, dump: bool) -> None:
        self.place, self.listed, self.settled, self.asks_dump = place, listed, settled, dump
        self.registry = listed.registry()
        self.findings: list[Finding] = []
        self.folder: Path | None = None
        self.without: frozenset[int] | None = None
        self.held_back: frozenset[int] = frozenset()
        self.delayed: dict[int, int] = {}
        """The entries that came later, and after how many passes."""
        self.told_apart: dict[str, Any] = {}
        self.apart = False
        self.began = "start"
        self.undoes = False

    def start(self, checks: Collection[str]) -> Run | None:
        """The first start; the run where it ended as the loop."""
        self.place.fresh("boot", like="start")
        run = self._start("boot", "boot")
        self.held_back = _held_back(run) if run is not None else frozenset()
        if run is not None and not self.settled.settles:
            self._start("again", "boot")
            return None
        return run if run is not None and self._held("boot", "boot", checks) else None

    def later_starts(self, first: Run, checks: Collection[str]) -> None:
        """Another one, one with retry, and one after damage."""
        before = len(self.findings)
        if "again" in checks:
            self._again("again", first)
        if "retry" in checks:
            self._again("retry", first, retry=True)
        if self.listed.damage and "repair" in checks and len(self.findings) == before:
            self._damaged()

    def history(self, checks: Collection[str]) -> None:
        """The exported history, run by Alembic and by psql, and what verify says of it."""
        if not {"upgrade", "sql", "verify"} & set(checks):
            return
        with tempfile.TemporaryDirectory() as name:
            self.folder = folder = Path(name)
            try:
                ways.export(self.place.server, self.registry, folder)
            except Exception as error:
                self._broke("export", error)
                return
            if "upgrade" in checks:
                self.place.fresh("upgrade", like="start")
                if self._ran("upgrade", lambda: ways.upgrade(self.place.url("upgrade"), self.registry, folder)):
                    self._held("upgrade", "upgrade", checks)
            if "sql" in checks:
                self._scripted(folder)
            if "verify" in checks:
                self._verified(folder)

    # --- starts ------------------------------------------------------------------------------------------------

    def _again(self, check: str, first: Run, *, retry: bool = False) -> None:
        self.place.fresh("before", like="loop")
        self.settled = loop(self.place, "loop", self.listed.entries, **self.told_apart)  # every start runs its data once more
        self.undoes = bool(first.unsettled)
        run = self._start(check, "boot", retry=retry)
        if run is not None and self.settled.picture != self.place.picture("boot"):
            self._as_a_later_start(first, run)
        if run is None or not self._held(check, "boot", (check,)):
            return
        is_clean = first.outcome in (BootOutcome.REPAIRED, BootOutcome.CURRENT)
        sent = [s for s in run.steps if self._is_sent(s)] if not run.unsettled else []
        truncates = any("TRUNCATE" in text for text in self.listed.texts)  # a table of another file is looked at anew
        if is_clean and not retry and sent and not truncates:
            told = ", ".join(f"{s.id} {s.outcome} ({s.reason})" for s in sent)
            self.findings.append(Finding(check, f"a start after a clean one is {run.outcome}, and sends {told}"))

    def _as_a_later_start(self, first: Run, run: Run) -> None:
        """The loop's next start as a start of the bridge has it.

        Data in a text that is not read as data runs when the list or the catalog has changed, and not at each start; so does a
        mixed step that has worked. And what was told apart in the first start is done all the same by one that judges all anew.
        """
        entries = list(zip(self.listed.entries, analyse(self.registry), strict=True))
        opaque = frozenset(n for n, (e, s) in enumerate(entries) if e.rows is Rows.ONLY and str(s.kind) != Rows.ONLY)
        due = {s.id for s in first.steps if s.outcome is not Outcome.APPLIED} | {
            s.id for s in run.steps if str(s.action) == "run"
        }
        mixed = frozenset(n for n, (e, s) in enumerate(entries) if e.rows is Rows.TOO and s.id not in due)
        never = self.told_apart.get("never", frozenset())
        ways: list[dict[str, Any]] = [
            {**self.told_apart, "never": never | more} for more in (opaque, mixed, opaque | mixed) if more
        ]
        for told in [{}, *ways] if self.told_apart else ways:
            self.place.fresh("apart", like="before")
            other = loop(self.place, "apart", self.listed.entries, **told)
            if other.picture == self.place.picture("boot"):
                self.place.fresh("loop", like="apart")
                self.settled, self.apart = other, True
                return

    def _is_sent(self, step: StepOutcome) -> bool:
        return str(step.action) == "run" and step.kind != Rows.ONLY

    def _damaged(self) -> None:
        place, listed = self.place, self.listed
        worked = tuple(place.send("loop", listed.damage))
        place.send("boot", listed.damage)
        self.listed = replace(listed, damage=worked)
        if not worked:
            return
        place.fresh("damaged", like="loop")
        self.settled, self.began, self.without = loop(place, "loop", listed.entries), "damaged", None
        run = self._start("repair", "boot")
        if run is not None and self.settled.settles:
            self.held_back = _held_back(run)
            self._held("repair", "boot", ("repair",))

    def _start(self, check: str, label: str, *, retry: bool = False) -> Run | None:
        runs: list[Run] = []
        with _listening() as told:
            self._ran(check, lambda: runs.append(ways.start(self.place.url(label), self.registry, retry=retry)))
        ids = {step.id: number for number, step in enumerate(runs[0].steps)} if runs else {}
        self.delayed = {ids[step]: times for step, times in Counter(told).items() if step in ids}
        return runs[0] if runs else None

    # --- history -----------------------------------------------------------------------------------------------

    def _scripted(self, folder: Path) -> None:
        texts: list[str] = []
        if not self._ran("sql", lambda: texts.append(ways.script(self.place.url("start"), self.registry, folder))):
            return
        self.place.fresh("sql", like="start")
        said = self.place.psql("sql", texts[0])
        if said and self._is_rejected(said):  # it stops where an upgrade does
            return
        if not self._held("sql", "sql", ("sql",)) and said:
            self.findings[-1] = replace(self.findings[-1], what=f"not as the loop: psql says {said[:300]}")

    def _verified(self, folder: Path) -> None:
        """Its verdict is what a fresh start and a fresh upgrade show."""
        self.place.fresh("one")
        self.place.fresh("two")
        found = []
        fresh = (
            self._ran("verify", lambda: found.append(ways.verify(self.place.server, self.registry, folder))),
            self._ran("verify", lambda: ways.start(self.place.url("one"), self.registry)),
            self._ran("verify", lambda: ways.upgrade(self.place.url("two"), self.registry, folder)),
        )
        if not all(fresh):
            return
        one, two = (frozenset(map(_unplaced, _without_rows(self.place.picture(x)))) for x in ("one", "two"))
        says = found[0] is not None and not any(d.start == EMPTY and d.attribute != ROWS for d in found[0].differences)
        if says != (one == two):
            told = "" if found[0] is None else "; ".join(f"after {d.step} {d}" for d in found[0].differences[:3])
            self.findings.append(
                Finding(
                    "verify",
                    f"verify says {'equivalent' if says else 'not equivalent'} ({told}), minus is a fresh start, plus a fresh upgrade",
                    tuple(sorted(one - two)),
                    tuple(sorted(two - one)),
                )
            )

    # --- what was found ----------------------------------------------------------------------------------------

    def _held(self, check: str, label: str, checks: Collection[str]) -> bool:
        """Whether a database is as the loop left its own."""
        if check not in checks:
            return True
        wanted, found = self.settled.picture, self.place.picture(label)
        if check in ("again", "retry") and self.undoes:  # its rows come and go in turn
            wanted, found = _without_rows(wanted), _without_rows(found)
        if (
            wanted != found
            and check in ("boot", "upgrade", "sql", "repair")
            and self._is_apart(found, is_start=check in ("boot", "repair"))
        ):
            return True
        if (
            wanted != found
            and label in ("upgrade", "sql")
            and (
                self._is_as_written(found)
                or self._is_caught_up(found)
                or self._is_behind_its_table(found)
                or self._is_behind_what_it_needs(found)
            )
        ):
            self.apart = True
            return True
        if wanted != found and label in ("upgrade", "sql") and _unplaced_all(wanted) == _unplaced_all(found):
            self.apart = True  # a loop over the catalog comes behind its pass, and so do the columns that it adds
            return True
        if wanted != found and not found - wanted and all(map(_is_invalid_index, wanted - found)):
            self.apart = True  # what a failed CREATE INDEX CONCURRENTLY leaves is taken away
            return True
        if wanted != found:
            self.findings.append(Finding(check, "not as the loop", tuple(sorted(wanted - found)), tuple(sorted(found - wanted))))
            return False
        if self.asks_dump and (one := self.place.dump("loop")) != (other := self.place.dump(label)):
            minus, plus = [x for x in one if x not in other], [x for x in other if x not in one]
            self.findings.append(Finding(check, "not as the loop, says pg_dump", tuple(minus), tuple(plus)))
            return False
        return True

    def _is_apart(self, found: frozenset[str], *, is_start: bool) -> bool:
        """Whether the loop itself went wrong: it made again what a later step takes away, or lost what a waiting step reads."""
        if self.without is None:
            self.place.fresh("undone", like=self.began)
            self.without = undone(self.place, "undone", self.listed.entries) | self._left_to_later()
        none: frozenset[int] = frozenset()
        kept = self.without | self.held_back if self.began == "damaged" else none  # what has had its turn before the damage
        mixed = frozenset(n for n, e in enumerate(self.listed.entries) if e.rows is Rows.TOO) if self.began == "damaged" else none
        back = self.without | self._brought_back()
        shapes = dict.fromkeys(
            (
                (none, self.held_back),
                (self.without, none),
                (self.without, self.held_back),
                (back, self.held_back),
                (none, kept),
                (none, mixed),
                (none, none),
            )
        )
        delays = [{}, self.delayed] if self.delayed else [{}]
        for held, (without, never) in product(delays, shapes):
            repeats = not without and not never and not held
            if repeats and self.listed.repeats:
                continue
            self.place.fresh("apart", like=self.began)
            other = loop(self.place, "apart", self.listed.entries, without=without, never=never, held=held, repeats=repeats)
            if other.picture == found:
                self.apart = True
                if is_start:  # the later ones go on from there
                    self.place.fresh("loop", like="apart")
                    self.settled, self.told_apart = other, {"never": without | never, "repeats": repeats}
                return True
        return False

    def _left_to_later(self) -> frozenset[int]:
        """The entries of which a start says that a later one takes away or replaces what they make, and those that rebuild."""
        with self.place.connection("boot") as conn:
            plan = make_plan(analyse(self.registry), read_catalog(conn))
        return frozenset(n for n, s in enumerate(plan) if s.reason.startswith(LEFT) or rebuilds(s.analysis))

    def _brought_back(self) -> frozenset[int]:
        """The entries that take away what a later one makes: it is left as it is in a further pass."""
        said = [[e for q in s.reading.statements for e in q.effects] for s in analyse(self.registry)]
        made = [{(e.key.table, e.key.name) for e in effects if e.present} for effects in said]
        return frozenset(
            n
            for n, effects in enumerate(said)
            if any((e.key.table, e.key.name) in later for e in effects if not e.present for later in made[n + 1 :])
        )

    def _is_as_written(self, found: frozenset[str]) -> bool:
        """Whether a history did on this foundation what its steps do one by one in the order that an empty database needs.

        Of a step that it translates it does each statement that PostgreSQL takes; what a guard asks for is what its statement makes.
        """
        if not self.listed.start or self.folder is None:
            return False
        texts = ways.recorded(self.folder)
        whole = [text for text, _ in texts]
        for shown in (whole, [one for text, is_translated in texts for one in (apiece(text) if is_translated else (text,))]):
            for is_narrowed in (False, True):
                self.place.fresh("once", like="start")
                with self.place.connection("once") as conn:
                    for text in shown:
                        sent(conn, text)
                        for narrowed in beside(conn, text) if is_narrowed else ():
                            sent(conn, narrowed)
                if self.place.picture("once") == found:
                    return True
        return False

    def _is_caught_up(self, found: frozenset[str]) -> bool:
        """Whether a history has what the loop's next start adds: rows of a step whose handler hid that their table was missing."""
        mixed = frozenset(n for n, e in enumerate(self.listed.entries) if e.rows is Rows.TOO)
        for without in dict.fromkeys((frozenset[int](), mixed)):
            self.place.fresh("once", like="loop")
            if loop(self.place, "once", self.listed.entries, without=without).picture == found:
                return True
        return False

    def _is_behind_its_table(self, found: frozenset[str]) -> bool:
        """Whether a history has data, whose handler hid that its table was missing, behind what makes the table; the rest in order."""
        if self.folder is None:
            return False
        ran: dict[str, int] = {}
        for number, (text, _) in enumerate(ways.recorded(self.folder)):
            ran.setdefault(text, number)
        entries, late = list(self.listed.entries), []
        for entry in self.listed.entries:
            place = entries.index(entry)
            ahead = [e for e in entries[place + 1 :] if ran.get(e.text, len(ran)) < ran.get(entry.text, -1)]
            if entry.rows is not Rows.NONE and "EXCEPTION" in entry.tail and ahead:
                late.append((entry, ahead[-1]))
        if not late:
            return False
        for entry, behind in reversed(late):
            entries.remove(entry)
            entries.insert(entries.index(behind) + 1, entry)
        self.place.fresh("once", like="start")
        if loop(self.place, "once", tuple(entries)).picture == found:
            return True
        waiting = {entry.text: unswallowed(entry.text) or entry.text for entry, _ in late}
        open_ = tuple(
            replace(e, parts=(waiting[e.text],), head="", tail="") if e.text in waiting else e for e in self.listed.entries
        )
        self.place.fresh("once", like="start")
        held = dict.fromkeys(self._takes_rows_of([e for e, _ in late], ran), 1)
        return loop(self.place, "once", open_, held=held).picture == found

    def _is_behind_what_it_needs(self, found: frozenset[str]) -> bool:
        """Whether a history has steps that PostgreSQL rejects at their place behind what they need, and behind them who is held back for them
        at a start; the rest in order.
        """
        entries = self.listed.entries
        if self.folder is None or self.listed.start or len({e.text for e in entries}) < len(entries):
            return False
        ran: dict[str, int] = {}
        for number, (text, _) in enumerate(ways.recorded(self.folder)):
            ran.setdefault(text, number)
        order = sorted(range(len(entries)), key=lambda n: ran.get(entries[n].text, -1))
        moved = {n for place, n in enumerate(order) if any(other > n for other in order[:place])}
        self.place.fresh("once", like="start")
        if not moved or moved & one_pass(self.place, "once", entries, set())[1] - self.held_back:
            return False
        self.place.fresh("once", like="start")
        return loop(self.place, "once", tuple(entries[n] for n in order)).picture == found

    def _takes_rows_of(self, waiting: list[Entry], ran: dict[str, int]) -> frozenset[int]:
        """The entries that take away or rename a table of data that waits, and that a history has behind it."""
        steps = list(zip(self.listed.entries, analyse(self.registry), strict=True))
        meant = [(n, s.names, ran.get(e.text, len(ran))) for n, (e, s) in enumerate(steps) if e in waiting]
        return frozenset(
            n
            for n, (e, s) in enumerate(steps)
            for one, names, place in meant
            if n > one
            and ran.get(e.text, -1) > place
            and any(not x.present and x.key.name in names for q in s.reading.statements for x in q.effects)
        )

    def _ran(self, check: str, act: object) -> bool:
        try:
            act()  # type: ignore[operator]
        except Exception as error:
            if check != "upgrade" or not self._is_rejected(str(error)):
                self._broke(check, error)
            return False
        return True

    def _is_rejected(self, said: str) -> bool:
        """Whether a history stops at a step that PostgreSQL takes on an empty database, and rejects on this one at first."""
        if not self.listed.start:
            return False
        self.place.fresh("once", like="start")
        if any(message in said for message in one_pass(self.place, "once", self.listed.entries, set())[0]):
            return True
        if self.folder is None:
            return False
        texts = ways.recorded(self.folder)
        shown = tuple(
            Entry((one,)) for text, _ in texts for one in (text, unswallowed(text) or text)
        )  # what its handler would have hidden
        self.place.fresh("once", like="start")
        return any(message in said for message in one_pass(self.place, "once", shown, set())[0])

    def _broke(self, check: str, error: Exception) -> None:
        self.findings.append(Finding(check, f"raised {type(error).__name__}: {' '.join(str(error).split())[:400]}"))


@contextmanager
def _listening() -> Iterator[list[str]]:
    """The ids of the steps that a start holds back in a pass, as its log has them."""
    log, told = logging.getLogger("omega_bridge"), []

    class Listener(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if "is held back" in str(record.msg) and isinstance(record.args, tuple):
                told.append(str(record.args[0]))

    listener, before = Listener(), (log.level, log.propagate)
    log.addHandler(listener)
    log.setLevel(logging.INFO)
    log.propagate = False
    try:
        yield told
    finally:
        log.removeHandler(listener)
        log.setLevel(before[0])
        log.propagate = before[1]


def _held_back(run: Run) -> frozenset[int]:
    """The entries that a start has not sent, for the sake of one that waits."""
    return frozenset(n for n, s in enumerate(run.steps) if s.reason.startswith(HELD_BACK))


def _unplaced(line: str) -> str:
    """A line without a column's place, which ``verify`` tells apart."""
    return PLACED.sub(r"\1 ", line, count=1)


def _without_rows(picture: frozenset[str]) -> frozenset[str]:
    return frozenset(line for line in picture if not line.startswith("row of "))


def _unplaced_all(picture: frozenset[str]) -> frozenset[str]:
    return frozenset(map(_unplaced, picture))


def _is_invalid_index(line: str) -> bool:
    return line.startswith("index ") and " valid f " in line
