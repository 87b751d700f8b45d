"""Export: history only grows, two branches are brought in line, and a translation that is not exact is not used."""

from __future__ import annotations

import hashlib
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import psycopg
import pytest

import omega_bridge
from omega_bridge import OmegaBridgeError, Step, environment, expectation
from omega_bridge.analysis import analyse
from omega_bridge.audit.equivalence import verify
from omega_bridge.audit.proofs import REJECTED, prover
from omega_bridge.catalog import Catalog, diff
from omega_bridge.config import Config
from omega_bridge.embedded import Server
from omega_bridge.expectation import Expectation
from omega_bridge.expectation_file import keep, kept
from omega_bridge.planning.settling import empty_catalog
from omega_bridge.postgres.catalog_reader import read_catalog
from omega_bridge.revisions import alembic_border, sums
from omega_bridge.revisions.files import Export, explain, export
from omega_bridge.revisions.lifting import native
from omega_bridge.revisions.rebase import rebase
from omega_bridge.steps import Registry
from omega_bridge.version_table import VersionTable
from tests.fixtures.databases import MakeDatabase

ENV = "from alembic import context\nfrom omega_bridge.environment import run\n\nrun(context)\n"
T = "CREATE TABLE IF NOT EXISTS t (id int PRIMARY KEY)"
A = "ALTER TABLE t ADD COLUMN IF NOT EXISTS a varchar(20)"
B = "ALTER TABLE t ADD COLUMN IF NOT EXISTS b int DEFAULT 7"
C = "CREATE INDEX IF NOT EXISTS t_a ON t (a) WHERE b > 3"


def exported(folder: Path, steps: Sequence[str | Step], **options: Any) -> Export:
    """Export a bare list to a folder that Alembic can use."""
    folder.mkdir(exist_ok=True, parents=True)
    (folder / "env.py").write_text(ENV)
    return export(analyse(Registry.of(steps)), folder, **options)


def upgraded(url: str, folder: Path) -> Catalog:
    """The catalog after ``alembic upgrade head``."""
    config = alembic_border.alembic_config(folder, url)
    config.attributes["omega_bridge_config"] = Config(root=folder)
    config.attributes["omega_bridge_registry"] = (None, None)
    environment.upgrade(config, "head")
    with psycopg.connect(url, autocommit=True) as conn:
        return read_catalog(conn)


def catalog_after_boot(url: str, steps: Sequence[str]) -> Catalog:
    """The catalog after a start."""
    omega_bridge.boot(url, steps)
    with psycopg.connect(url, autocommit=True) as conn:
        return read_catalog(conn)


def kinds(done: Export) -> list[str]:
    """Kind and label of each new revision."""
    return [f"{r.kind} {r.labels[0]}" for r in done.revisions]


def test_the_same_list_gives_the_same_bytes(tmp_path: Path) -> None:
    """Two exports of one list are one history, byte for byte, and a third writes nothing."""
    exported(tmp_path / "one", [T, A, C])
    exported(tmp_path / "two", [T, A, C])
    one, two = ({p.name: p.read_bytes() for p in (tmp_path / d / "versions").iterdir()} for d in ("one", "two"))
    assert one == two
    assert len(one) == 3
    assert (tmp_path / "one/omega.sum").read_bytes() == (tmp_path / "two/omega.sum").read_bytes()
    assert exported(tmp_path / "one", [T, A, C]).written == ()


HARD_IDS = ["Add the flag", "a,b@c", "=a!", "50 %", "%20", "ñandú", "../../x", "a\nb", 'q"""\\', "-", "'", "x" * 300, "\u2028"]


def test_any_id_is_recorded_as_it_is(tmp_path: Path, database: str) -> None:
    """Spaces, separators, quotes, line breaks, paths: one file each within the folder, and the same ids read back."""
    steps = [Step(f"CREATE TABLE IF NOT EXISTS t{n} (id int)", id=name, title=name) for n, name in enumerate(HARD_IDS)]
    done = exported(tmp_path / "alembic", steps)
    lines = sums.read_sum(tmp_path / "alembic")
    sums.check(tmp_path / "alembic", lines)
    assert [line.steps[0].label for line in lines] == HARD_IDS
    assert all(line.steps[0].explicit and line.steps[0].settled for line in lines)
    assert {p.parent for p in done.written if p.name[0] == "0"} == {tmp_path / "alembic" / "versions"}
    assert exported(tmp_path / "alembic", steps).revisions == ()
    assert len(upgraded(database, tmp_path / "alembic").relations) == len(steps)
    told = [s.id for s in omega_bridge.boot(database, steps, retry=True).steps]
    assert told == HARD_IDS


def test_percent_signs_are_no_parameters(tmp_path: Path, server: Server, make_database: MakeDatabase) -> None:
    """In names and texts: every statement is an operation, and the history leads where the list leads."""
    steps = [
        """CREATE TABLE IF NOT EXISTS "t%" (id int PRIMARY KEY, a text DEFAULT '50 %', CONSTRAINT "c%" CHECK (id % 2 = 0))""",
        """ALTER TABLE "t%" ADD COLUMN IF NOT EXISTS "b%" varchar(10) DEFAULT '%s'""",
        """CREATE INDEX IF NOT EXISTS "i%" ON "t%" ((id % 3))""",
        """COMMENT ON COLUMN "t%"."b%" IS '100 %'""",
        """ALTER TABLE "t%" ALTER COLUMN a SET DEFAULT '7 %'""",
    ]
    done = exported(tmp_path, steps, prover=lambda _: prover(server))
    assert done.coverage.steps_lifted == len(steps)
    assert diff(upgraded(make_database(), tmp_path), catalog_after_boot(make_database(), steps)) == ()


@pytest.mark.parametrize(
    ("later", "expected"),
    [
        pytest.param([T, A, B, C], ["step t-b", "settle index-t-a"], id="added-in-the-middle"),
        pytest.param([T, C, A], [], id="moved"),
        pytest.param([T, A.lower().replace(" varchar", "   VARCHAR") + ";  -- why", C], [], id="cosmetic"),
        pytest.param([T, A.replace("20", "40"), C], ["amend t-a"], id="edited"),
        pytest.param([T, A], ["retire index-t-a"], id="removed"),
        pytest.param([T, A, A, C], ["step t-a-2"], id="duplicated"),
        pytest.param([T, Step(A, id="t-a"), C], [], id="given-the-id-it-had"),
    ],
)
def test_history_only_grows(tmp_path: Path, later: list[str | Step], expected: list[str]) -> None:
    """Edits append an amendment, removals a retirement; moves and cosmetic edits change nothing; nothing is rewritten."""
    exported(tmp_path, [T, A, C])
    before = {p.name: p.read_bytes() for p in (tmp_path / "versions").iterdir()}
    done = exported(tmp_path, later)
    assert kinds(done) == expected
    after = {p.name: p.read_bytes() for p in (tmp_path / "versions").iterdir()}
    assert {name: after.get(name) for name in before} == before


def test_an_amendment_says_what_is_different(tmp_path: Path) -> None:
    """The docstring of an amendment shows the semantic difference, not just two texts."""
    exported(tmp_path, [T, A])
    done = exported(tmp_path, [T, A.replace("20", "40")])
    text = done.written[0].read_text()
    assert "- no more: column t.a: varchar(20)" in text
    assert "- new: column t.a: varchar(40)" in text


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        pytest.param(
            "CREATE TABLE IF NOT EXISTS u (id int PRIMARY KEY, a int)",
            "CREATE TABLE IF NOT EXISTS u (id int PRIMARY KEY, a int, b text NOT NULL)",
            ["  - new: column u.b: text, not null"],
            id="a-column-more",
        ),
        pytest.param(
            "CREATE TABLE IF NOT EXISTS u (id int PRIMARY KEY, state text DEFAULT 'new')",
            "CREATE TABLE IF NOT EXISTS u (id int PRIMARY KEY, state text DEFAULT 'open')",
            ["  - no more: column u.state: text, default 'new'", "  - new: column u.state: text, default 'open'"],
            id="another-default",
        ),
        pytest.param(
            "DO $$ BEGIN IF NOT EXISTS (SELECT 1 FROM information_schema.columns WHERE table_name = 't' AND column_name = 'b')"
            " THEN ALTER TABLE t ADD COLUMN b int DEFAULT 1; END IF; END $$",
            "DO $$ BEGIN IF NOT EXISTS (SELECT 1 FROM information_schema.columns WHERE table_name = 't' AND column_name = 'b')"
            " THEN ALTER TABLE t ADD COLUMN b int DEFAULT 2; END IF; END $$",
            ["  - no more: column t.b: int, default 1", "  - new: column t.b: int, default 2"],
            id="another-default-in-a-block",
        ),
        pytest.param(
            "ALTER TABLE t ADD COLUMN IF NOT EXISTS b int",
            "ALTER TABLE t ADD COLUMN IF NOT EXISTS b int; COMMENT ON COLUMN t.b IS 'why'",
            ["  - new: column t.b: comment why"],
            id="a-statement-more",
        ),
        pytest.param(
            "INSERT INTO t (id) VALUES (1) ON CONFLICT DO NOTHING",
            "INSERT INTO t (id) VALUES (2) ON CONFLICT DO NOTHING",
            ["Difference: in the text only; the effects are the same"],
            id="other-rows",
        ),
    ],
)
def test_what_an_amendment_changes_is_told(tmp_path: Path, before: str, after: str, said: list[str]) -> None:
    """An added column, a changed default: each in a line of its own, and nothing else."""
    exported(tmp_path, [T, before])
    done = exported(tmp_path, [T, after])
    assert [r.kind for r in done.revisions] == ["amend"]
    lines = done.written[0].read_text().split("SQL of the step")[0].splitlines()
    assert [line for line in lines if line.startswith(("  - ", "Difference: "))] == said


def test_a_renamed_step_is_the_same(tmp_path: Path) -> None:
    """Another id with the same text, an id where there was none, none where there was one: nothing is appended."""
    exported(tmp_path, [T, Step(A, id="one"), B])
    assert kinds(exported(tmp_path, [T, Step(A, id="two"), Step(B, id="three")])) == []
    assert kinds(exported(tmp_path, [T, A, B])) == []


def test_an_unclear_match_asks_for_an_id(tmp_path: Path) -> None:
    """Where two recorded steps are equally like an edited one, export says which they are and asks."""
    alike = "ALTER TABLE t ADD COLUMN IF NOT EXISTS {} varchar(20); ALTER TABLE t ADD COLUMN IF NOT EXISTS shared int"
    exported(tmp_path, [T, alike.format("col_one_x"), alike.format("col_two_x")])
    with pytest.raises(OmegaBridgeError) as told:
        exported(tmp_path, [T, alike.format("col_zzz_x")])
    assert told.value.code == "OB502"
    assert "t-col-one-x" in told.value.message
    assert "id=" in told.value.hint
    named = Step(alike.format("col_zzz_x"), id="t-col-two-x")
    assert kinds(exported(tmp_path, [T, alike.format("col_one_x"), named], write=False)) == ["amend t-col-two-x"]
    done = exported(tmp_path, [T, alike.format("col_one_x"), Step(alike.format("col_zzz_x"), id="t-col-zzz")])
    assert kinds(done) == ["retire t-col-two-x", "step t-col-zzz"]


def test_another_column_is_no_edit(tmp_path: Path) -> None:
    """A step removed and another added at once, alike but for what they make: a retirement and a step, with its way back."""
    exported(tmp_path, [T, A, B])
    done = exported(tmp_path, [T, A, "ALTER TABLE t ADD COLUMN IF NOT EXISTS c int DEFAULT 7"])
    assert kinds(done) == ["retire t-b", "step t-c"]
    assert "op.drop_column('t', 'c', if_exists=True)" in done.written[1].read_text()


def test_explain_shows_the_matching(tmp_path: Path) -> None:
    """Each step with its revision, by what it was matched, and what an export would do."""
    exported(tmp_path, [T, A, C])
    rows = explain(analyse(Registry.of([T, A.replace("20", "40"), B])), tmp_path)
    assert [(r.step, r.how, r.then) for r in rows] == [
        ("create-t", "content", "nothing"),
        ("t-a", "what it does", "append an amendment"),
        ("t-b", "nothing", "append a revision"),
        (None, "nothing (was index-t-a)", "append a retirement"),
    ]


def test_a_step_that_waits_follows_what_it_needs(tmp_path: Path, database: str) -> None:
    """Revisions stand in the order in which an empty database settles them, and say so."""
    hidden = f"DO $$ BEGIN {A}; EXCEPTION WHEN OTHERS THEN NULL; END $$"
    done = exported(tmp_path, [hidden, T])
    assert kinds(done) == ["step create-t", "step t-a"]
    assert "Waits: in the list this step stands before what it needs" in done.written[1].read_text()
    assert "column public.t.a" in {str(k) for k in upgraded(database, tmp_path)}


def test_a_step_settled_later_gets_a_revision(tmp_path: Path, database: str) -> None:
    """Exported before the step that makes what it needs: a later export appends a revision that settles it."""
    hidden = f"DO $$ BEGIN {A}; EXCEPTION WHEN OTHERS THEN NULL; END $$"
    assert kinds(exported(tmp_path, [hidden])) == ["step t-a"]
    assert kinds(exported(tmp_path, [hidden, T])) == ["step create-t", "settle t-a"]
    assert "column public.t.a" in {str(k) for k in upgraded(database, tmp_path)}


def test_proofs_hold_and_are_recorded(tmp_path: Path, server: Server) -> None:
    """With a server each translation is tried, and the sum file says so."""
    done = exported(tmp_path, [T, A, B, C, "INSERT INTO t VALUES (1) ON CONFLICT DO NOTHING"], prover=lambda n: prover(server))
    assert [line.proof for line in sums.read_sum(tmp_path)] == ["proven"] * 4 + ["verbatim"]
    assert (done.coverage.proven, done.coverage.unproven) == (4, 0)


def test_what_has_no_way_back_is_there_for_the_next_proof(tmp_path: Path, server: Server) -> None:
    """A label of an enumeration is used by the next step: what was proven is kept, so that this one, and those behind it, are proven, too."""
    steps = [
        "DO $$ BEGIN CREATE TYPE shade AS ENUM ('light'); EXCEPTION WHEN duplicate_object THEN NULL; END $$",
        "ALTER TYPE shade ADD VALUE IF NOT EXISTS 'dark'",
        "CREATE TABLE IF NOT EXISTS walls (id int PRIMARY KEY, shade shade DEFAULT 'dark')",
        "ALTER TYPE shade ADD VALUE IF NOT EXISTS 'black'",
        "ALTER TABLE walls ALTER COLUMN shade SET DEFAULT 'black'",
        "CREATE SEQUENCE IF NOT EXISTS numbers",
    ]
    exported(tmp_path, steps, prover=lambda n: prover(server))
    assert [line.proof for line in sums.read_sum(tmp_path)] == ["proven"] * 6


def test_a_wrong_translation_is_not_used(tmp_path: Path, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """Operations that lead elsewhere are replaced by the step's own SQL, with the difference as the reason."""
    honest = native.add_column

    def wrong(relation: Any, definition: Any) -> Any:
        operation = honest(relation, definition)
        operation.column.name = "other"
        return operation

    monkeypatch.setattr(native, "add_column", wrong)
    monkeypatch.setattr(native, "check", lambda operation, text: None)
    done = exported(tmp_path, [T, A, B], prover=lambda n: prover(server))
    text = done.written[1].read_text()
    assert "op.run_step" in text
    assert "op.add_column" not in text
    assert "verbatim (1): the operations do not lead to the same schema: from the state before it, column public.t.a" in text


def test_two_branches_are_brought_in_line(tmp_path: Path, make_database: MakeDatabase) -> None:
    """After a merge, rebase keeps one side and appends the other's step: one head, and the schema of the merged list."""

    def git(*arguments: str) -> subprocess.CompletedProcess[str]:
        identity = ["-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false"]
        return subprocess.run(["git", *identity, *arguments], cwd=tmp_path, capture_output=True, text=True, check=False)

    def commit(message: str, *steps: str) -> None:
        exported(folder, list(steps))
        keep(Expectation(empty_catalog(), "postgres", message), folder)
        git("add", "-A"), git("commit", "-qm", message)

    folder = tmp_path / "alembic"
    git("init", "-q", "-b", "main")
    commit("one", T)
    git("checkout", "-qb", "other")
    commit("other", T, B)
    git("checkout", "-q", "main")
    commit("mine", T, A)
    assert git("merge", "other").returncode == 1
    with pytest.raises(OmegaBridgeError, match="merge conflict") as told:
        exported(folder, [T, A, B])
    assert "--rebase" in told.value.hint
    with pytest.raises(OmegaBridgeError, match="merge conflict") as told:
        kept(folder)
    assert "--rebase" in told.value.hint
    assert [p.name[16:] for p in rebase(folder).removed] == ["_t_b.py"] or len(list((folder / "versions").iterdir())) == 2
    assert kept(folder, "mine") is not None
    assert kinds(exported(folder, [T, A, B])) == ["step t-b"]
    exported(tmp_path / "fresh", [T, A, B])
    assert diff(upgraded(make_database(), folder), upgraded(make_database(), tmp_path / "fresh")) == ()


def test_an_orphan_file_is_named(tmp_path: Path) -> None:
    """A revision file of another branch, without its line, cannot make a second head."""
    exported(tmp_path, [T, A])
    lines = (tmp_path / "omega.sum").read_text().splitlines(keepends=True)
    (tmp_path / "omega.sum").write_text("".join(lines[:-1]))
    with pytest.raises(OmegaBridgeError, match="another branch appended") as told:
        exported(tmp_path, [T, A])
    assert told.value.code == "OB501"


@pytest.mark.parametrize("form", ["s1", "s2"])
def test_old_formats_stay_verifiable(tmp_path: Path, form: str) -> None:
    """A sum file of an older format is checked, kept word for word, and continued; what continues it seals what it says."""
    exported(tmp_path, [T, A])
    previous, old = "", []
    for line in sums.read_sum(tmp_path):
        content = (tmp_path / "versions" / line.file).read_bytes()
        previous = hashlib.sha256(f"{form}\n{previous}\n{line.revision}\n".encode() + content).hexdigest()
        proof = "" if form == "s1" else f" {line.proof}"
        old.append(
            f"{form} {line.revision} {line.kind} {line.steps[0].label}@{line.steps[0].checksum}{proof} {line.file} {previous}"
        )
    (tmp_path / "omega.sum").write_text("\n".join(old) + "\n")
    assert kinds(exported(tmp_path, [T, A, B])) == ["step t-b"]
    assert [line.format for line in sums.read_sum(tmp_path)] == [form, form, "s3"]
    text = (tmp_path / "omega.sum").read_text()
    assert [line for line in text.splitlines() if line.startswith(form)] == old
    sums.check(tmp_path)
    (tmp_path / "omega.sum").write_text(text.replace(old[0], old[0].replace(" step ", " base ")))
    with pytest.raises(OmegaBridgeError, match="or one before it, was changed"):
        sums.check(tmp_path)
    (tmp_path / "omega.sum").write_text(text)
    edited = tmp_path / "versions" / sums.read_sum(tmp_path)[0].file
    edited.write_text(edited.read_text() + "#")
    with pytest.raises(OmegaBridgeError, match=edited.name):
        sums.check(tmp_path)


@pytest.mark.parametrize("field", ["kind", "label", "explicit", "settled", "checksum", "proof", "file", "order"])
@pytest.mark.parametrize("at", [0, -1])
def test_whatever_a_line_says_is_sealed(tmp_path: Path, field: str, at: int) -> None:
    """Kind, labels, checksum, proof and order: a change of any is seen, in the last line as in the first."""
    exported(tmp_path, [T, A, B])
    path = tmp_path / "omega.sum"
    head = [line for line in path.read_text().splitlines() if line.startswith("#")]
    lines = [line for line in path.read_text().splitlines() if not line.startswith("#")]
    form, revision, kind, step, proof, file, digest = lines[at].split(" ")
    label, checksum = step.split("@")
    told = {
        "kind": "settle",
        "label": f"{label}x@{checksum}",
        "explicit": f"={step}",
        "settled": f"{label}!@{checksum}",
        "checksum": f"{label}@{checksum[:-1]}{'0' if checksum[-1] != '0' else '1'}",
        "proof": "proven",
    }
    match field:
        case "order":
            lines[at], lines[1] = lines[1], lines[at]
        case "file":
            (tmp_path / "versions" / file).rename(tmp_path / "versions" / f"x{file}")
            lines[at] = " ".join([form, revision, kind, step, proof, f"x{file}", digest])
        case _:
            assert proof != "proven"
            kind, proof = told[field] if field == "kind" else kind, told[field] if field == "proof" else proof
            lines[at] = " ".join([form, revision, kind, step if field in ("kind", "proof") else told[field], proof, file, digest])
    path.write_text("\n".join([*head, *lines]) + "\n")
    with pytest.raises(OmegaBridgeError) as error:
        exported(tmp_path, [T, A, B])
    assert error.value.code == "OB501"
    with pytest.raises(OmegaBridgeError):
        environment.upgrade(alembic_border.alembic_config(tmp_path, "postgresql://nowhere"), "head")


def test_the_catalog_file_is_sealed(tmp_path: Path) -> None:
    """What drift and adopt go by is what the last export left, or nothing is taken from this folder."""
    exported(tmp_path, [T])
    catalog = tmp_path / expectation.FILE
    assert sums.CATALOG_FILE == expectation.FILE
    catalog.write_text("{}\n")
    sums.check(tmp_path)
    sums.note_catalog(tmp_path, catalog)
    exported(tmp_path, [T, A])
    sums.check(tmp_path)
    catalog.write_bytes(b"{}\r\n")
    sums.check(tmp_path)
    for change in (lambda: catalog.write_text("{ }\n"), catalog.unlink):
        change()
        with pytest.raises(OmegaBridgeError, match="catalog"):
            sums.check(tmp_path)
    sums.note_catalog(tmp_path, None)
    sums.check(tmp_path)


@pytest.mark.parametrize(
    "change", ["catalog's note gone", "all notes gone", "another list", "another version table", "the last revision gone"]
)
def test_what_the_head_says_is_sealed(tmp_path: Path, change: str) -> None:
    """Notes of the list, the catalog file and the version table, and where the lines end: a change of any is seen, and can be mended."""
    exported(tmp_path, [T, A], listed="abc")
    (tmp_path / expectation.FILE).write_text("{}\n")
    sums.note_catalog(tmp_path, tmp_path / expectation.FILE)
    sums.note_version_table(tmp_path, VersionTable("mine"))
    sums.check(tmp_path)
    path = tmp_path / "omega.sum"
    lines = path.read_text().splitlines()
    match change:
        case "catalog's note gone":
            lines = [line for line in lines if "catalog" not in line]
        case "all notes gone":
            lines = [line for line in lines if not line.startswith("#")]
        case "another list":
            lines = [line.replace("abc", "abd") for line in lines]
        case "another version table":
            lines = [line.replace(" mine", " yours") for line in lines]
        case _:
            (tmp_path / "versions" / lines.pop().split(" ")[-2]).unlink()
    path.write_text("\n".join(lines) + "\n")
    with pytest.raises(OmegaBridgeError) as told:
        sums.check(tmp_path)
    assert told.value.code == "OB501"
    assert "--rebase" in told.value.hint
    rebase(tmp_path)
    sums.check(tmp_path)


def test_what_the_server_rejects_ends_no_upgrade(tmp_path: Path, database: str, server: Server) -> None:
    """A step that fails at every start is attempted by its revision, and what follows it stands; boot and history agree."""
    steps = [T, Step("SELECT 1 / 0; ALTER TABLE t ADD COLUMN never int", id="never"), A]
    done = exported(tmp_path, steps, prover=lambda _n: prover(server))
    assert [reason for label, _, reason in done.coverage.verbatim if label == "never"] == [REJECTED]
    columns = [k.name for k in upgraded(database, tmp_path) if k.kind == "column"]
    assert columns == ["id", "a"]
    assert verify(Registry.of(steps), None, server, history=tmp_path).equivalent


def test_a_revision_that_cannot_be_run_is_named(tmp_path: Path, server: Server) -> None:
    """Where no server tried it at export, verify names the revision, its step, and what PostgreSQL says."""
    steps = [T, Step("DO $$ BEGIN EXECUTE 'SELECT 1 /' || ' 0'; END $$", id="never")]
    exported(tmp_path, steps)
    with pytest.raises(OmegaBridgeError) as told:
        verify(Registry.of(steps), None, server, history=tmp_path)
    assert told.value.code == "OB301"
    assert "(never) cannot be run: 22012: division by zero" in told.value.message
