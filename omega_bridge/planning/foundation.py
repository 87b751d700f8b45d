"""What a list stands on and no step of it makes, as SQL; and the one statement that lays it, for a start and for a revision.

It runs where none of its tables is there, does nothing where all of them are, and stops with the names of what is missing
where only some are. Its settings end with it. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property

from omega_bridge.analysis import StepAnalysis, analyse
from omega_bridge.catalog import Catalog, Key, Kind
from omega_bridge.errors import ConfigurationInvalid
from omega_bridge.planning.evaluate import evaluate
from omega_bridge.planning.settling import empty_catalog
from omega_bridge.planning.world import World
from omega_bridge.sql import checksum, identifier, parse
from omega_bridge.sql.scripts import settings_in
from omega_bridge.steps import Place, Registry, Step

LABEL = "foundation"
PARTIAL = "OB506"
"""The SQLSTATE of a foundation of which only a part is there; the error's code, too."""


@dataclass(frozen=True)
class Foundation:
    """``text``: SQL that makes it on an empty database. ``source``: where it is written. ``tables``: as ``to_regclass`` takes them."""

    text: str = field(repr=False)
    source: str
    tables: tuple[str, ...]
    catalog: Catalog = field(repr=False, compare=False)
    """What is there when it has been laid, as far as it was read."""

    @property
    def checksum(self) -> str:
        """Deaf to white space, comments and keyword case, as that of a step."""
        return checksum(self.text)

    @cached_property
    def step(self) -> StepAnalysis:
        """As a step, for what reads steps."""
        return analyse(Registry((Step(self.text, id=LABEL, place=Place(self.source)),))).steps[0]

    @property
    def statement(self) -> str:
        """What lays it."""
        return laid(self.text, self.tables)


def understood(text: str, source: str) -> Foundation:
    """Read the text. Raises ``ConfigurationInvalid`` for one that makes no table, or that cannot run in a transaction."""
    _check(text, source)
    analysis = analyse(Registry(tuple(Step(s.text) for s in parse(text)), source))
    world = World(empty_catalog())
    provided = analysis.provided()
    for step in analysis:
        if not step.transactional:
            raise ConfigurationInvalid(
                f"the foundation {source} holds what cannot run in a transaction: {' '.join(step.step.sql.split())[:80]}",
                hint="Write it without CONCURRENTLY, or as a step of the list.",
            )
        if own := [e.key for e in step.effects if e.key.schema in _OURS or _VERSION_TABLE in (e.key.table, e.key.name)]:
            raise _is_a_record(source, own[0])
        evaluate(step.program, world, provided)
    objects = {**world.catalog.objects, **{k: v for k, v in world.changes.items() if v is not None}}
    for key in (k for k, v in world.changes.items() if v is None):
        objects.pop(key, None)
    catalog = Catalog(objects)
    tables = [k for k in catalog if k.kind is Kind.TABLE]
    if own := [k for k in tables if [c.name for c in catalog.columns(k.schema, k.name)] == ["version_num"]]:
        raise _is_a_record(source, own[0])
    if not tables:
        raise ConfigurationInvalid(
            f"the foundation {source} makes no table",
            hint="Give the SQL of the tables that the list stands on: omega-bridge init --from-database URL writes it.",
        )
    qualified = {e.key for step in analysis for e in step.effects if e.present}
    named = tuple(identifier(k.schema if k in qualified else "", k.name) for k in tables)
    return Foundation(text, source, tuple(sorted(named)), catalog)


def _is_a_record(source: str, key: Key) -> ConfigurationInvalid:
    name = key.table or key.name
    apart = "" if name == _VERSION_TABLE or key.schema in _OURS else f" --exclude-table='*.{name}'"
    return ConfigurationInvalid(
        f"the foundation {source} holds the bridge's own record, or Alembic's: {key}",
        hint="Make it without: omega-bridge init --from-database URL, or pg_dump --schema-only --no-owner --no-privileges "
        f"--exclude-schema='omega_bridge*' --exclude-table='*.{_VERSION_TABLE}'{apart}.",
    )


_OURS = ("omega_bridge", "omega_bridge_sentinel")
_VERSION_TABLE = "alembic_version"


def _check(text: str, source: str) -> None:
    if "search_path" in settings_in(text):
        raise ConfigurationInvalid(
            f"the foundation {source} sets search_path, so that its names mean other schemas than they do in the list",
            hint="Write the schema with each name, as pg_dump 10.3 and later do.",
        )


def laid(text: str, tables: Iterable[str]) -> str:
    """The statement that lays a foundation, once, wholly or not at all."""
    names = ", ".join(_literal(name) for name in tables)
    settings = [name for name in settings_in(text) if name]
    keep = "".join(
        f"    {_kept(n)} text := pg_catalog.current_setting({_literal(name)}, true);\n" for n, name in enumerate(settings)
    )
    restore = "".join(
        f"    PERFORM pg_catalog.set_config({_literal(name)}, {_kept(n)}, false);\n" for n, name in enumerate(settings)
    )
    inner, outer = _tag(text, "foundation"), _tag(text, "lay")
    return (
        f"DO {outer}\n"
        "DECLARE\n"
        f"    wanted text[] := ARRAY[{names}];\n"
        "    missing text[] := ARRAY(SELECT w FROM pg_catalog.unnest(wanted) w WHERE pg_catalog.to_regclass(w) IS NULL);\n"
        f"{keep}"
        "BEGIN\n"
        "    IF pg_catalog.cardinality(missing) = 0 THEN\n"
        "        RETURN;\n"
        "    END IF;\n"
        "    IF pg_catalog.cardinality(missing) < pg_catalog.cardinality(wanted) THEN\n"
        "        RAISE EXCEPTION 'the foundation is there only in part: of its % tables % are missing: %',\n"
        "            pg_catalog.cardinality(wanted), pg_catalog.cardinality(missing), pg_catalog.array_to_string(missing, ', ')\n"
        f"            USING ERRCODE = '{PARTIAL}';\n"
        "    END IF;\n"
        f"    EXECUTE {inner}\n{text.rstrip()}\n{inner};\n"
        f"{restore}"
        f"END\n{outer}"
    )


def _kept(number: int) -> str:
    return f"setting_{number}"


def _literal(text: str) -> str:
    plain = "'" + text.replace("'", "''") + "'"
    return "E" + plain.replace("\\", "\\\\") if "\\" in text else plain


def _tag(text: str, word: str) -> str:
    """Dollars around a text that do not stand in it."""
    number = 0
    while (found := f"${word}{number or ''}$") in text:
        number += 1
    return found
