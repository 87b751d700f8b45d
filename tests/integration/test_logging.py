"""The lines of a start: seen without any configuration, the program's own as soon as it has one, with fields for JSON."""

from __future__ import annotations

import logging
import os
import subprocess
import sys

import pytest

import omega_bridge
from omega_bridge.errors import StepFailed

BOOT = "import sys, omega_bridge; omega_bridge.boot(sys.argv[1], ['CREATE TABLE IF NOT EXISTS t (id int)'])\n"
LATER = "omega_bridge.boot(sys.argv[1], ['CREATE TABLE IF NOT EXISTS t (id int)', 'CREATE TABLE IF NOT EXISTS u (id int)'])\n"
LINE = "[MIGRATION] Applying step create-t (table t is missing)"


def told(database: str, code: str, **environ: str) -> str:
    """What a program of its own writes to stderr."""
    done = subprocess.run(
        [sys.executable, "-c", code, database], capture_output=True, text=True, check=True, env={**os.environ, **environ}
    )
    assert done.stdout == ""
    return done.stderr


@pytest.mark.parametrize(
    "before",
    ["", "import logging.config, uvicorn.config; logging.config.dictConfig(uvicorn.config.LOGGING_CONFIG)\n"],
    ids=["nothing", "uvicorn"],
)
def test_a_start_is_seen_without_any_configuration(database: str, before: str) -> None:
    """Each line once, on stderr; uvicorn configures its own loggers only."""
    shown = told(database, before + BOOT)
    assert shown.count(LINE) == 1
    assert "[MIGRATION] repaired: 1 step(s) sent in 1 pass(es)" in shown


def test_the_lines_can_be_switched_off(database: str) -> None:
    """By one variable of the environment."""
    assert told(database, BOOT, OMEGA_BRIDGE_LOG="off") == ""


def test_a_program_that_configured_logging_has_the_lines(database: str) -> None:
    """In its own form, once, at its own level."""
    set_up = "import logging; logging.basicConfig(format='%(levelname)s %(message)s', level={})\n"
    assert [line for line in told(database, set_up.format("'WARNING'") + BOOT).splitlines() if "MIGRATION" in line] == []
    shown = told(database, set_up.format("'INFO'") + LATER.join(("import sys, omega_bridge\n", "")))
    assert shown.count("INFO [MIGRATION] Applying step create-u") == 1
    assert shown.count("Applying step create-u") == 1


def test_a_program_that_configures_logging_later_has_them_from_then_on(database: str) -> None:
    """No line twice, and none below the level that the program asks for."""
    set_up = "import logging; logging.basicConfig(format='%(levelname)s %(message)s', level='WARNING')\n"
    shown = told(database, BOOT + set_up + LATER + "logging.getLogger('omega_bridge').warning('at last')\n")
    assert shown.count(LINE) == 1
    assert "create-u" not in shown
    assert shown.count("at last") == 1


def test_lines_have_fields_and_levels(database: str, caplog: pytest.LogCaptureFixture) -> None:
    """For JSON loggers: step, outcome, seconds, revision; failures are errors, what had no effect a warning."""
    steps = [
        "CREATE TABLE IF NOT EXISTS t (id int)",
        ("silent", "DO $$ BEGIN ALTER TABLE t ADD COLUMN a nowhere; EXCEPTION WHEN OTHERS THEN NULL; END $$"),
        ("wrong", "ALTER TABLE t ADD COLUMN b nowhere"),
    ]
    with caplog.at_level(logging.INFO, logger="omega_bridge"), pytest.raises(StepFailed):
        omega_bridge.boot(database, steps)
    fields = [(r.levelname, getattr(r, "step", None), getattr(r, "outcome", None)) for r in caplog.records]
    assert ("INFO", "create-t", "applied") in fields
    assert ("WARNING", "silent", "no-effect") in fields
    assert ("ERROR", "wrong", "failed") in fields
    assert ("ERROR", None, "failed") in fields
    assert all(r.seconds >= 0 for r in caplog.records if hasattr(r, "seconds"))
    assert [r.revision for r in caplog.records if hasattr(r, "revision")] == [None]
