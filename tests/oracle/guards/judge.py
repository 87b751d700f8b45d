"""One step in one state: the claim that is read from its text, and what PostgreSQL makes of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg

from omega_bridge.analysis import StepAnalysis
from omega_bridge.catalog import Catalog
from omega_bridge.planning import Evaluation, World, evaluate

Connection = psycopg.Connection[Any]

_WITNESS = b"""
SELECT md5(concat(
  (SELECT json_agg(json_build_array(n.nspname, c.relname, c.relkind, c.relpersistence, c.relrowsecurity, c.reloptions, c.relacl,
     c.relispartition, pg_get_userbyid(c.relowner), c.relam, c.reltablespace, c.reloftype <> 0,
     CASE WHEN c.relkind IN ('v', 'm') THEN pg_get_viewdef(c.oid) END) ORDER BY n.nspname, c.relname)
   FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid >= 16384 AND n.nspname <> 'pg_toast'),
  (SELECT json_agg(json_build_array(c.relname, n.nspname, a.attname, a.attnum > 0, format_type(a.atttypid, a.atttypmod), a.attnotnull,
     pg_get_expr(d.adbin, d.adrelid), a.attidentity, a.attgenerated, a.attcollation, a.attstorage,
     to_jsonb(a) -> 'attcompression') ORDER BY n.nspname, c.relname, a.attname)
   FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
   LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
   WHERE c.oid >= 16384 AND n.nspname <> 'pg_toast' AND a.attnum > 0 AND NOT a.attisdropped),
  (SELECT json_agg(json_build_array(conname, contype, convalidated, conrelid = 0, coninhcount, pg_get_constraintdef(oid)) ORDER BY conname, contype,
     pg_get_constraintdef(oid)) FROM pg_constraint WHERE oid >= 16384),
  (SELECT json_agg(json_build_array(pg_get_indexdef(indexrelid), indisvalid) ORDER BY pg_get_indexdef(indexrelid)) FROM pg_index
   WHERE indexrelid >= 16384 AND indrelid NOT IN (SELECT oid FROM pg_class WHERE relkind = 't')),
  (SELECT json_agg(json_build_array(proname, pg_get_functiondef(oid), proacl) ORDER BY proname, pg_get_functiondef(oid)) FROM pg_proc
   WHERE oid >= 16384 AND prokind IN ('f', 'p')),
  (SELECT json_agg(json_build_array(typname, typtype, typnotnull, typdefault) ORDER BY typname, typtype) FROM pg_type
   WHERE oid >= 16384 AND typname !~ '^_?pg_toast'),
  (SELECT json_agg(json_build_array(t.typname, enumlabel) ORDER BY typname, enumsortorder) FROM pg_enum e JOIN pg_type t ON t.oid = enumtypid),
  (SELECT json_agg(json_build_array(to_jsonb(s) - 'seqrelid', c.relname) ORDER BY c.relname, (to_jsonb(s) - 'seqrelid')::text) FROM pg_sequence s
   JOIN pg_class c ON c.oid = seqrelid),
  (SELECT json_agg(json_build_array(pg_get_triggerdef(oid), tgenabled) ORDER BY pg_get_triggerdef(oid)) FROM pg_trigger WHERE NOT tgisinternal),
  (SELECT json_agg(json_build_array(polname, polrelid::regclass, pg_get_expr(polqual, polrelid), polcmd, polpermissive, polroles,
     pg_get_expr(polwithcheck, polrelid)) ORDER BY polname, polrelid::regclass::text)
   FROM pg_policy),
  (SELECT json_agg(nspname ORDER BY nspname) FROM pg_namespace WHERE oid >= 16384 AND nspname !~ '^pg_'),
  (SELECT json_agg(extname ORDER BY extname) FROM pg_extension),
  (SELECT json_agg(json_build_array(description, classoid::regclass, objsubid) ORDER BY description, objsubid) FROM pg_description
   WHERE objoid >= 16384)))
"""
"""The whole schema in one value, by PostgreSQL's own printing, without the bridge's reader."""


_READABLE = b"""
SELECT c.oid::regclass::text FROM pg_class c WHERE c.relkind = 'r' AND c.oid >= 16384 AND has_table_privilege(c.oid, 'SELECT')
AND has_schema_privilege(c.relnamespace, 'USAGE') ORDER BY 1
"""
"""The tables whose rows can be read."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What PostgreSQL made of a text: the schema afterwards, and its error."""

    schema: str
    error: str | None


@dataclass(frozen=True, slots=True)
class Claim:
    """What was read. ``is_known`` claims are held against what was seen."""

    found: Evaluation

    @property
    def is_known(self) -> bool:
        """Whether anything is said: nothing to do, exactly these statements, or a failure."""
        return self.found.is_nothing or self.found.is_certain or self.fails

    @property
    def fails(self) -> bool:
        """Whether PostgreSQL is said to reject it."""
        return bool(self.found.fails or self.found.raises) and not self.found.unknown


@contextmanager
def taken_back(connection: Connection) -> Iterator[None]:
    """A savepoint that is rolled back, its errors with it."""
    connection.execute("SAVEPOINT oracle")
    try:
        yield
    finally:
        connection.execute("ROLLBACK TO SAVEPOINT oracle; RELEASE SAVEPOINT oracle")


def seen(connection: Connection, texts: Sequence[str]) -> Seen:
    """Send texts one after the other, and look."""
    with taken_back(connection):
        error = None
        try:
            for text in texts:
                connection.execute(text.encode())
        except psycopg.Error as exc:
            connection.execute("ROLLBACK TO SAVEPOINT oracle")
            error = str(exc.sqlstate)
        return Seen(look(connection), error)


def look(connection: Connection) -> str:
    """The schema as it stands, and the rows."""
    row = connection.execute(_WITNESS, prepare=True).fetchone()
    assert row is not None
    tables = [str(name) for (name,) in connection.execute(_READABLE, prepare=True)]
    if not tables:
        return str(row[0])
    counted = ", ".join(f"(SELECT json_agg(x::text ORDER BY x::text) FROM {name} x)" for name in tables)
    return f"{row[0]} {connection.execute(f'SELECT {counted}'.encode()).fetchone()}"


def claim(step: StepAnalysis, catalog: Catalog) -> Claim:
    """What is read of a step in a catalog."""
    return Claim(evaluate(step.program, World(catalog)))


Pieces = dict[tuple[str, ...], Seen]
"""What statements were seen to do in one state: many forms say the same of it."""


def misread(connection: Connection, step: StepAnalysis, claimed: Claim, before: str, sent: Pieces) -> str | None:
    """Where PostgreSQL does other than was read; ``None`` where it does that, or nothing was said."""
    found = claimed.found
    if not claimed.is_known:
        return None
    whole = seen(connection, [step.step.sql])
    if found.is_nothing:
        return None if whole.schema == before else "nothing was to be done, and PostgreSQL did something"
    if claimed.fails:
        return None if whole.error else f"was to fail for {found.fails or found.raises}, and did not"
    texts = tuple(s.text for s in found.residual)
    pieces = sent[texts] = sent.get(texts) or seen(connection, texts)
    if pieces.schema != whole.schema or bool(pieces.error) != bool(whole.error):
        told = "; ".join(s.text for s in found.residual)
        return f"was to do: {told}; PostgreSQL did otherwise ({whole.error or 'no error'}, in pieces {pieces.error or 'none'})"
    return None
