"""A table that is not there, and one that is there by nearly the same name: a guess, told as a question."""

from __future__ import annotations

import re
from difflib import get_close_matches

from omega_bridge.catalog import Catalog, Kind

_MISSING = re.compile(r'^42P01: relation "([^"]+)" does not exist')
_NEAR = 0.8
"""How alike: a letter left out, doubled or swapped in a name of six."""


def meant(rejection: str, catalog: Catalog) -> str:
    """The table that may be meant where PostgreSQL says that a relation does not exist (in English); else ""."""
    missing = _MISSING.match(rejection)
    if missing is None:
        return ""
    name = missing[1].rpartition(".")[2]
    near = get_close_matches(name, [k.name for k in catalog if k.kind is Kind.TABLE and k.name != name], n=1, cutoff=_NEAR)
    return near[0] if near else ""


def asked(rejection: str, catalog: Catalog) -> str:
    """The same as the end of a sentence."""
    near = meant(rejection, catalog)
    return f"; is table {near} meant?" if near else ""
