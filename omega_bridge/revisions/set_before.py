"""What the history has set for the session, and made for it, ahead of where an upgrade begins: on a new connection nothing of it is there."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import TYPE_CHECKING

from alembic.util import CommandError

from omega_bridge.analysis.context import in_force, only_sets
from omega_bridge.analysis.of_session import making_again
from omega_bridge.revisions.guards import attempted
from omega_bridge.revisions.row_guard import Exported

if TYPE_CHECKING:
    from alembic.script import Script, ScriptDirectory

_RETIRED = re.compile(r"^Kind: retire$", re.MULTILINE)


class SetSoFar:
    """What the steps of the revisions that were taken, in their order, have left; without those that were retired."""

    def __init__(self) -> None:
        self._standing: dict[str, str] = {}
        self._made: dict[str, str] = {}

    def take(self, revision: Script) -> None:
        """One revision more, as Alembic has it."""
        found = Exported.read(vars(revision.module))
        if found is None:
            return
        for label in found.steps:
            self._standing.pop(label, None)
            self._made.pop(label, None)
        if not _RETIRED.search(str(revision.module.__doc__ or "")):
            settings = ((label, text) for label, text in zip(found.steps, found.texts, strict=False) if only_sets(text))
            self._standing.update(settings)
            self._made.update(zip(found.steps, found.texts, strict=False))

    def statements(self) -> tuple[str, ...]:
        """What sets it again, and then makes the temporary tables again; where PostgreSQL rejects one of these, nothing stops."""
        settings = tuple(in_force(self._standing.values()).values()) if self._standing else ()
        return (*settings, *map(attempted, making_again(self._made.values())))


def set_so_far(script: ScriptDirectory, heads: Collection[str]) -> SetSoFar:
    """By all revisions up to these.

    What a block or a function sets is not known, nor what the parts of a squash do on a database that stands at one of them.
    """
    found = SetSoFar()
    known = tuple(head for head in heads if _is_known(script, head))
    for revision in reversed(list(script.iterate_revisions(known, "base"))) if known else ():
        found.take(revision)
    return found


def set_before(script: ScriptDirectory, heads: Collection[str]) -> tuple[str, ...]:
    """What the steps up to these revisions have left in their session alone, as statements."""
    return set_so_far(script, heads).statements()


def _is_known(script: ScriptDirectory, head: str) -> bool:
    try:
        return script.get_revision(head) is not None
    except CommandError:  # it went into a squash
        return False
