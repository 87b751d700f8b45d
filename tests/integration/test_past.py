"""The list's past, taken in from git: a history as it happened, and the schema of a database that lived through it."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from omega_bridge import OmegaBridgeError, Registry
from omega_bridge.analysis import analyse
from omega_bridge.audit.equivalence import verify
from omega_bridge.audit.past import past_lists
from omega_bridge.audit.verdict import PAST
from omega_bridge.embedded import Server
from omega_bridge.revisions.files import Export, PastList, export_past
from omega_bridge.sources.git import Version, versions
from omega_bridge.sources.text import from_text
from omega_bridge.steps import Step


class Repository:
    """A git repository whose commits are one file each."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.count = 0
        self.git("init", "-q", "-b", "main")

    def git(self, *arguments: str) -> str:
        identity = {
            f"GIT_{who}_{what}": value
            for who in ("AUTHOR", "COMMITTER")
            for what, value in (("NAME", "A Name"), ("EMAIL", "a@example.org"))
        }
        moment = f"2024-03-{1 + self.count:02d}T12:00:00+00:00"
        environment = {
            **os.environ,
            **identity,
            "GIT_AUTHOR_DATE": moment,
            "GIT_COMMITTER_DATE": moment,
            "GIT_CONFIG_GLOBAL": os.devnull,
        }
        return subprocess.run(
            ["git", *arguments], cwd=self.root, env=environment, capture_output=True, text=True, check=True
        ).stdout

    def commit(self, path: str, text: str, subject: str, *, gone: str | None = None) -> None:
        self.count += 1
        if gone:
            self.git("rm", "-q", gone)
        (self.root / path).parent.mkdir(parents=True, exist_ok=True)
        (self.root / path).write_text(text)
        self.git("add", "-A")
        self.git("commit", "-qm", subject)

    def versions(self, source: str, *follow: str, revisions: str = "") -> tuple[Version, ...]:
        return versions(self.root, [source, *follow], revisions)


def listed(*steps: str, name: str = "migration_steps") -> str:
    """The source of a module with that list."""
    return f"{name} = [\n" + "".join(f"    {s!r},\n" for s in steps) + "]\n"


T = "CREATE TABLE IF NOT EXISTS t (id int PRIMARY KEY, a int)"
T_LATER = "CREATE TABLE IF NOT EXISTS t (id int PRIMARY KEY, a int, b text)"
C = "ALTER TABLE t ADD COLUMN IF NOT EXISTS c varchar(20) DEFAULT 'x'"
IDX = "CREATE INDEX IF NOT EXISTS t_c ON t (c)"
U = "CREATE TABLE IF NOT EXISTS u (id int PRIMARY KEY REFERENCES t(id))"


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    """A list that grew, was edited, moved, broken for a while, and lost a step."""
    made = Repository(tmp_path)
    made.commit("old.py", listed(T, name="steps"), "the first table")
    made.commit("old.py", listed(T, C, IDX, name="steps"), "a column and its index")
    made.commit("app/main.py", listed(T, C, IDX), "moved", gone="old.py")
    made.commit("app/main.py", "x = 1\n" + listed(T, C, IDX).replace("'CREATE TABLE", "f'{x()} CREATE TABLE", 1), "broken")
    made.commit("app/main.py", listed(T_LATER, C.replace("20", "40"), IDX), "edited: too late for those who have it")
    made.commit("app/main.py", listed(T_LATER, C.replace("20", "40"), U), "an index less, a table more")
    return made


def exported(repository: Repository, folder: Path) -> tuple[Export, Registry]:
    """The history from git, and the list as it is now."""
    now = from_text(repository.root / "app/main.py", "migration_steps")
    found = repository.versions("app/main.py:migration_steps", "old.py:steps")
    return export_past(past_lists(found, now, None), folder), now


def test_the_history_is_as_it_happened(repository: Repository, tmp_path: Path) -> None:
    """A revision for each step when it appeared, an amendment for each edit, a retirement for each removal."""
    done, _ = exported(repository, tmp_path / "alembic")
    assert [f"{r.kind} {r.labels[0]}: {r.origin.subject if r.origin else '-'}" for r in done.revisions] == [
        "step create-t: the first table",
        "step t-c: a column and its index",
        "step index-t-c: a column and its index",
        "amend create-t: edited: too late for those who have it",
        "amend t-c: edited: too late for those who have it",
        "retire index-t-c: an index less, a table more",
        "step create-u: an index less, a table more",
    ]


def test_provenance_is_in_the_docstring(repository: Repository, tmp_path: Path) -> None:
    """Commit, author, date and subject; no address."""
    done, _ = exported(repository, tmp_path / "alembic")
    text = done.written[1].read_text()
    second = repository.git("log", "--reverse", "--format=%H").splitlines()[1]
    assert f"Commit: {second}\nAuthor: A Name, 2024-03-03T12:00:00+00:00\nSubject: a column and its index\n" in text
    assert not any("example.org" in path.read_text() for path in done.written)


def test_it_leads_where_a_database_that_lived_through_it_stands(repository: Repository, tmp_path: Path, server: Server) -> None:
    """``alembic upgrade head`` and the boots of every version, one after the other, agree after each revision."""
    done, now = exported(repository, tmp_path / "alembic")
    (tmp_path / "alembic/env.py").write_text(
        "from alembic import context\nfrom omega_bridge.environment import run\n\nrun(context)\n"
    )
    found = verify(now, None, server, history=tmp_path / "alembic")
    assert [d for d in found.differences if d.start == PAST] == []
    assert found.prefixes == len(done.revisions) == 7


def test_who_begins_today_stands_elsewhere_than_who_lived_through_it(
    repository: Repository, tmp_path: Path, server: Server
) -> None:
    """An edited ``CREATE TABLE IF NOT EXISTS`` and a step taken out: what a fresh database has otherwise, by which step, and what to append."""
    _, now = exported(repository, tmp_path / "alembic")
    found = verify(now, None, server, history=tmp_path / "alembic")
    assert [(d.start, d.step, str(d), d.append) for d in found.differences] == [
        (
            "empty", "create-t", "column public.t.b: the history lacks it",
            "ALTER TABLE public.t ADD COLUMN IF NOT EXISTS b text",
        ),
        (
            "empty", "t-c", "column public.t.c: type is 'character varying(40)' by boot, 'character varying(20)' by the history",
            "ALTER TABLE public.t ALTER COLUMN c TYPE character varying(40)",
        ),
        ("empty", "index-t-c", "index public.t_c: the boot lacks it", "DROP INDEX IF EXISTS public.t_c"),
    ]  # fmt: skip
    appended = Registry((*now.steps, *(Step(d.append) for d in found.differences)))
    export_past([PastList(analyse(appended))], tmp_path / "alembic")
    assert verify(appended, None, server, history=tmp_path / "alembic").equivalent


def test_what_cannot_be_read_is_left_out_with_a_reason(repository: Repository) -> None:
    """A commit at which Python computes a step stands in nobody's way."""
    problems = [v.problem for v in repository.versions("app/main.py:migration_steps", "old.py:steps") if v.registry is None]
    assert len(problems) == 1
    assert "f-string" in problems[0]


def test_what_no_parser_takes_does_not_end_the_history(tmp_path: Path, server: Server) -> None:
    """Merge markers in a step or in the file, an unterminated block: kept as they were, and every upgrade passes them."""
    markers = C.replace("varchar(20)", "\n<<<<<<< HEAD\nvarchar(20)\n=======\nvarchar(40)\n>>>>>>> other\n")
    made = Repository(tmp_path)
    made.commit("app/main.py", listed(T), "the first table")
    made.commit("app/main.py", listed(T, markers, IDX), "markers in a step")
    made.commit("app/main.py", f"<<<<<<< HEAD\n{listed(T, C)}=======\n{listed(T)}>>>>>>> other\n", "markers in the file")
    made.commit("app/main.py", listed(T, C, IDX), "resolved")
    made.commit("app/main.py", listed(T, C, IDX, "DO $x$ BEGIN PERFORM 1; END"), "unterminated")
    made.commit("app/main.py", listed(T, C, IDX, U), "well again")
    problems = {v.commit.subject: v.problem for v in made.versions("app/main.py:migration_steps") if v.problem}
    assert problems == {"markers in the file": "app/main.py:1 holds merge markers"}
    done, now = exported(made, tmp_path / "alembic")
    assert [f"{r.kind}: {r.origin.subject if r.origin else '-'}" for r in done.revisions] == [
        "step: the first table",
        "step: markers in a step",
        "step: markers in a step",
        "amend: resolved",
        "settle: resolved",
        "step: unterminated",
        "retire: well again",
        "step: well again",
    ]
    assert "op.attempt_step" in done.written[1].read_text()
    found = verify(now, None, server, history=tmp_path / "alembic")
    assert found.differences == ()
    assert found.prefixes == 8


@pytest.mark.parametrize("is_terminal", [True, False])
def test_a_progress_bar_is_for_terminals(repository: Repository, tmp_path: Path, is_terminal: bool) -> None:
    """On a terminal the bar is on stderr; elsewhere only what was left out is, and stdout holds the result alone."""
    mine, theirs = pty.openpty() if is_terminal else os.pipe()
    line = [sys.executable, "-m", "omega_bridge", "export", "--no-prove", "--json", "--from-git", "--follow", "old.py:steps"]
    place = ["--steps", "app/main.py:migration_steps", "--output", str(tmp_path / "history")]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "TERM": "xterm"}
    done = subprocess.run(
        [*line, *place], cwd=repository.root, env=environment, stdout=subprocess.PIPE, stderr=theirs, text=True, check=True
    )
    os.close(theirs)
    told = b""
    with contextlib.suppress(OSError):  # a terminal without its other end is an error where a pipe is at its end
        while chunk := os.read(mine, 4096):
            told += chunk
    os.close(mine)
    assert len(json.loads(done.stdout)["revisions"]) == 7
    assert b"left out" in told
    assert (b"compiling" in told, b"100%" in told) == (is_terminal, is_terminal)


def test_a_range_limits_the_past(repository: Repository) -> None:
    """``REV..REV`` is git's own."""
    found = repository.versions("app/main.py:migration_steps", revisions="HEAD~2..HEAD")
    assert [v.commit.subject for v in found] == ["edited: too late for those who have it", "an index less, a table more"]


@pytest.mark.parametrize(
    ("source", "revisions", "said"),
    [
        ("app/other.py:steps", "", "no commit that touched app/other.py"),
        ("app/main.py:migration_steps", "v1..v2", "git log failed"),
        ("app/main.py:migration_steps", "--output=x", "no range of revisions"),
        ("app.main:migration_steps", "", "not read from text"),
    ],
)
def test_bad_input_is_told(repository: Repository, source: str, revisions: str, said: str) -> None:
    """What is not there is said, with what to type instead."""
    with pytest.raises(OmegaBridgeError, match=said) as told:
        repository.versions(source, revisions=revisions)
    assert told.value.hint
