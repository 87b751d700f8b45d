"""What a database's encoding can hold: a name that it cannot is no object's name, and no record may fail over a dash.

We speak UTF-8 to every server, and the server converts (PostgreSQL's manual, "Character Set Support"); what its encoding
lacks is an error there (22P05).
"""

from __future__ import annotations

import codecs
from collections.abc import Iterable
from contextlib import suppress

import psycopg
from psycopg import sql
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
    if target == "utf-8":
        with suppress(UnicodeEncodeError):  # half a character in one of them
            "".join(names := list(names)).encode()
            return sorted(names)
    return sorted(n for n in names if n.encode(target, "ignore").decode(target) == n)


def array(connection: psycopg.Connection[TupleRow], names: Iterable[str]) -> str:
    """The ``storable`` names as an array's text, a constant in SQL that is still to be given its type. psycopg's way there takes each name by
    itself, and a start writes the names of its list five times.
    """
    found = storable(connection, names)
    plain = "".join(found)
    if '"' in plain or "\\" in plain:
        return sql.Literal(found).as_string(connection)
    text = '","'.join(found).replace("'", "''")
    return f"'{{\"{text}\"}}'" if found else "'{}'"
