"""Which texts may write what all databases of a server share."""

from __future__ import annotations

import pytest

from omega_bridge.analysis.reaching import may_meet_another


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("CREATE ROLE r", True),
        ("DO $$ BEGIN EXECUTE 'create user u'; END $$", True),
        ("ALTER ROLE r SET work_mem = '1MB'", True),
        ("ALTER DATABASE d SET work_mem = '1MB'", True),
        ("COMMENT ON DATABASE d IS 'x'", True),
        ("GRANT a TO b", True),
        ("REVOKE ADMIN OPTION FOR a FROM b", True),
        ("GRANT SELECT ON t TO b; GRANT a\nTO b", True),
        ("REASSIGN OWNED BY a TO b", True),
        ("GRANT SELECT ON t TO b", False),
        ("REVOKE ALL\nON SCHEMA public FROM PUBLIC", False),
        ("CREATE USER MAPPING FOR PUBLIC SERVER s", False),
        ("CREATE TABLE users (id int, role text, system text)", False),
        ("ALTER SEQUENCE q OWNED BY t.id", False),
        ("ALTER TABLE t OWNER TO b", False),
    ],
)
def test_what_two_databases_may_meet_at(text: str, answer: bool) -> None:
    """Roles, memberships, databases and what is said of them; not privileges on what is in a database."""
    assert may_meet_another(text) is answer
