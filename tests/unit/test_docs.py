"""The documentation names what is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from omega_bridge import errors

ROOT = Path(__file__).parents[2]
PAGES = ROOT / "docs" / "errors"
CLASSES = [
    c for c in vars(errors).values() if isinstance(c, type) and issubclass(c, errors.OmegaBridgeError) and c.code != "OB000"
]


@pytest.mark.parametrize("error", CLASSES, ids=lambda c: c.code)
def test_every_error_has_a_page(error: type[errors.OmegaBridgeError]) -> None:
    """Named by its code, with its class, and in the index."""
    assert (PAGES / f"{error.code}.md").read_text().startswith(f"# {error.code}: {error.__name__}\n")
    assert f"[{error.code}]({error.code}.md)" in (PAGES / "README.md").read_text()


@pytest.mark.parametrize("page", sorted(PAGES.glob("OB*.md")), ids=lambda p: p.stem)
def test_a_page_names_a_command(page: Path) -> None:
    """What to do ends in something that can be typed."""
    what = page.read_text().partition("## What to do")[2]
    assert re.search(r"(`|^    )([A-Z]+=\S+ )?(omega-bridge|alembic|psql|python|pip|git) ", what, re.M), what


def test_no_page_is_left_over() -> None:
    """A code that is gone has no page."""
    assert {p.stem for p in PAGES.glob("OB*.md")} == {c.code for c in CLASSES}


@pytest.mark.parametrize("page", [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")], ids=lambda p: str(p.relative_to(ROOT)))
def test_links_resolve(page: Path) -> None:
    """Every relative link leads to a file."""
    links = re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", re.sub(r"^    .*$", "", page.read_text(), flags=re.M))
    assert [link for link in links if "://" not in link and not (page.parent / link).exists()] == []
