"""The two sides of a proof at export: the step's own SQL in a thread, the operations beside it, and never a verdict of one without the other."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import pytest

from omega_bridge.analysis import analyse
from omega_bridge.audit import proofs
from omega_bridge.audit.proofs import ScratchProver, prover
from omega_bridge.embedded import Server
from omega_bridge.revisions.lifting.steps import Lifted, lift
from omega_bridge.revisions.proving import Proof, Verdict
from omega_bridge.steps import Registry

TABLE = "CREATE TABLE IF NOT EXISTS t (id int)"
COLUMN = "ALTER TABLE t ADD COLUMN IF NOT EXISTS a int"
ENDS = 20.0
"""Seconds after which who waits for the other side gives up: then the two did not run at once."""


@pytest.fixture
def judge(server: Server) -> Iterator[ScratchProver]:
    """A prover on two databases."""
    with prover(server) as made:
        yield made


def judged(judge: ScratchProver, text: str) -> Verdict:
    """What is said of the operations of one step."""
    (step,) = analyse(Registry.of([text]))
    return judge.judge([step], [lift(step)])


def test_the_sides_run_at_once(judge: ScratchProver, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each waits here until the other has begun."""
    begun = threading.Barrier(2)
    send, run = proofs.send, judge._run

    def sent(connection: Any, texts: Iterable[str]) -> list[str | None]:
        begun.wait(ENDS)
        monkeypatch.setattr(proofs, "send", send)
        return send(connection, texts)

    def ran(operations: Iterable[Any], how: Any = None) -> None:
        monkeypatch.setattr(judge, "_run", run)
        begun.wait(ENDS)
        run(operations, how)

    monkeypatch.setattr(proofs, "send", sent)
    monkeypatch.setattr(judge, "_run", ran)
    assert judged(judge, TABLE).proof is Proof.PROVEN


def test_what_belongs_to_the_server_goes_one_after_the_other(judge: ScratchProver, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two databases of one server have the same roles: at once, one of the two would be rejected."""
    order: list[str] = []
    sent, tried = judge._sent, judge._tried
    monkeypatch.setattr(judge, "_sent", lambda *a, **k: (order.append("own SQL"), sent(*a, **k))[1])
    monkeypatch.setattr(judge, "_tried", lambda *a: (order.append("operations"), tried(*a))[1])
    assert judged(judge, f"ALTER ROLE CURRENT_USER SET application_name TO DEFAULT; {TABLE}").proof is not None
    assert order == ["own SQL", "operations"]


def test_what_the_server_rejects_leaves_nothing_of_its_operations(judge: ScratchProver) -> None:
    """The operations ran already, and are taken back; the next step is judged on the same ground on both sides."""
    judged(judge, TABLE)
    rejected = judged(judge, "ALTER TABLE t ADD COLUMN a int, ADD CONSTRAINT t_a UNIQUE (a), ADD CONSTRAINT t_a UNIQUE (id)")
    assert rejected.rejected
    assert judged(judge, COLUMN).proof is Proof.PROVEN
    assert judged(judge, "CREATE INDEX IF NOT EXISTS t_a ON t (a)").proof is Proof.PROVEN


def test_an_interrupt_ends_the_other_side(judge: ScratchProver, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the step's own SQL is doing is cancelled, so that nobody waits for it."""
    (step,) = analyse(Registry.of([TABLE]))
    done: list[list[str | None]] = []
    send = proofs.send
    monkeypatch.setattr(proofs, "send", lambda connection, texts: (done.append(send(connection, texts)), done[-1])[1])

    def interrupted(lifted: Sequence[Lifted]) -> None:
        while not waiting(judge):
            pass
        raise KeyboardInterrupt

    monkeypatch.setattr(judge, "_tried", interrupted)
    with pytest.raises(KeyboardInterrupt):
        judge._both([lift(step)], ["SELECT pg_sleep(600)"])
    judge._beside.shutdown()
    assert done == [["canceling statement due to user request"]]


def waiting(judge: ScratchProver) -> bool:
    """Whether the server works on the step's own SQL."""
    asked = "SELECT count(*) FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(600)' AND state = 'active'"
    row = judge._trial.driver.execute(asked).fetchone()
    return row is not None and row[0] > 0


def test_a_failing_connection_is_no_verdict(judge: ScratchProver) -> None:
    """Where the step's own SQL cannot be sent, nothing is said of it."""
    judged(judge, TABLE)
    judge._naive.close()
    with pytest.raises(Exception, match="closed"):
        judged(judge, COLUMN)
