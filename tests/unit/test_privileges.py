"""Who may do what: as PostgreSQL keeps it, in the form that is compared, and the SQL that makes one of the other."""

from __future__ import annotations

import pytest

from omega_bridge.analysis import analyse
from omega_bridge.analysis.owners import given
from omega_bridge.analysis.server import DATABASE, said_of_server
from omega_bridge.catalog import Catalog, Key, Kind
from omega_bridge.expectation import Expectation, compare
from omega_bridge.expectation_file import from_text, to_text
from omega_bridge.kinds.privileges import RUNNER, granted, of_new, privileges
from omega_bridge.steps import Registry

TABLE = Key(Kind.TABLE, "public", "", "t")


@pytest.mark.parametrize(
    ("kind", "items", "told"),
    [
        (Kind.TABLE, None, None),
        (Kind.TABLE, [], ("owner=",)),
        (Kind.TABLE, ["me=arwdDxtm/me"], ("owner=all",)),
        (Kind.TABLE, ["me=arwdDxt/me", "=r/me"], ("public=r",)),
        (Kind.TABLE, ["=r/me"], ("owner=", "public=r")),
        (Kind.TABLE, ["me=rw/me"], ("owner=rw",)),
        (Kind.TABLE, ["me=arwdDxtm/me", "you=r*m*/me"], ("you=r*",)),
        (Kind.TABLE, ["me=arwdDxtm/me", '"a ""b"=r/me'], ('a "b=r',)),
        (Kind.FUNCTION, ["me=X/me", "=X/me"], of_new(Kind.FUNCTION)),
        (Kind.FUNCTION, ["me=X/me"], ("owner=all",)),
        (Kind.COLUMN, ["you=r/me"], ("you=r",)),
        (Kind.SCHEMA, ["me=UC/me", "you=U/me"], ("you=U",)),
        (Kind.SCHEMA, ["pg_database_owner=UC/pg_database_owner", "me=UC/me"], ("owner=all",)),
        (Kind.SCHEMA, ["pg_database_owner=UC"], ("owner=all",)),
        (Kind.TABLE, ["public=r"], ("public=r",)),
        (Kind.TABLE, ["owner=all"], ("owner=all",)),
    ],
)
def test_privileges_have_one_form(kind: Kind, items: list[str] | None, told: tuple[str, ...] | None) -> None:
    """Whatever release printed them and whoever granted them: the same rights are the same text, and what the owner lacks is told."""
    assert privileges(kind, items, "me") == told


@pytest.mark.parametrize(
    ("key", "expected", "found", "text"),
    [
        (TABLE, ("owner=all",), ("owner=r",), "GRANT INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER ON TABLE public.t TO me"),
        (TABLE, ("public=r",), ("owner=all",), "GRANT SELECT ON TABLE public.t TO PUBLIC"),
        (TABLE, ("you=r",), ("you=r*w",), "REVOKE UPDATE ON TABLE public.t FROM you; REVOKE GRANT OPTION FOR SELECT ON TABLE public.t FROM you"),
        (TABLE, ("you=r*",), ("you=r",), "GRANT SELECT ON TABLE public.t TO you WITH GRANT OPTION"),
        (Key(Kind.COLUMN, "public", "t", "a"), ("you=r",), ("owner=all",), "GRANT SELECT (a) ON TABLE public.t TO you"),
        (Key(Kind.FUNCTION, "public", "", "f(integer)"), ("owner=all",), ("public=X",), "REVOKE EXECUTE ON ROUTINE public.f(integer) FROM PUBLIC"),
        (Key(Kind.SCHEMA, "", "", "S"), ("you=UC",), ("owner=all",), 'GRANT USAGE, CREATE ON SCHEMA "S" TO you'),
        (Key(Kind.DEFAULT_PRIVILEGES, "", "", "tables of me"), ("you=r",), ("owner=all",), ""),
        (TABLE, ("you=?",), ("owner=all",), ""),
    ],
)  # fmt: skip
def test_the_sql_that_makes_one_of_the_other(key: Key, expected: tuple[str, ...], found: tuple[str, ...], text: str) -> None:
    """What is lacking is granted, what is too much is revoked; of what is not known for certain nothing is said."""
    assert granted(key, expected, found, "me") == text


def test_what_a_list_says_of_owners_is_found() -> None:
    """In every form, inside a block too; a role that is computed is not one."""
    steps = [
        "ALTER TABLE a OWNER TO CURRENT_USER; ALTER TYPE s.b OWNER TO \"X y\"",
        "DO $$ BEGIN ALTER FUNCTION f(int) OWNER TO SESSION_USER; EXECUTE format('ALTER TABLE c OWNER TO %I', current_user); END $$",
        "ALTER SCHEMA s OWNER TO CURRENT_ROLE",
        "ALTER OPERATOR + (int, int) OWNER TO x",
    ]  # fmt: skip
    assert [(str(g.key.kind), g.key.name, g.role) for g in given(analyse(Registry.of(steps)))] == [
        ("table", "a", ""),
        ("sequence", "a", ""),
        ("enum", "b", "X y"),
        ("function", "f(integer)", ""),
        ("schema", "s", ""),
    ]


def holding(key: Key, **attributes: object) -> Catalog:
    """A catalog with one object."""
    return Catalog({key: attributes}, ("public",), 180000)


@pytest.mark.parametrize(
    "owned", [{}, {TABLE: "CURRENT_USER"}, {TABLE: "maker"}], ids=["of nobody", "of who runs the list", "by name"]
)
def test_an_owner_is_compared_where_a_step_gives_one(owned: dict[Key, str]) -> None:
    """Also where that is who made the expectation, and through the file."""
    here = Expectation(holding(TABLE, owner="maker"), "maker", "", owned=owned)
    for expected in (here, from_text(to_text(here), "here")):
        found = {
            owner: [(d.expected, d.found) for d in compare(expected, holding(TABLE, owner=owner), "app").departures]
            for owner in ("app", "maker")
        }
        wanted = {"CURRENT_USER": "app"}.get(owned.get(TABLE, ""), owned.get(TABLE))
        assert found == {owner: [(wanted, owner)] if wanted not in (None, owner) else [] for owner in ("app", "maker")}


def test_an_owner_who_lacks_something_is_no_owner_as_new() -> None:
    """What a hand took from the owner is told, whether a step gives it or not; an earlier release's file is understood."""
    taken = holding(TABLE, owner="app", grants=["app=r/app"])
    for given_by_a_step in (None, ["app=arwdDxtm/app"]):
        expected = Expectation(holding(TABLE, owner="app", grants=given_by_a_step), "app", "")
        assert [d.attribute for d in compare(expected, taken, "app").departures] == ["grants"]
        assert compare(expected, holding(TABLE, owner="app", grants=None), "app").departures == ()
    function = Key(Kind.FUNCTION, "public", "", "f()")
    older = to_text(Expectation(holding(function, grants=["app=X/app"]), "app", "")).replace('["owner=all"]', "[]")
    assert compare(from_text(older, "here"), holding(function, grants=["app=X/app"]), "app").departures == ()
    own_defaults = Catalog({**taken.objects, Key(Kind.DEFAULT_PRIVILEGES, "", "", "tables of app"): {}}, ("public",), 180000)
    told = compare(Expectation(holding(TABLE, owner="app"), "app", ""), own_defaults, "app")
    assert (told.departures, len(told.unseen)) == ((), 1)


def test_what_a_list_says_of_the_server_is_found() -> None:
    """The roles that a step is about, inside a block too, and the database; not those that are only named on the way."""
    steps = [
        "CREATE ROLE reader; ALTER ROLE \"Big one\" SET search_path = app",
        "DO $$ BEGIN ALTER ROLE writer NOLOGIN; EXECUTE format('ALTER ROLE %I LOGIN', current_user); END $$",
        "GRANT reader TO member, CURRENT_USER",
        "GRANT SELECT ON t TO somebody",
    ]  # fmt: skip
    roles = {Key(Kind.ROLE, "", "", name) for name in ("reader", "Big one", "writer", "member")}
    membership = Key(Kind.ROLE, "", RUNNER, "reader")  # of who runs the list
    assert said_of_server(analyse(Registry.of(steps))) == {*roles, membership}
    assert said_of_server(analyse(Registry.of(["GRANT CREATE ON DATABASE x TO y"]))) == {DATABASE}


def test_what_an_administrator_grants_on_the_schema_of_every_database_is_no_loss() -> None:
    """Who starts may create there, and need not own it; a file of an earlier release names its owner."""
    schema, owner = Key(Kind.SCHEMA, "", "", "public"), "pg_database_owner=UC/pg_database_owner"
    found = holding(schema, owner=None, grants=[owner, "=U/pg_database_owner", "app=C/pg_database_owner"])
    told = compare(Expectation(holding(schema, owner=None), "app", ""), found, "app")
    assert (told.departures, len(told.unseen)) == ((), 1)
    given_by_a_step = Expectation(holding(schema, owner=None, grants=["pg_database_owner=UC", "public=U", "reader=U"]), "", "")
    there = holding(schema, owner=None, grants=[owner, "=U/pg_database_owner", "reader=U/pg_database_owner"])
    assert compare(given_by_a_step, there, "app").departures == ()
