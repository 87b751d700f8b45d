"""Squash: many revisions load as one file, the record stays, and every database finds its way."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import psycopg
import pytest
from alembic import command
from alembic.config import Config as AlembicConfig

import omega_bridge
from omega_bridge import OmegaBridgeError, Step, environment
from omega_bridge.audit.equivalence import verify
from omega_bridge.audit.release import revision_at
from omega_bridge.audit.verdict import PAST
from omega_bridge.catalog import Catalog, diff
from omega_bridge.config import Config
from omega_bridge.embedded import Server
from omega_bridge.errors import Irreversible
from omega_bridge.postgres.catalog_reader import read_catalog
from omega_bridge.revisions import alembic_border, sums
from omega_bridge.revisions.rebase import rebase
from omega_bridge.revisions.squash import squash
from omega_bridge.steps import Registry
from tests.fixtures.databases import MakeDatabase
from tests.integration.test_export import exported, kinds

T = "CREATE TABLE IF NOT EXISTS t (id int PRIMARY KEY)"
A = "ALTER TABLE t ADD COLUMN IF NOT EXISTS a varchar(20)"
B = "ALTER TABLE t ADD COLUMN IF NOT EXISTS b int DEFAULT 7"
C = "CREATE INDEX IF NOT EXISTS t_a ON t (a) WHERE b > 3"
D = "ALTER TABLE t ADD COLUMN IF NOT EXISTS d text"
MOOD = "DO $$ BEGIN CREATE TYPE mood AS ENUM ('ok'); EXCEPTION WHEN duplicate_object THEN NULL; END $$"
LABEL = "ALTER TYPE mood ADD VALUE IF NOT EXISTS 'odd ''%'' \\ :x'"
USE = "ALTER TABLE t ADD COLUMN IF NOT EXISTS m mood DEFAULT 'odd ''%'' \\ :x'"
ALONE = "CREATE INDEX CONCURRENTLY IF NOT EXISTS t_b ON t (b)"
ROWS = "INSERT INTO t (id, a) VALUES (1, 'é ''quoted'' \\ % :name') ON CONFLICT (id) DO NOTHING"
MIXTURE = [T, A, B, C, MOOD, LABEL, USE, ALONE, ROWS]


def alembic_for(folder: Path, url: str, registry: object = None) -> AlembicConfig:
    """Alembic's configuration for a folder of the test."""
    config = alembic_border.alembic_config(folder, url)
    config.attributes["omega_bridge_config"] = Config(root=folder)
    config.attributes["omega_bridge_registry"] = (registry, None)
    return config


def upgrade(folder: Path, url: str, revision: str = "head", registry: object = None) -> Catalog:
    """The catalog after ``alembic upgrade``."""
    environment.upgrade(alembic_for(folder, url, registry), revision)
    return catalog_of(url)


def catalog_of(url: str) -> Catalog:
    """Everything but the bridge's own."""
    with psycopg.connect(url, autocommit=True) as conn:
        return read_catalog(conn)


def rows(url: str, query: str) -> list[Any]:
    """The answer to a query."""
    with psycopg.connect(url) as conn:
        return [r[0] for r in conn.execute(query.encode())]


def ids(folder: Path) -> list[str]:
    """The revisions, in order."""
    return [line.revision for line in sums.revisions(sums.read_sum(folder))]


def loaded(folder: Path) -> list[str]:
    """What Alembic loads, the last revision first."""
    return alembic_border.history(alembic_border.alembic_config(folder, ""))


def lived(folder: Path) -> list[str | Step]:
    """A history with an amendment and a retirement, squashed up to its seventh revision; the list as it is at the end."""
    exported(folder, [T, A, B, D])
    exported(folder, [T, A.replace("20", "40"), B])
    now: list[str | Step] = [*MIXTURE]
    now[1] = A.replace("20", "40")
    exported(folder, now)
    return now


def test_it_loads_as_one_and_the_record_stays(tmp_path: Path) -> None:
    """One file in versions/ with the last one's id; every line of the sum file stays, and each file in the archive."""
    exported(tmp_path, MIXTURE)
    before = (tmp_path / "omega.sum").read_text().splitlines()
    files = {p.name: p.read_bytes() for p in (tmp_path / "versions").glob("*.py")}
    until = ids(tmp_path)[5]
    done = squash(tmp_path, until, "v1.0")
    after = (tmp_path / "omega.sum").read_text().splitlines()
    assert [a for a in after[:-1] if not a.startswith(sums.HEAD)] == [b for b in before if not b.startswith(sums.HEAD)]
    assert after[-1].startswith(f"s3 {until} squash - - 0006_{until}_squash.py ")
    assert [line.split(" ")[0] for line in loaded(tmp_path)] == [*reversed(ids(tmp_path)[5:8]), "<base>"]
    assert "squash: 6 revisions as one, up to v1.0" in loaded(tmp_path)[-1]
    kept = [*(tmp_path / "archive" / until).glob("*.py"), *(tmp_path / "versions").glob("*.py")]
    assert {p.name: p.read_bytes() for p in kept if p != done.file} == files
    assert exported(tmp_path, MIXTURE).written == ()


@pytest.mark.parametrize("count", [2, 7, 11])
def test_it_leads_where_its_revisions_led(tmp_path: Path, server: Server, count: int) -> None:
    """The squash and a database that lived through every version agree, and so does each later revision."""
    now = lived(tmp_path)
    squash(tmp_path, ids(tmp_path)[count - 1])
    found = verify(Registry.of(now), None, server, history=tmp_path)
    assert [d for d in (*found.differences, *found.order_only) if d.start == PAST] == []
    assert found.prefixes == len(ids(tmp_path)) - count + 1
    assert found.head == ids(tmp_path)[-1]


def test_it_is_what_its_revisions_were(tmp_path: Path, make_database: MakeDatabase) -> None:
    """Before and after a squash ``alembic upgrade head`` leaves the same schema and the same rows."""
    lived(tmp_path)
    many, one = make_database(), make_database()
    before = upgrade(tmp_path, many)
    squash(tmp_path, ids(tmp_path)[-1])
    assert diff(before, upgrade(tmp_path, one), ignore=frozenset()) == ()
    assert rows(one, "SELECT a FROM t") == rows(many, "SELECT a FROM t") == ["é 'quoted' \\ % :name"]


def test_its_sql_is_what_it_does(tmp_path: Path, make_database: MakeDatabase, psql: str) -> None:
    """``alembic upgrade head --sql | psql`` leads to the same schema."""
    exported(tmp_path, MIXTURE)
    squash(tmp_path, ids(tmp_path)[6])
    online, offline = make_database(), make_database()
    config = alembic_for(tmp_path, offline)
    config.output_buffer = io.StringIO()
    command.upgrade(config, "head", sql=True)
    done = subprocess.run(
        [psql, "-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", offline],
        input=config.output_buffer.getvalue(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert diff(upgrade(tmp_path, online), catalog_of(offline)) == ()
    assert rows(offline, "SELECT version_num FROM alembic_version") == [ids(tmp_path)[-1]]


@pytest.mark.parametrize("place", ["archive", "versions"])
def test_a_tampered_file_is_seen(tmp_path: Path, place: str) -> None:
    """An edit of an archived revision, or of the squash itself, is refused and named."""
    exported(tmp_path, MIXTURE)
    squash(tmp_path, ids(tmp_path)[5])
    edited = sorted((tmp_path / place).rglob("*.py"))[0]
    edited.write_text(edited.read_text() + "# a late idea\n")
    with pytest.raises(OmegaBridgeError, match=edited.name) as told:
        exported(tmp_path, MIXTURE)
    assert told.value.code == "OB501"


def test_a_lost_archive_is_seen(tmp_path: Path) -> None:
    """The record is kept, or its loss is said."""
    exported(tmp_path, [T, A, B])
    until = ids(tmp_path)[1]
    squash(tmp_path, until)
    next((tmp_path / "archive" / until).glob("*.py")).unlink()
    with pytest.raises(OmegaBridgeError, match="is gone"):
        exported(tmp_path, [T, A, B])


@pytest.mark.parametrize("at", [5, 8], ids=["at-the-squash", "after-it"])
def test_a_database_that_is_there_needs_nothing(tmp_path: Path, database: str, at: int) -> None:
    """Stamped with the squash's id or a later one: what follows is run, and only that."""
    exported(tmp_path, MIXTURE)
    upgrade(tmp_path, database, ids(tmp_path)[at])
    squash(tmp_path, ids(tmp_path)[5])
    upgrade(tmp_path, database)
    assert rows(database, "SELECT version_num FROM alembic_version") == [ids(tmp_path)[-1]]
    recorded = rows(database, "SELECT subject FROM omega_bridge.omega_bridge_ledger WHERE event = 'upgrade' ORDER BY seq")
    assert recorded == ids(tmp_path)


@pytest.mark.parametrize("at", [0, 4])
def test_a_database_within_it_runs_the_rest(tmp_path: Path, make_database: MakeDatabase, at: int) -> None:
    """Stamped with a revision that was squashed: ``alembic upgrade`` runs what the squash has more, and then what follows."""
    exported(tmp_path, [*MIXTURE[:4], "INSERT INTO t (id) VALUES (7)", *MIXTURE[4:]])
    url, fresh = make_database(), make_database()
    upgrade(tmp_path, url, ids(tmp_path)[at])
    squash(tmp_path, ids(tmp_path)[7])
    found = upgrade(tmp_path, url)
    assert diff(found, upgrade(tmp_path, fresh)) == ()
    assert rows(url, "SELECT version_num FROM alembic_version") == [ids(tmp_path)[-1]]
    assert rows(url, "SELECT id FROM t ORDER BY id") == [1, 7]
    recorded = rows(url, "SELECT subject FROM omega_bridge.omega_bridge_ledger WHERE event = 'upgrade' ORDER BY seq")
    assert recorded == [*ids(tmp_path)[: at + 1], *ids(tmp_path)[7:]]


@pytest.mark.parametrize("verb", ["current", "downgrade", "stamp", "offline"])
def test_what_cannot_be_done_within_it_is_said(tmp_path: Path, database: str, verb: str) -> None:
    """A command that needs the squashed revision itself says where it went and what to type."""
    exported(tmp_path, MIXTURE)
    upgrade(tmp_path, database, ids(tmp_path)[2])
    squash(tmp_path, ids(tmp_path)[5])
    config = alembic_for(tmp_path, database)
    config.output_buffer = io.StringIO()
    calls = {
        "current": lambda: command.current(config),
        "downgrade": lambda: command.downgrade(config, "-1"),
        "stamp": lambda: command.stamp(config, "head"),
        "offline": lambda: command.upgrade(config, f"{ids(tmp_path)[2]}:head", sql=True),
    }
    with pytest.raises(Exception, match="OB505") as told:
        calls[verb]()
    assert f"squashed into {ids(tmp_path)[5]}" in str(told.value)
    assert "alembic upgrade head" in str(told.value)
    assert rows(database, "SELECT version_num FROM alembic_version") == [ids(tmp_path)[2]]


def test_a_start_has_nothing_to_do(tmp_path: Path, make_database: MakeDatabase) -> None:
    """What was current before the squash is current after it; what stood within it is brought on by a start."""
    exported(tmp_path, [T, A, B])
    one, other = make_database(), make_database()
    omega_bridge.boot(one, [T, A, B], history=tmp_path)
    upgrade(tmp_path, other, ids(tmp_path)[0])
    squash(tmp_path, ids(tmp_path)[2])
    assert omega_bridge.boot(one, [T, A, B], history=tmp_path).outcome == "current"
    assert omega_bridge.boot(other, [T, A, B], history=tmp_path).outcome == "repaired"
    assert rows(other, "SELECT version_num FROM alembic_version") == [ids(tmp_path)[2]]
    fresh = make_database()
    upgrade(tmp_path, fresh, registry=Registry.of([T, A, B]))
    assert omega_bridge.boot(fresh, [T, A, B], history=tmp_path).outcome == "current"


def test_history_goes_on_growing(tmp_path: Path, server: Server) -> None:
    """After a squash: a new step, an amendment of a squashed one with its difference, a retirement, and another squash."""
    exported(tmp_path, [T, A, B])
    squash(tmp_path, ids(tmp_path)[2])
    first = {p.name: p.read_bytes() for p in tmp_path.rglob("*.py")}
    done = exported(tmp_path, [T, A.replace("20", "40"), D])
    assert kinds(done) == ["retire t-b", "amend t-a", "step t-d"]
    assert [p.name[:4] for p in done.written[:-1]] == ["0004", "0005", "0006"]
    assert f'down_revision = "{ids(tmp_path)[2]}"' in done.written[0].read_text()
    assert "- no more: column t.a: varchar(20)\n  - new: column t.a: varchar(40)" in done.written[1].read_text()
    again = squash(tmp_path, ids(tmp_path)[4])
    assert len(again.revisions) == 5
    assert sorted(p.name[:4] for p in (tmp_path / "versions").glob("*.py")) == ["0005", "0006"]
    assert first.items() <= {p.name: p.read_bytes() for p in tmp_path.rglob("*.py")}.items()
    found = verify(Registry.of([T, A.replace("20", "40"), D]), None, server, history=tmp_path)
    assert ([d for d in found.differences if d.start == PAST], found.prefixes) == ([], 2)


def test_a_database_within_two_squashes_runs_the_rest(tmp_path: Path, make_database: MakeDatabase) -> None:
    """A squash of a squash still knows every revision."""
    exported(tmp_path, MIXTURE)
    url, fresh = make_database(), make_database()
    upgrade(tmp_path, url, ids(tmp_path)[1])
    squash(tmp_path, ids(tmp_path)[3])
    squash(tmp_path, ids(tmp_path)[6])
    assert diff(upgrade(tmp_path, url), upgrade(tmp_path, fresh)) == ()


def test_it_goes_down_where_each_part_does(tmp_path: Path, make_database: MakeDatabase) -> None:
    """Down drops what the bridge created, by whichever driver, and nothing else; and up again."""
    exported(tmp_path, [T, A, B, C])
    many, own = make_database(), make_database()
    before = catalog_of(many)
    upgrade(tmp_path, many, ids(tmp_path)[1])
    with psycopg.connect(own) as conn:
        conn.execute("CREATE TABLE t (id int PRIMARY KEY, b int)")
    omega_bridge.boot(own, [T, A, B, C], history=tmp_path)
    squash(tmp_path, ids(tmp_path)[2])
    after = upgrade(tmp_path, many)
    environment.downgrade(alembic_for(tmp_path, many), "base")
    assert diff(before, catalog_of(many)) == ()
    assert diff(after, upgrade(tmp_path, many)) == ()
    environment.downgrade(alembic_for(tmp_path, own), "base")
    kept = "SELECT attname::text FROM pg_attribute WHERE attrelid = 't'::regclass AND attnum > 0 AND NOT attisdropped"
    assert rows(own, f"{kept} ORDER BY 1") == ["b", "id"]


def test_it_says_why_there_is_no_way_back(tmp_path: Path, database: str) -> None:
    """One part without a way back leaves the whole without one: the part and its reason are named, nothing is done."""
    exported(tmp_path, MIXTURE)
    squash(tmp_path, ids(tmp_path)[7])
    upgrade(tmp_path, database, ids(tmp_path)[7])
    before = catalog_of(database)
    with pytest.raises(Irreversible, match="a squash of 8") as told:
        environment.downgrade(alembic_for(tmp_path, database), "base")
    assert ids(tmp_path)[5] in told.value.message
    assert diff(before, catalog_of(database)) == ()


@pytest.mark.parametrize(
    ("which", "said"),
    [(0, "nothing to squash"), (2, "nothing to squash")],
    ids=["the-first", "what-is-squashed"],
)
def test_nothing_to_squash_is_said(tmp_path: Path, which: int, said: str) -> None:
    """One revision is one already."""
    exported(tmp_path, [T, A, B])
    if which:
        squash(tmp_path, ids(tmp_path)[which])
    before = (tmp_path / "omega.sum").read_bytes()
    with pytest.raises(OmegaBridgeError, match=said):
        squash(tmp_path, ids(tmp_path)[which])
    assert (tmp_path / "omega.sum").read_bytes() == before


def test_a_revision_of_another_hand_is_not_left_hanging(tmp_path: Path) -> None:
    """A file written by hand that follows a revision to be squashed stops the squash, and is named."""
    exported(tmp_path, [T, A, B])
    (tmp_path / "versions/mine.py").write_text(f'revision = "mine"\ndown_revision = "{ids(tmp_path)[0]}"\n')
    with pytest.raises(OmegaBridgeError, match=r"mine\.py"):
        squash(tmp_path, ids(tmp_path)[2])


# --- from the command line, and with git ------------------------------------------------------------------------


class Project:
    """A git repository with a list and its history."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.folder = root / "alembic"
        (root / "pyproject.toml").write_text('[tool.omega-bridge]\nsteps = "main.py:migration_steps"\n')
        self.git("init", "-q", "-b", "main")

    def git(self, *arguments: str) -> int:
        identity = ["-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false"]
        return subprocess.run(["git", *identity, *arguments], cwd=self.root, capture_output=True, check=False).returncode

    def omega(self, *arguments: str, url: str = "") -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, "DATABASE_URL": url, "PYTHONPATH": os.pathsep.join(sys.path)}
        line = [sys.executable, "-m", "omega_bridge", *arguments]
        return subprocess.run(line, cwd=self.root, env=environment, capture_output=True, text=True, check=False)

    def write(self, steps: Sequence[str]) -> None:
        """The list, and what an export appends for it."""
        self.save(steps)
        exported(self.folder, steps)

    def save(self, steps: Sequence[str]) -> None:
        (self.root / "main.py").write_text("migration_steps = [\n" + "".join(f"    {s!r},\n" for s in steps) + "]\n")

    def export(self, steps: Sequence[str], *arguments: str) -> dict[str, Any]:
        self.save(steps)
        done = self.omega("export", "--no-prove", "--json", *arguments)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)  # type: ignore[no-any-return]

    def commit(self, told: str) -> None:
        self.git("add", "-A")
        assert self.git("commit", "-qm", told) == 0


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """Two steps at the tag v1.0, four in all."""
    made = Project(tmp_path)
    made.write([T, A])
    made.commit("one")
    made.git("tag", "v1.0")
    made.write([T, A, B, C])
    made.commit("two")
    return made


def test_up_to_a_release(project: Project, database: str) -> None:
    """``export --squash v1.0`` squashes what stood at the tag; every other verb goes on as before."""
    head = ids(project.folder)[-1]
    assert project.omega("boot", url=database).returncode == 0
    done = project.export([T, A, B, C], "--squash", "v1.0")
    assert done["squashed"]["revisions"] == ids(project.folder)[:2]
    assert (done["revisions"], done["head"]) == ([], head)
    assert "up to v1.0" in loaded(project.folder)[-1]
    assert project.omega("export", "--check").returncode == 0
    status = json.loads(project.omega("status", "--json", url=database).stdout)
    assert (status["revision"]["current"], status["revision"]["prefix"], status["exported"]["head"]) == ([head], head, head)
    assert project.omega("ledger", "verify", url=database).returncode == 0


def test_what_was_squashed_is_adopted(project: Project, database: str) -> None:
    """A database that the loop repaired is stamped with the head of a squashed history."""
    squash(project.folder, ids(project.folder)[1])
    with psycopg.connect(database) as conn:
        for step in (T, A, B, C):
            conn.execute(step.encode())
    assert project.omega("adopt", url=database).returncode == 0
    assert rows(database, "SELECT version_num FROM alembic_version") == [ids(project.folder)[-1]]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--squash", "v9"), "git show failed"),
        (("--squash", "--all"), "requires an argument|is no tag"),
        (("--squash", "v1.0", "--check"), "--check writes nothing"),
    ],
)
def test_what_makes_no_sense_is_said(project: Project, arguments: tuple[str, ...], said: str) -> None:
    """Exit code 2, and nothing is written."""
    before = (project.folder / "omega.sum").read_bytes()
    done = project.omega("export", "--no-prove", *arguments)
    assert done.returncode == 2
    assert any(word in done.stderr for word in said.split("|"))
    assert (project.folder / "omega.sum").read_bytes() == before


def test_a_revision_may_be_named_by_its_beginning(project: Project) -> None:
    """As Alembic allows; and a commit by its own."""
    assert revision_at(project.folder, ids(project.folder)[2][:5]) == ids(project.folder)[2]
    assert revision_at(project.folder, "HEAD~1") == ids(project.folder)[1]


def test_another_history_is_no_release_of_this_one(project: Project) -> None:
    """A tag whose sum file this history did not grow from is refused."""
    for path in [*(project.folder / "versions").glob("*.py"), project.folder / "omega.sum"]:
        path.unlink()
    project.write([C, B, A, T.replace("int", "bigint")])
    with pytest.raises(OmegaBridgeError, match="no beginning"):
        revision_at(project.folder, "v1.0")


@pytest.mark.parametrize("mine", ["the-squash", "the-step"])
def test_a_squash_and_a_step_are_brought_in_line(project: Project, make_database: MakeDatabase, mine: str) -> None:
    """One branch squashed, the other appended: the sum file conflicts, and rebase settles it either way."""
    project.git("checkout", "-qb", "other")
    project.write([T, A, B, C, D])
    project.commit("a step")
    project.git("checkout", "-q", "main")
    squash(project.folder, ids(project.folder)[1])
    project.commit("a squash")
    ours, theirs = ("main", "other") if mine == "the-squash" else ("other", "main")
    project.git("checkout", "-q", ours)
    assert project.git("merge", theirs) == 1
    with pytest.raises(OmegaBridgeError, match="merge conflict"):
        exported(project.folder, [T, A, B, C, D])
    rebase(project.folder)
    exported(project.folder, [T, A, B, C, D])
    sums.check(project.folder)
    assert len(loaded(project.folder)) == (4 if mine == "the-squash" else 5)
    assert len(ids(project.folder)) == 5
    exported(project.root / "fresh", [T, A, B, C, D])
    assert diff(upgrade(project.folder, make_database()), upgrade(project.root / "fresh", make_database())) == ()


def test_two_squashes_are_brought_in_line(project: Project) -> None:
    """Both branches squashed, up to different revisions: one stays."""
    project.git("checkout", "-qb", "other")
    squash(project.folder, ids(project.folder)[2])
    project.commit("three")
    project.git("checkout", "-q", "main")
    squash(project.folder, ids(project.folder)[1])
    project.commit("two")
    assert project.git("merge", "other") == 1
    assert rebase(project.folder).kept[-1].is_squash
    sums.check(project.folder)
    assert len(loaded(project.folder)) == 3
