"""An expression that is compiled late is the one that ``re`` makes of the same text."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from omega_bridge.regexes import regex


def test_it_is_as_compiled() -> None:
    """Its methods and attributes are those of the compiled one, the first time and later."""
    late, now = regex(r"\b(A)(\d)?", re.IGNORECASE), re.compile(r"\b(A)(\d)?", re.IGNORECASE)
    for _ in range(2):
        assert [m.groups() for m in late.finditer("a1 xa A")] == [m.groups() for m in now.finditer("a1 xa A")]
        assert (late.sub("-", "a b"), late.pattern, late.flags) == (now.sub("-", "a b"), now.pattern, now.flags)
    with pytest.raises(AttributeError):
        _ = late.nothing  # type: ignore[attr-defined]


def test_a_text_without_its_words_is_not_searched() -> None:
    """What it finds has one of them in it, in any case; otherwise it is as compiled."""
    late = regex(r"\b(set|reset)\b", re.IGNORECASE, only_with=("set",))
    found = [late.search(text) for text in ("SELECT 1", "RESET ROLE", "offset", "x; Set y", "\u017fet")]
    assert [m and m[0] for m in found] == [None, "RESET", None, "Set", "\u017fet"]
    assert late.sub("-", "set a") == "- a"


def test_nothing_is_compiled_before_it_is_used() -> None:
    """Loading the modules of a start compiles none of ours."""
    told = subprocess.run(
        [sys.executable, "-c",
         "import re, sys\n"
         "import omega_bridge.regexes as regexes\n"
         "made = []\n"
         "class Re:\n"
         "    def __getattr__(self, name): made.append(name); return getattr(re, name)\n"
         "regexes.re = Re()\n"
         "import omega_bridge.startup.repair\n"
         "print(len(made))"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert told.stdout.strip() == "0"
