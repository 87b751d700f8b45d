"""One statement as a kind offers it, with what a list could write around it."""

from __future__ import annotations

from dataclasses import dataclass

from tests.oracle.lists.listed import Rows


@dataclass(frozen=True, slots=True)
class Fragment:
    """A statement. ``softly`` is its idempotent form. ``unless`` are look-ups with a row where its work is done, ``where`` those
    with a row where there is some to do. ``duplicate``: the condition that it raises where its object is there.

    ``cautious``: it makes one more object each time, and is written under a guard only. ``alone``: it takes no transaction block.
    """

    sql: str
    softly: str = ""
    unless: tuple[str, ...] = ()
    where: tuple[str, ...] = ()
    duplicate: str = "duplicate_object"
    rows: Rows = Rows.NONE
    destructive: bool = False
    repeats: bool = False
    cautious: bool = False
    alone: bool = False
    plain: bool = False
    """It is written as it stands, without anything around it."""
