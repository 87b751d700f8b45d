"""Whose objects a start uses, and whose code it never runs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from io import StringIO
from pathlib import Path

import psycopg
import pytest
from alembic import command
from alembic.util import CommandError
from psycopg.conninfo import conninfo_to_dict

import omega_bridge
from omega_bridge import Step
from omega_bridge.cli.app import run
from omega_bridge.embedded import EmbeddedServer
from omega_bridge.errors import NotTrusted
from omega_bridge.postgres import ledger_store, states
from omega_bridge.postgres.fast_path import sentinel
from omega_bridge.postgres.session import open_session
from tests.fixtures.roles import MakeRole
from tests.integration.test_drivers import DRIVERS, tcp
from tests.integration.test_own_environment import guarded_env
from tests.integration.test_rows_in_history import ENV, configured, exported

__all__ = ["tcp"]

STEPS = ["CREATE TABLE IF NOT EXISTS t (id int PRIMARY KEY)", "ALTER TABLE t ADD COLUMN IF NOT EXISTS a int"]
CREATE = "DO $$ BEGIN EXECUTE format('GRANT CREATE ON DATABASE %I TO {}', current_database()); END $$"
IN_PUBLIC = "GRANT CREATE ON SCHEMA public TO {}"


def user(url: str) -> str:
    """The role in a URL."""
    return str(conninfo_to_dict(url)["user"])


@contextmanager
def connected(url: str) -> Iterator[psycopg.Connection[tuple[object, ...]]]:
    """A connection in autocommit."""
    with psycopg.connect(url, autocommit=True) as conn:
        yield conn


STOLEN = """
CREATE SCHEMA omega_bridge; GRANT USAGE ON SCHEMA omega_bridge TO PUBLIC;
CREATE TABLE public.calls (who text); GRANT INSERT ON public.calls TO PUBLIC;
CREATE FUNCTION omega_bridge.evil() RETURNS text LANGUAGE plpgsql IMMUTABLE AS
  $f$ BEGIN INSERT INTO public.calls VALUES (current_user); RETURN 'x'; END $f$;
CREATE VIEW omega_bridge.watch AS SELECT omega_bridge.evil() AS digest;
CREATE VIEW omega_bridge.omega_bridge_ledger AS SELECT omega_bridge.evil() AS seq;
GRANT SELECT ON ALL TABLES IN SCHEMA omega_bridge TO PUBLIC;
CREATE FUNCTION omega_bridge.omega_bridge_probe() RETURNS TABLE (versions text, digest text) LANGUAGE sql STABLE AS
  $f$ SELECT omega_bridge.evil(), omega_bridge.evil() $f$;
"""


@pytest.mark.parametrize("is_superuser", [False, True], ids=["a-plain-role", "a-superuser"])
def test_a_strangers_record_is_no_record(database: str, make_role: MakeRole, is_superuser: bool) -> None:
    """A schema of our name that another role made neither makes a start say "current" nor has its code run: OB207."""
    with connected(make_role(CREATE, IN_PUBLIC)) as conn:
        conn.execute(STOLEN.encode())
    url = database if is_superuser else make_role(CREATE, IN_PUBLIC)
    with pytest.raises(NotTrusted) as told:
        omega_bridge.boot(url, STEPS)
    assert "schema omega_bridge" in str(told.value)
    with connected(database) as conn:
        assert conn.execute("SELECT count(*) FROM public.calls").fetchone() == (0,)
        assert conn.execute("SELECT to_regclass('t')").fetchone() == (None,)


LIKE_OURS = """
CREATE SCHEMA omega_bridge; GRANT USAGE ON SCHEMA omega_bridge TO PUBLIC;
CREATE TABLE public.calls (who text); GRANT INSERT ON public.calls TO PUBLIC;
CREATE TYPE public.evil AS (a text);
CREATE FUNCTION public.evil(public.evil[]) RETURNS text LANGUAGE plpgsql AS
  $f$ BEGIN INSERT INTO public.calls VALUES (current_user); RETURN '{}'; END $f$;
CREATE CAST (public.evil[] AS text) WITH FUNCTION public.evil(public.evil[]);
CREATE TABLE omega_bridge.omega_bridge_ledger ();
CREATE TABLE omega_bridge.omega_bridge_chain ();
CREATE TABLE omega_bridge.omega_bridge_catalogs ();
CREATE TABLE omega_bridge.omega_bridge_states (schema text, names public.evil[]);
INSERT INTO omega_bridge.omega_bridge_states VALUES ('public', '{}');
GRANT ALL ON ALL TABLES IN SCHEMA omega_bridge TO PUBLIC;
"""


WITH_ALL_COLUMNS = """
CREATE TYPE public.word AS ENUM ('a');
CREATE FUNCTION public.told(public.word) RETURNS json LANGUAGE plpgsql AS
  $f$ BEGIN INSERT INTO public.calls VALUES (current_user); RETURN '{}'; END $f$;
CREATE CAST (public.word AS json) WITH FUNCTION public.told(public.word);
ALTER TABLE omega_bridge.omega_bridge_states ADD digest public.word, ADD revision public.word, ADD token public.word,
  ADD catalog_digest public.word, ADD steps public.word, ADD data public.word, ADD standing public.word, ADD inspection public.word;
ALTER TABLE omega_bridge.omega_bridge_chain ADD layout public.word, ADD seq int8, ADD hash public.word;
ALTER TABLE omega_bridge.omega_bridge_ledger ADD seq int8, ADD hash public.word;
UPDATE omega_bridge.omega_bridge_states SET digest = 'a', steps = 'a';
INSERT INTO omega_bridge.omega_bridge_chain VALUES ('a', 1, 'a');
"""


@pytest.mark.parametrize("is_superuser", [False, True], ids=["a-plain-role", "a-superuser"])
@pytest.mark.parametrize("more", ["", WITH_ALL_COLUMNS], ids=["few-columns", "all-columns"])
def test_a_strangers_states_are_not_read_ahead(database: str, make_role: MakeRole, is_superuser: bool, more: str) -> None:
    """What the server does while the list is read waits for its answer: a cast of the stranger's would run as who starts."""
    with connected(make_role(CREATE, IN_PUBLIC)) as conn:
        conn.execute((LIKE_OURS + more).encode())
    url = database if is_superuser else make_role(CREATE, IN_PUBLIC)
    with pytest.raises(NotTrusted):
        omega_bridge.boot(url, STEPS)
    with connected(database) as conn:
        assert conn.execute("SELECT who FROM public.calls").fetchall() == []
        if more:  # they would be called, were the stranger trusted
            conn.execute("SELECT set_config('omega_bridge.strangers', '[]', false)")
            for asked in (states.early(), ledger_store.early()):
                conn.execute(asked.encode())
            assert conn.execute("SELECT count(*) FROM public.calls").fetchone() == (4,)


INDEXED = """
CREATE FUNCTION public.evil(int) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS
  $f$ BEGIN IF current_user <> '{stranger}' THEN PERFORM public.noted(); END IF; RETURN true; END $f$;
CREATE FUNCTION public.noted() RETURNS void LANGUAGE plpgsql AS
  $f$ BEGIN PERFORM nextval('public.calls'); END $f$;
CREATE SEQUENCE public.calls; GRANT ALL ON public.calls TO PUBLIC;
CREATE INDEX ON omega_bridge.omega_bridge_ledger (seq) WHERE public.evil(1);
CREATE INDEX ON omega_bridge.omega_bridge_chain (seq) WHERE public.evil(2);
CREATE INDEX ON omega_bridge.omega_bridge_states (schema) WHERE public.evil(3);
"""


@pytest.mark.parametrize("is_superuser", [False, True], ids=["a-plain-role", "a-superuser"])
def test_no_statement_about_a_strangers_table_is_planned(database: str, make_role: MakeRole, is_superuser: bool) -> None:
    """Planning evaluates what the predicate of an index calls immutable."""
    stranger = make_role(CREATE, IN_PUBLIC)
    omega_bridge.boot(stranger, STEPS)
    with connected(stranger) as conn:
        conn.execute(INDEXED.format(stranger=user(stranger)).encode())
        conn.execute("GRANT USAGE ON SCHEMA omega_bridge TO PUBLIC; GRANT ALL ON ALL TABLES IN SCHEMA omega_bridge TO PUBLIC")
    url = database if is_superuser else make_role(CREATE, IN_PUBLIC)
    with pytest.raises(NotTrusted):
        omega_bridge.boot(url, [*STEPS, "CREATE TABLE IF NOT EXISTS u (id int)"])
    with connected(database) as conn:
        assert conn.execute("SELECT is_called FROM public.calls").fetchone() == (False,)
        conn.execute("SELECT FROM omega_bridge.omega_bridge_chain")  # it would be called, were the stranger trusted
        assert conn.execute("SELECT is_called FROM public.calls").fetchone() == (True,)


def test_what_a_stranger_left_in_a_schema_of_ours_is_refused(database: str, make_role: MakeRole) -> None:
    """The schema came into trusted hands, and what is in it did not."""
    with connected(make_role(CREATE)) as conn:
        conn.execute(
            "CREATE SCHEMA omega_bridge; CREATE FUNCTION omega_bridge.left_over() RETURNS int LANGUAGE sql AS 'SELECT 1'"
        )
    with connected(database) as conn:
        conn.execute("ALTER SCHEMA omega_bridge OWNER TO CURRENT_USER")
    with pytest.raises(NotTrusted) as told:
        omega_bridge.boot(database, STEPS)
    assert "omega_bridge.left_over" in str(told.value)


def test_a_strangers_alembic_version_is_not_written(database: str, make_role: MakeRole) -> None:
    """Its trigger would run as whoever starts."""
    with connected(make_role(IN_PUBLIC)) as conn:
        conn.execute("CREATE TABLE alembic_version (version_num varchar(32) PRIMARY KEY)")
    with pytest.raises(NotTrusted) as told:
        omega_bridge.boot(database, STEPS)
    assert "public.alembic_version" in str(told.value)


@pytest.mark.parametrize(
    "put",
    [
        "CREATE TRIGGER late BEFORE INSERT ON omega_bridge.omega_bridge_ledger FOR EACH ROW EXECUTE FUNCTION public.late()",
        "CREATE RULE late AS ON INSERT TO omega_bridge.omega_bridge_states DO ALSO NOTIFY late",
        "CREATE POLICY late ON omega_bridge.omega_bridge_ledger USING (true)",
        "ALTER TABLE omega_bridge.omega_bridge_states ENABLE ROW LEVEL SECURITY",
    ],
    ids=["trigger", "rule", "policy", "row-security"],
)
def test_what_hangs_on_our_tables_is_ours(database: str, make_role: MakeRole, put: str) -> None:
    """A trigger of another role's function, a rule, a policy: a start that would write refuses."""
    omega_bridge.boot(database, STEPS)
    with connected(make_role(IN_PUBLIC)) as conn:
        conn.execute("CREATE FUNCTION public.late() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'")
    with connected(database) as conn:
        conn.execute(put.encode())
    with pytest.raises(NotTrusted) as told:
        omega_bridge.boot(database, [*STEPS, "CREATE TABLE IF NOT EXISTS u (id int)"])
    assert "late" in str(told.value) or "row security" in str(told.value)


def test_an_owner_may_be_named(database: str, make_role: MakeRole) -> None:
    """A role that owns the record and is no one's member is trusted where the configuration says so."""
    owner = make_role(CREATE, IN_PUBLIC)
    omega_bridge.boot(owner, STEPS)
    service = make_role()
    with connected(database) as conn:
        conn.execute(f"GRANT USAGE ON SCHEMA omega_bridge TO {user(service)}")
        conn.execute(f"ALTER ROLE {user(service)} SET search_path = public")
        conn.execute(f"ALTER ROLE {user(owner)} SET search_path = public")
    with open_session(service) as session:
        from omega_bridge.postgres.fast_path.probe import probe

        assert probe(session) is None
        assert probe(session, owners=[user(owner)]) is not None


# --- the event trigger -----------------------------------------------------------------------------------------


def test_an_administrator_installs_the_sentinel_and_the_service_starts(database: str, make_role: MakeRole) -> None:
    """The documented sequence: nothing of it belongs to the service, which records, is quiet, and sees what a hand does."""
    service = make_role(CREATE, IN_PUBLIC)
    with open_session(database) as session:
        sentinel.install(session, [user(service)])
    assert omega_bridge.boot(service, STEPS).outcome == "repaired"
    assert omega_bridge.boot(service, STEPS).round_trips == 1
    with connected(service) as conn:
        conn.execute("ALTER TABLE t DROP COLUMN a")
    assert omega_bridge.boot(service, STEPS).outcome == "repaired"
    assert omega_bridge.boot(service, STEPS).round_trips == 1
    with connected(service) as conn:
        for forbidden in (
            "DELETE FROM omega_bridge_sentinel.omega_bridge_marks",
            "CREATE TABLE omega_bridge_sentinel.other (id int)",
            "DROP TABLE omega_bridge_sentinel.omega_bridge_marks",
            "CREATE OR REPLACE FUNCTION omega_bridge_sentinel.omega_bridge_note_ddl() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END'",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                conn.execute(forbidden.encode())


def test_a_sentinel_that_the_service_may_not_read_does_not_stop_it(database: str, make_role: MakeRole) -> None:
    """Without the grant a start asks the catalogs, as without the event trigger."""
    with open_session(database) as session:
        sentinel.install(session)
    service = make_role(CREATE, IN_PUBLIC)
    omega_bridge.boot(service, STEPS)
    assert omega_bridge.boot(service, STEPS).round_trips == 1
    with connected(service) as conn:
        conn.execute("ALTER TABLE t DROP COLUMN a")
    assert omega_bridge.boot(service, STEPS).outcome == "repaired"


def test_ddl_that_commits_late_is_seen(database: str) -> None:
    """A transaction that began before the start and commits after it is none that the start has accounted for."""
    with open_session(database) as session:
        sentinel.install(session)
    omega_bridge.boot(database, STEPS)
    with psycopg.connect(database) as late:
        late.execute("CREATE TABLE other (id int)")
        omega_bridge.boot(database, STEPS, retry=True)
        assert omega_bridge.boot(database, STEPS).round_trips == 1
        late.commit()
    assert omega_bridge.boot(database, STEPS).round_trips > 1
    assert omega_bridge.boot(database, STEPS).round_trips == 1


def test_marks_that_every_state_has_seen_are_cleared_away(database: str) -> None:
    """What is left is what a start would still have to look at."""
    with open_session(database) as session:
        sentinel.install(session)
    for n in range(3):
        with connected(database) as conn:
            conn.execute(f"CREATE TABLE other{n} (id int)")
        omega_bridge.boot(database, STEPS)
    with connected(database) as conn:
        assert conn.execute("SELECT count(*) FROM omega_bridge_sentinel.omega_bridge_marks").fetchone() == (0,)


def test_a_strangers_sentinel_is_neither_believed_nor_run(
    database: str, make_role: MakeRole, caplog: pytest.LogCaptureFixture
) -> None:
    """Where the event trigger's schema goes and another role makes one of its name, no code in it runs; the start says so."""
    service = make_role(CREATE, IN_PUBLIC)
    with open_session(database) as session:
        sentinel.install(session, [user(service)])
        omega_bridge.boot(service, STEPS)
        sentinel.remove(session)
    with connected(make_role(CREATE, IN_PUBLIC)) as conn:
        conn.execute("CREATE TABLE public.calls (who text); GRANT INSERT ON public.calls TO PUBLIC")
        conn.execute("CREATE SCHEMA omega_bridge_sentinel; GRANT USAGE ON SCHEMA omega_bridge_sentinel TO PUBLIC")
        conn.execute(
            "CREATE FUNCTION omega_bridge_sentinel.evil() RETURNS text LANGUAGE plpgsql IMMUTABLE AS"
            " $f$ BEGIN INSERT INTO public.calls VALUES (current_user); RETURN 'x'; END $f$;"
            "CREATE VIEW omega_bridge_sentinel.omega_bridge_marks AS SELECT omega_bridge_sentinel.evil() AS schema WHERE omega_bridge_sentinel.evil() = 'y';"
            "CREATE FUNCTION omega_bridge_sentinel.omega_bridge_unseen(text, text) RETURNS numeric LANGUAGE sql AS 'SELECT 0.0';"
            "GRANT SELECT ON omega_bridge_sentinel.omega_bridge_marks TO PUBLIC"
        )
    for _ in range(2):
        assert omega_bridge.boot(service, STEPS).outcome == "current"
    assert "omega_bridge_sentinel belongs to" in caplog.text
    with connected(database) as conn:
        assert conn.execute("SELECT count(*) FROM public.calls").fetchone() == (0,)


# --- operators and functions that fit better -------------------------------------------------------------------

LURES = """
CREATE TABLE public.calls (what text); GRANT INSERT ON public.calls TO PUBLIC;
DO $$ DECLARE l text; r text; o text; n int := 0; BEGIN
  FOREACH o IN ARRAY ARRAY['=', '<>', '~', '!~', '>', '<'] LOOP
    FOR l, r IN SELECT * FROM (VALUES ('name', 'text'), ('text', 'name'), ('"char"', 'text'), ('name', 'varchar'), ('oid', 'int4'), ('oid', 'regclass'),
                               ('int4', 'oid'), ('oid', 'int8'), ('int2', 'oid'), ('xid', 'text'), ('regclass', 'oid'), ('name', 'name'),
                               ('aclitem[]', 'aclitem[]'), ('text[]', 'text[]'), ('name[]', 'name[]'), ('oid[]', 'oid[]'), ('int2[]', 'int2[]'),
                               ('anyarray', 'anyarray'), ('anyelement', 'anyelement'), ('varchar', 'varchar')) AS p (l, r) LOOP
      n := n + 1;
      EXECUTE format('CREATE FUNCTION public.lure_%s(a %s, b %s) RETURNS bool LANGUAGE plpgsql AS %L', n, l, r,
        format('BEGIN INSERT INTO public.calls VALUES (%L); RETURN false; END', o || ' ' || l || ' ' || r));
      BEGIN
        EXECUTE format('CREATE OPERATOR public.%s (LEFTARG = %s, RIGHTARG = %s, FUNCTION = public.lure_%s)', o, l, r, n);
      EXCEPTION WHEN OTHERS THEN NULL; END;
    END LOOP;
  END LOOP;
  FOREACH o IN ARRAY ARRAY['array_agg(text)', 'array_agg(anyelement)', 'concat(text,text)', 'concat(text,text,text)', 'concat(anyelement)',
      'format(text,text)', 'format(text,text,text)', 'format(text,name,name)', 'format_type(oid,int8)', 'format_type(anyelement,int4)',
      'json_build_array(text,text,text,text,json)', 'json_build_array(anyelement)', 'json_build_object(text,text)', 'json_agg(json)',
      'json_agg(anyelement)', 'jsonb_build_object(text,text,text,text)', 'json_build_object(text,name,text,text[])', 'to_jsonb(text)',
      'to_jsonb(anyelement)', 'to_jsonb(text[])', 'unnest(aclitem[])', 'unnest(text[])', 'unnest(oid[])', 'unnest(anyarray)', 'pg_get_expr(pg_node_tree,int4)',
      'obj_description(oid,name)', 'split_part(text,text,int8)', 'current_setting(name)', 'concat_ws(text,text,text)', 'count(text)',
      'has_schema_privilege(oid,name)', 'pg_has_role(oid,name)', 'row_number(text)', 'string_agg(name,text)', 'strpos(name,text)', 'substr(name,int4)',
      'pg_get_functiondef(regprocedure)', 'oidvectortypes(anyelement)', 'coalesce(text,text)', 'array_to_string(text[],text)', 'quote_ident(name)'] LOOP
    BEGIN
      EXECUTE format('CREATE FUNCTION public.%s RETURNS text LANGUAGE plpgsql AS %L', o,
        format('BEGIN INSERT INTO public.calls VALUES (%L); RETURN NULL; END', o));
    EXCEPTION WHEN OTHERS THEN NULL; END;
  END LOOP;
END $$;
"""


def test_no_operator_of_a_strangers_is_called(database: str, make_role: MakeRole) -> None:
    """Whoever may create in ``public`` may offer one, or a function, that fits the types better: a boot takes none, in any part of it."""
    with connected(make_role(IN_PUBLIC)) as conn:
        conn.execute(LURES.encode())
    listed = [*STEPS, "CREATE INDEX CONCURRENTLY IF NOT EXISTS t_a ON t (a)", "UPDATE t SET a = 1 WHERE a IS NULL"]
    listed += ["DROP TABLE IF EXISTS old", "COMMENT ON TABLE t IS 'things'"]
    with connected(database) as conn:
        conn.execute("CREATE TABLE old (id int); INSERT INTO old VALUES (1)")
    for steps in (listed, listed, [*listed, "CREATE TABLE IF NOT EXISTS u (id int)"]):
        omega_bridge.boot(database, steps, critical_tables=["t"])
    with connected(database) as conn:
        assert conn.execute("SELECT what, count(*) FROM public.calls GROUP BY 1").fetchall() == []


def test_an_upgrade_calls_no_operator_of_a_strangers(database: str, make_role: MakeRole, tmp_path: Path) -> None:
    """What Alembic asks by itself compares ``name`` with ``varchar``: it takes PostgreSQL's operators, and the list its own path."""
    with connected(make_role(IN_PUBLIC)) as conn:
        conn.execute(
            LURES.replace(
                "('varchar', 'varchar')", "('varchar', 'varchar'), ('\"char\"', 'varchar'), ('oid', 'regtype')"
            ).encode()
        )
    with connected(database) as conn:
        conn.execute("CREATE SCHEMA side")
    steps: list[str | Step] = [*STEPS, "SET search_path = side, public", "CREATE TABLE IF NOT EXISTS far (id int)"]
    exported(tmp_path, steps)
    command.upgrade(configured(tmp_path, database), "head")
    command.current(configured(tmp_path, database))
    with connected(database) as conn:
        assert conn.execute("SELECT what, count(*) FROM public.calls GROUP BY 1").fetchall() == []
        assert conn.execute("SELECT to_regclass('side.far')::text, to_regclass('public.alembic_version')::text").fetchone() == (
            "side.far",
            "alembic_version",
        )


@pytest.mark.parametrize("verb", ["status", "plan", "drift", "report", "ledger log", "ledger verify"])
def test_who_only_reads_reads_on_and_names_the_owner(
    database: str, make_role: MakeRole, tmp_path: Path, capsys: pytest.CaptureFixture[str], verb: str
) -> None:
    """A stranger's objects under our names do not stop a verb that writes nothing; it says whose they are."""
    stranger = make_role(CREATE, IN_PUBLIC)
    with connected(stranger) as conn:
        conn.execute("CREATE SCHEMA omega_bridge; CREATE TABLE alembic_version (version_num varchar(32) PRIMARY KEY)")
    (tmp_path / "main.py").write_text(f"steps = {STEPS!r}\n")
    (tmp_path / "pyproject.toml").write_text('[tool.omega-bridge]\nsteps = "main.py:steps"\n')
    more = ["--to", str(tmp_path)] if verb == "report" else []
    with pytest.raises(SystemExit) as ended:
        run([*verb.split(), "--config", str(tmp_path / "pyproject.toml"), "--database-url", database, *more])
    assert ended.value.code in (0, 1)
    told = capsys.readouterr().err
    role = psycopg.conninfo.conninfo_to_dict(stranger)["user"]
    assert f"warning: not in trusted hands: schema omega_bridge (owner {role})" in told
    assert f"public.alembic_version (owner {role})" in told


CODE = {
    "predicate": "CREATE INDEX ON omega_bridge.omega_bridge_ledger (seq) WHERE public.evil(1)",
    "expression": "CREATE INDEX ON omega_bridge.omega_bridge_chain (public.evil(seq::int))",
    "statistics": "CREATE STATISTICS omega_bridge.s ON (public.evil(1)), seq FROM omega_bridge.omega_bridge_ledger",
    "check": "ALTER TABLE omega_bridge.omega_bridge_ledger ADD CHECK (public.evil(1)) NOT VALID",
    "generated": "ALTER TABLE omega_bridge.omega_bridge_chain ADD n boolean GENERATED ALWAYS AS (public.evil(1)) STORED",
    "child": "CREATE TABLE public.child () INHERITS (omega_bridge.omega_bridge_ledger); CREATE INDEX ON public.child (seq) WHERE public.evil(1)",
    "type": "CREATE TYPE public.word AS ENUM ('a'); ALTER TABLE omega_bridge.omega_bridge_states ADD w public.word",
    "view": "CREATE VIEW public.alembic_version AS SELECT 'x'::varchar(32) AS version_num WHERE public.evil(1)",
}
READING = ["status", "plan", "drift", "report", "ledger log", "ledger verify"]


@pytest.mark.parametrize(
    ("verb", "code"),
    [*((verb, "predicate") for verb in READING), *(("ledger log", code) for code in CODE if code != "predicate")],
)
def test_who_only_reads_runs_no_code_of_a_strangers(
    database: str, make_role: MakeRole, tmp_path: Path, capsys: pytest.CaptureFixture[str], verb: str, code: str
) -> None:
    """Where reading would, it stops, and says what of whose it is."""
    stranger = make_role(CREATE, IN_PUBLIC)
    omega_bridge.boot(stranger, STEPS)
    with connected(stranger) as conn:
        conn.execute(INDEXED.partition("CREATE INDEX")[0].format(stranger=user(stranger)).encode())
        conn.execute(CODE[code].encode())
    (tmp_path / "main.py").write_text(f"steps = {STEPS!r}\n")
    (tmp_path / "pyproject.toml").write_text('[tool.omega-bridge]\nsteps = "main.py:steps"\n')
    more = ["--to", str(tmp_path)] if verb == "report" else []
    with pytest.raises(SystemExit) as ended:
        run([*verb.split(), "--config", str(tmp_path / "pyproject.toml"), "--database-url", database, *more])
    told = capsys.readouterr().err
    assert ended.value.code == 3, told
    assert f"would run code of its owner's (owner {user(stranger)})" in told
    with connected(database) as conn:
        assert conn.execute("SELECT is_called FROM public.calls").fetchone() == (False,)
        if code == "predicate":  # it would be called, were the table read
            conn.execute("SELECT FROM omega_bridge.omega_bridge_ledger")
            assert conn.execute("SELECT is_called FROM public.calls").fetchone() == (True,)


COMMANDS = {"current": ("current",), "check": ("check",), "upgrade": ("upgrade", "head"), "stamp": ("stamp", "head")}


@pytest.mark.parametrize(("named", "code"), [*((named, "view") for named in COMMANDS), ("current", "predicate")])
@pytest.mark.parametrize("env", ["ours", *DRIVERS])
def test_alembic_runs_no_code_of_a_strangers(tmp_path: Path, tcp: EmbeddedServer, named: str, code: str, env: str) -> None:
    """Alembic reads the version before anything else: through our ``env.py``, or one with the two lines, whichever driver it has."""
    name = f"stranger_{env}_{named}_{code}"
    tcp.create_database(name)
    database = tcp.tcp_url_for(name)
    with connected(database) as conn:
        conn.execute(f"CREATE ROLE {name}; GRANT CREATE ON SCHEMA public TO {name}; SET ROLE {name}".encode())
        conn.execute(INDEXED.partition("CREATE INDEX")[0].format(stranger=name).encode())
        if code == "predicate":
            conn.execute("CREATE TABLE public.alembic_version (version_num varchar(32) PRIMARY KEY)")
            conn.execute("CREATE INDEX ON public.alembic_version (version_num) WHERE public.evil(1)")
        else:
            conn.execute(CODE[code].encode())
    exported(tmp_path, [*STEPS], ENV if env == "ours" else guarded_env(env, database))
    config = configured(tmp_path, database)
    verb, *arguments = COMMANDS[named]
    config.cmd_opts.cmd = (getattr(command, verb),)
    with pytest.raises(CommandError, match="not in trusted hands") as told:
        getattr(command, verb)(config, *arguments)
    assert "public.alembic_version" in str(told.value)
    assert f"(owner {name})" in str(told.value)
    with connected(database) as conn:
        assert conn.execute("SELECT is_called FROM public.calls").fetchone() == (False,)
        conn.execute("SELECT FROM public.alembic_version")  # it would be called, were the table read
        assert conn.execute("SELECT is_called FROM public.calls").fetchone() == (True,)


@pytest.mark.parametrize("driver", DRIVERS)
def test_a_version_in_trusted_hands_is_told(tmp_path: Path, tcp: EmbeddedServer, driver: str) -> None:
    """What asks about strangers leaves Alembic's own transaction as it was, through every driver."""
    name = f"current_{driver}"
    tcp.create_database(name)
    url = tcp.tcp_url_for(name)
    ids = exported(tmp_path, [*STEPS], guarded_env(driver, url))
    config = configured(tmp_path, url)
    command.upgrade(config, "head")
    config.stdout = StringIO()
    config.cmd_opts.cmd, config.cmd_opts.verbose = (command.current,), False
    command.current(config)
    assert config.stdout.getvalue().split() == [ids[-1], "(head)"]
