"""The hooks that a project takes from here."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

HOOKS = re.findall(r"^  entry: (.+)$", (Path(__file__).parents[2] / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"), re.M)


@pytest.mark.parametrize("entry", HOOKS)
def test_each_hook_calls_a_verb_that_is_there(entry: str) -> None:
    """Its command is one of ours, with options that it has."""
    program, verb, *rest = entry.split()
    assert program == "omega-bridge"
    shown = subprocess.run(
        [sys.executable, "-m", "omega_bridge", verb, "--help"],
        env={**os.environ, "COLUMNS": "120", "NO_COLOR": "1"}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert all(option in shown.stdout for option in rest)


def test_there_are_hooks() -> None:
    """The gate, the rules, and the history's freshness."""
    assert len(HOOKS) == 3
