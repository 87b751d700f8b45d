"""What was read before is taken for what is read now only where it is the same; and nothing is lost without it."""

from __future__ import annotations

import json
import os
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from omega_bridge import cache_folder, readings
from omega_bridge.analysis import Analysis, analyse
from omega_bridge.analysis.plain import as_plain, as_reading
from omega_bridge.analysis.reading import Reading, forget, reading_of
from omega_bridge.cache_folder import folder
from omega_bridge.planning.plan import Planner
from omega_bridge.postgres.clean_state import Promised
from omega_bridge.readings import Readings, reader
from omega_bridge.sources import load
from omega_bridge.steps import Registry
from tests.oracle.lists.generator import generate

LISTS = Path(__file__).parents[1] / "data" / "lists"
NAMES = {
    "chat": "migration_steps", "clinic": "migration_steps", "crm": "crm_steps", "fleet": "fleet", "library": "list_of_repairs",
    "orders": "its_list", "shop": "REPAIRS", "tickets": "STEPS",
}  # fmt: skip
OTHERS = [
    "SET search_path = a, b", "SELECT 1; SELECT 2", "-- nothing", "CREATE TABLE \"\N{SNOWMAN}\" (a text DEFAULT E'\\n')",
    "DO $$ BEGIN EXECUTE 'CREATE TABLE x ()'; END $$", "VACUUM t", "ALTER TABLE t RENAME TO u", "UPDATE t SET a = 1 WHERE a = 2",
]  # fmt: skip
DERIVED = [
    "names", "taken_away", "label", "checksum", "provides", "size", "is_certain", "hangs_on_the_rest", "only_sets", "transactional", "may_destroy",
    "is_additive",
]  # fmt: skip
UNREADABLE = "CREATE TABLE ("
TEXTS = ["CREATE TABLE t (id int)", "ALTER TABLE t ADD COLUMN a text", "CREATE INDEX i ON t (a)"]


@pytest.fixture(autouse=True)
def nothing_read_before() -> Iterator[None]:
    """Each test as in a process that has just begun."""
    forget()
    yield
    forget()


def kept(place: Path, texts: list[str]) -> tuple[Analysis, list[str]]:
    """The list as a start reads it, and the texts that were read anew."""
    forget()
    held = Readings(place, texts)
    taken = [r.text for r in held._kept()]
    names = held.names()
    held.give()
    analysis = analyse(Registry.of(texts))
    assert names is None or names == analysis.names() or taken == []
    held.keep(step.reading for step in analysis)
    return analysis, [t for t in texts if t not in taken]


def the_file(place: Path) -> Path:
    """The one file that is kept."""
    (path,) = place.iterdir()
    return path


LISTED = {
    **{name: [step.sql for step in load(f"{name}_main.py:{variable}", root=LISTS)] for name, variable in NAMES.items()},
    **{f"seeds {n} to {n + 49}": [t for seed in range(n, n + 50) for t in generate(seed).texts] for n in (0, 50, 100, 150)},
    "others": OTHERS,
}


@pytest.mark.parametrize("texts", LISTED.values(), ids=[name.replace(" ", "-") for name in LISTED])
def test_what_is_kept_is_what_is_read(texts: list[str], tmp_path: Path) -> None:
    """A list is understood alike, to every value and its type, whether its steps are read now or were read by an earlier start."""
    now, _ = kept(tmp_path, texts)
    then, anew = kept(tmp_path, texts)
    assert [s for s in then if s.problem is None] == [s for s in now if s.problem is None]  # errors are equal to themselves alone
    assert {t for t in anew if reading_of(t).problem is None and not _is_unread(reading_of(t))} == set()
    for one, other in zip(now, then, strict=True):
        if one.step.sql not in anew:
            assert one.reading is not other.reading
        assert repr(one) == repr(other)
        bare = Reading(one.reading.text, one.reading.program, one.reading.kind, one.reading.problem)
        assert [getattr(other.reading, name) for name in DERIVED] == [getattr(bare, name) for name in DERIVED]


def _is_unread(reading: Reading) -> bool:
    return any(s.tag == "unreadable" for s in reading.statements)


def test_only_what_is_new_is_read(tmp_path: Path) -> None:
    """An edited text is read anew, a cosmetic edit too, and what stayed is not."""
    assert kept(tmp_path, TEXTS)[1] == TEXTS
    edited = [TEXTS[0], "ALTER TABLE t ADD COLUMN a  text", TEXTS[2], "CREATE INDEX j ON t (a)"]
    assert kept(tmp_path, edited)[1] == [edited[1], edited[3]]
    assert kept(tmp_path, edited)[1] == []


def test_another_releases_list_is_kept_beside(tmp_path: Path) -> None:
    """Two releases that start in turns do not read anew what the other had not."""
    kept(tmp_path, TEXTS)
    kept(tmp_path, TEXTS[:2])
    assert kept(tmp_path, TEXTS)[1] == []


def test_another_reader_is_not_believed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What another version of the bridge or of the parser has read is read anew, and replaced."""
    kept(tmp_path, TEXTS)
    monkeypatch.setattr(readings, "reader", lambda: "another")
    assert kept(tmp_path, TEXTS)[1] == TEXTS
    assert kept(tmp_path, TEXTS)[1] == []


def test_the_reader_is_its_source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Any change to a module that a reading passes through, to the parser, or to the release, makes another reader."""
    (tmp_path / "__init__.py").write_text("__version__ = '1'")
    os.utime(tmp_path / "__init__.py", (1, 1))
    for name in readings._SOURCES:
        (tmp_path / name).mkdir(exist_ok=True)
        (tmp_path / name / "one.py").write_text("1")
    monkeypatch.setattr(readings, "_PACKAGE", tmp_path)
    seen = {reader.__wrapped__()}
    for name in readings._SOURCES:
        (tmp_path / name / "one.py").write_text("12")  # another size
        seen.add(reader.__wrapped__())
        os.utime(tmp_path / name / "one.py", (1, 1))  # another time
        seen.add(reader.__wrapped__())
        (tmp_path / name / "one.py").rename(tmp_path / name / "two.py")
        seen.add(reader.__wrapped__())
        (tmp_path / name / "three.py").write_text("")
        seen.add(reader.__wrapped__())
    monkeypatch.setattr(readings, "_parser", lambda: b"another")
    seen.add(reader.__wrapped__())
    (tmp_path / "__init__.py").write_text("__version__ = '2'")
    os.utime(tmp_path / "__init__.py", (1, 1))
    seen.add(reader.__wrapped__())
    assert len(seen) == 4 * len(readings._SOURCES) + 3
    shutil.rmtree(tmp_path / "sql")
    assert reader.__wrapped__() is None


def test_every_module_that_reads_is_part_of_the_reader() -> None:
    """Whatever modules of the package reading a text loads, their source counts."""
    import subprocess
    import sys

    told = subprocess.run(
        [sys.executable, "-c", "import sys; from omega_bridge.analysis.reading import reading_of; reading_of('SELECT 1').names\n"
         "print(*[m.__file__ for n, m in sys.modules.items() if n.partition('.')[0] == 'omega_bridge'], sep='\\n')"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    counted = {(readings._PACKAGE / name).resolve() for name in readings._SOURCES}
    assert {Path(line).resolve().parent for line in told.stdout.split()} <= counted


BROKEN = {
    "empty": lambda raw: b"",
    "cut": lambda raw: raw[:-1],
    "foreign": lambda raw: b"PK\x03\x04" + raw,
    "changed": lambda raw: raw.replace(b"column", b"colunm", 1),
    "another format": lambda raw: raw.replace(b" 2 ", b" 1 ", 1),
}


@pytest.mark.parametrize("form", BROKEN)
def test_a_broken_file_is_none(form: str, tmp_path: Path) -> None:
    """What is not whole is not used, and is replaced."""
    kept(tmp_path, TEXTS)
    path = the_file(tmp_path)
    whole = path.read_bytes()
    path.write_bytes(BROKEN[form](whole))
    assert kept(tmp_path, TEXTS)[1] == TEXTS
    assert path.read_bytes() == whole


@pytest.mark.parametrize(
    "line",
    ["7", "[]", '["schema"]', '["schema",[],[],[],[],[0]]', "[[" * 3000, "{}", '["nothing",[1,2,3,4,5,6,7,8,9],[],[],[],[0]]'],
)
def test_data_of_another_form_is_no_reading(line: str, tmp_path: Path) -> None:
    """A line that no reading is written as counts as none, though the file is whole: nothing in it is run."""
    held = Readings(tmp_path, TEXTS)
    key = next(iter(held._by_key))
    (tmp_path / f"{key[:16]}.readings").write_bytes(readings._whole(str(reader()), [(key, line.encode())]))
    assert kept(tmp_path, TEXTS)[1] == TEXTS
    assert kept(tmp_path, TEXTS)[1] == []


@pytest.mark.parametrize("program", [b"", b"7", b"[]", b"[9999]", b"[0,[18]]", b"[[" * 3000, b'["no"]'])
def test_a_program_of_another_form_is_read_anew(program: bytes, tmp_path: Path) -> None:
    """A program is decoded when it is asked for; where none is written there, the text is read."""
    derived, _ = as_plain(reading_of(TEXTS[1]))
    assert as_reading(TEXTS[1], derived, program).program == reading_of(TEXTS[1]).program
    assert as_reading(TEXTS[1], derived, program).kind is reading_of(TEXTS[1]).kind


def test_of_a_kept_list_no_program_is_decoded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a start has to know of every step does not need its program."""
    kept(tmp_path, TEXTS)
    monkeypatch.setattr("omega_bridge.analysis.plain._program", lambda plain: pytest.fail(f"decoded: {plain}"))
    analysis, anew = kept(tmp_path, TEXTS)
    promised = Promised(analysis, analysis.names())
    promised.think()
    Planner(analysis)
    assert anew == []


@pytest.mark.parametrize("mode", [0o620, 0o602, 0o666], ids=oct)
def test_a_file_that_others_may_write_is_none(mode: int, tmp_path: Path) -> None:
    """A file that the group or the world may write is not read."""
    kept(tmp_path, TEXTS)
    the_file(tmp_path).chmod(mode)
    assert kept(tmp_path, TEXTS)[1] == TEXTS
    assert stat.S_IMODE(the_file(tmp_path).stat().st_mode) == 0o600


def test_a_link_is_none(tmp_path: Path) -> None:
    """A name that leads elsewhere is not followed, neither to read nor to write."""
    elsewhere, place = tmp_path / "elsewhere", tmp_path / "place"
    kept(place, TEXTS)
    the_file(place).rename(elsewhere)
    before = elsewhere.read_bytes()
    (place / f"{next(iter(Readings(None, TEXTS)._by_key))[:16]}.readings").symlink_to(elsewhere)
    assert kept(place, TEXTS)[1] == TEXTS
    assert not the_file(place).is_symlink()
    assert elsewhere.read_bytes() == before


def test_another_users_file_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that another user made is not read."""
    kept(tmp_path, TEXTS)
    found = os.stat(the_file(tmp_path))
    assert cache_folder._is_ours(found)
    theirs = os.stat_result([*found[:4], os.geteuid() + 1, *found[5:10]])
    assert not cache_folder._is_ours(theirs)


def test_what_is_no_file_is_none(tmp_path: Path) -> None:
    """A folder or a pipe in the place of one; and nothing of it stays open."""
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    before = len(os.listdir("/dev/fd"))
    for name in ("folder", "pipe"):
        with pytest.raises(OSError, match="alone"):
            cache_folder.private_bytes(tmp_path / name)
    assert len(os.listdir("/dev/fd")) == before


def test_a_folder_that_others_may_write_is_not_used(tmp_path: Path) -> None:
    """Nothing is written where others could put something in its place."""
    tmp_path.chmod(0o777)
    assert kept(tmp_path, TEXTS)[1] == TEXTS
    assert list(tmp_path.iterdir()) == []


def test_what_cannot_be_written_is_not_kept(tmp_path: Path) -> None:
    """A start goes on where the folder cannot be made."""
    (tmp_path / "file").write_text("")
    analysis, _ = kept(tmp_path / "file" / "below", TEXTS)
    assert len(analysis) == 3


def test_what_does_not_parse_is_read_anew(tmp_path: Path) -> None:
    """A text that the parser rejects keeps its error with its place, so it is not kept; what stands beside it is."""
    texts = [*TEXTS, UNREADABLE]
    kept(tmp_path, texts)
    analysis, anew = kept(tmp_path, texts)
    assert anew == [UNREADABLE]
    assert analysis.steps[3].problem is not None
    with pytest.raises(ValueError, match="read of a text alone"):
        as_plain(reading_of(UNREADABLE))


def test_plain_is_json() -> None:
    """What is written survives JSON as it is."""
    reading = reading_of(TEXTS[0])
    plain = as_plain(reading)
    assert json.loads(json.dumps(plain)) == [*plain]
    assert as_reading(TEXTS[0], plain[0], json.dumps(plain[1]).encode()) == reading


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({"OMEGA_BRIDGE_CACHE": "/c", "HOME": "/h"}, "/c"),
        ({"XDG_CACHE_HOME": "/x", "HOME": "/h"}, "/x/omega-bridge"),
        ({"HOME": "/h"}, "/h/.cache/omega-bridge"),
        ({"XDG_CACHE_HOME": "relative"}, None),
        ({}, None),
        ({"OMEGA_BRIDGE_CACHE": "off", "HOME": "/h"}, None),
        ({"OMEGA_BRIDGE_CACHE": "No", "HOME": "/h"}, None),
    ],
)
def test_where_it_is_kept(environ: dict[str, str], expected: str | None) -> None:
    """The environment says where, or that nothing is kept."""
    assert folder(environ) == (Path(expected) if expected else None)


def test_switched_off_nothing_is_written() -> None:
    """Without a folder a list is read as ever."""
    held = Readings(None, TEXTS)
    held.give()
    held.keep([reading_of(t) for t in TEXTS])
    assert list(held._kept()) == []
