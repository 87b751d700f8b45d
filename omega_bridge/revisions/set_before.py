"""What the history has set for the session ahead of where an upgrade begins: on a new connection nothing of it is in force."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import TYPE_CHECKING

from alembic.util import CommandError

from omega_bridge.analysis.context import in_force, only_sets
from omega_bridge.revisions.row_guard import Exported

if TYPE_CHECKING:
    from alembic.script import ScriptDirectory


_RETIRED = re.compile(r"^Kind: retire$", re.MULTILINE)


def set_before(script: ScriptDirectory, heads: Collection[str]) -> tuple[str, ...]:
    """What the steps up to these revisions that only set something have left, as statements; without those that were retired.

    What a block or a function sets is not known, nor what the parts of a squash do on a
    database that stands at one of them.
    """
    standing: dict[str, str] = {}
    known = tuple(head for head in heads if _is_known(script, head))
    for revision in reversed(list(script.iterate_revisions(known, "base"))) if known else ():
        found = Exported.read(vars(revision.module))
        if found is None:
            continue
        for label in found.steps:
            standing.pop(label, None)
        if not _RETIRED.search(str(revision.module.__doc__ or "")):
            standing.update((label, text) for label, text in zip(found.steps, found.texts, strict=False) if only_sets(text))
    return tuple(in_force(standing.values()).values())


def _is_known(script: ScriptDirectory, head: str) -> bool:
    try:
        return script.get_revision(head) is not None
    except CommandError:  # it went into a squash
        return False
