"""What steps are about and no catalog of ours holds: privileges on settings and on what PostgreSQL or an extension brings, comments on
the latter, large objects. ``drift`` names it as not looked at.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

import psycopg
from psycopg.rows import TupleRow

from omega_bridge.analysis import Analysis, StepAnalysis
from omega_bridge.catalog import Catalog
from omega_bridge.postgres.encoding import array, storable
from omega_bridge.postgres.queries.qualified import qualified
from omega_bridge.tags import Tag

_SETTINGS = re.compile(r"\bon\s+parameter\b", re.IGNORECASE)
_LARGE_OBJECTS = re.compile(r"\blo_\w+\s*\(|\bpg_largeobject|\blarge\s+object\b", re.IGNORECASE)
_GIVES = re.compile(r"\b(?:grant|revoke|owner\s+to)\b", re.IGNORECASE)
_ALL_IN = re.compile(r"\ball\b.*\bin\s+schema\b", re.IGNORECASE | re.DOTALL)
_WORD = re.compile(r'"((?:[^"]|"")+)"|([\w$]+)')
_UNTOLD = frozenset({Tag.DO, Tag.SELECT, Tag.CALL, Tag.EXECUTE_COMPUTED, Tag.UNREAD, Tag.UNREADABLE, Tag.SCRIPT})
"""What does something that its text does not say."""
_SHOWN = 3


class _Brought(NamedTuple):
    """An object of PostgreSQL's own or of an extension. ``is_changed``: others may do something with it than when it came."""

    name: str
    schema: str
    shown: str
    extension: str | None
    is_changed: bool


def uncompared(connection: psycopg.Connection[TupleRow], analysis: Analysis, found: Catalog) -> tuple[str, ...]:
    """What is not looked at, a line for each step and what it is about."""
    told = [line for step in analysis for line in _of_no_catalog(step)]
    words = {step.id: said for step in analysis if (said := frozenset(_words(step)))}
    brought = _brought(connection, frozenset().union(*words.values())) if words else ()
    ours = {(key.schema, (key.table or key.name).partition("(")[0]) for key in found}
    for step in analysis:
        meant = [b for b in brought if step.id in words and _is_meant(b, step, words[step.id], ours)]
        if meant:
            shown = ", ".join(f"{b.schema}.{b.shown}" for b in meant[:_SHOWN])
            more = f" and {len(meant) - _SHOWN} more" if len(meant) > _SHOWN else ""
            whose = ", ".join(dict.fromkeys(f"extension {b.extension}" if b.extension else "PostgreSQL" for b in meant))
            told.append(f"the privileges, owner and comment that step {step.id} gives {shown}{more}: {whose} brings them")
    return tuple(told)


def _of_no_catalog(step: StepAnalysis) -> Iterator[str]:
    if _SETTINGS.search(step.step.sql):
        yield f"the privileges on settings that step {step.id} gives or takes"
    if _LARGE_OBJECTS.search(step.step.sql):
        yield f"the large objects of step {step.id}: a start does not see that one is gone"


def _words(step: StepAnalysis) -> Iterator[str]:
    """Whatever may be the name of something that a step gives to somebody, or says something of."""
    said = step.reading.statements
    if any(s.tag == Tag.COMMENT for s in said) or (any(s.opaque for s in said) and _GIVES.search(step.step.sql)):
        yield from (m[1].replace('""', '"') if m[1] else m[2].lower() for m in _WORD.finditer(step.step.sql))


def _is_meant(brought: _Brought, step: StepAnalysis, words: frozenset[str], ours: set[tuple[str, str]]) -> bool:
    """Whether a step names it; one whose text does not say what it does may name it, and is taken at its word where it is changed."""
    said = {*step.reading.dependencies.said, *_commented(step)}
    if (brought.schema, brought.name) in said:
        return True
    if ("", brought.name) in said and not any(name == brought.name for _, name in ours):
        return True
    if not brought.is_changed:
        return False
    if brought.schema in words and _ALL_IN.search(step.step.sql):
        return True
    return brought.name in words and any(s.opaque and s.tag in _UNTOLD for s in step.reading.statements)


def _commented(step: StepAnalysis) -> Iterator[tuple[str, str]]:
    for key in (e.key for s in step.reading.statements if s.tag == Tag.COMMENT for e in s.effects):
        yield key.schema, (key.table or key.name).partition("(")[0]


_BROUGHT = {
    "pg_proc": ("proname", "pronamespace", "proacl", "format('%s(%s)', x.proname, oidvectortypes(x.proargtypes))"),
    "pg_class": ("relname", "relnamespace", "relacl", "x.relname"),
    "pg_type": ("typname", "typnamespace", "typacl", "x.typname"),
}
_PLAIN = "x.typrelid OPERATOR(pg_catalog.=) 0::pg_catalog.oid AND x.typelem OPERATOR(pg_catalog.=) 0::pg_catalog.oid"
_ARM = """
SELECT x.{name}::text, s.nspname::text, {shown}::text, e.extname::text, x.{acl} IS NOT NULL AND NOT EXISTS (
  SELECT FROM pg_catalog.pg_init_privs i WHERE i.objoid OPERATOR(pg_catalog.=) x.oid AND i.objsubid OPERATOR(pg_catalog.=) 0
    AND i.classoid OPERATOR(pg_catalog.=) 'pg_catalog.{catalog}'::pg_catalog.regclass::pg_catalog.oid
    AND i.initprivs OPERATOR(pg_catalog.=) x.{acl})
FROM pg_catalog.{catalog} x JOIN pg_catalog.pg_namespace s ON s.oid OPERATOR(pg_catalog.=) x.{space}
LEFT JOIN pg_catalog.pg_depend p ON p.objid OPERATOR(pg_catalog.=) x.oid AND p.deptype OPERATOR(pg_catalog.=) 'e'
  AND p.classid OPERATOR(pg_catalog.=) 'pg_catalog.{catalog}'::pg_catalog.regclass::pg_catalog.oid
LEFT JOIN pg_catalog.pg_extension e ON e.oid OPERATOR(pg_catalog.=) p.refobjid
WHERE {only} AND ((x.oid OPERATOR(pg_catalog.<) 16384::pg_catalog.oid AND x.{name} OPERATOR(pg_catalog.=) ANY ({names}))
  OR (e.oid IS NOT NULL AND (x.{name} OPERATOR(pg_catalog.=) ANY ({names}) OR s.nspname OPERATOR(pg_catalog.=) ANY ({names}))))
"""
"""The names are types' own, too (``text``): what a step does not name as an object is left out afterwards."""


def _brought(connection: psycopg.Connection[TupleRow], words: frozenset[str]) -> tuple[_Brought, ...]:
    names = f"{array(connection, storable(connection, sorted(words)))}::pg_catalog.name[]"
    text = " UNION ALL ".join(
        _ARM.format(
            catalog=catalog,
            name=name,
            space=space,
            acl=acl,
            shown=shown,
            names=names,
            only=_PLAIN if catalog == "pg_type" else "true",
        )
        for catalog, (name, space, acl, shown) in _BROUGHT.items()
    )
    rows = connection.execute(f"{qualified(text)} ORDER BY 2, 3".encode()).fetchall()
    return tuple(dict.fromkeys(_Brought(*row) for row in rows))
