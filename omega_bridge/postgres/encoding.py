"""What a database's encoding can hold: a name that it cannot is no object's name, and no record may fail over a dash.

We speak UTF-8 to every server, and the server converts (PostgreSQL's manual, "Character Set Support"); what its encoding
lacks is an error there (22P05).
"""

from __future__ import annotations

import codecs
from collections.abc import Iterable

import psycopg
from psycopg.rows import TupleRow


def codec(connection: psycopg.Connection[TupleRow]) -> str:
    """Python's name of the database's encoding; ASCII, which all of them share, where Python has none."""
    name = connection.info.parameter_status("server_encoding") or "UTF8"
    if name in ("UTF8", "SQL_ASCII"):  # the latter takes every byte as it comes
        return "utf-8"
    try:
        return codecs.lookup(name.replace("WIN", "cp")).name
    except LookupError:
        return "ascii"


def storable(connection: psycopg.Connection[TupleRow], names: Iterable[str]) -> list[str]:
    """Those of the names that an object of this database may have, sorted."""
    target = codec(connection)
    return sorted(n for n in names if n.encode(target, "ignore").decode(target) == n)
