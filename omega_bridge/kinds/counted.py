"""How the rows of a catalog are told apart, and what shows a change of one; as SQL that names everything in ``pg_catalog``."""

from __future__ import annotations

from typing import NamedTuple

EQUALS = "OPERATOR(pg_catalog.=)"
OID = "oid::pg_catalog.int8"
XMIN = "xmin::pg_catalog.text::pg_catalog.int8"
FIRST_OF_USERS = 16384
"""PostgreSQL's own objects have smaller oids (``FirstNormalObjectId`` in src/include/access/transam.h)."""
BY_USERS = f"oid OPERATOR(pg_catalog.>=) {FIRST_OF_USERS}"
HERE = f"(SELECT d.oid FROM pg_catalog.pg_database d WHERE d.datname {EQUALS} pg_catalog.current_database())"
"""The oid of this database."""


def both(oid: str, number: str) -> str:
    """An object and a part of it as one number."""
    return f"({oid}::pg_catalog.int8 OPERATOR(pg_catalog.<<) 16) OPERATOR(pg_catalog.+) {number}"


class Counted(NamedTuple):
    """A catalog that counts as a whole, where what a list does in it is known by no name.

    ``key`` tells its rows apart, ``condition`` says which of them count, ``version`` is what changes when a row does.
    ``since``: the server's version that brought it.
    """

    catalog: str
    key: str = OID
    condition: str = BY_USERS
    version: str = XMIN
    since: int = 0
    further: tuple[tuple[int, str], ...] = ()
    """Columns that the word ``further`` in ``version`` stands for: each from a version of the server on."""

    def version_on(self, server: int) -> str:
        """What changes when a row does, on a server of that version."""
        return self.version.replace("further", ", ".join(["''", *(column for since, column in self.further if server >= since)]))


_NOT_OURS = (
    "objoid OPERATOR(pg_catalog.<>) ALL (ARRAY(SELECT p.oid FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n"
    " ON n.oid OPERATOR(pg_catalog.=) p.pronamespace WHERE n.nspname OPERATOR(pg_catalog.=) 'omega_bridge'))"
)
"""The bridge's own functions are made anew with each record."""

COMMENTS = Counted(
    "pg_description",
    both("objoid", "objsubid"),
    f"(objoid OPERATOR(pg_catalog.>=) 16384 OR classoid {EQUALS} ANY ('{{2615,3079}}'::pg_catalog.oid[])) AND {_NOT_OURS}",
)
"""The comments on objects of every kind. Schemas (2615) and extensions (3079) of PostgreSQL's own have some, too."""
