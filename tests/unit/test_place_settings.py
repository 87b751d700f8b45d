"""Where the history runs a step later than the list has it, it runs under what the list has set there."""

from __future__ import annotations

import pytest

from omega_bridge.analysis.context import in_force, only_sets
from omega_bridge.revisions.place_settings import around

ROLE, PATH = "SET ROLE app", "SET search_path TO side, public;"


def test_the_last_word_on_a_setting_is_in_force() -> None:
    """What was reset is not set any more, and what holds for a transaction is not the session's."""
    texts = [PATH, "SELECT set_config('work_mem', '1GB', false)", ROLE, "SET LOCAL datestyle = 'ISO'", "RESET search_path"]
    assert in_force(texts) == {"work_mem": "SELECT set_config('work_mem', '1GB', false)", "role": "SET ROLE app"}
    assert in_force([*texts, "RESET ALL"]) == {"role": "SET ROLE app"}
    assert in_force([*texts, "DISCARD ALL"]) == {}
    assert in_force([*texts, "SET ROLE NONE"])["role"] == "SET ROLE NONE"


@pytest.mark.parametrize(
    ("in_list", "in_history", "before", "behind"),
    [
        ([], [PATH], "RESET search_path", "SET search_path TO side, public"),
        ([], [ROLE, PATH], "RESET ROLE; RESET search_path", "SET ROLE app; SET search_path TO side, public"),
        ([ROLE], [ROLE, "RESET ROLE"], "SET ROLE app", "RESET ROLE"),
    ],
)
def test_a_step_is_put_between_its_settings_and_those_that_stand(
    in_list: list[str], in_history: list[str], before: str, behind: str
) -> None:
    """Before it what the list has there, behind it what the history had reached."""
    assert around(in_list, in_history) == (before, behind)


def test_nothing_is_said_where_it_is_the_same() -> None:
    """A step in its place, and a list that takes back what it sets, have files without a word of settings."""
    assert around([PATH], [PATH]) is None
    assert around([], [PATH, "RESET search_path"]) is None


def test_what_only_sets_is_told_from_what_does_more() -> None:
    """A statement beside it, a block, a call of two: then nothing is known of what stays set."""
    for text in (
        PATH,
        ROLE,
        "RESET ALL",
        "DISCARD ALL",
        "-- the app\nSET ROLE app; SET work_mem = '1MB'",
        "SELECT set_config('a.b', 'c', false);",
    ):
        assert only_sets(text)
    for text in (
        "SET ROLE app; CREATE TABLE t (id int)",
        "SELECT set_config('a.b', f(), false)",
        "DO $$ BEGIN SET ROLE app; END $$",
        "SET (",
    ):
        assert not only_sets(text)
