"""A kind of object is known whole, or the import or a test says what was forgotten."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from importlib import invalidate_caches
from pathlib import Path

import pytest
from postgast import pg_query_pb2 as pb

from omega_bridge import kinds
from omega_bridge.analysis import effects
from omega_bridge.catalog import BY_TABLE, Catalog, Key, Kind
from omega_bridge.kinds import COUNTED, LEAVES, ROOMS, SAID, gathered
from omega_bridge.kinds.statements import Read, ReadAs
from omega_bridge.postgres.whole_catalog import written
from omega_bridge.tags import Tag

MODULES = [kind.replace(" ", "_") for kind in Kind]
ROOM = '''"""A kind that is not whole."""

from omega_bridge.catalog import Kind
from omega_bridge.kinds.room import Room, Stored
from omega_bridge.kinds.statements import COMMENT, DROP, NONE, OWNER, RENAME, Statements, unnamed
from omega_bridge.tags import Tag

ROOM = Room(
    Kind.EVENT_TRIGGER,
    Stored("pg_event_trigger", "x.evtname", owner="evtowner"),
    {"event": "x.evtevent"},
    statements=Statements(
        create=unnamed(Tag.CREATE_EVENT_TRIG),
        alter=unnamed(Tag.ALTER_EVENT_TRIG),
        drop=DROP,
        comment=COMMENT,
        rename=RENAME,
        owner=OWNER,
        grant=NONE,
        set_schema=NONE,
    ),
    counted=(),
)
'''
OF_THE_SERVER = {
    Tag.ALTER_DATABASE_REFRESH_COLL, Tag.ALTER_SYSTEM, Tag.ALTER_TABLE_MOVE_ALL,
    Tag.ALTER_TABLE_SPACE_OPTIONS, Tag.CREATE_TABLE_SPACE, Tag.CREATEDB,
    Tag.DROP_TABLE_SPACE, Tag.DROPDB,
}  # fmt: skip
OF_THE_SESSION = {
    Tag.CHECK_POINT, Tag.CLOSE_PORTAL, Tag.CONSTRAINTS_SET, Tag.DEALLOCATE, Tag.DECLARE_CURSOR, Tag.DISCARD,
    Tag.DO, Tag.EXECUTE, Tag.FETCH, Tag.LISTEN, Tag.LOAD, Tag.NOTIFY, Tag.PREPARE, Tag.TRANSACTION,
    Tag.UNLISTEN, Tag.VARIABLE_SET,
}  # fmt: skip
OF_ANY_KIND = {Tag.DROP_OWNED, Tag.REASSIGN_OWNED}
NO_STATEMENTS = {Tag.PLASSIGN, Tag.RAW, Tag.REPLICA_IDENTITY, Tag.RETURN, Tag.SET_OPERATION}
"""Nodes of the grammar that stand inside others."""


@pytest.fixture
def gather(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Gathers the rooms with one of this text among them."""
    monkeypatch.setattr(kinds, "__path__", [*kinds.__path__, str(tmp_path)])

    def with_room(text: str) -> None:
        (tmp_path / "unfinished.py").write_text(text)
        sys.modules.pop("omega_bridge.kinds.unfinished", None)
        invalidate_caches()
        gathered([*MODULES, "unfinished"])

    return with_room


@pytest.mark.parametrize(
    ("said", "read", "told"),
    [
        ("create=unnamed(Tag.CREATE_EVENT_TRIG)", 'create=Read(Tag.CREATE_EVENT_TRIG, "objects.create_schema")', "there"),
        ("drop=DROP", 'drop=dropped("OBJECT_EVENT_TRIGGER")', "gone"),
        ("comment=COMMENT", 'comment=commented("OBJECT_EVENT_TRIGGER")', "comment"),
        ("rename=RENAME", 'rename=renamed("OBJECT_EVENT_TRIGGER")', "renamed"),
    ],
    ids=lambda value: value if value.isidentifier() else "",
)
def test_what_is_read_can_be_asked_for(gather: Callable[[str], None], said: str, read: str, told: str) -> None:
    """Who has a statement read is told what a revision then has to know of the kind."""
    text = ROOM.replace("import COMMENT,", "import COMMENT, Read, commented, dropped, renamed,").replace(said, read)
    with pytest.raises(ImportError, match=rf"kinds/unfinished.py is not complete: .*Asked lacks '{told}'"):
        gather(text)


@pytest.mark.parametrize(
    ("lacks", "told"),
    [
        *(
            (f"        {verb}={value},\n", verb)
            for verb, value in (("grant", "NONE"), ("rename", "RENAME"), ("set_schema", "NONE"))
        ),
        ("    counted=(),\n", "counted"),
        ("ROOM = ", "ROOM"),
        ('    Stored("pg_event_trigger", "x.evtname", owner="evtowner"),\n    {"event": "x.evtevent"},\n', "stored"),
    ],
    ids=lambda value: value.strip() if value.isidentifier() else "",
)
def test_a_room_that_lacks_a_part_is_no_room(gather: Callable[[str], None], lacks: str, told: str) -> None:
    """Who forgets a part of a kind is told which, and in which file, by the import itself."""
    with pytest.raises(ImportError, match=rf"kinds/unfinished.py is not complete: .*'{told}'"):
        gather(ROOM.replace(lacks, ""))


def test_a_room_stands_under_its_own_name(gather: Callable[[str], None]) -> None:
    """A kind is found by its name."""
    with pytest.raises(ImportError, match=r"kinds/unfinished.py is the room of event trigger: name it so"):
        gather(ROOM)


def test_a_room_is_some_kinds() -> None:
    """A room alone is not enough: the word in ``Kind`` that it is for is not forgotten."""
    frame = {"__init__", "room", "counted", "privileges", "question", "restoring", "statements", "values"}
    rooms = {path.stem for path in Path(kinds.__file__).parent.glob("*.py")} - frame
    assert rooms == set(MODULES), "add the kind to omega_bridge/catalog.py: Kind"


def test_a_kind_without_a_room_is_told() -> None:
    """A word in ``Kind`` alone is not enough."""
    with pytest.raises(ImportError, match=r"lacks a room for: domain, event trigger$"):
        gathered(m for m in MODULES if m not in ("domain", "event_trigger"))


def test_the_tags_are_those_of_the_grammar() -> None:
    """A statement of a new grammar has a tag before it is met, and none is there that PostgreSQL does not know."""
    grammar = {field.name for field in pb.Node.DESCRIPTOR.fields if field.name.endswith("_stmt")}
    assert {tag.value for tag in Tag if tag.is_sql} == grammar
    assert all(tag.name == tag.removesuffix("_stmt").upper() for tag in Tag if tag.is_sql)


def test_no_tag_is_spelled_by_hand() -> None:
    """Who compares a tag names a member of the enumeration: a slip of the pen is found before it runs."""
    spelled = re.compile(r"""["'][a-z_]+_stmt["']""")
    modules = [path for path in Path(kinds.__file__).parents[1].rglob("*.py") if path.name != "tags.py"]
    assert [path for path in modules if spelled.search(path.read_text())] == []


def test_every_statement_of_the_grammar_is_some_kinds() -> None:
    """No statement is overlooked: each is said by a kind's room, or belongs to the session or the server."""
    grammar = {tag for tag in Tag if tag.is_sql} - NO_STATEMENTS
    said = {tag for one in SAID if not isinstance(one, ReadAs) for tag in one.tags}
    assert said <= grammar
    assert grammar - said == OF_THE_SERVER | OF_THE_SESSION | OF_ANY_KIND


def test_what_a_statement_leaves_is_counted() -> None:
    """Where a statement leaves what is known by no name, that catalog counts as a whole."""
    assert {catalog for catalogs in LEAVES.values() for catalog in catalogs} <= COUNTED.keys()


@pytest.mark.parametrize("room", [room for room in ROOMS.values() if not room.is_of_server], ids=lambda room: str(room.kind))
def test_every_kind_is_watched(room: kinds.Room) -> None:
    """An object of any kind that is lost is seen: its catalog counts as a whole, or is asked for by names and schemas."""
    by_name = {"pg_class", "pg_attribute", "pg_constraint", "pg_type", "pg_proc"}
    views_of = {"pg_seclabels": "pg_seclabel"}
    assert views_of.get(room.stored.catalog, room.stored.catalog) in by_name | COUNTED.keys()


def test_every_kind_counts_around_a_step_of_unknown_effect() -> None:
    """What such a step does is looked for in every catalog that a room counts, and in that of every kind."""
    asked = set(re.findall(r"FROM pg_catalog\.(\w+)", written(190000)))
    kept = {room.stored.catalog for room in ROOMS.values() if not room.is_of_server} - {"pg_seclabels"}
    assert kept | COUNTED.keys() <= asked


@pytest.mark.parametrize("room", [room for room in ROOMS.values() if room.is_common], ids=lambda room: str(room.kind))
def test_what_is_looked_for_by_name_is_found_by_its_name(room: kinds.Room) -> None:
    """An object is found by its own name or its table's; what lies in no schema is read whatever is looked for."""
    stored = room.stored
    lies_in = bool(stored.namespace or stored.table)
    key = Key(room.kind, "s" if lies_in else "", "t" if stored.table else "", "n")
    held = Catalog({key: {}})
    assert (key in held.concerned([])) is not lies_in
    assert key in held.concerned(["t" if stored.table else "n"])


@pytest.mark.parametrize("reader", ["objects.create_nothing", "nowhere.create_enum", "objects.split"])
def test_a_reader_that_is_not_there_is_told(reader: str) -> None:
    """A room that names a function which does not exist, or one without its fields, is told."""
    with pytest.raises(ImportError, match=rf"create_am_stmt is said to be read by {reader}"):
        effects._reader(Read(Tag.CREATE_AM, reader))


def test_what_is_found_by_its_table_alone_is_known() -> None:
    """A catalog that is read anew for some names gives up exactly what the reader would have found by them."""
    assert {kind for kind, room in ROOMS.items() if room.rows.startswith("tables ")} == BY_TABLE
