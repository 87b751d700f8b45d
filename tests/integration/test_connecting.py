"""How a start connects: whatever the form of the URL, the session is the same."""

from __future__ import annotations

import pytest

from omega_bridge import errors
from omega_bridge.postgres import session as sessions
from omega_bridge.postgres.session import open_session

SETTINGS = "SELECT current_setting('application_name'), current_setting('client_encoding'), current_database(), current_user"


def test_the_short_way_to_connect_makes_the_same_session(database: str) -> None:
    """A plain URL goes to libpq as it is, and one with a parameter by psycopg's reading: name, encoding, database, role agree."""
    longer = database + ("&" if "?" in database else "?") + "keepalives=1"
    assert sessions._PLAIN.fullmatch(longer) is None
    with open_session(database) as short, open_session(longer) as long:
        found = short.ask(SETTINGS)
        assert found == long.ask(SETTINGS)
        assert found[0][:2] == ("omega-bridge", "UTF8")


@pytest.mark.parametrize(
    ("url", "is_plain"),
    [
        ("postgresql://me@/db?host=/run/pg&port=5432", True),
        ("postgresql://me:word@127.0.0.1:5432/db", True),
        ("postgresql://me:w%20rd@127.0.0.1/db", False),
        ("postgresql://localhost/db", False),
        ("postgresql://127.0.0.1/db?sslmode=disable", False),
        ("postgresql://127.0.0.1/db?application_name=mine", False),
        ("host=127.0.0.1 dbname=db", False),
    ],
)
def test_what_needs_reading_is_read(url: str, is_plain: bool) -> None:
    """A name to look up, an escape, a parameter of the caller's: libpq's own reading comes first."""
    assert (sessions._PLAIN.fullmatch(url) is not None) is is_plain


def test_who_cannot_be_reached_is_told_alike() -> None:
    """By the short way, too, the error is ours, and holds no password."""
    with pytest.raises(errors.DatabaseUnreachable) as told, open_session("postgresql://me:word@127.0.0.1:1/db"):
        pass
    assert "word" not in str(told.value)
