"""Translation validation at export: each lifted revision against the step's own SQL, on two scratch databases.

The list's SQL runs on one as the naive loop would send it, the operations on the other: from the state before the step,
from the state after it, and back. What does not lead to the same catalog is written verbatim. Neither waits for the other: while the server
works for one side, in a thread of its own, the other goes on.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from omega_bridge.analysis import Analysis, StepAnalysis, StepKind
from omega_bridge.analysis.context import only_sets
from omega_bridge.analysis.reaching import ELSEWHERE, may_meet_another, may_reach_elsewhere
from omega_bridge.audit.pairs import alembic, upgrade
from omega_bridge.audit.scratch import Scratch, ScratchDatabase, scratch_database
from omega_bridge.catalog import Catalog, Difference, Key, Kind, diff
from omega_bridge.discarding import discards_all
from omega_bridge.planning import World
from omega_bridge.planning.foundation import Foundation
from omega_bridge.planning.reruns import unsettled
from omega_bridge.postgres.dsn import connection_parameters
from omega_bridge.postgres.following import PLANNED_ONCE, Follower, Names, together
from omega_bridge.postgres.foundation import run_on
from omega_bridge.postgres.plain_loop import rehearse, send
from omega_bridge.revisions.lifting import Lifted, Part, verbatim_operation
from omega_bridge.revisions.lifting.steps import irrevocable, verbatim
from omega_bridge.revisions.mended_rows import writes_rows_of
from omega_bridge.revisions.operations import RunStepOp
from omega_bridge.revisions.proving import Proof, StillChanged, Trial, Verdict, trial_on
from omega_bridge.sql import parse
from omega_bridge.sql.commands import CONCURRENT, at_once, is_frame
from omega_bridge.tags import Tag

if TYPE_CHECKING:
    from omega_bridge.typed import Connection


REJECTED = "PostgreSQL rejects it on an empty database"
"""Such a step fails at every start, too, and what follows it goes on; so must an upgrade."""


_BEGINNING = "RESET SESSION AUTHORIZATION; RESET ROLE; RESET ALL"

_PLACE = frozenset({"position"})
_DEALLOCATES = re.compile(r"\b(DEALLOCATE|DISCARD|track_counts)\b", re.IGNORECASE)


class Differs(Exception):
    """The operations do not do what the step does; the message says where."""


_Tried: TypeAlias = "Sequence[Catalog | Differs]"
"""What is there after each of two runs, up to the first that was rejected."""


class ScratchProver:
    """Two databases side by side: ``naive`` takes the list's own SQL, ``trial`` the operations. ``beside``: a thread for the former."""

    def __init__(
        self,
        naive: Connection,
        trial: Trial,
        advance: Callable[[int], object],
        beside: ThreadPoolExecutor,
        databases: tuple[ScratchDatabase, ...] = (),
    ) -> None:
        self._beside = beside
        self._databases = databases
        self._naive = naive
        self._trial = trial
        self._advance = advance
        self._left, self._right = Follower(naive), Follower(trial.driver)
        self._near: Names = frozenset()
        """The names of whatever was written in either database since the last revision: elsewhere nothing is compared."""
        self._before = self._left.look()
        self._changed: frozenset[str] = frozenset()

    def lay(self, foundation: Foundation) -> Catalog:
        """See ``Prover``."""
        for connection in (self._naive, self._trial.driver):
            run_on(connection, foundation)
        self._trial.commit()
        self._before = self._left.look()
        return self._before

    def remember(self, texts: Iterable[str]) -> None:
        """Bring both to where the exported history ends."""
        for text in (t for t in texts if not may_reach_elsewhere(t)):
            self._heed((text,))
            send(self._naive, (text,))
            send(self._trial.driver, (text,))
        self._before = self._left.look()

    def upgrade(self, folder: Path, revision: str) -> Catalog:
        """See ``Prover``."""
        for database in self._databases:
            upgrade(alembic(folder, database), revision, "or one before it")
        self._before = self._left.look()
        return self._before

    def judge(self, steps: Sequence[StepAnalysis], lifted: Sequence[Lifted]) -> Verdict:
        """Try the next revision; see ``Prover``."""
        texts = [t for s in steps for t in _texts(s)]
        if any(map(may_reach_elsewhere, texts)):
            self._advance(1)
            return Verdict(tuple(verbatim(s, ELSEWHERE) for s in steps), Proof.VERBATIM)
        self._heed(texts)
        before = self._before
        is_verbatim = all(found.is_verbatim for found in lifted)
        is_inside = not is_verbatim and all(p.transactional for found in lifted for p in found.parts)
        tried: _Tried = ()
        if is_inside and not any(map(may_meet_another, texts)):
            tried, (rejected, again) = self._both(lifted, texts)
        else:
            rejected, again = self._sent(texts, once_more=is_inside)
        self._changed |= _names(diff(before, self._before, among=self._near))
        self._advance(1)
        if rejected:
            self._trial.rollback()
            send(self._trial.driver, texts)
            return Verdict(tuple(verbatim(s, REJECTED, attempt=True) for s in steps), Proof.VERBATIM, rejected=True)
        if is_verbatim:
            send(self._trial.driver, texts)
            return Verdict(tuple(lifted), Proof.VERBATIM)
        if not is_inside:
            return self._outside(steps, lifted, self._before)
        return self._inside(steps, lifted, before, again, tried or self._tried(lifted), texts)

    def _both(self, lifted: Sequence[Lifted], texts: list[str]) -> tuple[_Tried, tuple[bool, Catalog]]:
        """Both sides at once: they are databases of their own, and nothing in the texts is the whole server's."""
        sent = self._beside.submit(partial(self._sent, texts, once_more=True))
        try:
            return self._tried(lifted), sent.result()
        except BaseException:  # nobody waits for it any more
            self._naive.cancel()
            raise

    def _sent(self, texts: Sequence[str], *, once_more: bool) -> tuple[bool, Catalog]:
        """Send the step's own SQL. Whether it was rejected, and what is there after it; ``once_more``: after sending it once more, which is
        taken back.
        """
        self._left.changed()
        rejected = any(send(self._naive, texts))
        self._before = again = self._left.look()
        if once_more and not rejected:
            with self._naive.transaction(force_rollback=True):
                mark = self._left.mark()
                rehearse(self._naive, texts)
                again = self._left.look(mark)
        self._near = self._left.changed()
        return rejected, again

    def _tried(self, lifted: Sequence[Lifted]) -> _Tried:
        """What is there after the operations, and after them once more; why not, where they are rejected."""
        operations = [o for found in lifted for p in found.parts for o in _operations(p)]
        found: list[Catalog | Differs] = []
        try:
            self._run(operations)
            found.append(self._right.look())
            mark = self._right.mark()
            self._run(operations)
            found.append(self._right.look(mark))
        except Differs as told:
            found.append(told)
        return found

    def judge_on(self, step: StepAnalysis, lifted: Lifted, ways: Sequence[str]) -> bool:
        """See ``Prover``."""
        self._left.changed()
        return all(self._stands_on(way, _texts(step), lifted) for way in ways)

    def _stands_on(self, way: str, texts: Sequence[str], lifted: Lifted) -> bool:
        """Forward, once more, and back, on what ``way`` makes."""
        with self._naive.transaction(force_rollback=True):
            if not rehearse(self._naive, (way,)):
                return False
            before = self._left.look()
            if not rehearse(self._naive, texts):
                return False
            after = self._left.look()
            rehearse(self._naive, texts)
            again = self._left.look()
        self._near = self._left.changed()
        try:
            self._run([RunStepOp(way)])
            self._forward(self._tried((lifted,)), after, again)
            return not self._back((lifted,), before, after)
        except Differs:
            return False
        finally:
            self._trial.rollback()

    def set(self, text: str) -> None:
        """See ``Prover``."""
        for driver in (self._naive, self._trial.driver):
            send(driver, (text,))

    def _heed(self, texts: Iterable[str]) -> None:
        """A step may deallocate what is prepared on its connection, or set that nothing is counted."""
        if any(_DEALLOCATES.search(text) for text in texts):
            self._left.stop_preparing()
            self._right.stop_preparing()

    def changed(self) -> frozenset[str]:
        """See ``Prover``."""
        found, self._changed = self._changed, frozenset()
        return found

    def still_change(
        self, held: Analysis, among: frozenset[str], rejected: frozenset[str], behind: frozenset[str] = frozenset()
    ) -> list[StillChanged]:
        """See ``Prover``. What one step changes and a later one changes back is no change: a start does both, each time.

        What refuses a transaction could not be taken back, and is not tried.
        """
        due = {s.id for s in unsettled(World(self._before), held, among)} | rejected | behind
        due |= {s.id for s in held if only_sets(s.step.sql)}
        while True:
            wanted = [
                (s, texts) for s in held if s.id in due and not may_reach_elsewhere(s.step.sql) and (texts := _rehearsal(s))
            ]
            if all(only_sets(s.step.sql) for s, _ in wanted):
                return []
            found, after, every, failing = self._pass(wanted, rejected)
            # what PostgreSQL rejected has not done what others would find done
            more = {s.id for s in unsettled(World(self._before), held, among - failing)} - due if failing else set()
            if not more:
                break
            due |= more
        stays = {d.key for d in diff(self._before, after, among=every)}
        kept = {step.id for step, made, is_new in found if is_new or any(d.key in stays for d in made)}
        last = max((n for n, (step, *_) in enumerate(found) if step.id in kept), default=0)
        ahead = {step.id for step, made, _ in found[:last] if made}
        every_one = kept | {step.id for step, made, _ in found if made}
        for those in (kept, kept | ahead, every_one):  # what stays may be made of what does not, by a rename, or be made anew
            if those == every_one or self._leads(wanted, those) == after.digest():
                kept = those
                break
        filled = _filled_anew([(step, made) for step, made, _ in found if step.id not in failing], stays)
        return [
            (step, (*map(_told, made), *filled.get(step.id, ())))
            for step, made, _ in found
            if step.id in kept or step.id in filled
        ]

    def _leads(self, wanted: Iterable[tuple[StepAnalysis, tuple[str, ...]]], among: Collection[str]) -> str:
        """The digest of the schema to which these steps lead."""
        return self._pass([w for w in wanted if w[0].id in among or only_sets(w[0].step.sql)], frozenset())[1].digest()

    def _pass(
        self, wanted: Iterable[tuple[StepAnalysis, tuple[str, ...]]], rejected: frozenset[str]
    ) -> tuple[list[tuple[StepAnalysis, tuple[Difference, ...], bool]], Catalog, Names, frozenset[str]]:
        """Try these steps in turn, and take it back: what each changed, whether it was rejected before, what was there at the end,
        the names in all that was written, and the ids of those that PostgreSQL rejected.
        """
        found, failing = [], set()
        with self._naive.transaction(force_rollback=True):
            # a pass begins as a start does, whatever a step of the one before has set
            self._naive.execute(f"{_BEGINNING}; {PLANNED_ONCE}".encode())
            now, every = self._left.look(), self._left.changed()
            for step, texts in wanted:
                if only_sets(step.step.sql):
                    self._go_on_under(step.step.sql)
                    continue
                mark = self._left.mark()
                is_taken = rehearse(self._naive, texts)
                failing |= set() if is_taken else {step.id}
                then, now = now, self._left.look(mark)
                names = self._left.changed()
                every = together(every, names)
                found.append((step, diff(then, now, among=names), is_taken and step.id in rejected))
        return found, now, every, frozenset(failing)

    def _go_on_under(self, text: str) -> None:
        """Set what a step sets, for those behind it in this transaction, in which nothing can be discarded."""
        rehearse(self._naive, (_BEGINNING if discards_all(text) else text,))

    def _inside(
        self,
        steps: Sequence[StepAnalysis],
        lifted: Sequence[Lifted],
        before: Catalog,
        again: Catalog,
        tried: _Tried,
        texts: list[str],
    ) -> Verdict:
        """Forward, once more, and back, in one transaction: kept where all of it is as the step does it."""
        after = self._before
        try:
            self._forward(tried, after, again)
        except Differs as told:
            self._trial.rollback()
            send(self._trial.driver, texts)
            reason = f"the operations do not lead to the same schema: {told}"
            return Verdict(tuple(verbatim(s, reason) for s in steps), Proof.VERBATIM)
        why = self._back(lifted, before, after)
        self._trial.commit()
        return Verdict(tuple(irrevocable(found, why) for found in lifted) if why else tuple(lifted), Proof.PROVEN)

    def _forward(self, tried: _Tried, after: Catalog, again: Catalog) -> None:
        self._near = together(self._near, self._right.changed())
        places = ((after, "from the state before it"), (again, "from the state after it"))
        for found, (wanted, where) in zip(tried, places, strict=False):
            if isinstance(found, Differs):
                raise found
            self._alike(wanted, found, where)

    def _back(self, lifted: Sequence[Lifted], before: Catalog, after: Catalog) -> str:
        """Try the way back where every step has one; the reason why it leads nowhere, or nothing."""
        if any(found.irreversible for found in lifted):
            return ""
        operations = [o for found in lifted for p in found.parts for o in _operations(p)]
        reverse = [o for found in reversed(lifted) for p in reversed(found.parts) for o in p.reverse or ()]
        savepoint = self._trial.connection.begin_nested()
        try:
            self._run(reverse)
            self._same(before, "back", order=False, sides="left: before the step, right: after undoing it")
            self._run(operations)
            self._same(after, "there and back", order=False)
        except Differs as told:
            savepoint.rollback()
            return f"undoing it does not lead back: {told}"
        savepoint.rollback()
        return ""

    def _outside(self, steps: Sequence[StepAnalysis], lifted: Sequence[Lifted], after: Catalog) -> Verdict:
        """What refuses a transaction cannot be taken back: it is run, and compared, once more."""
        try:
            for found in lifted:
                for part in found.parts:
                    self._run(_operations(part), self._trial.run if part.transactional else self._trial.outside)
            self._same(after, "outside a transaction")
        except Differs as told:
            send(self._trial.driver, [t for s in steps for t in _texts(s)])
            return Verdict(tuple(verbatim(s, str(told)) for s in steps), Proof.VERBATIM)
        self._trial.commit()
        return Verdict(tuple(lifted), Proof.PROVEN)

    def _same(
        self, wanted: Catalog, where: str, *, order: bool = True, sides: str = "left: the step, right: the operations"
    ) -> None:
        found = self._right.look()
        self._near = together(self._near, self._right.changed())
        self._alike(wanted, found, where, order=order, sides=sides)

    def _alike(
        self,
        wanted: Catalog,
        found: Catalog,
        where: str,
        *,
        order: bool = True,
        sides: str = "left: the step, right: the operations",
    ) -> None:
        differences = diff(wanted, found, ignore=frozenset() if order else _PLACE, among=self._near)
        if differences:
            raise Differs(f"{where}, {differences[0]} ({sides})")

    def _run(self, operations: Iterable[Any], run: Callable[[Iterable[Any]], None] | None = None) -> None:
        try:
            (run or self._trial.run)(operations)
        except Exception as exc:
            raise Differs(str(exc).splitlines()[0]) from exc


def _filled_anew(
    found: Iterable[tuple[StepAnalysis, tuple[Difference, ...]]], stays: Collection[Key]
) -> dict[str, tuple[str, ...]]:
    """The mixed steps that write rows of a table which a step ahead of them made in this pass, and what is told of it: as at a start,
    they are due again, since the rows that they wrote before are those of another table.
    """
    made: set[str] = set()
    filled = {}
    for step, differences in found:
        if step.kind is StepKind.MIXED and (tables := made & writes_rows_of(step)):
            filled[step.id] = tuple(f"writes rows of table {table}, which was made anew" for table in sorted(tables))
        made |= {
            d.key.name for d in differences if d.left is None and not d.attribute and d.key.kind is Kind.TABLE and d.key in stays
        }
    return filled


def _texts(step: StepAnalysis) -> tuple[str, ...]:
    return (step.step.sql,) if step.transactional else step.texts()


def _rehearsal(step: StepAnalysis) -> tuple[str, ...]:
    """What is sent to try a step inside a transaction of ours: its text, without a ``BEGIN`` and ``COMMIT`` of its own, and without
    ``CONCURRENTLY``.
    """
    if step.transactional:
        return _texts(step)
    if step.problem is not None:
        return ()
    written = parse(step.step.sql)
    if all(s.transactional or s.tag in CONCURRENT for s in step.reading.statements):
        return tuple(at_once(s) for s in written)
    if not all(s.tag is Tag.SCRIPT for s in step.reading.statements):
        return ()
    if any(s.tag == Tag.TRANSACTION and not is_frame(s) for s in written):
        return ()
    return ("; ".join(s.text for s in written if s.tag != Tag.TRANSACTION),)


def _told(difference: Difference) -> str:
    """What changed, without the values: servers print definitions each in its own way."""
    if difference.attribute:
        return f"changes {difference.key}: {difference.attribute}"
    return f"{'creates' if difference.left is None else 'drops'} {difference.key}"


def _names(differences: Iterable[Difference]) -> frozenset[str]:
    return frozenset(n for d in differences for n in (d.key.table, d.key.name.partition("(")[0]) if n)


def _operations(part: Part) -> tuple[Any, ...]:
    return part.operations if part.operations is not None else (verbatim_operation(part),)


@contextmanager
def prover(scratch: Scratch, advance: Callable[[int], object] = lambda _n: None) -> Iterator[ScratchProver]:
    """A prover on two databases of ``scratch`` (the embedded server, or a given one)."""
    with ExitStack() as stack:
        naive = stack.enter_context(scratch_database(scratch, "steps"))
        other = stack.enter_context(scratch_database(scratch, "operations"))
        session = stack.enter_context(naive.session())
        trial = stack.enter_context(trial_on(connection_parameters(other.url)))
        other.check(trial.driver)
        trial.rollback()
        beside = stack.enter_context(ThreadPoolExecutor(1, thread_name_prefix="omega-bridge-steps"))
        judge = ScratchProver(session.connection, trial, advance, beside, (naive, other))
        trial.commit()
        yield judge
