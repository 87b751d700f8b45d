"""SQL of values that several rooms read."""

from __future__ import annotations


def ordered(value: str, source: str) -> str:
    """All values of a source, in an order of their own: a number in an aggregate's ``ORDER BY`` is no column."""
    return f'(SELECT array_agg(v ORDER BY v COLLATE "C") FROM (SELECT {value} FROM {source}) AS vs (v))'


def options(source: str) -> str:
    """Options of foreign data, each an ``o`` of the source; of one that may be a secret the name alone."""
    return ordered("CASE WHEN o ~* '^[^=]*(pass|secret|token|key)' THEN split_part(o, '=', 1) ELSE o END", source)


def extensions(catalog: str, oid: str = "x.oid") -> str:
    """The extensions with which an object is dropped: what ``ALTER ... DEPENDS ON EXTENSION`` says."""
    source = (
        "pg_depend d JOIN pg_extension e ON e.oid = d.refobjid "
        f"WHERE d.classid = '{catalog}'::regclass::oid AND d.objid = {oid} AND d.deptype = 'x'"
    )
    return ordered("e.extname::text", source)
