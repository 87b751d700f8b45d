"""A foreign key whose column is of another type than the key that it points to."""

from __future__ import annotations

from collections.abc import Iterator

from omega_bridge import sql
from omega_bridge.analysis.findings import Hit, Listed, Rule, Severity
from omega_bridge.analysis.tables import Reference, Tables, references, references_there, tables_of
from omega_bridge.catalog import Kind

_FAMILIES = (
    {"smallint", "integer", "bigint"},
    {"text", "character varying", "character"},
    {"uuid"},
    {"boolean"},
)
"""Types that PostgreSQL compares with one another, and with none of another family (42804)."""


def find(listed: Listed) -> Iterator[Hit]:
    """Pairs of columns of which both types are known, in the list's statements and the models' tables; told once for each key."""
    tables = tables_of(listed)
    for step, s, reference in references(listed):
        for column, mine, key, theirs in _differing(tables, reference):
            yield Hit(
                step,
                f"{reference.table}.{column} is {mine}, and the key that it points to, {reference.other}.{key}, is {theirs}",
                f"Make {reference.table}.{column} {theirs}, as the key is: a reference keeps the type of what it points to.",
                severity=Severity.ERROR if _is_refused(mine, theirs) else None,
                at=s.text,
            )
    yield from _there(listed, tables)


def _there(listed: Listed, tables: Tables) -> Iterator[Hit]:
    """Those of the database, on a table of the list that has the key under another name, or by another hand."""
    told = {(r.table, r.columns) for _, _, r in references(listed)}
    for key, reference in references_there(listed):
        maker = next(
            (
                step
                for _, step in listed.steps()
                if any(e.key.kind is Kind.TABLE and e.present and e.key.name == key.table for e in step.effects)
            ),
            None,
        )
        if maker is None or (reference.table, reference.columns) in told:
            continue
        for column, mine, name, theirs in _differing(tables, reference):
            yield Hit(
                maker,
                f"in the database {reference.table}.{column} is {mine}, and {reference.other}.{name}, to which {key} points, is {theirs}",
                f"Bring {reference.table}.{column} to {theirs} by a step.",
            )


def _differing(tables: Tables, reference: Reference) -> Iterator[tuple[str, str, str, str]]:
    keys = reference.keys or tables.key_of(reference.other) or ()
    if len(keys) != len(reference.columns):
        return
    for column, key in zip(reference.columns, keys, strict=True):
        mine, theirs = tables.type_of(reference.table, column), tables.type_of(reference.other, key)
        if mine is not None and theirs is not None and sql.same_type(_plain(mine), _plain(theirs)) is False:
            yield column, sql.printed_type(mine), key, sql.printed_type(theirs)


def _plain(written: str) -> str:
    """Without a length: it makes no other type."""
    return sql.MODIFIER.sub("", sql.printed_type(written)).strip()


def _is_refused(mine: str, theirs: str) -> bool:
    families = [next((n for n, family in enumerate(_FAMILIES) if _plain(t) in family), None) for t in (mine, theirs)]
    return None not in families and families[0] != families[1]


RULE = Rule(
    "reference-type-differs",
    Severity.WARNING,
    "PostgreSQL refuses the key where the types cannot be compared (42804); where they can, each check converts, "
    "and a value that fits the one may not fit the other.",
    find,
)
