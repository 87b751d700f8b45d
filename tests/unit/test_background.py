"""Trying again in the background."""

from __future__ import annotations

import pytest

from omega_bridge.errors import ConnectionLost, LockNotAcquired, OmegaBridgeError, RelationBusy, StepFailed
from omega_bridge.outcomes import BootOutcome
from omega_bridge.startup.background import Retrying
from omega_bridge.startup.run import Run

DEGRADED, REPAIRED = Run(BootOutcome.DEGRADED), Run(BootOutcome.REPAIRED)


@pytest.mark.parametrize("passing", [ConnectionLost("gone"), LockNotAcquired("held"), RelationBusy("busy")], ids=lambda e: e.code)
def test_what_passes_does_not_end_the_trying(passing: OmegaBridgeError) -> None:
    """A server that restarts, or a lock of somebody else's, is tried again until all is there."""
    answers = [passing, DEGRADED, REPAIRED]

    def again() -> Run:
        answer = answers.pop(0)
        if isinstance(answer, OmegaBridgeError):
            raise answer
        return answer

    retrying = Retrying(DEGRADED, again, pause=0.001)
    assert retrying.wait(60)
    assert (retrying.run, retrying.error, answers) == (REPAIRED, None, [])


def test_what_stands_ends_it() -> None:
    """An error that another try would meet again is kept, and said."""

    def again() -> Run:
        raise StepFailed("rejected")

    retrying = Retrying(DEGRADED, again, pause=0.001)
    assert retrying.wait(60)
    assert isinstance(retrying.error, StepFailed)
