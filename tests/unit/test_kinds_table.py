"""The page says of every kind what the rooms and the tests say."""

from __future__ import annotations

from tests.kinds.table import BEGIN, END, PAGE, written


def test_the_page_is_the_table() -> None:
    """Written anew by ``python -m tests.kinds.table``."""
    text = PAGE.read_text(encoding="utf-8")
    assert text.count(BEGIN) == text.count(END) == 1
    assert written(text) == text
