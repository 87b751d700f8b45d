"""What a proof on scratch databases cannot show, by a step's words."""

from __future__ import annotations

import pytest

from omega_bridge.analysis.reaching import is_of_the_server


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("CREATE ROLE reader", True),
        ("DO $$ BEGIN CREATE USER app; EXCEPTION WHEN duplicate_object THEN NULL; END $$", True),
        ("DO $$ BEGIN EXECUTE 'alter  role app SET work_mem = ''9MB'''; END $$", True),
        ("CREATE DATABASE other", True),
        ("ALTER SYSTEM SET work_mem = '9MB'", True),
        ("CREATE TABLESPACE fast LOCATION '/fast'", True),
        ("CREATE USER MAPPING FOR app SERVER far", False),
        ("GRANT SELECT ON t TO reader", False),
        ("ALTER DATABASE app SET search_path = a", False),
        ("CREATE TABLE roles (role text)", False),
    ],
)
def test_what_belongs_to_the_whole_server_is_told(text: str, expected: bool) -> None:
    """All scratch databases share it: verify says that whether the history makes it is not shown."""
    assert is_of_the_server(text) is expected
