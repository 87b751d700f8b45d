"""MkDocs' hook: the pages that stand beside docs/, those of errors and rules, and links that lead out of the folder."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files, InclusionLevel

ROOT = Path(__file__).parents[1]
BESIDE = {"index.md": "README.md", "README.es.md": "README.es.md", "CHANGELOG.md": "CHANGELOG.md"}
"""By its name in the site, what is read from the root."""
_LINK = re.compile(r"\[([^\]]*)\]\(([^)#\s]+)((?:#[^)]*)?)\)")


def on_files(files: Files, config: Any) -> Files:
    """Put the README, its Spanish edition and the change log among the pages. Those of errors and rules are reached by their lists."""
    for name, source in BESIDE.items():
        files.append(File.generated(config, name, content=_moved((ROOT / source).read_text(encoding="utf-8"))))
    for file in files.documentation_pages():
        if file.src_uri.startswith(("errors/", "rules/")) and file.name != "index":
            file.inclusion = InclusionLevel.NOT_IN_NAV
    return files


def on_page_markdown(markdown: str, page: Any, config: Any, files: Files) -> str:
    """Links to files that are no pages are shown as their names."""
    return _LINK.sub(lambda found: _plain(found, page.file.src_uri, files), markdown)


def _moved(text: str) -> str:
    """Links as seen from docs/."""
    return _LINK.sub(lambda found: f"[{found[1]}]({_seen(found[2])}{found[3]})", text)


def _seen(target: str) -> str:
    own = {source: name for name, source in BESIDE.items()}
    return own.get(target, target.removeprefix("docs/"))


def _plain(found: re.Match[str], page: str, files: Files) -> str:
    target = found[2]
    if "://" in target or target.startswith("mailto:"):
        return found[0]
    inside = (ROOT / "docs" / page).parent / target
    is_beside = (ROOT / target).exists() and not inside.exists() and files.get_file_from_path(target) is None
    is_outside = inside.exists() and not inside.resolve().is_relative_to(ROOT / "docs")
    return found[1] if is_beside or is_outside else found[0]
