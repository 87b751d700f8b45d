"""What a run is called."""

from __future__ import annotations

import uuid

from omega_bridge.ledger import new_run


def test_a_run_has_a_random_uuid() -> None:
    """As ``uuid.uuid4`` makes one: version and variant, and no two alike."""
    made = [new_run() for _ in range(200)]
    parsed = [uuid.UUID(text) for text in made]
    assert [str(one) for one in parsed] == made
    assert {(one.version, one.variant) for one in parsed} == {(4, uuid.RFC_4122)}
    assert len({*made}) == len(made)
    assert len({one.int >> 80 for one in parsed}) > 190
