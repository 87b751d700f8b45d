"""A list that stands on tables of another script: its foundation is the history's first revision, and where every proof begins."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path

import psycopg
import pytest
from alembic import command
from sqlalchemy import Column, Integer, MetaData, Table, Text
from typer.testing import CliRunner

import omega_bridge
from omega_bridge import environment, errors
from omega_bridge.adoption import survey
from omega_bridge.analysis import analyse
from omega_bridge.audit import witness
from omega_bridge.audit.drift import drift
from omega_bridge.audit.equivalence import verify
from omega_bridge.audit.expected import make
from omega_bridge.audit.proofs import prover
from omega_bridge.cli.app import app
from omega_bridge.config import Config
from omega_bridge.embedded import Server
from omega_bridge.planning.foundation import Foundation
from omega_bridge.revisions import alembic_border, sums
from omega_bridge.revisions.exported import Export
from omega_bridge.revisions.files import export
from omega_bridge.revisions.models import with_models
from omega_bridge.revisions.squash import squash
from omega_bridge.sources.foundation import load_foundation
from omega_bridge.steps import Registry
from tests.fixtures.databases import MakeDatabase
from tests.fixtures.wire import Tape

SCHEMA = r"""
-- what the clinic's first script made; it's old
SET check_function_bodies = false;
CREATE TYPE mood AS ENUM ('well', 'ill');
CREATE FUNCTION known() RETURNS bigint LANGUAGE sql AS $$ SELECT count(*) FROM patients WHERE name LIKE '100\%:name' $$;
CREATE TABLE patients (id serial PRIMARY KEY, name text NOT NULL, dni text NOT NULL, mood mood DEFAULT 'well');
CREATE TABLE visits (id int PRIMARY KEY, patient_id int REFERENCES patients (id));
"""
CITY = """DO $$ BEGIN
  IF NOT EXISTS (SELECT 1 FROM information_schema.columns WHERE table_name = 'patients' AND column_name = 'city') THEN
    ALTER TABLE patients ADD COLUMN city text;
  END IF;
END $$"""
STEPS = [
    CITY,
    "CREATE TABLE IF NOT EXISTS notes (id int PRIMARY KEY, patient_id int NOT NULL REFERENCES patients (id))",
    "ALTER TABLE patients ALTER COLUMN dni DROP NOT NULL",
    "ALTER TABLE visits ADD COLUMN IF NOT EXISTS note_id int REFERENCES notes (id)",
]
ROWS = "INSERT INTO patients (name, dni) VALUES ('Ada', '1'); INSERT INTO visits VALUES (1, 1)"


@pytest.fixture
def foundation(tmp_path: Path) -> Foundation:
    """The clinic's, read from its file."""
    (tmp_path / "db").mkdir()
    (tmp_path / "db" / "schema.sql").write_text(SCHEMA)
    return load_foundation(["db/schema.sql"], tmp_path)


@pytest.fixture
def dumped(server: Server) -> Callable[[str], tuple[str, list[object]]]:
    """What ``pg_dump`` says of a schema, and the rows of the patients."""
    found = witness.find_witness(server.major * 10000)
    assert found is not None

    def of(url: str) -> tuple[str, list[object]]:
        text = "\n".join(line for line in found.schema(url).splitlines() if "restrict " not in line)
        with psycopg.connect(url) as conn:
            return text, list(conn.execute("SELECT * FROM patients").fetchall())

    return of


def compiled(folder: Path, server: Server | None, steps: list[str], foundation: Foundation | None) -> Export:
    """The history; proven where there is a server."""
    folder.mkdir(exist_ok=True)
    if server is None:
        return export(analyse(Registry.of(steps)), folder, foundation=foundation)
    with prover(server) as judge:
        return export(analyse(Registry.of(steps)), folder, prover=lambda _n: nullcontext(judge), foundation=foundation)


def alembic(folder: Path, url: str, registry: Registry | None = None) -> alembic_border.AlembicConfig:
    """Alembic's configuration."""
    config = alembic_border.alembic_config(folder, url)
    config.attributes["omega_bridge_config"] = Config(root=folder)
    config.attributes["omega_bridge_registry"] = (registry, None)
    return config


def begun(url: str, *texts: str) -> str:
    """The database after these texts."""
    with psycopg.connect(url, autocommit=True) as conn:
        for text in texts:
            conn.execute(text.encode())
    return url


def test_start_and_upgrade_lead_to_one_database_from_everywhere(
    tmp_path: Path, server: Server, make_database: MakeDatabase, foundation: Foundation, dumped: Callable[[str], object]
) -> None:
    """A start on a database that has the foundation, an upgrade there, and an upgrade of an empty one: the same, by pg_dump and by rows."""
    folder, registry = tmp_path / "alembic", Registry.of(STEPS)
    done = compiled(folder, server, STEPS, foundation)
    assert [str(r.kind) for r in done.revisions] == ["foundation", "step", "step", "step", "step"]
    assert (done.coverage.statements_lifted, done.coverage.proven) == (4, 4)
    booted, upgraded, empty = (make_database() for _ in range(3))
    begun(booted, SCHEMA, ROWS)
    begun(upgraded, SCHEMA, ROWS)
    omega_bridge.boot(booted, registry, history=folder)
    for url in (upgraded, empty):
        environment.upgrade(alembic(folder, url, registry), "head")
    begun(empty, ROWS)
    assert dumped(booted) == dumped(upgraded) == dumped(empty)
    for url in (booted, upgraded, empty):
        assert omega_bridge.boot(url, registry, history=folder).outcome == "current"
        environment.upgrade(alembic(folder, url, registry), "head")
    assert dumped(booted) == dumped(upgraded) == dumped(empty)


def test_where_only_a_part_is_there_it_stops_with_the_names(
    tmp_path: Path, database: str, foundation: Foundation, dumped: Callable[[str], object]
) -> None:
    """Nothing is changed, and who upgrades reads which tables are missing."""
    folder = tmp_path / "alembic"
    compiled(folder, None, STEPS, foundation)
    begun(database, SCHEMA, "DROP TABLE visits")
    before = dumped(database)
    with pytest.raises(errors.FoundationIncomplete, match=r"of its 2 tables 1 .*: visits") as told:
        environment.upgrade(alembic(folder, database), "head")
    assert told.value.hint
    assert dumped(database) == before


def test_a_downgrade_leaves_the_foundation(
    tmp_path: Path, server: Server, make_database: MakeDatabase, foundation: Foundation, dumped: Callable[[str], object]
) -> None:
    """Back to the beginning: what the list made goes, and the tables with everybody's rows stay, whoever laid them."""
    folder = tmp_path / "alembic"
    steps = [STEPS[0], STEPS[1]]
    compiled(folder, server, steps, foundation)
    for url, own in ((make_database(), False), (begun(make_database(), SCHEMA), True)):
        environment.upgrade(alembic(folder, url, Registry.of(steps)), "head")
        there = dumped(url)
        begun(url, ROWS)
        environment.downgrade(alembic(folder, url), "base")
        assert dumped(url) == dumped(begun(make_database(), SCHEMA, ROWS)), own
        environment.upgrade(alembic(folder, url), "head")
        assert dumped(url)[0] == there[0]


def test_its_sql_does_the_same(
    tmp_path: Path,
    server: Server,
    make_database: MakeDatabase,
    foundation: Foundation,
    psql: str,
    dumped: Callable[[str], object],
) -> None:
    """``alembic upgrade head --sql | psql``: on an empty database, on one with the foundation, and on one with a part of it."""
    folder = tmp_path / "alembic"
    compiled(folder, server, STEPS, foundation)
    config = alembic(folder, make_database())
    config.output_buffer = io.StringIO()
    command.upgrade(config, "head", sql=True)
    urls = (make_database(), begun(make_database(), SCHEMA), begun(make_database(), SCHEMA, "DROP TABLE visits"))
    codes = []
    for url in urls:
        arguments = [psql, "-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", url]
        done = subprocess.run(arguments, input=config.output_buffer.getvalue(), capture_output=True, text=True, check=False)
        codes.append(done.returncode)
    assert codes == [0, 0, 3]
    assert "of its 2 tables 1 are missing: visits" in done.stderr
    assert dumped(urls[0]) == dumped(urls[1])


def test_it_is_proven_from_the_foundation_too(
    tmp_path: Path, server: Server, make_database: MakeDatabase, foundation: Foundation
) -> None:
    """``verify`` begins with an empty database, with the foundation, and with a database of the list; nothing is rejected."""
    folder, registry = tmp_path / "alembic", Registry.of(STEPS)
    compiled(folder, server, STEPS, foundation)
    database = begun(make_database(), SCHEMA, "CREATE TABLE other (id int)")
    found = verify(registry, None, server, history=folder, databases=[database], foundation=foundation)
    assert (found.equivalent, found.rejected, found.prefixes) == (True, (), 5)
    assert [s.name for s in found.starts][:3] == ["the list's past", "empty", "foundation"]
    assert verify(registry, None, server, foundation=foundation).equivalent
    wrong = load_foundation(["db/schema.sql"], tmp_path)
    (next((folder / "versions").glob("0002_*"))).unlink()
    with pytest.raises(errors.HistoryTampered):
        verify(registry, None, server, history=folder, foundation=wrong)


def test_given_after_an_export_it_is_where_proofs_begin(
    tmp_path: Path, server: Server, make_database: MakeDatabase, foundation: Foundation
) -> None:
    """The history's root stays as it is; later steps are translated on the foundation, and boot and history agree there."""
    folder = tmp_path / "alembic"
    assert compiled(folder, server, STEPS, None).coverage.proven == 0
    before = {p: p.read_bytes() for p in folder.rglob("*.py")}
    assert compiled(folder, server, STEPS, foundation).revisions == ()
    longer = [*STEPS, "ALTER TABLE patients ADD COLUMN IF NOT EXISTS phone text"]
    (added,) = compiled(folder, server, longer, foundation).revisions
    assert added.labels == ("patients-phone",)
    assert "op.add_column('patients'" in next((folder / "versions").glob("0005_*")).read_text()
    assert {p: p.read_bytes() for p in before} == before
    found = verify(Registry.of(longer), None, server, history=folder, foundation=foundation)
    assert (found.equivalent, found.rejected, [s.name for s in found.starts][1:]) == (True, (), ["foundation"])


def test_an_edit_after_the_export_is_an_error_that_says_what_to_do(tmp_path: Path, foundation: Foundation) -> None:
    """White space and comments are none; where the configuration names it no more, the history still stands on it."""
    folder, file = tmp_path / "alembic", tmp_path / "db" / "schema.sql"
    compiled(folder, None, STEPS, foundation)
    file.write_text("-- newly written\n" + SCHEMA.replace(" text NOT NULL", "  text  not null"))
    assert compiled(folder, None, STEPS, load_foundation(["db/schema.sql"], tmp_path)).revisions == ()
    assert compiled(folder, None, STEPS, None).revisions == ()
    file.write_text(SCHEMA.replace("dni text NOT NULL", "dni text"))
    with pytest.raises(errors.FoundationEdited, match=r"db/schema\.sql is not what the history's first revision") as told:
        compiled(folder, None, STEPS, load_foundation(["db/schema.sql"], tmp_path))
    assert "as a step of the list" in told.value.hint


def test_models_are_not_asked_for_what_the_foundation_makes(tmp_path: Path, server: Server, foundation: Foundation) -> None:
    """The order is foundation, what only the models make, list."""
    metadata = MetaData()
    Table("patients", metadata, Column("id", Integer, primary_key=True), Column("name", Text))
    Table("rooms", metadata, Column("id", Integer, primary_key=True))
    complete = with_models(Registry.of(STEPS), metadata, foundation)
    done = export(analyse(complete), tmp_path / "alembic", foundation=foundation)
    assert [(str(r.kind), r.labels) for r in done.revisions][:3] == [
        ("foundation", ("foundation",)),
        ("base", ("model-rooms",)),
        ("step", ("patients-city",)),
    ]
    assert verify(Registry.of(STEPS), metadata, server, history=tmp_path / "alembic", foundation=foundation).equivalent


def test_drift_knows_what_comes_from_the_foundation(
    tmp_path: Path, server: Server, make_database: MakeDatabase, foundation: Foundation
) -> None:
    """A column of the foundation that a hand took away is missing, is no step's, and no start puts it back."""
    registry, analysis, nobody = Registry.of(STEPS), analyse(Registry.of(STEPS)), analyse(Registry(()))
    expected = make(analysis, "", server, foundation)
    assert expected.rejected == {}
    url = begun(make_database(), SCHEMA)
    omega_bridge.boot(url, registry)
    assert drift(url, analysis, nobody, expected).is_clean
    begun(url, "ALTER TABLE patients DROP COLUMN mood")
    (found,) = drift(url, analysis, nobody, expected).differences
    assert (str(found.what), found.key.name, found.is_repaired) == ("missing", "mood", False)
    assert found.instead.startswith("ALTER TABLE")


def test_a_squash_keeps_it(
    tmp_path: Path, make_database: MakeDatabase, foundation: Foundation, dumped: Callable[[str], object]
) -> None:
    """The one file that stands for a history lays the foundation as the first revision did."""
    folder = tmp_path / "alembic"
    done = compiled(folder, None, STEPS, foundation)
    many, one = make_database(), make_database()
    environment.upgrade(alembic(folder, many), "head")
    squash(folder, str(done.head))
    environment.upgrade(alembic(folder, one), "head")
    assert dumped(many) == dumped(one)
    assert compiled(folder, None, STEPS, foundation).revisions == ()


def test_the_command_line_reads_it_from_the_configuration(
    tmp_path: Path, server: Server, foundation: Foundation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """``export``, its ``--check``, ``verify`` and ``check`` stand on what ``foundation`` names: files, and folders of them, in their order."""
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "2_b.sql").write_text("ALTER TABLE beds ADD COLUMN room int")
    (tmp_path / "more" / "1_a.sql").write_text("BEGIN;\nCREATE TABLE beds (id int PRIMARY KEY);\nCOMMIT -- the end")
    (tmp_path / "main.py").write_text(f"steps = {[*STEPS, 'CREATE INDEX IF NOT EXISTS ix_beds_room ON beds (room)']!r}\n")
    (tmp_path / "pyproject.toml").write_text(
        '[tool.omega-bridge]\nsteps = "main.py:steps"\nfoundation = ["db/schema.sql", "more"]\n'
    )
    monkeypatch.chdir(tmp_path)

    def said(*arguments: str) -> tuple[int, str]:
        done = CliRunner().invoke(app, list(arguments))
        return done.exit_code, done.output

    code, told = said("export", "--scratch-url", server.url)
    assert (code, "5 of 5 statements (100 %)" in told) == (0, True), told
    assert "tables=('beds', 'patients', 'visits'))" in next((tmp_path / "alembic" / "versions").glob("0001_*")).read_text()
    assert said("export", "--check")[0] == 0
    code, told = said("verify", "--scratch-url", server.url)
    assert (code, "equivalent: 3 starts, 6 prefixes" in told) == (0, True), told
    (tmp_path / "more" / "2_b.sql").write_text("ALTER TABLE beds ADD COLUMN room bigint")
    code, told = said("check")
    assert (code, "db/schema.sql, more is not what the history's first revision" in told) == (1, True), told


def test_a_start_lays_it_only_where_it_is_asked_to(
    tmp_path: Path, server: Server, make_database: MakeDatabase, foundation: Foundation, dumped: Callable[[str], object]
) -> None:
    """On an empty database, once, on record; a start that was not asked stops as ever; and where a part is missing it stops with the names."""
    folder, path = tmp_path / "alembic", tmp_path / "db" / "schema.sql"
    compiled(folder, server, STEPS, foundation)
    registry, (started, upgraded, partly) = Registry.of(STEPS), [make_database() for _ in range(3)]
    with pytest.raises(errors.StepFailed):
        omega_bridge.boot(started, registry, history=folder)
    assert omega_bridge.boot(started, registry, history=folder, foundation=path).outcome == "repaired"
    environment.upgrade(alembic(folder, upgraded, registry), "head")
    assert dumped(started) == dumped(upgraded)
    with psycopg.connect(started) as conn:
        entries = conn.execute(
            "SELECT subject, outcome, checksum, detail->'created' FROM omega_bridge.omega_bridge_ledger"
        ).fetchall()
        laid = [e for e in entries if e[0] == "foundation"]
        assert laid == [("foundation", "applied", foundation.checksum, ["table patients", "table visits"])]
    begun(partly, SCHEMA, "DROP TABLE visits")
    before = dumped(partly)
    with pytest.raises(errors.FoundationIncomplete, match="visits"):
        omega_bridge.boot(partly, registry, foundation=[path])
    assert dumped(partly) == before
    path.write_text(f"{SCHEMA}; CREATE TABLE bad (id nonsense)")
    with pytest.raises(errors.ConfigurationInvalid, match="cannot be laid: 42704"):
        omega_bridge.boot(make_database(), registry, foundation=[path])


def test_a_start_that_fails_without_it_claims_nothing_of_it(
    tmp_path: Path, server: Server, database: str, foundation: Foundation
) -> None:
    """The history's first revision is not stamped on a database that has nothing of it, so that an upgrade lays it; the error says so."""
    folder = tmp_path / "alembic"
    compiled(folder, server, STEPS, foundation)
    registry = Registry.of(STEPS)
    for _ in range(2):  # what fails, and what stands failed
        with pytest.raises(errors.StepFailed) as told:
            omega_bridge.boot(database, registry, history=folder)
        assert "nothing of the foundation on which the list stands (patients, visits)" in (told.value.hint or "")
    with psycopg.connect(database) as conn:
        assert conn.execute("SELECT to_regclass('alembic_version')").fetchone() == (None,)
        found = survey(conn, analyse(registry), folder)
        assert (found.prefix, found.gaps[0].step) == (None, "foundation")
    environment.upgrade(alembic(folder, database, registry), "head")
    assert omega_bridge.boot(database, registry, history=folder).outcome == "current"


def test_what_the_list_drops_of_it_is_not_missed(tmp_path: Path, server: Server, database: str, foundation: Foundation) -> None:
    """Another step may fail: how far the history is true is told as ever."""
    folder = tmp_path / "alembic"
    steps = [
        CITY,
        ("drop", "DROP TABLE IF EXISTS visits"),
        ("fails", "ALTER TABLE patients ADD COLUMN IF NOT EXISTS dni2 nonsense"),
    ]
    compiled(folder, server, steps, foundation)
    begun(database, SCHEMA)
    with pytest.raises(errors.StepFailed) as told:
        omega_bridge.boot(database, steps, history=folder)
    assert "foundation" not in (told.value.hint or "")
    lines = sums.revisions(sums.read_sum(folder))
    with psycopg.connect(database) as conn:
        assert conn.execute("SELECT version_num FROM alembic_version").fetchone() == (lines[2].revision,)


def test_with_nothing_to_do_a_start_does_not_look_at_it(sent: Tape, tmp_path: Path, foundation: Foundation) -> None:
    """Asked or not, it is one question: neither the file nor the tables are looked at."""
    registry, path = Registry.of(STEPS), tmp_path / "db" / "schema.sql"
    omega_bridge.boot(sent.url, registry, foundation=path)
    assert omega_bridge.boot(sent.url, registry, foundation=path).outcome == "current"
    path.unlink()
    run = omega_bridge.boot(sent.url, registry, foundation=path)
    assert (run.outcome, run.round_trips) == ("current", 1)


def test_init_writes_the_schema_of_a_database(
    tmp_path: Path, server: Server, make_database: MakeDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As SQL that is a foundation at once; what is the bridge's or Alembic's is left out, and no file is overwritten."""
    database = begun(make_database(), SCHEMA, ROWS, "CREATE TABLE alembic_version (version_num text)")
    omega_bridge.boot(database, ["CREATE TABLE IF NOT EXISTS patients (id int)"])
    (tmp_path / "main.py").write_text(f"migration_steps = {STEPS!r}\n")
    (tmp_path / "pyproject.toml").write_text('[tool.omega-bridge]\nsteps = "main.py:migration_steps"\n')
    monkeypatch.chdir(tmp_path)

    def said(*arguments: str) -> tuple[int, str]:
        done = CliRunner().invoke(app, list(arguments))
        return done.exit_code, done.output

    assert said("init", "--yes", "--from-database", database)[0] == 0
    assert (tmp_path / "pyproject.toml").read_text() == (
        '[tool.omega-bridge]\nfoundation = "db/schema.sql"\nsteps = "main.py:migration_steps"\n'
    )
    text = (tmp_path / "db" / "schema.sql").read_text()
    assert text.startswith("-- a database's schema, made by: omega-bridge init --from-database URL (pg_dump ")
    assert "CREATE TABLE public.visits" in text
    assert "alembic_version" not in text
    assert "omega_bridge." not in text
    code, told = said("export", "--scratch-url", server.url)
    assert (code, "4 of 4 statements (100 %)" in told) == (0, True), told
    assert said("verify", "--scratch-url", server.url)[0] == 0
    (tmp_path / "db" / "schema.sql").write_text("-- mine\n")
    assert said("init", "--yes", "--from-database", database)[0] == 0
    assert (tmp_path / "db" / "schema.sql").read_text() == "-- mine\n"


def test_the_verb_lays_what_is_configured(
    tmp_path: Path, database: str, foundation: Foundation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """``boot --lay-foundation``; where nothing is configured it says what to write."""
    (tmp_path / "main.py").write_text(f"steps = {STEPS!r}\n")
    monkeypatch.chdir(tmp_path)
    for named, code in (("", 2), ('foundation = "db/schema.sql"\n', 0)):
        (tmp_path / "pyproject.toml").write_text(f'[tool.omega-bridge]\nsteps = "main.py:steps"\n{named}')
        done = subprocess.run(
            [sys.executable, "-m", "omega_bridge", "boot", "--lay-foundation", "--database-url", database],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == code, done.stderr
        assert ("nothing says what the foundation is" in done.stderr) == (not named)


def test_adopting_an_empty_database_says_how_to_lay_it(
    tmp_path: Path, database: str, foundation: Foundation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A plain start lays none: what is told first is what does, and then the gaps are those of the list."""
    (tmp_path / "main.py").write_text(f"steps = {STEPS!r}\n")
    (tmp_path / "pyproject.toml").write_text('[tool.omega-bridge]\nsteps = "main.py:steps"\nfoundation = "db/schema.sql"\n')
    monkeypatch.chdir(tmp_path)
    assert CliRunner().invoke(app, ["export", "--no-prove"]).exit_code == 0
    done = CliRunner().invoke(app, ["adopt", "--database-url", database])
    assert done.exit_code == 1
    assert "lay it by alembic upgrade head, omega-bridge boot --lay-foundation" in done.stdout.splitlines()[-1]
    with psycopg.connect(database, autocommit=True) as conn:
        conn.execute(foundation.statement.encode())
    done = CliRunner().invoke(app, ["adopt", "--database-url", database])
    assert (done.exit_code, done.stdout.splitlines()[-1].startswith("a start repairs what is missing")) == (1, True)


def test_without_one_export_and_lint_name_what_the_list_stands_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once, for people and for programs; the history keeps the list's order."""
    (tmp_path / "main.py").write_text(f"steps = {STEPS!r}\n")
    (tmp_path / "pyproject.toml").write_text('[tool.omega-bridge]\nsteps = "main.py:steps"\n')
    monkeypatch.chdir(tmp_path)
    line = "the list stands on tables patients, visits, which nothing in it makes: give them as its foundation"
    for arguments in (["lint"], ["export", "--no-prove"]):
        assert CliRunner().invoke(app, arguments).stderr.count(line) == 1
    assert CliRunner().invoke(app, ["export", "--no-prove"]).stderr == ""  # nothing is new
    told = json.loads(CliRunner().invoke(app, ["lint", "--json"]).stdout)
    assert told["stands_on"] == ["patients", "visits"]
    files = sorted(p.name.split("_", 2)[2] for p in (tmp_path / "alembic" / "versions").glob("0*.py"))
    assert files == sorted(["patients_city.py", "create_notes.py", "patients_dni_nullable.py", "visits_note_id.py"])
    assert [line.steps[0].label for line in sums.read_sum(tmp_path / "alembic") if not line.steps[0].settled] == [
        "patients-city",
        "create-notes",
        "patients-dni-nullable",
        "visits-note-id",
    ]


def test_a_baseline_is_one_revision_for_what_stands_today(
    tmp_path: Path, server: Server, make_database: MakeDatabase, foundation: Foundation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The foundation and the list up to a step as one file; the further steps one by one, and boot and history agree as ever."""
    (tmp_path / "main.py").write_text(f"steps = {STEPS!r}\n")
    (tmp_path / "pyproject.toml").write_text('[tool.omega-bridge]\nsteps = "main.py:steps"\nfoundation = "db/schema.sql"\n')
    monkeypatch.chdir(tmp_path)

    def said(*arguments: str) -> tuple[int, str]:
        done = subprocess.run([sys.executable, "-m", "omega_bridge", *arguments], capture_output=True, text=True, check=False)
        return done.returncode, done.stdout + done.stderr

    def files() -> list[str]:
        return sorted(p.name.split("_", 2)[2] for p in (tmp_path / "alembic" / "versions").glob("0*.py"))

    assert said("export", "--no-prove", "--baseline", "no-such-step")[0] == 2
    code, told = said("export", "--scratch-url", server.url, "--baseline", "create-notes")
    assert (code, "made one file of 3 revision(s)" in told) == (0, True), told
    assert files() == ["patients_dni_nullable.py", "squash.py", "visits_note_id.py"]
    (tmp_path / "main.py").write_text(f"steps = {[*STEPS, 'ALTER TABLE notes ADD COLUMN IF NOT EXISTS at date']!r}\n")
    assert said("export", "--scratch-url", server.url)[0] == 0
    assert files() == ["notes_at.py", "patients_dni_nullable.py", "squash.py", "visits_note_id.py"]
    code, told = said("verify", "--scratch-url", server.url)
    assert (code, "equivalent: 3 starts" in told) == (0, True), told
    url = begun(make_database(), SCHEMA)
    environment.upgrade(alembic(tmp_path / "alembic", url), "head")
    code, told = said("export", "--baseline")
    assert (code, "holds a history of 6 revision(s) already" in told) == (2, True), told
