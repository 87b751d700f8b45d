"""What a list's promises and guards lean on: catalogs, and the names in them. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from omega_bridge.analysis import Analysis
from omega_bridge.analysis.program import ANY_SCHEMA, RELATIONS, Pattern, Sql, conditions, patterns
from omega_bridge.catalog import Key, Kind

_TYPES = (Kind.ENUM, Kind.DOMAIN, Kind.COMPOSITE)
_CATALOGS = {
    Kind.CONSTRAINT: "pg_constraint",
    Kind.TRIGGER: "pg_trigger",
    Kind.POLICY: "pg_policy",
    Kind.ENUM: "pg_enum",
    Kind.DOMAIN: "pg_type",
    Kind.COMPOSITE: "pg_type",
    Kind.FUNCTION: "pg_proc",
    Kind.EXTENSION: "pg_extension",
    Kind.SCHEMA: "pg_namespace",
}


@dataclass(frozen=True, slots=True)
class Watched:
    """``catalogs`` beside ``pg_class`` and ``pg_attribute``; ``relations``, ``types`` and ``functions`` by bare name.

    ``loose``: by catalog, the names that a guard looks for without saying on which table. ``others``: catalogs of what no name
    is known of. ``is_whole``: everything in the schemas of the ``search_path`` counts, and every such catalog: the list has
    statements whose effect is not in their text.
    """

    catalogs: frozenset[str]
    relations: frozenset[str]
    types: frozenset[str]
    functions: frozenset[str]
    loose: Mapping[str, frozenset[str]]
    schemas: frozenset[str] = frozenset()
    """Schemas that the list itself names."""
    others: frozenset[str] = frozenset()
    is_whole: bool = False
    shared: frozenset[str] | None = frozenset()
    """Words of the statements about roles and the database, in the catalogs of the whole cluster, for which no event trigger
    fires; ``None``: their names are put together at run time."""


def watched(analysis: Analysis, names: Iterable[str] = ()) -> Watched:
    """All of it. ``names``: what else a start looks at, such as critical tables and those of the models."""
    found = [s for step in analysis for s in step.reading.statements]
    asked = [*_patterns(analysis)]
    made = [e.key for statement in found for e in (*statement.effects, *statement.implied)]
    loose: dict[str, frozenset[str]] = {}
    for p in asked:
        if p.table is None and p.name is not None:
            for catalog in {_CATALOGS[k] for k in p.kinds if k in (Kind.CONSTRAINT, Kind.TRIGGER, Kind.POLICY)}:
                loose[catalog] = loose.get(catalog, frozenset()) | {p.name}
    return Watched(
        frozenset(_catalogs(found, asked)),
        frozenset(_relations(_keys(found), asked)) | (frozenset(names) - analysis.names()),
        frozenset(_named(_TYPES, made, asked)),
        frozenset(_named((Kind.FUNCTION,), made, asked)),
        loose,
        frozenset(_schemas(_keys(found), asked)),
        others=frozenset((*(c for s in found if s.opaque for c in _UNNAMED.get(s.tag, ())), *_commented(found))),
        is_whole=any(s.opaque and s.tag not in _UNNAMED and not _GRANTED.search(s.text) for s in found),
        shared=_shared(found),
    )


def _commented(found: Iterable[Sql]) -> Iterator[str]:
    """Comments on what is not looked for by its name."""
    for key in (e.key for s in found for e in s.effects if "comment" in dict(e.attributes)):
        if key.kind not in (*RELATIONS, *_TYPES, Kind.COLUMN, Kind.FUNCTION):
            yield "pg_description"


_SHARED = re.compile(r"\b(create|alter|drop|on)\s+(role|user|group|database)\b", re.IGNORECASE)
_GRANTED = re.compile(r"^\s*(grant|revoke)\b.*\bon\s+database\b", re.IGNORECASE | re.DOTALL)
_WORD = re.compile(r'"((?:[^"]|"")+)"|([\w$]+)')


def _shared(found: Iterable[Sql]) -> frozenset[str] | None:
    """Roles are told by their names, so that those of other databases make no start look again."""
    texts = [s.text for s in found if s.opaque and (s.tag == "grant_role_stmt" or _SHARED.search(s.text))]
    if any("%" in text or "||" in text for text in texts):
        return None
    words = (w for text in texts for w in _WORD.finditer(text))
    return frozenset(w[1].replace('""', '"') if w[1] is not None else w[2].lower() for w in words)


_PUBLICATIONS = ("pg_publication", "pg_publication_rel", "pg_publication_namespace")
_UNNAMED: Mapping[str, tuple[str, ...]] = {
    "create_publication_stmt": _PUBLICATIONS,
    "alter_publication_stmt": _PUBLICATIONS,
    "create_stats_stmt": ("pg_statistic_ext",),
    "alter_stats_stmt": ("pg_statistic_ext",),
    "rule_stmt": ("pg_rewrite",),
    "alter_default_privileges_stmt": ("pg_default_acl",),
    "comment_stmt": ("pg_description",),
    "alter_seq_stmt": ("pg_sequence",),
    "alter_policy_stmt": ("pg_policy",),
    "create_cast_stmt": ("pg_cast",),
    "create_event_trig_stmt": ("pg_event_trigger",),
    "alter_event_trig_stmt": ("pg_event_trigger",),
    "create_fdw_stmt": ("pg_foreign_data_wrapper",),
    "create_foreign_server_stmt": ("pg_foreign_server",),
    "alter_foreign_server_stmt": ("pg_foreign_server",),
    "alter_table_stmt": ("pg_trigger", "pg_index", "pg_inherits"),
    "vacuum_stmt": (),
    "reindex_stmt": (),
    "cluster_stmt": (),
    "refresh_mat_view_stmt": (),
    "create_role_stmt": (),
    "alter_role_stmt": (),
    "alter_role_set_stmt": (),
    "drop_role_stmt": (),
    "grant_role_stmt": (),
    "alter_database_stmt": (),
    "alter_database_set_stmt": (),
}
"""Where statements leave what no look-up by name finds, by libpg_query's name for them. What is not here may leave its effect
anywhere."""

ELSEWHERE = (
    *_PUBLICATIONS, "pg_statistic_ext", "pg_rewrite", "pg_default_acl", "pg_description", "pg_sequence", "pg_cast", "pg_collation",
    "pg_event_trigger", "pg_foreign_data_wrapper", "pg_foreign_server", "pg_foreign_table", "pg_extension", "pg_namespace",
    "pg_language", "pg_operator", "pg_opclass", "pg_opfamily", "pg_ts_config", "pg_ts_dict", "pg_ts_parser", "pg_ts_template",
    "pg_conversion", "pg_transform", "pg_enum", "pg_index", "pg_inherits", "pg_policy", "pg_trigger", "pg_db_role_setting", "pg_am",
    "pg_user_mappings", "pg_subscription",
)  # fmt: skip
"""All of them."""


def _patterns(analysis: Analysis) -> Iterator[Pattern]:
    for step in analysis:
        for condition in conditions(step.program):
            yield from patterns(condition)


def _keys(found: Iterable[Sql]) -> Iterator[Key]:
    for s in found:
        yield from (e.key for e in (*s.effects, *s.implied))
        yield from (*s.needs, *s.destroys)


def _catalogs(found: Iterable[Sql], asked: Iterable[Pattern]) -> Iterator[str]:
    for s in found:
        for effect in (*s.effects, *s.implied):
            given = dict(effect.attributes)
            yield from _catalog(effect.key.kind, given.get("type"))
            if "comment" in given:
                yield "pg_description"
    for pattern in asked:
        for kind in pattern.kinds:
            yield from _catalog(kind, None)


def _catalog(kind: Kind, constraint: Any) -> Iterator[str]:
    """A primary key or unique constraint shows in ``pg_class``, as its index."""
    if kind in _CATALOGS and not (kind is Kind.CONSTRAINT and constraint in ("p", "u")):
        yield _CATALOGS[kind]


def _relations(keys: Iterable[Key], asked: Iterable[Pattern]) -> Iterator[str]:
    """Tables, their indexes and keys, sequences, views: the names in ``pg_class``."""
    named = (*RELATIONS, Kind.CONSTRAINT)
    for key in keys:
        yield from (n for n in (key.table, key.name if key.kind in named else "") if n)
    for pattern in asked:
        yield from (n for n in (pattern.table, pattern.name if {*pattern.kinds} & {*named} else None) if n)


def _schemas(keys: Iterable[Key], asked: Iterable[Pattern]) -> Iterator[str]:
    for key in keys:
        yield from (n for n in (key.schema, key.name if key.kind is Kind.SCHEMA else "") if n)
    for pattern in asked:
        if pattern.schema and pattern.schema != ANY_SCHEMA:
            yield pattern.schema
        if pattern.name is not None and Kind.SCHEMA in pattern.kinds:
            yield pattern.name


def _named(kinds: tuple[Kind, ...], keys: Iterable[Key], asked: Iterable[Pattern]) -> Iterator[str]:
    """What the list itself makes or asks for. A type or function that it only uses cannot go without a trace in the others."""
    for key in keys:
        if key.kind in kinds:
            yield key.name.partition("(")[0]
    for pattern in asked:
        if pattern.name is not None and {*pattern.kinds} & {*kinds}:
            yield pattern.name
