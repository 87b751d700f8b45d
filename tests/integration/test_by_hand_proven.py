"""What is proven of a history in which revisions were written by hand: they run on the scratch databases, too."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path

import psycopg
import pytest

from omega_bridge.analysis import analyse
from omega_bridge.audit.equivalence import verify
from omega_bridge.audit.expected import make
from omega_bridge.audit.proofs import prover
from omega_bridge.embedded import Server
from omega_bridge.errors import StepFailed
from omega_bridge.revisions import sums
from omega_bridge.revisions.exported import Export
from omega_bridge.revisions.files import export
from omega_bridge.steps import Registry
from tests.fixtures.databases import MakeDatabase
from tests.integration.test_by_hand import at, by_hand, heads, table

STEPS = [
    "ALTER TABLE patients ADD COLUMN IF NOT EXISTS city text",
    "CREATE TABLE IF NOT EXISTS notes (id int PRIMARY KEY, patient_id int REFERENCES patients (id))",
]
ON_INVOICES = "ALTER TABLE invoices ADD COLUMN IF NOT EXISTS note_id int"


def compiled(folder: Path, server: Server, steps: list[str]) -> Export:
    """The history, proven."""
    with prover(server) as judge:
        return export(analyse(Registry.of(steps)), folder, prover=lambda _n: nullcontext(judge))


@pytest.fixture
def project(tmp_path: Path, server: Server) -> Path:
    """Revisions by hand before the exported ones, and between them; one step needs each."""
    by_hand(tmp_path, "aaa1", None, table("patients"))
    compiled(tmp_path, server, STEPS)
    by_hand(tmp_path, "bbb1", heads(tmp_path)[0], table("invoices"))
    compiled(tmp_path, server, [*STEPS, ON_INVOICES])
    return tmp_path


def test_translations_are_proven_on_them(project: Path) -> None:
    """Steps that need what they make are operations, proven, and not taken for rejected."""
    assert {line.proof for line in sums.read_sum(project)} == {"proven"}
    texts = [path.read_text() for path in sorted((project / "versions").glob("0*.py"))]
    assert [text.count("op.add_column(") for text in texts] == [1, 0, 1]
    assert not any("attempt" in text for text in texts)


def test_both_drivers_lead_to_one_schema(project: Path, server: Server, make_database: MakeDatabase) -> None:
    """From an empty database, through every revision, and from one that stands behind the first of them."""
    begun = make_database()
    at(begun, "aaa1")
    with psycopg.connect(begun, autocommit=True) as conn:
        conn.execute("CREATE TABLE patients (id int PRIMARY KEY)")
    found = verify(Registry.of([*STEPS, ON_INVOICES]), None, server, history=project, databases=[begun])
    assert (found.equivalent, found.rejected) == (True, ())
    assert len(found.starts) == 3


@pytest.mark.parametrize(
    ("does", "told"), [(table("bills"), []), ("op.drop_column('patients', 'city')", ["the history lacks it"])]
)
def test_one_on_top_of_the_exported_ones_is_run(project: Path, server: Server, does: str, told: list[str]) -> None:
    """``alembic upgrade head`` runs it: where it takes away what a start puts back, the two are not equivalent."""
    by_hand(project, "ccc1", heads(project)[0], does)
    found = verify(Registry.of([*STEPS, ON_INVOICES]), None, server, history=project)
    assert [str(d).partition(": ")[2] for d in found.differences if d.object == "column public.patients.city"] == told
    assert (found.equivalent, {d.revision for d in found.differences}) == (not told, {"ccc1"} if told else set())


def test_what_they_make_is_expected(project: Path, server: Server) -> None:
    """So that drift does not take it for somebody's own, nor a step that needs it for one that fails."""
    expected = make(analyse(Registry.of([*STEPS, ON_INVOICES])), "", server, history=project)
    assert {"patients", "notes", "invoices"} <= {key.name for key in expected.catalog}
    assert expected.rejected == {}


def test_one_that_postgresql_rejects_is_named(tmp_path: Path, server: Server) -> None:
    """With the server's words, before anything is written."""
    by_hand(tmp_path, "aaa1", None, 'op.execute("ALTER TABLE nowhere ADD a int")')
    with pytest.raises(StepFailed, match=r"aaa1.*nowhere"):
        compiled(tmp_path, server, STEPS)
    assert not (tmp_path / "omega.sum").exists()


@pytest.mark.parametrize("place", [1, 2], ids=["between the exported ones", "on top of them"])
def test_what_one_reads_beside_itself_is_asked_each_time(tmp_path: Path, server: Server, place: int) -> None:
    """No earlier result counts: its file is the same, and what it does is not."""
    steps, beside = [table_of("notes"), table_of("bills")], tmp_path / "beside.sql"
    beside.write_text("SELECT 1")
    reads = f"from pathlib import Path; op.execute(Path({str(beside)!r}).read_text())"
    folder = tmp_path / "alembic"
    compiled(folder, server, steps[:place])
    by_hand(folder, "aaa1", heads(folder)[0], reads)
    compiled(folder, server, steps)
    found = [verify(Registry.of(steps), None, server, history=folder, keeps=tmp_path / "cache")]
    beside.write_text("DROP TABLE notes")
    found.append(verify(Registry.of(steps), None, server, history=folder, keeps=tmp_path / "cache"))
    assert [(f.equivalent, [s.kept for s in f.starts]) for f in found] == [(True, [0, 0]), (False, [0, 0])]


def table_of(name: str) -> str:
    """A step of its own."""
    return f"CREATE TABLE IF NOT EXISTS {name} (id int PRIMARY KEY)"
