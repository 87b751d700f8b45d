"""The table of kinds in docs/reference.md: what is compared of each, and what becomes of its statements in a history.

``python -m tests.kinds.table`` writes it; a test holds the page against it.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from omega_bridge.analysis import analyse
from omega_bridge.kinds import ROOMS
from omega_bridge.kinds.room import Room
from omega_bridge.revisions.files import export
from omega_bridge.steps import Registry
from tests.kinds.lives import LIVES

PAGE = Path(__file__).parents[2] / "docs" / "reference.md"
BEGIN, END = "<!-- kinds: python -m tests.kinds.table -->", "<!-- /kinds -->"


def rows() -> str:
    """The table's text."""
    lines = ["| kind | compared | in a history | damages tried |", "| --- | --- | --- | --- |"]
    for kind, room in ROOMS.items():
        life = LIVES.get(kind)
        told, tried = (
            ("not tried: PostgreSQL takes labels from a loaded module alone", 0)
            if life is None
            else (_told(life.steps), len(life.damages))
        )
        lines.append(f"| {kind} | {', '.join(_compared(room))} | {told} | {tried} |")
    return "\n".join(lines)


def _compared(room: Room) -> list[str]:
    found = [name.replace("_", " ") for name in room.attributes if name != "position"]
    found += ["owner"] if room.stored.owner and "owner" not in found else []
    found += ["grants"] if room.stored.acl and "grants" not in found else []
    return found + (["comment"] if room.comment != "" else [])


def _told(steps: tuple[str, ...]) -> str:
    """How its life's statements are told: as operations, as they stand, and why."""
    with tempfile.TemporaryDirectory() as folder:
        found = export(analyse(Registry.of(s.replace("{database}", "x") for s in steps)), Path(folder)).coverage
    reasons = list(dict.fromkeys(reason for _, _, reason in found.verbatim))
    verbatim = f"its own SQL, because: {'; '.join(reasons)}" if reasons else ""
    return "; ".join(t for t in ("operations" if found.steps_lifted else "", verbatim) if t)


def written(text: str) -> str:
    """The page with the table as it is now."""
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n\n{rows()}\n\n{END}{after}"


if __name__ == "__main__":
    PAGE.write_text(written(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
