"""A step that fails for want of a privilege: which one, and what to run."""

from __future__ import annotations

import re
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

import omega_bridge
from omega_bridge import environment
from omega_bridge.analysis import analyse
from omega_bridge.config import Config
from omega_bridge.errors import NotPermitted, StatementRejected, StepFailed
from omega_bridge.revisions import alembic_border
from omega_bridge.revisions.files import export
from omega_bridge.startup.preview import Promise, look
from omega_bridge.steps import Registry
from tests.fixtures.roles import MakeRole

CREATE = "DO $$ BEGIN EXECUTE format('GRANT CREATE ON DATABASE %I TO {}', current_database()); END $$"


@pytest.mark.parametrize(
    ("step", "grant"),
    [
        ("CREATE TABLE IF NOT EXISTS closed.t (id int)", "GRANT USAGE, CREATE ON SCHEMA closed TO <role>"),
        ("ALTER TABLE theirs ADD COLUMN IF NOT EXISTS a int", "ALTER TABLE theirs OWNER TO <role>"),
        ("ALTER FUNCTION f() RENAME TO g", "give function f to <role>"),
        (
            "UPDATE theirs SET id = 1 WHERE id = 2",
            "GRANT SELECT, INSERT, UPDATE, DELETE, REFERENCES, TRIGGER ON TABLE theirs TO <role>",
        ),
    ],
    ids=["schema", "owner-of-a-table", "owner-of-a-function", "table"],
)
def test_a_missing_privilege_is_told_with_its_grant(database: str, make_role: MakeRole, step: str, grant: str) -> None:
    """The hint begins with the statement that an administrator runs."""
    with psycopg.connect(database, autocommit=True) as conn:
        conn.execute(
            "CREATE SCHEMA closed; CREATE TABLE theirs (id int); CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'"
        )
    with pytest.raises(StepFailed) as told:
        omega_bridge.boot(make_role(CREATE), [step])
    assert told.value.hint.startswith("The role that starts lacks a privilege: ")
    assert grant in told.value.hint


def test_who_may_not_read_the_record_is_told_what_to_grant(database: str, make_role: MakeRole) -> None:
    """Statement by statement, until it can be read; who may not start on another's record is told whose it is to start."""
    omega_bridge.boot(database, ["CREATE TABLE IF NOT EXISTS t (id int)"])
    url = make_role("GRANT CREATE ON SCHEMA public TO {}")
    analysis, promise = analyse(Registry.of(["SELECT 1"])), Promise("another", None)
    with pytest.raises(StatementRejected) as told:
        look(url, analysis, promise)
    with pytest.raises(NotPermitted) as refused:
        omega_bridge.boot(url, ["CREATE TABLE IF NOT EXISTS u (id int)"])
    assert "nspowner::regrole" in refused.value.hint
    role = str(conninfo_to_dict(url)["user"])
    with psycopg.connect(database, autocommit=True) as conn:
        conn.execute(re.search(r"GRANT .*(?=; to start)", told.value.hint)[0].replace("<role>", role).encode())  # type: ignore[index]
    assert look(url, analysis, promise).versions == ()


def test_an_upgrade_without_a_privilege_says_what_to_grant(database: str, make_role: MakeRole, tmp_path: Path) -> None:
    """For the table of the version, for the bridge's own schema, and for a step's table; never with the driver's traceback alone."""
    steps = Registry.of(
        [("one", "CREATE TABLE IF NOT EXISTS one (id int)"), ("two", "ALTER TABLE one ADD COLUMN IF NOT EXISTS a int")]
    )
    export(analyse(steps), tmp_path)
    url = make_role("REVOKE CREATE ON SCHEMA public FROM PUBLIC")
    role = str(conninfo_to_dict(url)["user"])
    config = alembic_border.alembic_config(tmp_path, url)
    config.attributes |= {"omega_bridge_config": Config(root=tmp_path), "omega_bridge_registry": (steps, None)}
    with psycopg.connect(database, autocommit=True) as conn:
        conn.execute("CREATE TABLE one (id int)")
        for error, told, hint, cure in (
            (
                NotPermitted,
                "may not keep the revision in alembic_version",
                f"GRANT USAGE, CREATE ON SCHEMA public TO {role}",
                None,
            ),
            (
                NotPermitted,
                "may not do what the upgrade needs",
                f'GRANT CREATE ON DATABASE "{conn.info.dbname}" TO "{role}"',
                None,
            ),
            (
                StepFailed,
                "must be owner of table one",
                f"ALTER TABLE one OWNER TO {role}",
                f"ALTER TABLE one OWNER TO {role}",
            ),
        ):
            with pytest.raises(error, match=told) as raised:
                environment.upgrade(config, "head")
            assert hint in str(raised.value.hint)
            conn.execute((cure or hint).encode())
    environment.upgrade(config, "head")


def test_another_failure_speaks_of_no_privilege(database: str) -> None:
    """Only SQLSTATE 42501 does."""
    with pytest.raises(StepFailed) as told:
        omega_bridge.boot(database, ["CREATE TABLE t (id nosuchtype)"])
    assert "privilege" not in told.value.hint


def test_the_role_that_a_setting_gives_is_named(database: str, make_role: MakeRole) -> None:
    """Whoever logged in: what is to be granted goes to the role as which the statements run."""
    given, logged_in = (str(conninfo_to_dict(made)["user"]) for made in (make_role(), make_role()))
    url = make_conninfo(database, user=logged_in, password=logged_in, options=f"-c role={given}")
    with psycopg.connect(database, autocommit=True) as conn:
        conn.execute(f"GRANT {given} TO {logged_in}".encode())
    with pytest.raises(NotPermitted) as told:
        omega_bridge.boot(url, ["CREATE TABLE IF NOT EXISTS t (id int)"])
    assert f"the role '{given}' may not" in told.value.message
    assert f'TO "{given}"' in told.value.hint
    assert logged_in not in str(told.value)
