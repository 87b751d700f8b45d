"""A verification: three facts, a witness, and starts from databases that are named."""

from __future__ import annotations

import json
import re
import subprocess
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest
from typer.testing import CliRunner

from omega_bridge import boot, errors
from omega_bridge.analysis import Analysis, analyse
from omega_bridge.analysis.reaching import SHARED
from omega_bridge.audit import pairs, predictions, witness
from omega_bridge.audit.equivalence import verify
from omega_bridge.audit.pairs import Pair
from omega_bridge.audit.proofs import prover
from omega_bridge.audit.scratch import GivenServer, scratch_database, scratch_server
from omega_bridge.audit.verdict import Equivalence
from omega_bridge.catalog import Catalog
from omega_bridge.cli.app import app
from omega_bridge.embedded import Server
from omega_bridge.planning.plan import Plan
from omega_bridge.planning.settling import empty_catalog
from omega_bridge.postgres.catalog_reader import read_catalog
from omega_bridge.postgres.dsn import connection_parameters
from omega_bridge.postgres.scratch import create_database
from omega_bridge.revisions.files import export
from omega_bridge.steps import Registry
from tests.fixtures.databases import MakeDatabase

T = "CREATE TABLE IF NOT EXISTS t (id int PRIMARY KEY)"
ELSEWHERE = "ALTER TABLE made_elsewhere ADD COLUMN IF NOT EXISTS x int"
SWALLOWED = "DO $$ BEGIN ALTER TABLE made_elsewhere ADD COLUMN y int; EXCEPTION WHEN OTHERS THEN NULL; END $$"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A list that stands on a table of somebody else."""
    (tmp_path / "main.py").write_text(f"migration_steps = {[T, ELSEWHERE, SWALLOWED]!r}\n")
    export(analyse(Registry.of([T, ELSEWHERE, SWALLOWED])), tmp_path / "alembic")
    return tmp_path


def verified(project: Path, server: Server, monkeypatch: pytest.MonkeyPatch, *arguments: str) -> tuple[int, str]:
    """``omega-bridge verify`` in the project: its exit code, and what it says."""
    monkeypatch.chdir(project)
    done = CliRunner().invoke(
        app,
        ["verify", "--steps", "main.py:migration_steps", "--output", "alembic", "--scratch-url", server.url, *arguments],
    )
    return done.exit_code, done.stdout


def test_what_postgresql_rejects_has_no_proof(project: Path, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """A list that fails on scratch is equivalent to its history, and not proven: each step is named, and has to be allowed by name."""
    code, said = verified(project, server, monkeypatch, "--json")
    told = json.loads(said)
    assert (code, told["equivalent"], told["differences"]) == (1, True, [])
    assert [(r["start"], r["step"], r["outcome"]) for r in told["rejected"]] == [
        ("empty", "made-elsewhere-x", "failed"),
        ("empty", "made-elsewhere-y", "no-effect"),
    ]
    assert told["rejected"][0]["told"] == '42P01: relation "made_elsewhere" does not exist'
    allowed = ("--allow-rejected", "made-elsewhere-x")
    code, said = verified(project, server, monkeypatch, *allowed)
    assert code == 1
    assert "step made-elsewhere-x is not proven (allowed): failed: 42P01" in said
    assert "but for 2 steps that are rejected" in said
    assert said.endswith("correct them, or allow each that is meant so: --allow-rejected made-elsewhere-y\n")
    (project / "pyproject.toml").write_text('[tool.omega-bridge]\nallow-rejected = ["made-elsewhere-y"]\n')
    assert verified(project, server, monkeypatch, *allowed)[0] == 0


def test_a_named_database_is_a_start(
    project: Path, server: Server, make_database: MakeDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its schema is copied and both drivers go on from there, and from the revision at which it stands; it stays as it is."""
    database = make_database()
    first = next((project / "alembic" / "versions").glob("0001_*")).name.split("_")[1]
    with psycopg.connect(database, autocommit=True) as conn:
        conn.execute(f"{T}; CREATE TABLE made_elsewhere (id int); INSERT INTO made_elsewhere VALUES (1)")
        conn.execute(
            f"CREATE TABLE alembic_version (version_num varchar(32) PRIMARY KEY); INSERT INTO alembic_version VALUES ('{first}')"
        )
        before = read_catalog(conn)
        allowed = ("--allow-rejected", "made-elsewhere-x", "--allow-rejected", "made-elsewhere-y")
        code, said = verified(project, server, monkeypatch, *allowed, "--from", database, "--json")
        told = json.loads(said)
        assert (code, [s["start"] for s in told["starts"]][:2]) == (0, ["the list's past", "empty"])
        assert told["starts"][2]["start"].startswith("from postgresql://")
        assert {r["start"] for r in told["rejected"]} == {"empty"}
        assert read_catalog(conn) == before
        assert conn.execute("SELECT * FROM made_elsewhere").fetchall() == [(1,)]
        conn.execute("DROP TABLE t")
        code, said = verified(project, server, monkeypatch, *allowed, "--from", database)
    assert code == 1
    assert "after create-t" in said
    assert "table public.t: the history lacks it" in said  # it says that it stands behind the revision that makes it


def test_a_dump_is_a_start_like_the_database_that_it_was_made_of(
    project: Path, server: Server, make_database: MakeDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With rows and roles or without: both drivers go on from its schema, and from the revision that its rows name."""
    database = make_database()
    registry = Registry.of([T])
    boot(database, registry)
    first = next((project / "alembic" / "versions").glob("0001_*")).name.split("_")[1]
    with psycopg.connect(database, autocommit=True) as conn:
        conn.execute(
            "CREATE TABLE made_elsewhere (id int); CREATE ROLE dumped_owner; ALTER TABLE made_elsewhere OWNER TO dumped_owner"
        )
        try:
            conn.execute("CREATE TABLE alembic_version (version_num varchar(32) PRIMARY KEY)")
            conn.execute("INSERT INTO alembic_version VALUES (%s)", (first,))
            found = witness.find_witness(server.major * 10000)
            assert found is not None
            done = subprocess.run([found.program, f"--dbname={database}"], capture_output=True, text=True, check=True)
        finally:
            conn.execute("REASSIGN OWNED BY dumped_owner TO CURRENT_USER; DROP ROLE dumped_owner")
    dump = project / "production.sql"
    dump.write_text(done.stdout)
    allowed = ("--allow-rejected", "made-elsewhere-x", "--allow-rejected", "made-elsewhere-y")
    code, said = verified(project, server, monkeypatch, *allowed, "--from", str(dump), "--json")
    told = json.loads(said)
    assert (code, told["starts"][2]["start"]) == (0, f"from {dump}")
    assert {r["start"] for r in told["rejected"]} == {"empty"}
    dump.write_text(
        re.sub(
            r"CREATE TABLE public.t .*?;", "", re.sub(r"ALTER TABLE ONLY public.t\n.*?;", "", done.stdout, flags=re.S), flags=re.S
        ).replace("ALTER TABLE public.t OWNER", "ALTER TABLE public.made_elsewhere OWNER")
    )
    code, said = verified(project, server, monkeypatch, *allowed, "--from", str(dump))
    assert (code, "table public.t: the history lacks it" in said) == (1, True)


def test_scratch_databases_are_copies_of_a_template_that_is_named(
    project: Path, server: Server, make_database: MakeDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a bare database lacks, an extension or a table of somebody else, is in the template; nothing is rejected then."""
    database = make_database()
    with psycopg.connect(database, autocommit=True) as conn:
        conn.execute("CREATE TABLE made_elsewhere (id int)")
    code, said = verified(project, server, monkeypatch, "--scratch-template", str(connection_parameters(database)["dbname"]))
    assert (code, "equivalent" in said) == (0, True)
    with pytest.raises(errors.ConfigurationInvalid, match="no scratch database can be made as a copy of no_such_template"):
        verify(Registry.of([T]), None, GivenServer(server.url, "no_such_template"))
    with pytest.raises(errors.ConfigurationInvalid, match="nothing says on which server"), scratch_server(None, "template"):
        pass


def test_a_blind_spot_of_the_reader_is_seen_by_pg_dump(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """What our own reader takes for the same and ``pg_dump`` does not is a difference, with the lines of both; columns may be moved."""
    with scratch_database(server, "left") as left, scratch_database(server, "right") as right:
        for database, text in ((left, "a int, b text DEFAULT 'x', c int"), (right, "c int, b text DEFAULT 'y', a int")):
            with database.session() as session:
                session.execute(
                    f"CREATE TABLE t ({text}); CREATE TABLE alembic_version (v text); CREATE VIEW v AS SELECT b FROM t"
                )
        found = witness.find_witness(server.major * 10000)
        assert found is not None
        assert list(Pair("empty", left, right).only_seen_by(found, "r", "s")) == []  # our reader sees that
        monkeypatch.setattr(pairs, "diff", lambda *_a, **_k: ())
        (seen,) = Pair("empty", left, right).only_seen_by(found, "r", "s")
    assert (seen.object, seen.attribute) == ("table public.t", "pg_dump")
    assert (seen.boot, seen.alembic) == ("    b text DEFAULT 'x'::text", "    b text DEFAULT 'y'::text")


def test_without_a_pg_dump_the_verdict_says_so(
    project: Path, server: Server, make_database: MakeDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No witness, or one that is older than the server: ``witness`` is null, the text says it, and no database can be a start."""
    assert witness.find_witness(990000) is None
    monkeypatch.setattr(witness, "_folders", lambda _environ: iter(()))
    code, said = verified(project, server, monkeypatch)
    assert (code, "without the witness pg_dump" in said) == (1, True)
    assert json.loads(verified(project, server, monkeypatch, "--json")[1])["witness"] is None
    with pytest.raises(errors.ConfigurationInvalid, match="there is no pg_dump"):
        verify(Registry.of([T]), None, server, databases=[make_database()])


def test_rows_that_steps_fill_are_compared(server: Server, tmp_path: Path) -> None:
    """An edited data step: a fresh database has other rows than one that lived through the old text. What a clock, a die or a sequence gives is apart."""
    steps = [
        "CREATE TABLE IF NOT EXISTS plans (id serial PRIMARY KEY, name text UNIQUE, price int, "
        "key uuid DEFAULT gen_random_uuid(), at timestamptz DEFAULT now())",
        "CREATE TABLE IF NOT EXISTS uses (plan int REFERENCES plans (id), seen timestamptz)",
        "INSERT INTO plans (name, price) VALUES ('free', 0), ('gold', 10) ON CONFLICT DO NOTHING",
        "INSERT INTO uses SELECT id, clock_timestamp() FROM plans WHERE NOT EXISTS (SELECT FROM uses)",
    ]
    export(analyse(Registry.of(steps)), tmp_path)
    assert verify(Registry.of(steps), None, server, history=tmp_path).differences == ()
    steps[2] = steps[2].replace("10)", "20)")
    export(analyse(Registry.of(steps)), tmp_path)
    (found,) = verify(Registry.of(steps), None, server, history=tmp_path).differences
    assert (found.start, found.object, found.attribute) == ("empty", "table public.plans", "rows")
    assert (found.boot, found.alembic) == (("(gold,20)",), ("(gold,10)",))


def test_values_in_other_rows_filled_views_and_set_sequences_are_compared(server: Server, tmp_path: Path) -> None:
    """Rows that share their values among them otherwise, a materialized view that holds others, a sequence that a removed step has set."""
    steps = [
        "CREATE TABLE IF NOT EXISTS levels (id int PRIMARY KEY, name text)",
        "INSERT INTO levels VALUES (1, 'low'), (2, 'high') ON CONFLICT DO NOTHING",
        "CREATE MATERIALIZED VIEW IF NOT EXISTS best AS SELECT name FROM levels WHERE id = 2",
        "CREATE MATERIALIZED VIEW IF NOT EXISTS later AS SELECT name FROM levels WITH NO DATA",
        "CREATE SEQUENCE IF NOT EXISTS invoices; CREATE SEQUENCE IF NOT EXISTS burned",
        "SELECT setval('invoices', 1000)",
        "SELECT nextval('burned')",
    ]
    export(analyse(Registry.of(steps)), tmp_path)
    assert verify(Registry.of(steps), None, server, history=tmp_path).differences == ()
    steps[1] = "INSERT INTO levels VALUES (1, 'high'), (2, 'low') ON CONFLICT DO NOTHING"
    steps[3] = steps[3].replace(" WITH NO DATA", "")
    del steps[5]
    steps[5] += "; SELECT nextval('burned')"
    export(analyse(Registry.of(steps)), tmp_path)
    found = verify(Registry.of(steps), None, server, history=tmp_path).differences
    assert {(d.object, d.attribute): (d.boot, d.alembic) for d in found} == {
        ("table public.levels", "rows"): (("(1,high)", "(2,low)"), ("(1,low)", "(2,high)")),
        ("materialized view public.best", "rows"): (("(low)",), ("(high)",)),
        ("materialized view public.later", "rows"): (("2 rows",), ("not filled",)),
        ("sequence public.invoices", "rows"): (("1, not called yet",), ("1000",)),
    }


def test_keys_that_a_step_writes_are_compared(server: Server, tmp_path: Path) -> None:
    """Though a sequence would give them: none was drawn from it, so the list says which they are."""
    steps = [
        "CREATE TABLE IF NOT EXISTS roles (id serial PRIMARY KEY, name text UNIQUE)",
        "INSERT INTO roles (id, name) VALUES (1, 'admin') ON CONFLICT DO NOTHING",
    ]
    export(analyse(Registry.of(steps)), tmp_path)
    steps[1] = steps[1].replace("(1,", "(7,")
    export(analyse(Registry.of(steps)), tmp_path)
    (found,) = verify(Registry.of(steps), None, server, history=tmp_path).differences
    assert (found.object, found.boot, found.alembic) == ("table public.roles", ("(7,admin)",), ("(1,admin)",))


def test_rows_that_a_die_pairs_are_no_difference(server: Server) -> None:
    """What the list leaves to chance differs between any two databases, each column alike though it may be; of a role nothing is shown."""
    steps = [
        "CREATE TABLE IF NOT EXISTS drawn (place bigint, name int)",
        "INSERT INTO drawn SELECT row_number() OVER (ORDER BY random()), n FROM generate_series(1, 50) n "
        "WHERE NOT EXISTS (SELECT FROM drawn)",
    ]
    steps.append("DO $$ BEGIN PERFORM 'CREATE ROLE made_by_nobody'; END $$")
    found = verify(Registry.of(steps), None, server)
    assert found.differences == ()
    assert [reason for _, reason in found.not_tried] == [SHARED]


def test_what_the_planner_said_is_held_against_what_postgresql_did(server: Server, tmp_path: Path) -> None:
    """Before a start and behind it: of a list of which all was foreseen nothing came otherwise."""
    filled = "CREATE TABLE IF NOT EXISTS t (id int PRIMARY KEY, a text); INSERT INTO t VALUES (1) ON CONFLICT DO NOTHING"
    index = "CREATE INDEX IF NOT EXISTS t_a ON t (a)"
    export(analyse(Registry.of([filled, index])), tmp_path)
    found = verify(Registry.of([filled, index]), None, server, history=tmp_path).predictions
    assert (found.made, found.mistaken) == (3, ())


def test_a_planner_that_is_wrong_is_named(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """A step that was foreseen and fails, one that has work where none was seen: start, step, what was said, and what came."""
    registry = Registry.of([T, "ALTER TABLE t ADD COLUMN IF NOT EXISTS c int", ELSEWHERE])
    plan = predictions.make_plan

    def wrong(analysis: Analysis, catalog: Catalog) -> Plan:
        first, second, third = plan(analysis, catalog).steps
        there = plan(analyse(Registry.of([T, T])), empty_catalog()).steps[1]
        return Plan((first, replace(there, analysis=second.analysis), replace(second, analysis=third.analysis)))

    monkeypatch.setattr(predictions, "make_plan", wrong)
    found = verify(registry, None, server).predictions.mistaken
    assert [(m.start, m.step, m.said.split(":")[0], m.did.split(" ")[0]) for m in found] == [
        ("empty", "t-c", "nothing", "changed"),
        ("empty", "made-elsewhere-x", "run", "failed:"),
    ]


def test_what_only_the_past_leads_to_is_told_as_that(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A start of the first steps alone makes again what a later step makes otherwise: named, while fresh databases are alike."""
    steps = [
        "CREATE TABLE IF NOT EXISTS a (id int)",
        "DO $$ BEGIN IF to_regclass('a_old') IS NULL THEN ALTER TABLE a RENAME TO a_old; END IF; END $$",
        "CREATE TABLE IF NOT EXISTS a (id uuid)",
    ]
    (tmp_path / "main.py").write_text(f"migration_steps = {steps!r}\n")
    export(analyse(Registry.of(steps)), tmp_path / "alembic")
    code, said = verified(tmp_path, server, monkeypatch, "--json")
    told = json.loads(said)
    assert (code, told["equivalent"]) == (1, False)
    assert [(s["start"], s["equivalent"]) for s in told["starts"]] == [("the list's past", False), ("empty", True)]
    assert "a fresh start and a fresh upgrade lead to one schema" in verified(tmp_path, server, monkeypatch)[1]


def test_a_step_put_in_before_others_is_where_the_list_has_it(server: Server, tmp_path: Path) -> None:
    """One that takes a view away which those behind it make again: a start runs it ahead of them, and so do the starts of the proof."""
    table, view = "CREATE TABLE IF NOT EXISTS t (id int, v text)", "CREATE OR REPLACE VIEW shown AS SELECT v FROM t"
    export(analyse(Registry.of([table, view])), tmp_path, prover=lambda _n: prover(server))
    steps = [table, "DROP VIEW IF EXISTS shown; ALTER TABLE t ALTER COLUMN v TYPE varchar(40)", view]
    export(analyse(Registry.of(steps)), tmp_path, prover=lambda _n: prover(server))
    found = verify(Registry.of(steps), None, server, history=tmp_path)
    assert (found.prefixes, found.differences) == (4, ())


def test_a_verification_goes_on_from_a_revision(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Prefixes behind it are compared, and the certificate says so; one that is stopped says from where; none is taken for another."""
    steps = [T, *(f"ALTER TABLE t ADD COLUMN IF NOT EXISTS c{n} int" for n in range(3))]
    (tmp_path / "main.py").write_text(f"migration_steps = {steps!r}\n")
    done = export(analyse(Registry.of(steps)), tmp_path / "alembic")
    second = done.revisions[1].id
    code, said = verified(tmp_path, server, monkeypatch, "--from", second, "--json")
    told = json.loads(said)
    assert (code, told["equivalent"], told["prefixes"]) == (0, True, 2)
    assert told["starts"][0] == {"start": "the list's past", "prefixes": 2, "since": second, "equivalent": True}
    alike: list[str] = []

    def stop(revision: str) -> None:
        alike.append(revision)
        if revision == second:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        verify(Registry.of(steps), None, server, history=tmp_path / "alembic", alike=stop)
    assert alike == [r.id for r in done.revisions[:2]]
    for word in ("no_such.sql", "v1.2"):
        with pytest.raises(errors.ConfigurationInvalid, match=f"--from {word}: there is no such file, nor such a revision"):
            verify(Registry.of(steps), None, server, history=tmp_path / "alembic", databases=[word])
    for unknown in (["0123456789ab"], [second, done.revisions[2].id]):
        with pytest.raises(errors.ConfigurationInvalid, match="names no one revision of the history"):
            verify(Registry.of(steps), None, server, history=tmp_path / "alembic", databases=unknown)


def test_a_scratch_database_is_dropped_though_its_making_is_interrupted(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """It has no mark yet by which a later run would know it."""
    made: list[str] = []

    def interrupted(url: str, name: str, template: str) -> None:
        create_database(url, name, template)
        made.append(name)
        raise KeyboardInterrupt

    monkeypatch.setattr("omega_bridge.audit.scratch.create_database", interrupted)
    with pytest.raises(KeyboardInterrupt), scratch_database(GivenServer(server.url), "interrupted"):
        pass
    with psycopg.connect(server.url) as conn:
        assert conn.execute("SELECT datname FROM pg_database WHERE datname = ANY (%s)", (made,)).fetchall() == []
    assert len(made) == 1


def test_what_has_not_changed_since_an_earlier_run_is_not_tried_again(server: Server, tmp_path: Path) -> None:
    """All of it for the same list, history and server; of a longer list the prefixes; and the verdict says how much."""
    steps, folder = [T, "ALTER TABLE t ADD COLUMN IF NOT EXISTS a int"], tmp_path / "alembic"

    def found() -> Equivalence:
        export(analyse(Registry.of(steps)), folder)
        return verify(Registry.of(steps), None, server, history=folder, keeps=tmp_path / "cache")

    first, again = found(), found()
    told = {**again.as_dict(), "kept": {"starts": 0, "prefixes": 0}}
    told["starts"] = [{k: v for k, v in start.items() if k != "kept"} for start in told["starts"]]
    assert (told, [s.kept for s in again.starts]) == (first.as_dict(), [2, 1])
    steps.append("ALTER TABLE t ADD COLUMN IF NOT EXISTS b int")
    longer = found()
    assert [(s.name, s.prefixes, s.kept) for s in longer.starts] == [("the list's past", 3, 2), ("empty", 1, 0)]
    steps[2] = "ALTER TABLE t ADD COLUMN IF NOT EXISTS c int"
    assert [(d.start, d.object) for d in found().differences] == [("empty", "column public.t.b")]


def test_a_difference_is_found_behind_the_revision_from_which_it_goes_on(server: Server, tmp_path: Path) -> None:
    """An edit that the history amends without effect: seen by the start that begins empty, and no prefix before it is walked."""
    done = export(analyse(Registry.of([T, "CREATE TABLE IF NOT EXISTS u (id int)"])), tmp_path)
    edited = Registry.of([T.replace("PRIMARY KEY", "PRIMARY KEY, b text"), "CREATE TABLE IF NOT EXISTS u (id int)"])
    export(analyse(edited), tmp_path)
    found = verify(edited, None, server, history=tmp_path, databases=[done.revisions[-1].id])
    assert [(d.start, d.object) for d in found.differences] == [("empty", "column public.t.b")]
    assert found.prefixes == 1


def test_the_certificate_has_the_same_bytes_each_time(server: Server) -> None:
    """Same list, same history, same server, same verdict to the byte; the witness is in it."""
    one, other = (verify(Registry.of([T, ELSEWHERE]), None, server).certificate() for _ in range(2))
    assert one == other
    assert json.loads(one)["witness"].startswith("pg_dump ")


def test_without_a_folder_the_history_is_the_one_that_an_export_writes(tmp_path: Path, server: Server) -> None:
    """Further passes, which only a server finds, among it: its head and its sum are the same."""
    steps = [
        "CREATE TABLE IF NOT EXISTS a (id int)",
        "DO $$ DECLARE r record; BEGIN FOR r IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'alembic_version' "
        "LOOP EXECUTE format('ALTER TABLE %I ADD COLUMN IF NOT EXISTS stamped int', r.tablename); END LOOP; END $$",
        "CREATE TABLE IF NOT EXISTS b (id int)",
    ]
    registry = Registry.of(steps)
    with prover(server) as judge:
        done = export(analyse(registry), tmp_path / "alembic", prover=lambda _length: nullcontext(judge))
    assert any(revision.kind == "settle" for revision in done.revisions)
    folder, none = (verify(registry, None, server, history=where) for where in (tmp_path / "alembic", None))
    assert (none.head, none.sum_hash, none.equivalent) == (folder.head, folder.sum_hash, True)
