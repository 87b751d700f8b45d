"""The auditor's report: how a database came by each revision, what can be checked, and that nothing else gets out."""

from __future__ import annotations

import csv
import json
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

import omega_bridge
from omega_bridge import OmegaBridgeError, Step, environment
from omega_bridge.analysis import analyse
from omega_bridge.audit.equivalence import verify
from omega_bridge.audit.expected import make
from omega_bridge.audit.report import Report, report
from omega_bridge.audit.report_files import write
from omega_bridge.audit.scratch import GivenServer
from omega_bridge.config import Config
from omega_bridge.embedded import Server
from omega_bridge.expectation import FILE
from omega_bridge.expectation_file import keep
from omega_bridge.revisions import alembic_border
from omega_bridge.revisions.files import export
from omega_bridge.startup.start import promise_digest
from omega_bridge.steps import Registry

ENV = "from alembic import context\nfrom omega_bridge.environment import run\n\nrun(context)\n"
STEPS: list[Any] = [
    "CREATE TABLE IF NOT EXISTS t (id int PRIMARY KEY)",
    "ALTER TABLE t ADD COLUMN IF NOT EXISTS a text",
    Step("ALTER TABLE t ADD COLUMN IF NOT EXISTS b text", id="=cmd|' /C calc'!A0"),
    Step("ALTER TABLE t ADD COLUMN IF NOT EXISTS c text DEFAULT '<script>alert(1)</script>'", id="<script>alert(2)</script>"),
]
NO_MODELS = analyse(Registry(()))
LISTED = promise_digest(Registry.of(STEPS).digest(), None, None)


@pytest.fixture
def history(tmp_path: Path, server: Server) -> Path:
    """The exported list, and the schema that it leads to."""
    folder = tmp_path / "alembic"
    folder.mkdir()
    (folder / "env.py").write_text(ENV)
    export(analyse(Registry.of(STEPS)), folder, listed=LISTED)
    keep(make(analyse(Registry.of(STEPS)), LISTED, GivenServer(server.url)), folder)
    return folder


def alembic(url: str, folder: Path) -> Any:
    """Alembic's configuration for a folder."""
    config = alembic_border.alembic_config(folder, url)
    config.attributes["omega_bridge_config"] = Config(root=folder)
    config.attributes["omega_bridge_registry"] = (None, None)
    return config


def look(url: str, history: Path, steps: list[Any] = STEPS, **options: Any) -> Report:
    """A report made now."""
    return report(url, history, analyse(Registry.of(steps)), NO_MODELS, LISTED, made=datetime.now(UTC), **options)


def checks(found: Report) -> dict[str, bool]:
    """Each check by name."""
    return {c.name: c.ok for c in found.checks}


def how(found: Report) -> list[str]:
    """How the database came by each revision, in order."""
    return [line.how for line in found.lines]


def test_each_revision_says_how_the_database_came_by_it(database: str, history: Path) -> None:
    """By Alembic, by a start, found there, taken back; and at an earlier time, not yet."""
    with psycopg.connect(database, autocommit=True) as conn:
        conn.execute("CREATE TABLE t (id int PRIMARY KEY, b text)")
    empty = look(database, history)
    assert how(empty) == ["not there"] * 4
    assert checks(empty) == {"history": True, "list": True, "record": False, "database": False, "schema": False}
    environment.upgrade(alembic(database, history), "+1")
    between = datetime.now(UTC)
    omega_bridge.boot(database, STEPS, history=history)
    found = look(database, history)
    assert how(found) == ["alembic", "boot", "held", "boot"]
    assert found.ok
    assert all(line.at and line.entry for line in found.lines)
    environment.downgrade(alembic(database, history), "-1")
    after = look(database, history)
    assert how(after) == ["alembic", "boot", "held", "taken back"]
    assert checks(after) == {"history": True, "list": True, "record": True, "database": False, "schema": False}
    earlier = look(database, history, as_of=between)
    assert how(earlier) == ["alembic", "not there", "not there", "not there"]
    assert len(earlier.entries) == 1
    assert look(database, history, as_of=between - timedelta(days=1)).entries == ()
    environment.upgrade(alembic(database, history), "head")
    assert how(look(database, history)) == ["alembic", "boot", "held", "alembic"]


def test_a_revision_written_by_hand_on_top_is_the_head(database: str, history: Path) -> None:
    """A database that has run it stands at the head; one that has not is behind."""
    environment.upgrade(alembic(database, history), "head")
    last = look(database, history).head
    (history / "versions" / "mine.py").write_text(
        f'"""mine"""\nrevision = "aaaa00000001"\ndown_revision = "{last}"\n\n\ndef upgrade() -> None: ...\n\n\ndef downgrade() -> None: ...\n'
    )
    told = {c.name: (c.ok, c.told) for c in look(database, history).checks}
    assert told["database"] == (False, f"at {last}; the head is aaaa00000001")
    environment.upgrade(alembic(database, history), "head")
    told = {c.name: (c.ok, c.told) for c in look(database, history).checks}
    assert told["database"] == (True, "at aaaa00000001, the head")


def test_what_has_drifted_or_stands_failed_is_in_the_report(database: str, history: Path) -> None:
    """It agrees with ``drift``; and says what was not compared."""
    omega_bridge.boot(database, STEPS, history=history)
    with psycopg.connect(database, autocommit=True) as conn:
        conn.execute("ALTER TABLE t ALTER COLUMN c DROP DEFAULT")
    found = look(database, history)
    assert (checks(found)["schema"], found.ok) == (False, False)
    assert "column public.t.c: default" in next(c.told for c in found.checks if c.name == "schema")
    longer = [*STEPS, "GRANT SELECT ON t TO no_such_role_of_ours"]
    omega_bridge.boot(database, longer, history=history, on_error="continue")
    assert "42704" in next(c.told for c in look(database, history, longer).checks if c.name == "schema")
    told = next(c.told for c in look(database, history).checks if c.name == "schema")
    assert "1 difference(s), the first: column public.t.c: default" in told  # the step is in the list no more
    (history / FILE).unlink()
    omega_bridge.boot(database, STEPS, history=history, accept_newer=True)
    assert "not compared" in next(c.told for c in look(database, history).checks if c.name == "schema")


def test_what_was_touched_does_not_hold(database: str, history: Path) -> None:
    """An edited file, an edited entry, a list that has moved on: each is named, and the report is still made."""
    omega_bridge.boot(database, STEPS, history=history)
    with psycopg.connect(database, autocommit=True) as conn:
        conn.execute("ALTER TABLE omega_bridge.omega_bridge_ledger DISABLE TRIGGER omega_bridge_append_only")
        conn.execute("UPDATE omega_bridge.omega_bridge_ledger SET outcome = 'skipped' WHERE seq = 2")
    assert checks(look(database, history)) == {"history": True, "list": True, "record": False, "database": True, "schema": True}
    file = sorted((history / "versions").glob("*.py"))[1]
    file.write_text(file.read_text() + "# late\n")
    found = report(database, history, analyse(Registry.of(STEPS)), NO_MODELS, "another", made=datetime.now(UTC))
    assert checks(found) == {"history": False, "list": False, "record": False, "database": True, "schema": False}
    assert file.name in next(c.told for c in found.checks if c.name == "history")
    assert not found.ok


def test_a_certificate_is_held_against_the_history(tmp_path: Path, database: str, history: Path, server: Server) -> None:
    """The right one holds; one about another history, or about none, does not."""
    omega_bridge.boot(database, STEPS, history=history)
    certificate = tmp_path / "certificate.json"
    certificate.write_text(verify(Registry.of(STEPS), None, server, history=history).certificate())
    assert checks(look(database, history, certificate=certificate))["equivalence"]
    told = json.loads(certificate.read_text())
    for change in ({"head": "x"}, {"sum": "x"}, {"equivalent": False}):
        certificate.write_text(json.dumps({**told, **change}))
        assert not checks(look(database, history, certificate=certificate))["equivalence"]
    for nothing in ("{}", "no json", "[]"):
        certificate.write_text(nothing)
        with pytest.raises(OmegaBridgeError, match="no certificate"):
            look(database, history, certificate=certificate)


def test_files_say_the_same_and_are_safe_to_open(tmp_path: Path, database: str, history: Path) -> None:
    """Page, JSON and tables have every revision and entry; no markup, formula or password of others is in them."""
    secret = database.replace("postgres@", "postgres:s3cret@")
    omega_bridge.boot(secret, STEPS, history=history)
    found = look(secret, history)
    files = {p.name: p.read_text() for p in write(found, tmp_path / "deep" / "report")}
    assert list(files) == ["report.html", "report.json", "revisions.csv", "ledger.csv"]
    assert all("s3cret" not in text for text in files.values())
    page, told = files["report.html"], json.loads(files["report.json"])
    assert "<script" not in page
    assert "&lt;script&gt;alert(2)" in page
    assert page.count("<tr>") == 3 + len(found.checks) + len(found.lines) + len(found.entries)
    assert [r["revision"] for r in told["revisions"]] == [line.revision for line in found.lines]
    assert Counter(r["how"] for r in told["revisions"]) == {"boot": 4}
    assert (told["ok"], told["head"], told["alembic_version"]) == (True, found.head, [found.head])
    for name, rows in (("revisions.csv", told["revisions"]), ("ledger.csv", told["entries"])):
        read = list(csv.DictReader(files[name].splitlines()))
        assert len(read) == len(rows)
        assert not [cell for row in read for cell in row.values() if cell[:1] in ("=", "+", "-", "@")]
    assert [e["hash"] for e in told["entries"]] == [e.hash for e in found.entries]
    again = {p.name: p.read_text() for p in write(found, tmp_path / "deep" / "report")}
    assert again == files
