"""A history in which revisions were written by hand: before the exported ones, between them, and on top."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest
from alembic.script import ScriptDirectory

import omega_bridge
from omega_bridge import environment
from omega_bridge.adoption import adopt
from omega_bridge.analysis import analyse
from omega_bridge.config import Config
from omega_bridge.errors import ConfigurationInvalid, SeveralHeads
from omega_bridge.postgres.session import open_session
from omega_bridge.revisions import alembic_border
from omega_bridge.revisions.exported import unchanged
from omega_bridge.revisions.files import export
from omega_bridge.revisions.rebase import rebase
from omega_bridge.revisions.squash import squash
from omega_bridge.steps import Registry

STEPS = [
    "CREATE TABLE IF NOT EXISTS notes (id int PRIMARY KEY, patient_id int)",
    "ALTER TABLE notes ADD COLUMN IF NOT EXISTS body text",
]
MORE = "ALTER TABLE notes ADD COLUMN IF NOT EXISTS at date"


def by_hand(folder: Path, revision: str, down: object, does: str = "pass", **said: object) -> None:
    """Write a revision as ``alembic revision`` leaves it."""
    (folder / "versions").mkdir(parents=True, exist_ok=True)
    more = "".join(f"{name} = {value!r}\n" for name, value in said.items())
    (folder / "versions" / f"{revision}_by_hand.py").write_text(
        f'"""by hand"""\nfrom typing import Union\n\nfrom alembic import op\n\nrevision: str = "{revision}"\n'
        f"down_revision: Union[str, None] = {down!r}\n{more}\n\n"
        f"def upgrade() -> None:\n    {does}\n\n\ndef downgrade() -> None:\n    pass\n"
    )


def table(name: str) -> str:
    """What a revision written by hand does."""
    return f'op.execute("CREATE TABLE {name} (id int PRIMARY KEY)")'


def compiled(folder: Path, steps: list[str] = STEPS) -> list[str]:
    """Export; the ids of what is new."""
    return [r.id for r in export(analyse(Registry.of(steps)), folder, listed="x").revisions]


def heads(folder: Path) -> list[str]:
    """As Alembic itself sees them."""
    return list(ScriptDirectory(str(folder)).get_heads())


def config(folder: Path, url: str, steps: list[str] = STEPS) -> alembic_border.Config:
    """For commands in the bridge's own environment."""
    made = alembic_border.alembic_config(folder, url)
    made.attributes["omega_bridge_config"] = Config(root=folder)
    made.attributes["omega_bridge_registry"] = (Registry.of(steps), None)
    return made


def versions(url: str) -> list[str]:
    """What ``alembic_version`` says."""
    with psycopg.connect(url) as conn:
        if conn.execute("SELECT to_regclass('alembic_version')").fetchone() == (None,):
            return []
        return [str(row[0]) for row in conn.execute("SELECT version_num FROM alembic_version ORDER BY 1")]


def at(url: str, *revisions: str) -> None:
    """Say in ``alembic_version`` where a database stands."""
    with psycopg.connect(url, autocommit=True) as conn:
        conn.execute("CREATE TABLE IF NOT EXISTS alembic_version (version_num varchar(32) NOT NULL PRIMARY KEY)")
        conn.execute("DELETE FROM alembic_version")
        for revision in revisions:
            conn.execute("INSERT INTO alembic_version VALUES (%s)", (revision,))


def test_the_history_keeps_one_head(tmp_path: Path) -> None:
    """The first export follows what was there, later ones what came on top, and nothing that was exported changes."""
    by_hand(tmp_path, "aaa1", None, table("patients"))
    by_hand(tmp_path, "aaa2", "aaa1", branch_labels=("clinic",))
    first, last = compiled(tmp_path)
    assert heads(tmp_path) == [last]
    script = ScriptDirectory(str(tmp_path))
    assert script.get_revision(first).down_revision == "aaa2"
    assert "clinic" in script.get_revision(last).branch_labels
    before = {p.name: p.read_bytes() for p in (tmp_path / "versions").glob("*.py")}
    by_hand(tmp_path, "bbb1", last)
    assert compiled(tmp_path) == []
    (new,) = compiled(tmp_path, [*STEPS, MORE])
    assert heads(tmp_path) == [new]
    assert ScriptDirectory(str(tmp_path)).get_revision(new).down_revision == "bbb1"
    assert {p.name: p.read_bytes() for p in (tmp_path / "versions").glob("*.py") if p.name in before} == before


def test_several_heads_are_named(tmp_path: Path) -> None:
    """With alembic merge, by an export, by one that has nothing to do, and one of which another only depends on."""
    (_, last) = compiled(tmp_path)
    by_hand(tmp_path, "aaa1", None)
    by_hand(tmp_path, "bbb1", last, depends_on="aaa1")
    for again in (lambda: compiled(tmp_path), lambda: unchanged(tmp_path, "x")):
        with pytest.raises(SeveralHeads, match="aaa1") as told:
            again()
        assert "alembic merge" in told.value.hint
        assert "aaa1 bbb1" in told.value.hint
    by_hand(tmp_path, "ccc1", ("aaa1", "bbb1"))
    (new,) = compiled(tmp_path, [*STEPS, MORE])
    assert heads(tmp_path) == [new]


def test_what_is_not_said_plainly_is_an_error(tmp_path: Path) -> None:
    """A file that computes what it follows, and one that follows what is not there: named, and nothing is exported."""
    by_hand(tmp_path, "aaa1", None)
    path = tmp_path / "versions" / "aaa1_by_hand.py"
    path.write_text(path.read_text().replace("= None", "= find()"))
    with pytest.raises(ConfigurationInvalid, match="down_revision plainly"):
        compiled(tmp_path)
    by_hand(tmp_path, "aaa1", "gone")
    with pytest.raises(ConfigurationInvalid, match="follows revision gone"):
        compiled(tmp_path)
    assert not (tmp_path / "omega.sum").exists()


def test_a_start_goes_on_from_where_the_database_stands(tmp_path: Path, database: str) -> None:
    """Where what was written by hand has been applied, the head is stamped; the next start and alembic have nothing to do."""
    by_hand(tmp_path, "aaa1", None, table("patients"))
    _, last = compiled(tmp_path)
    environment.upgrade(config(tmp_path, database), "aaa1")
    run = omega_bridge.boot(database, STEPS, history=tmp_path)
    assert (run.revision, versions(database), run.warnings) == (last, [last], ())
    assert omega_bridge.boot(database, STEPS, history=tmp_path).round_trips == 1
    by_hand(tmp_path, "bbb1", last, table("invoices"))
    environment.upgrade(config(tmp_path, database), "head")
    assert versions(database) == ["bbb1"]
    again = omega_bridge.boot(database, STEPS, history=tmp_path)
    assert (again.outcome, again.round_trips, again.warnings, versions(database)) == ("current", 1, (), ["bbb1"])


@pytest.mark.parametrize("stands", [[], ["aaa1"]])
def test_a_database_before_what_was_written_by_hand_is_not_stamped(tmp_path: Path, database: str, stands: list[str]) -> None:
    """It is repaired and told so, the next start asks one question, and alembic upgrade head does the rest."""
    by_hand(tmp_path, "aaa1", None, table("patients"))
    by_hand(tmp_path, "aaa2", "aaa1", table("visits"))
    compiled(tmp_path)
    if stands:
        environment.upgrade(config(tmp_path, database), "aaa1")
    run = omega_bridge.boot(database, STEPS, history=tmp_path)
    assert versions(database) == stands
    (warning,) = run.warnings
    assert "aaa2" in warning
    assert ("aaa1, aaa2" in warning) == (not stands)
    assert "alembic upgrade head" in warning
    assert omega_bridge.boot(database, STEPS, history=tmp_path).round_trips == 1
    environment.upgrade(config(tmp_path, database), "head")
    assert versions(database) == heads(tmp_path)
    assert omega_bridge.boot(database, STEPS, history=tmp_path).outcome == "current"


@pytest.mark.parametrize("rows", [["zzz9"], ["zzz8", "zzz9"]])
def test_a_row_that_nobody_here_knows_stays(tmp_path: Path, database: str, rows: list[str]) -> None:
    """Neither a start nor adopt replaces it; both name it."""
    compiled(tmp_path)
    at(database, *rows)
    run = omega_bridge.boot(database, STEPS, history=tmp_path)
    assert "zzz9" in run.warnings[0]
    assert omega_bridge.boot(database, STEPS, history=tmp_path).round_trips == 1
    with open_session(database) as session:
        (gap,) = adopt(session, Registry.of(STEPS), analyse(Registry.of(STEPS)), None, tmp_path, ()).gaps
    assert (gap.step, "zzz9" in gap.reason) == ("alembic_version", True)
    assert versions(database) == rows


def test_adopt_waits_for_what_was_written_by_hand(tmp_path: Path, database: str) -> None:
    """It is a gap until Alembic has applied it; then the head is stamped."""
    by_hand(tmp_path, "aaa1", None, table("patients"))
    _, last = compiled(tmp_path)
    omega_bridge.boot(database, STEPS)
    analysis = analyse(Registry.of(STEPS))
    with open_session(database) as session:
        (gap,) = adopt(session, Registry.of(STEPS), analysis, None, tmp_path, ()).gaps
        assert "aaa1" in gap.reason
        at(database, "aaa1")
        assert adopt(session, Registry.of(STEPS), analysis, None, tmp_path, ()).gaps == ()
    assert versions(database) == [last]


def test_a_squash_follows_what_its_first_revision_followed(tmp_path: Path, database: str) -> None:
    """And takes in nothing that was written by hand; a rebase takes away nothing that such a revision follows."""
    by_hand(tmp_path, "aaa1", None, table("patients"))
    _, last = compiled(tmp_path)
    squash(tmp_path, last)
    assert heads(tmp_path) == [last]
    environment.upgrade(config(tmp_path, database), "head")
    assert versions(database) == [last]
    (new,) = compiled(tmp_path, [*STEPS, MORE])
    by_hand(tmp_path, "bbb1", new)
    (later,) = compiled(tmp_path, [*STEPS, MORE, "CREATE TABLE IF NOT EXISTS z (id int)"])
    with pytest.raises(ConfigurationInvalid, match="bbb1_by_hand"):
        squash(tmp_path, later)
    sums = tmp_path / "omega.sum"
    sums.write_text("".join(line for line in sums.read_text().splitlines(keepends=True) if new not in line and later not in line))
    with pytest.raises(ConfigurationInvalid, match="bbb1_by_hand"):
        rebase(tmp_path)
