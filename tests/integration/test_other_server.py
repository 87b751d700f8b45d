"""A database is held against what another server made of the list: what only that server lacks or prints otherwise is no difference,
and what a hand does later is seen all the same.
"""

from __future__ import annotations

import secrets

import psycopg

import omega_bridge
from omega_bridge.analysis import Analysis, analyse
from omega_bridge.audit.drift import Drift, drift
from omega_bridge.audit.expected import make
from omega_bridge.audit.scratch import GivenServer
from omega_bridge.embedded import Server
from omega_bridge.expectation import Expectation
from omega_bridge.expectation_file import from_text, to_text
from omega_bridge.steps import Registry
from tests.fixtures.roles import MakeRole

NO_MODELS = analyse(Registry(()))


class Here:
    """A database, with a list that has run on another server, too."""

    def __init__(self, database: str, server: Server, *steps: str) -> None:
        self.database, self.steps = database, list(steps)
        self.analysis: Analysis = analyse(Registry.of(self.steps))
        self.expected: Expectation = from_text(to_text(make(self.analysis, "", GivenServer(server.url))), "here")

    def execute(self, text: str) -> None:
        """By hand."""
        with psycopg.connect(self.database, autocommit=True) as conn:
            conn.execute(text)

    def start(self) -> Drift:
        """The drift after a start, which the next one has nothing to add to."""
        omega_bridge.boot(self.database, self.steps)
        assert omega_bridge.boot(self.database, self.steps).outcome == "current"
        return self.drift()

    def drift(self) -> Drift:
        """The drift as it is."""
        return drift(self.database, self.analysis, NO_MODELS, self.expected)

    def unrecorded(self) -> Drift:
        """The same where no start has left a record."""
        self.execute("ALTER SCHEMA omega_bridge RENAME TO set_aside")
        try:
            return self.drift()
        finally:
            self.execute("ALTER SCHEMA set_aside RENAME TO omega_bridge")

    def after(self, damage: str) -> set[str]:
        """What is told after a damage; another start puts it back."""
        self.execute(damage)
        found = {str(difference) for difference in self.drift().differences}
        assert self.start().differences == (), damage
        return found


def test_how_a_database_prints_is_no_difference(database: str, server: Server) -> None:
    """Names in quotes, bytes with escapes, moments in another zone: what is compared is read as on any other server."""
    here = Here(
        database, server,
        "CREATE TABLE IF NOT EXISTS t (id int, name text, data bytea DEFAULT 'abc', at timestamptz DEFAULT '2020-01-02 00:00+00', f float8 DEFAULT 0.1)",
        "CREATE OR REPLACE VIEW v AS SELECT id, DATE '2020-01-02' AS d, 1.1::float8 AS f FROM t",
    )  # fmt: skip
    name = psycopg.conninfo.conninfo_to_dict(database)["dbname"]
    for setting in (
        "quote_all_identifiers = on", "bytea_output = 'escape'", "timezone = 'Asia/Tokyo'", "extra_float_digits = -3", "datestyle = 'German'",
    ):  # fmt: skip
        here.execute(f"ALTER DATABASE {name} SET {setting}")
    assert here.start().differences == ()
    assert here.after("DROP VIEW v") == {"view public.v"}
    here.execute("ALTER TABLE t ALTER at SET DEFAULT '2020-01-04 00:00+00'")
    assert [(d.attribute, d.key.name) for d in here.drift().differences] == [("default", "at")]


def test_what_a_guard_on_the_server_lets_happen_here_alone(database: str, server: Server, make_role: MakeRole) -> None:
    """Objects, attributes and owners behind a guard that holds here and not there are named, and held against the last start."""
    role = f"role_{secrets.token_hex(4)}"
    is_there = f"IF EXISTS (SELECT FROM pg_roles WHERE rolname = '{role}') THEN"
    here = Here(
        database, server,
        "CREATE TABLE IF NOT EXISTS t (id int PRIMARY KEY, name text)",
        "CREATE TABLE IF NOT EXISTS owned (id int)",
        "ALTER TABLE t ENABLE ROW LEVEL SECURITY",
        f"DO $$ BEGIN {is_there} DROP POLICY IF EXISTS p ON t; CREATE POLICY p ON t FOR SELECT TO {role} USING (id > 0); END IF; END $$",
        f"DO $$ BEGIN {is_there} ALTER TABLE owned OWNER TO {role}; END IF; END $$",
        f"DO $$ BEGIN {is_there} ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT ON TABLES TO {role}; END IF; END $$",
        f"DO $$ BEGIN {is_there} ALTER TABLE t SET (fillfactor = 70); ALTER TABLE t ADD COLUMN IF NOT EXISTS more int UNIQUE;"
        " ALTER TABLE t ALTER name SET DEFAULT 'here'; CREATE TABLE IF NOT EXISTS own (id int); END IF; END $$",
    )  # fmt: skip
    other = psycopg.conninfo.conninfo_to_dict(make_role())["user"]
    here.execute(f"CREATE ROLE {role}")
    try:
        found = here.start()
        assert found.differences == ()
        for name in (
            "policy public.t.p",
            "column public.t.more",
            "constraint public.t.t_more_key",
            "table public.own",
            "its options",
            "its default",
        ):
            assert any(name in told for told in here.unrecorded().unseen), name
        assert any("ALTER DEFAULT PRIVILEGES" in told for told in found.unseen)
        assert here.after("DROP POLICY p ON t") == {"policy public.t.p"}
        assert here.after("ALTER POLICY p ON t USING (id > 5)") == {"policy public.t.p: using is (id > 5), not (id > 0)"}
        assert here.after(f"ALTER TABLE owned OWNER TO {other}") == {f"table public.owned: owner is {other}, not {role}"}
        assert here.after("ALTER TABLE t RESET (fillfactor)") == {'table public.t: options is null, not ["fillfactor=70"]'}
        assert here.after("ALTER TABLE t ALTER name DROP DEFAULT") == {"column public.t.name: default is null, not 'here'::text"}
        assert "column public.t.more" in here.after("ALTER TABLE t DROP more")
        assert here.after("DROP TABLE own") == {"table public.own"}
        here.execute("ALTER TABLE own ADD by_hand int")
        assert {(d.what, str(d.key)) for d in here.drift().differences} == {("only-in-database", "column public.own.by_hand")}
        here.execute("ALTER TABLE own DROP by_hand; ALTER TABLE t ADD by_hand int")
        assert {(d.what, str(d.key)) for d in here.drift().differences} == {("only-in-database", "column public.t.by_hand")}
    finally:
        here.execute(f"DROP OWNED BY {role}; DROP ROLE {role}")


def test_a_type_that_only_this_server_has(database: str, server: Server) -> None:
    """What stands on a rejected step there is made here: each attribute of it, and what hangs on it, is held against the last start."""
    here = Here(
        database, server,
        "CREATE TABLE IF NOT EXISTS docs (id int, place nowhere, body text NOT NULL DEFAULT 'x')",
        "CREATE INDEX IF NOT EXISTS docs_body ON docs (body)",
        "ALTER TABLE docs ADD COLUMN IF NOT EXISTS n int DEFAULT 3",
        "CREATE OR REPLACE VIEW dv AS SELECT id, body FROM docs",
        "COMMENT ON TABLE docs IS 'd'",
    )  # fmt: skip
    here.execute("CREATE TYPE nowhere AS (x int)")
    assert here.start().differences == ()
    for damage, told in {
        "DROP INDEX docs_body": "index public.docs_body",
        "ALTER TABLE docs DROP n": "column public.docs.n",
        "ALTER TABLE docs ALTER n DROP DEFAULT": "column public.docs.n: default is null, not 3",
        "ALTER TABLE docs ALTER body DROP NOT NULL": "column public.docs.body: nullable is true, not false",
        "ALTER TABLE docs ALTER n TYPE bigint": "column public.docs.n: type is bigint, not integer",
        "ALTER TABLE docs DROP place": "column public.docs.place",
        "ALTER TABLE docs ADD extra int": "column public.docs.extra",
        "COMMENT ON TABLE docs IS 'e'": "table public.docs: comment is e, not d",
        "COMMENT ON COLUMN docs.id IS 'by hand'": "column public.docs.id: comment is by hand, not null",
        "CREATE OR REPLACE VIEW dv AS SELECT id, body FROM docs WHERE id > 1":
            "view public.dv: definition is SELECT id, body FROM docs WHERE (id > 1);, not SELECT id, body FROM docs;",
    }.items():  # fmt: skip
        assert told in here.after(damage), damage
    here.execute("ALTER TABLE docs DROP body CASCADE")  # as no start puts it back
    assert {str(d) for d in here.drift().differences} == {
        "column public.docs.body",
        "index public.docs_body",
        "view public.dv",
    }


def test_another_way_behind_an_error(database: str, server: Server) -> None:
    """A block that makes the column of another type where the server lacks one; a hand's third type is a difference."""
    fallback = "EXCEPTION WHEN OTHERS THEN CREATE TABLE IF NOT EXISTS d (id int, e text); END $$"
    here = Here(
        database, server,
        f"DO $$ BEGIN CREATE TABLE IF NOT EXISTS d (id int, e nowhere); {fallback}",
        "CREATE INDEX IF NOT EXISTS d_id ON d (id)",
        "DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_extension WHERE extname = 'nowhere') THEN CREATE INDEX IF NOT EXISTS d_e ON d (e); END IF; END $$",
    )  # fmt: skip
    here.execute("CREATE TYPE nowhere AS (x int)")
    found = here.start()
    assert found.differences == ()
    assert found.unseen == ()  # the last start's record knows
    assert any("column public.d.e: its type" in told for told in here.unrecorded().unseen)
    assert here.after("DROP INDEX d_id") == {"index public.d_id"}
    assert here.after("DROP INDEX d_e") == {"index public.d_e"}
    assert here.after("DROP TABLE d") == {"table public.d"}
    here.execute("ALTER TABLE d ALTER e TYPE text USING 'a'")
    assert {str(d) for d in here.drift().differences} == {"column public.d.e: type is text, not nowhere"}
    here.execute("ALTER TABLE d ALTER e TYPE int USING 1")
    assert {str(d) for d in here.drift().differences} == {"column public.d.e: type is integer, not text"}


def test_an_extension_in_another_schema(database: str, server: Server) -> None:
    """Where no step says in which schema, or in which version, the server's word holds; where one does, it is a difference."""
    here = Here(database, server, "CREATE EXTENSION IF NOT EXISTS citext", "CREATE TABLE IF NOT EXISTS t (mail citext)")
    name = psycopg.conninfo.conninfo_to_dict(database)["dbname"]
    here.execute(
        f"CREATE SCHEMA extensions; CREATE EXTENSION citext SCHEMA extensions; ALTER DATABASE {name} SET search_path = public, extensions"
    )
    found = here.start()
    assert found.differences == ()
    assert [told for told in found.unseen if "citext" in told] == [
        "extension citext: its schema is extensions, and no step says which"
    ]
    said = Here(database, server, "CREATE EXTENSION IF NOT EXISTS citext SCHEMA public", *here.steps[1:])
    assert {str(d) for d in said.start().differences} == {"extension citext: schema is extensions, not public"}


def test_default_privileges_of_this_database(database: str, server: Server, make_role: MakeRole) -> None:
    """What they give to each new object is no difference, whatever a step grants on it; what a hand takes of the step's is one."""
    here = Here(
        database, server,
        "CREATE TABLE IF NOT EXISTS t (id int)",
        "CREATE OR REPLACE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "GRANT SELECT ON t TO PUBLIC",
        "GRANT EXECUTE ON FUNCTION f() TO CURRENT_USER",
    )  # fmt: skip
    role = psycopg.conninfo.conninfo_to_dict(make_role())["user"]
    here.execute(
        f"ALTER DEFAULT PRIVILEGES GRANT ALL ON TABLES TO {role}; ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC"
    )
    found = here.start()
    assert found.differences == ()
    assert "table public.t: its grants follow from default privileges of this database" in found.unseen
    assert {d.partition(":")[0] for d in here.after("REVOKE SELECT ON t FROM PUBLIC")} == {"table public.t"}
    here.execute(f"GRANT SELECT ON t TO {role} WITH GRANT OPTION")
    assert [(d.key.name, d.attribute) for d in here.drift().differences] == [("t", "grants")]


def test_the_schema_public_is_not_everybody(database: str, server: Server) -> None:
    """A rejected grant in the schema of that name leaves the grants of everybody compared."""
    role = f"role_{secrets.token_hex(4)}"
    here = Here(
        database, server,
        "CREATE TABLE IF NOT EXISTS t (id int)",
        "GRANT SELECT ON t TO PUBLIC",
        f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {role}",
    )  # fmt: skip
    here.execute(f"CREATE ROLE {role}; CREATE TABLE t (id int); GRANT SELECT ON t TO {role}; GRANT DELETE ON t TO PUBLIC")
    try:
        assert [(d.key.name, d.attribute) for d in here.drift().differences] == [("t", "grants")]
    finally:
        here.execute(f"DROP OWNED BY {role}; DROP ROLE {role}")


def test_what_rows_let_happen_here_alone(database: str, server: Server) -> None:
    """A guard on rows, of which the scratch database has none, is one on the server."""
    here = Here(
        database, server,
        "CREATE TABLE IF NOT EXISTS t (id int)",
        "DO $$ BEGIN IF EXISTS (SELECT FROM t WHERE id > 0) THEN ALTER TABLE t ADD COLUMN IF NOT EXISTS r int;"
        " CREATE INDEX IF NOT EXISTS t_r ON t (r); END IF; END $$",
        "DO $$ DECLARE n int; BEGIN SELECT count(*) INTO n FROM t; IF n > 0 THEN ALTER TABLE t ADD COLUMN IF NOT EXISTS s int; END IF; END $$",
    )  # fmt: skip
    here.execute("CREATE TABLE t (id int); INSERT INTO t VALUES (1)")
    assert here.start().differences == ()
    assert here.after("DROP INDEX t_r") == {"index public.t_r"}
    assert here.after("ALTER TABLE t DROP s") == {"column public.t.s"}
    assert here.after("ALTER TABLE t ALTER r TYPE bigint; ALTER TABLE t ALTER r TYPE int") == set()
    here.execute("ALTER TABLE t ADD by_hand int")
    assert {str(d.key) for d in here.drift().differences} == {"column public.t.by_hand"}


def test_a_moment_without_a_zone(database: str, server: Server) -> None:
    """It is one of the session's zone: an offset of zones is named, any other moment is a difference."""
    here = Here(
        database, server,
        "CREATE TABLE IF NOT EXISTS t (id int, at timestamptz DEFAULT '2020-01-01')",
        "CREATE OR REPLACE VIEW v AS SELECT id FROM t WHERE at > '2021-05-05'::timestamptz",
    )  # fmt: skip
    name = psycopg.conninfo.conninfo_to_dict(database)["dbname"]
    here.execute(f"ALTER DATABASE {name} SET timezone = 'Asia/Tokyo'")
    found = here.start()
    assert found.differences == ()
    assert len([told for told in found.unseen if "TimeZone" in told]) == 2
    here.execute("ALTER TABLE t ALTER at SET DEFAULT '2020-02-01'")
    assert {(d.key.name, d.attribute) for d in here.drift().differences} == {("at", "default")}


def test_a_rejected_grant_hides_nothing_else(database: str, server: Server) -> None:
    """What names a table, and is about its grants or its owner alone, leaves its other attributes compared."""
    role = f"role_{secrets.token_hex(4)}"
    here = Here(
        database, server,
        "CREATE TABLE IF NOT EXISTS t (id int)",
        f"GRANT SELECT ON t TO {role}",
        f"ALTER TABLE t OWNER TO {role}",
    )  # fmt: skip
    here.execute(f"CREATE ROLE {role}")
    try:
        assert here.start().differences == ()
        here.execute("ALTER TABLE t SET (fillfactor = 50)")
        assert {(d.key.name, d.attribute) for d in here.drift().differences} == {("t", "options")}
    finally:
        here.execute(f"DROP OWNED BY {role}; DROP ROLE {role}")


def test_what_is_taken_away_on_one_server_alone(database: str, server: Server) -> None:
    """A column that a guard on the server drops or renames here is not missing, and is unwanted where a hand brings it back."""
    name = psycopg.conninfo.conninfo_to_dict(database)["dbname"]
    here = Here(
        database, server,
        "CREATE TABLE IF NOT EXISTS t (id int, a int UNIQUE, b int)",
        f"DO $$ BEGIN IF current_database() = '{name}' THEN ALTER TABLE t DROP COLUMN IF EXISTS a; END IF; END $$",
    )  # fmt: skip
    found = here.start()
    assert found.differences == ()
    assert any(told.startswith("column public.t.a:") for told in found.unseen)
    here.execute("ALTER TABLE t ADD a int")
    assert {(d.what, str(d.key)) for d in here.drift().differences} == {("unwanted", "column public.t.a")}
    assert here.start().differences == ()
    here.execute("ALTER TABLE t DROP id")
    assert {(d.what, str(d.key)) for d in here.drift().differences} == {("missing", "column public.t.id")}


def test_an_owner_that_no_step_names(database: str, server: Server, make_role: MakeRole) -> None:
    """Who does not run the list and owns what it makes is named, in one line each; that is no difference."""
    here = Here(
        database,
        server,
        "CREATE TABLE IF NOT EXISTS t (id int)",
        "CREATE TABLE IF NOT EXISTS u (id int)",
        "CREATE OR REPLACE VIEW v AS SELECT 1 AS a",
    )
    assert here.start().unseen == ()
    other = psycopg.conninfo.conninfo_to_dict(make_role())["user"]
    here.execute(f"ALTER TABLE t OWNER TO {other}; ALTER TABLE u OWNER TO {other}")
    found = here.drift()
    assert found.differences == ()
    assert found.unseen == (
        f"table public.t and 1 more: the owner is {other}, who does not run the list, and no step says whose they are",
    )


def test_what_was_set_apart_is_told_where_a_hand_changed_it(database: str, server: Server) -> None:
    """A moment that may be one of another zone, and the schema of an extension, are not held against the list; since the last start
    nothing but a hand has moved them. How they are printed is no change.
    """
    here = Here(
        database, server,
        "CREATE SCHEMA IF NOT EXISTS e",
        "CREATE EXTENSION IF NOT EXISTS citext",
        "CREATE TABLE IF NOT EXISTS t (id int, at timestamptz DEFAULT '2020-01-01 00:00+00')",
        "CREATE OR REPLACE VIEW v AS SELECT '2020-01-01 00:00+00'::timestamptz AS at",
    )  # fmt: skip
    assert here.start() == Drift((), (), unseen=())
    here.execute(f"ALTER DATABASE {psycopg.conninfo.conninfo_to_dict(database)['dbname']} SET timezone = 'Asia/Tokyo'")
    assert here.drift().differences == ()
    for damage, told in (
        ("ALTER TABLE t ALTER at SET DEFAULT '2020-01-01 03:00+00'", ("t.at", "default")),
        ("CREATE OR REPLACE VIEW v AS SELECT '2020-01-01 05:00+00'::timestamptz AS at", ("v", "definition")),
        ("ALTER EXTENSION citext SET SCHEMA e", ("citext", "schema")),
    ):
        here.execute(damage)
        found = [(str(d.key).rpartition("public.")[2].removeprefix("extension "), d.attribute) for d in here.drift().differences]
        assert told in found, damage


def test_what_an_unread_statement_may_have_made_is_named(database: str, server: Server) -> None:
    """Though the last start saw it: that it is what the list makes here, nobody has read."""
    here = Here(
        database, server,
        "CREATE TABLE IF NOT EXISTS t (id int, a int)",
        "DO $$ BEGIN IF current_database() <> 'template1' THEN EXECUTE 'ALTER TABLE t ALTER a SET DEFAULT ' || 5; END IF; END $$",
    )  # fmt: skip
    assert here.start().unseen == ()
    here.execute("ALTER TABLE t ALTER a SET DEFAULT 6")
    assert [(str(d.key), d.attribute) for d in here.drift().differences] == [("column public.t.a", "default")]
    here.steps[1] = here.steps[1].replace("<> 'template1'", "= 'template1'")
    here.analysis = analyse(Registry.of(here.steps))
    found = here.start()
    assert [told.partition(", which")[0] for told in found.unseen] == ["column public.t.a: its default"]
