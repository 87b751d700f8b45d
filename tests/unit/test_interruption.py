"""Ctrl-C and SIGTERM on a verb: told in one line, wherever they fall."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

from omega_bridge.cli import app
from omega_bridge.cli.interruption import LEFT, Terminated, interruption, verb_of
from omega_bridge.errors import ConnectionLost

HEED = "import os, signal; signal.signal(signal.SIGINT, signal.default_int_handler); from omega_bridge.cli import interruption; interruption.heed()\n"


def ended_as(code: str) -> subprocess.CompletedProcess[str]:
    """What becomes of a process that runs it."""
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60)


def test_every_verb_that_changes_something_says_what_is_left() -> None:
    """Of the others it is true that nothing was changed."""
    assert set(app.VERBS) - set(LEFT) == {"plan", "status", "drift", "explain", "check", "ledger"}


@pytest.mark.parametrize(
    ("why", "code", "told"),
    [(KeyboardInterrupt(), 130, "interrupted, "), (Terminated(signal.SIGTERM), 143, "interrupted by SIGTERM, ")],
)
@pytest.mark.parametrize("way", ["itself", "a cause", "what followed"])
def test_an_interruption_is_told_whatever_it_became(
    why: KeyboardInterrupt, code: int, told: str, way: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Python makes a RuntimeError of one that falls into a class statement, and on the way out a lost connection may be met."""

    def verb(*_: object, **__: object) -> None:
        if way == "itself":
            raise why
        if way == "a cause":
            raise RuntimeError("Error calling __set_name__") from why
        try:
            raise why
        finally:
            raise ConnectionLost("the connection is closed")

    monkeypatch.setattr("omega_bridge.cli.app._load", verb)
    with pytest.raises(SystemExit) as ended:
        app.run(["plan", "--steps", "main.py:steps"])
    assert (ended.value.code, capsys.readouterr().err) == (code, f"{told}before it was through: nothing was changed\n")


def test_an_error_without_one_is_none() -> None:
    """A chain that ends elsewhere, or goes round."""
    first, second = ValueError("1"), ValueError("2")
    first.__cause__, second.__context__ = second, first
    assert interruption(first) is None


@pytest.mark.parametrize(
    ("given", "verb"), [([], ""), (["--version"], ""), (["plan", "--json"], "plan"), (["ledger", "log"], "ledger")]
)
def test_the_verb_is_the_first_word(given: list[str], verb: str) -> None:
    """Options stand behind it."""
    assert verb_of(given) == verb


def test_one_while_the_verbs_are_loaded_is_told() -> None:
    """The first tenth of a second."""
    code = "import os, signal, sys, builtins; signal.signal(signal.SIGINT, signal.default_int_handler); from omega_bridge.cli import main\n"
    code += "real = builtins.__import__\ndef importing(name, *rest):\n"
    code += "    if name == 'omega_bridge.cli.app': os.kill(os.getpid(), signal.SIGTERM)\n    return real(name, *rest)\n"
    done = ended_as(f"{code}builtins.__import__ = importing; sys.argv = ['omega-bridge', 'status']; main()")
    assert (done.returncode, done.stderr) == (143, "interrupted by SIGTERM, before it was through: nothing was changed\n")


def test_one_that_falls_into_a_finalizer_is_not_lost() -> None:
    """Python drops it; it comes once more."""
    code = "class Ends:\n    def __del__(self): os.kill(os.getpid(), signal.SIGINT); [0 for _ in range(1000)]\n"
    code += "import time\ntry:\n    Ends()\n    time.sleep(30)\nexcept KeyboardInterrupt:\n    print('ended')\n"
    done = ended_as(HEED + code)
    assert (done.returncode, done.stdout, done.stderr) == (0, "ended\n", "")


def test_one_that_falls_into_the_making_of_the_parsers_messages_comes_behind_it() -> None:
    """protobuf's code in C would end the process."""
    code = "import time\nmade = []\ndef _made():\n    os.kill(os.getpid(), signal.SIGTERM); made.append(1)\n"
    code += "__name__ = 'omega_bridge.sql.messages'\ntry:\n    _made()\n    time.sleep(30)\nexcept KeyboardInterrupt as exc:\n    print(made, exc)\n"
    done = ended_as(HEED + code)
    assert (done.returncode, done.stdout, done.stderr) == (0, "[1] SIGTERM\n", "")


def test_who_said_to_go_on_is_not_overruled() -> None:
    """``nohup``, and a shell's background job."""
    code = "import os, signal; signal.signal(signal.SIGHUP, signal.SIG_IGN); signal.signal(signal.SIGINT, signal.SIG_IGN)\n"
    code += "from omega_bridge.cli import interruption; interruption.heed(); os.kill(os.getpid(), signal.SIGHUP); os.kill(os.getpid(), signal.SIGINT)\n"
    done = ended_as(f"{code}print('went on')")
    assert (done.returncode, done.stdout) == (0, "went on\n")
