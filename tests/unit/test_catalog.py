"""The catalog as a value: what is read anew takes its place, and look-ups and differences are those of a catalog read whole."""

from __future__ import annotations

import hashlib
import json
from itertools import islice
from typing import Any
from unittest.mock import patch

from hypothesis import given
from hypothesis import strategies as st

from omega_bridge.catalog import Catalog, Key, Kind, diff

NAMES = st.sampled_from(["a", "b", "c", "d"])
ON_A_TABLE = (Kind.COLUMN, Kind.CONSTRAINT, Kind.TRIGGER, Kind.POLICY)


@st.composite
def objects(draw: st.DrawFn) -> dict[Key, dict[str, Any]]:
    """Objects of every kind over few names, so that they meet; indexes and sequences may belong to a table."""
    found: dict[Key, dict[str, Any]] = {Key(Kind.SCHEMA, "", "", "s"): {"comment": draw(NAMES)}}
    for kind, name, table, attribute in draw(st.lists(st.tuples(st.sampled_from(Kind), NAMES, NAMES, NAMES), max_size=25)):
        attributes: dict[str, Any] = {"comment": attribute}
        if kind is Kind.INDEX:
            attributes["table"] = table
        if kind is Kind.SEQUENCE:
            attributes["owned_by"] = f"{table}.id"
        bare = f"{name}(integer)" if kind is Kind.FUNCTION else name
        is_global = kind in (Kind.SCHEMA, Kind.EXTENSION)
        found[Key(kind, "" if is_global else "s", table if kind in ON_A_TABLE else "", bare)] = attributes
    return found


@given(objects(), objects(), st.frozensets(NAMES))
def test_what_is_read_anew_for_some_names_takes_the_place_of_what_was_known_of_them(
    before: dict[Key, dict[str, Any]], after: dict[Key, dict[str, Any]], names: frozenset[str]
) -> None:
    """As if everything had been read, where nothing else has changed: its objects, what it finds, what differs."""
    was, now = Catalog(before), Catalog(after)
    patched = was.patched(Catalog({key: after[key] for key in now.concerned(names)}), names)
    kept = {key: value for key, value in before.items() if key not in was.concerned(names)}
    whole = Catalog({**kept, **{key: after[key] for key in now.concerned(names)}})
    assert patched == whole
    assert patched.digest() == whole.digest()
    assert diff(was, patched, among=names) == diff(was, patched) == diff(was, whole)
    for kind in Kind:
        for name in "abcd":
            assert set(patched.named(kind, name)) == set(whole.named(kind, name))
            assert len(patched.named(kind, name)) == len(set(patched.named(kind, name)))
            for table in "abcd":
                assert set(patched.named_on(kind, table, name)) == set(whole.named_on(kind, table, name))
    assert all(patched.concerned({name}) == whole.concerned({name}) for name in "abcd")
    assert was == Catalog(before)
    assert was.concerned(names) == Catalog(before).concerned(names)


def test_what_a_reader_finds_by_a_name() -> None:
    """An object by its own name, by its table's, and by the owner's; schemas and extensions always."""
    column, index = Key(Kind.COLUMN, "s", "t", "id"), Key(Kind.INDEX, "s", "", "t_pkey")
    sequence, function = Key(Kind.SEQUENCE, "s", "", "t_id_seq"), Key(Kind.FUNCTION, "s", "", "touch(integer)")
    schema = Key(Kind.SCHEMA, "", "", "s")
    catalog = Catalog({column: {}, index: {"table": "t"}, sequence: {"owned_by": '"t".id'}, function: {}, schema: {}})
    assert catalog.concerned({"t"}) == {column, index, sequence, schema}
    assert catalog.concerned({"id"}) == {schema}
    assert catalog.concerned({"touch", "t_pkey"}) == {function, index, schema}
    assert catalog.concerned(()) == {schema}


def test_what_changed_its_owner_meanwhile_is_there_once() -> None:
    """A sequence of another table, read with its new one: it stays when the old one is read, and goes with it."""
    b, sequence = Key(Kind.TABLE, "s", "", "b"), Key(Kind.SEQUENCE, "s", "", "b_id_seq")
    catalog = Catalog({b: {}, sequence: {"owned_by": "b.id"}})
    a = Key(Kind.TABLE, "s", "", "a")
    moved = catalog.patched(Catalog({a: {}, sequence: {"owned_by": "a.id"}}), {"a"})
    assert list(moved.named(Kind.SEQUENCE, "b_id_seq")) == [sequence]
    assert moved.concerned({"b"}) == {b}
    again = moved.patched(Catalog({b: {}}), {"b"})
    assert set(again) == {a, b, sequence}
    assert set(again.patched(Catalog({}), {"a"})) == {b}


@given(objects(), st.integers(1, 3), st.integers(0, 9))
def test_a_catalog_is_summed_up_in_parts_as_at_once(found: dict[Key, dict[str, Any]], size: int, parts: int) -> None:
    """However many there are, and wherever somebody stops: the text is one list, a row an object."""
    rows = [[*key, {k: v for k, v in found[key].items() if k != "position"}] for key in sorted(found)]
    text = json.dumps(rows, sort_keys=True).encode()
    with patch("omega_bridge.catalog._PART", size):
        catalog = Catalog(found)
        _ = [*islice(catalog.summed_up(), parts)]
        assert catalog.text() == text
        again = Catalog(found)
        _ = [*again.summed_up()]
        assert again.text() == text
    assert catalog.digest() == again.digest() == hashlib.sha256(text).hexdigest()
