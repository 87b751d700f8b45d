"""Lists from text, folders and modules; the registry; URLs; quoting; the ledger's chain."""

from __future__ import annotations

import ast
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from omega_bridge.errors import OmegaBridgeError
from omega_bridge.ledger import Draft, Driver, Event, Tip, first_broken, seal
from omega_bridge.postgres.dsn import conninfo, normalise
from omega_bridge.redaction import redact
from omega_bridge.revisions.quoting import quoted
from omega_bridge.sources import load
from omega_bridge.sources.text import parse_list
from omega_bridge.steps import Registry, Step, digest_of


def test_a_list_that_grew_in_many_places() -> None:
    """Literals, concatenation, later +=, append, extend and insert; comments are titles; lines are those of the file."""
    text = """PREFIX = "app"
steps: list[str] = [
    # 1. the table
    "CREATE TABLE t ("
    "a int)",
    f"ALTER TABLE {PREFIX}_t ADD b int",  # beside
    ("named", "SELECT 1"),
]
steps += ["SELECT 2"]
steps.append(r"SELECT '\\d'")
steps.extend(["SELECT 3", "SELECT 4"])
steps.insert(0, "SELECT 0")
"""
    found = parse_list(text, "steps", "main.py")
    assert [s.sql for s in found] == [
        "SELECT 0", "CREATE TABLE t (a int)", "ALTER TABLE app_t ADD b int", "SELECT 1", "SELECT 2", "SELECT '\\d'", "SELECT 3", "SELECT 4",
    ]  # fmt: skip
    assert (found.steps[1].title, str(found.steps[1].place)) == ("1. the table", "main.py:4")
    assert found.steps[3].id == "named"


def test_a_folder_of_sql(tmp_path: Path) -> None:
    """In the order of their numbers, not of their letters."""
    for name in ("10_c.sql", "9_b.sql", "1_a.sql"):
        (tmp_path / name).write_text(f"SELECT '{name}'")
    assert [s.sql for s in load(str(tmp_path))] == ["SELECT '1_a.sql'", "SELECT '9_b.sql'", "SELECT '10_c.sql'"]


@pytest.mark.parametrize("source", ["nowhere.py:steps", "nowhere", "no.such.module:steps", "json:loads"])
def test_what_is_no_list_is_told(source: str, tmp_path: Path) -> None:
    """A source that leads nowhere is an error with a hint."""
    with pytest.raises(OmegaBridgeError) as told:
        load(source, root=tmp_path)
    assert told.value.hint


def test_registries_of_every_form() -> None:
    """Strings, pairs, steps, and columns by table."""
    found = Registry.of(["SELECT 1", ("two", "SELECT 2"), Step("SELECT 3", id="three")])
    assert [s.id for s in found] == [None, "two", "three"]
    assert [s.sql for s in Registry.of({"t": [("a", "int")]})] == ["ALTER TABLE t ADD COLUMN IF NOT EXISTS a int"]


@pytest.mark.parametrize("bad", ["SELECT 1", b"SELECT 1", 7, [7], [("a", "SELECT 1"), ("a", "SELECT 2")]])
def test_bad_registries_are_told(bad: Any) -> None:
    """A string is no list of steps, and neither is a number; an id used twice is named."""
    with pytest.raises(OmegaBridgeError) as told:
        Registry.of(bad)
    assert told.value.hint


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(
        st.text(alphabet=st.characters(blacklist_categories=["Cs"]), min_size=1).filter(lambda s: s.strip() != ""), max_size=5
    )
)
def test_the_short_way_to_a_digest_is_the_long_one(listed: list[str]) -> None:
    """A start computes the digest of a plain list without making steps of it."""
    assert digest_of(listed) == Registry.of(listed).digest()


@pytest.mark.parametrize(
    "second", ["SELECT 2", Step("SELECT 2"), Step("SELECT 2", destructive=True), ("b", "SELECT 2"), ["b", "SELECT 2"]]
)
def test_a_list_that_changed_since_it_was_last_seen_has_another_digest(second: Any) -> None:
    """Also where an entry changed within the same list, or an entry itself changed in its place."""
    listed: list[Any] = ["SELECT 1", second]
    first = digest_of(listed)
    assert digest_of(list(listed)) == digest_of(tuple(listed)) == first == Registry.of(listed).digest()
    if isinstance(second, list):
        second[1] = "SELECT 3"
    else:
        listed[1] = "SELECT 3"
    assert digest_of(listed) == Registry.of(listed).digest() != first
    listed.append("SELECT 4")
    assert digest_of(listed) == Registry.of(listed).digest()


URLS = {
    "postgres://u@h/d": "postgresql://u@h/d",
    "postgresql+asyncpg://u:p%40@h:5433/d": "postgresql://u:p%40@h:5433/d",
    "postgresql+psycopg2://u@/d?host=/run/postgresql": "postgresql://u@/d?host=%2Frun%2Fpostgresql",
    "postgresql+asyncpg://u@h/d?ssl=require": "postgresql://u@h/d?sslmode=require",
    "postgresql+asyncpg://u@h/d?application_name=a%20b&pool_size=5": "postgresql://u@h/d?application_name=a%20b",
    "postgresql+asyncpg://u@h/d?%73sl=true": "postgresql://u@h/d?sslmode=require",
    "postgresql://u@h/d?application_name=a+b": "postgresql://u@h/d?application_name=a%20b",
    "postgresql://u@h/d?options=-c%20search_path%3Dx": "postgresql://u@h/d?options=-c%20search_path%3Dx",
    "postgresql://u@h/d?options=-csearch_path=tenant": "postgresql://u@h/d?options=-csearch_path%3Dtenant",
    "postgresql://u@h/d?application_name=a b&sslmode=disable": "postgresql://u@h/d?application_name=a%20b&sslmode=disable",
    "postgresql://u@h/d?password=s3cret%": "postgresql://u@h/d?password=s3cret%25",
    "postgresql://u@h/d?&sslmode=require&&port=1": "postgresql://u@h/d?sslmode=require&port=1",
    "postgresql://u@h/d?host=/run/pg,10.0.0.1&port=1,2": "postgresql://u@h/d?host=%2Frun%2Fpg%2C10.0.0.1&port=1%2C2",
    "host=h dbname=d": "host=h dbname=d",
}


@pytest.mark.parametrize(("given_url", "libpq"), URLS.items())
def test_urls_of_every_driver(given_url: str, libpq: str) -> None:
    """SQLAlchemy's forms become libpq's."""
    from psycopg.conninfo import conninfo_to_dict

    assert conninfo_to_dict(normalise(given_url)) == conninfo_to_dict(libpq)


@given(st.text(alphabet=st.characters(blacklist_categories=["Cs"], blacklist_characters="\x00")))
def test_any_value_survives_a_conninfo_string(value: str) -> None:
    """Quotes, backslashes and spaces of a password reach libpq as they are."""
    from psycopg.conninfo import conninfo_to_dict

    assert conninfo_to_dict(conninfo({"user": "u", "password": value})).get("password", "") == value


@pytest.mark.parametrize("url", ["mysql://u@h/d", "nonsense", "sqlite:///x.db"])
def test_other_urls_are_told(url: str) -> None:
    """Another database's URL is an error with a hint."""
    with pytest.raises(OmegaBridgeError) as told:
        normalise(url)
    assert told.value.hint


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://u:s3cr3t@h/d",
        "postgresql://h/d?user=u&password=s3cr3t",
        "host=h password=s3cr3t",
        "host=h password='s3cr3t' user=u",
        "postgresql://u:s3cr3t@h,h2/d",
    ],
)
def test_no_secret_is_shown(url: str) -> None:
    """In whatever form the password comes."""
    assert "s3cr3t" not in redact(url)
    assert "h" in redact(url)


@given(st.text())
def test_quoting_brings_back_every_text(text: str) -> None:
    """A literal in a revision file evaluates to the text it stands for."""
    assert ast.literal_eval(quoted(text)) == text


def test_quoting_brings_back_every_character() -> None:
    """Each of the characters 1 to 255, alone and together."""
    everything = "".join(chr(n) for n in range(1, 256))
    for text in (*everything, everything, '"""', "\\", '\\"', "a\r\nb", "'''", "\n", "x\n"):
        assert ast.literal_eval(quoted(text)) == text


def test_the_chain_finds_what_was_touched() -> None:
    """An edited, a removed and a moved entry each break the chain where they are."""
    tip, entries = Tip(), []
    for n in range(5):
        entry = seal(
            tip,
            Draft(Driver.BOOT, Event.STEP, "6d7a1e3c-0000-4000-8000-000000000000", f"s{n}", "c1:x", "applied", {"n": n}),
            datetime(2024, 1, 1, tzinfo=UTC),
        )
        tip = Tip(entry.seq, entry.hash)
        entries.append(entry)
    assert first_broken(entries) is None
    edited = [*entries[:2], replace(entries[2], draft=replace(entries[2].draft, outcome="skipped")), *entries[3:]]
    assert first_broken(edited) == 3
    assert first_broken([*entries[:2], *entries[3:]]) == 3
    assert first_broken([entries[0], entries[2], entries[1]]) is not None
