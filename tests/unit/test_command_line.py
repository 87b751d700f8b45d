"""The list of verbs: what the help says without loading them is what they say themselves."""

from __future__ import annotations

import importlib
import inspect
from pathlib import Path

import pytest
from typer.testing import CliRunner

import omega_bridge.cli
from omega_bridge.cli.app import VERBS, app


@pytest.mark.parametrize("verb", VERBS)
def test_a_verb_says_of_itself_what_the_list_says(verb: str) -> None:
    """Each verb's line is the first of its own documentation, or what its group is for; its help page opens with it."""
    module = importlib.import_module(f"omega_bridge.cli.{verb}")
    own = module.app.info.help if hasattr(module, "app") else (inspect.getdoc(getattr(module, verb)) or "").splitlines()[0]
    assert own == VERBS[verb]
    shown = CliRunner().invoke(app, [verb, "--help"])
    assert shown.exit_code == 0
    assert VERBS[verb].partition(",")[0] in " ".join(shown.output.split())


def test_every_module_of_a_verb_is_listed() -> None:
    """A verb that is written and not listed could not be called."""
    helpers = {"__init__", "app", "options", "output", "setup"}
    assert {path.stem for path in Path(omega_bridge.cli.__file__).parent.glob("*.py")} - helpers == set(VERBS)


def test_a_mistyped_verb_is_told_what_was_meant() -> None:
    """The suggestion comes from the list; nothing is loaded for it."""
    shown = CliRunner().invoke(app, ["verfiy"])
    assert shown.exit_code == 2
    assert "No such command 'verfiy'. Did you mean 'verify'?" in shown.output


def test_the_verb_ledger_has_verbs_of_its_own() -> None:
    """A group is loaded like a verb."""
    shown = CliRunner().invoke(app, ["ledger", "--help"])
    assert "log" in shown.output
    assert "verify" in shown.output
