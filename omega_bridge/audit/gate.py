"""The gate for CI: no error among the findings, a history that holds the list, and steps that lead to what the models say.

Models, list and the databases that stand are compared on scratch, attribute by attribute; without a server, as far as they can be read.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from omega_bridge import expectation_file
from omega_bridge.analysis import Analysis
from omega_bridge.analysis.findings import Finding, Severity
from omega_bridge.audit.held import Held, Setting, hold_together
from omega_bridge.audit.rejected import WAY_OUT, Rejected
from omega_bridge.audit.scratch import Scratch
from omega_bridge.catalog import Catalog
from omega_bridge.errors import AmbiguousMatch, FoundationEdited, HistoryTampered, HistoryWouldHide, NoServerFound
from omega_bridge.expectation import FILE
from omega_bridge.lint import is_failing, lint
from omega_bridge.model_files import unimported
from omega_bridge.planning.foundation import Foundation
from omega_bridge.planning.gaps import Unkept, together, unkept_by_models
from omega_bridge.planning.renames import Rename, renames
from omega_bridge.planning.settling import empty_catalog, settle_in
from omega_bridge.planning.world import World
from omega_bridge.revisions import exported, files
from omega_bridge.revisions.chain import RevisionKind
from omega_bridge.revisions.sums import is_noted
from omega_bridge.startup.lacks import Lack, named
from omega_bridge.version_table import VersionTable

if TYPE_CHECKING:
    from sqlalchemy import MetaData

    from omega_bridge.typed import JsonObject


Servers = Callable[[], AbstractContextManager[Scratch]]
"""Gives a server with ``scratch_database``; raises ``NoServerFound`` where there is none."""


@dataclass(frozen=True, slots=True)
class Check:
    """One check: whether it says yes, a line about it, what it found as JSON. ``findings``: those of lint. ``lines``: what else there is to say."""

    name: str
    ok: bool
    told: str
    details: dict[str, object] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()
    lines: tuple[str, ...] = ()

    def as_dict(self) -> JsonObject:
        """The public JSON keys."""
        return {"name": self.name, "ok": self.ok, "told": self.told, **self.details}


def check_findings(
    analysis: Analysis,
    models: int,
    ignore: Collection[str],
    *,
    strict: bool,
    foundation: Foundation | None = None,
    deploys: Mapping[str, int] | None = None,
) -> Check:
    """The rules of ``lint``."""
    found = lint(analysis, models=models, ignore=ignore, foundation=foundation, deploys=deploys)
    failing = [f for f in found if is_failing([f], strict=strict)]
    counted = {severity: sum(f.severity is severity for f in found) for severity in Severity}
    told = ", ".join(f"{n} {severity}{'s' if n > 1 else ''}" for severity, n in counted.items() if n) or "no findings"
    if failing:
        told = _told([f"{f.place}: {f.severity} {f.rule}: {f.step}: {f.message}" for f in failing])
    return Check("lint", not failing, told, {"findings": [f.as_dict() for f in found]}, found)


def check_export(
    analysis: Analysis, folder: Path, listed: str, foundation: Foundation | None = None, table: VersionTable | None = None
) -> Check:
    """``export --check``: the history is what was exported, and holds the list as it is; so does what stands beside it.

    ``table``: where the configuration keeps the history's revision.
    """
    try:
        done = exported.unchanged(folder, listed) or files.export(
            analysis, folder, write=False, listed=listed, foundation=foundation
        )
        there = expectation_file.kept(folder)
    except (HistoryTampered, AmbiguousMatch, FoundationEdited) as error:
        return Check("export", False, f"{error.message}; {error.hint}")
    known = [
        r for r in done.revisions if r.kind is not RevisionKind.SETTLE
    ] or done.revisions  # what runs once more only a server tells
    lags = [f"{len(known)} revision(s) behind the list"] if known else []
    if not lags and there is not None and there.listed != listed:
        lags.append(f"{FILE} is of another list")
    if not lags and not is_noted(folder, table):
        lags.append("the history was exported for another version-table")
    told = f"{lags[0]}; run: omega-bridge export" if lags else f"the history holds the list: {done.head}"
    return Check("export", not lags, told, {"missing": [list(r.labels) for r in done.revisions], "head": done.head})


def check_models(setting: Setting, servers: Servers) -> Check:
    """The steps, and what only the models create, lead the databases that stand, and an empty one, to what the models say."""
    if setting.metadata is None:
        return Check("models", True, "no models are configured", {"differences": []})
    found, how = held(setting, servers)
    lacks = tuple(named(one, setting.models) for one in found.gaps)
    unknown = unimported(setting.models)
    lines = [
        *(str(one) for one in unknown),
        *(line for lack in lacks for line in _lines(lack, found.renames)),
        *(twofold(one, setting.models) for one in found.twofold),
        *(line for one in found.rejected for line in (str(one), f"  {WAY_OUT}")),
    ]
    details = {
        "unimported": [
            {"table": u.table, "model": u.name, "file": u.file, "line": u.line, "import": u.statement} for u in unknown
        ],
        "differences": [lack.unkept.as_dict() | lack.as_dict() for lack in lacks],
        "twofold": [one.as_dict() for one in found.twofold],
        "rejected": [one.as_dict() for one in found.rejected],
        "not_looked_at": list(found.unseen),
        "yesterday": setting.yesterday.told,
    }
    if how == UNDECIDED and not unknown:
        opaque = _opaque(setting.analysis)
        told = f"undecided: only a server can tell what {', '.join(opaque[:3])} do(es)"
        return Check("models", True, told, {**details, "differences": [], "undecided": opaque})
    notes = [f"not looked at: {what}" for what in found.unseen]
    if setting.yesterday.schema is None:
        notes.append(f"the databases that stand: not known: {setting.yesterday.told}")
    if lines:
        split = [twofold(one, setting.models) for one in found.twofold]
        told = _told([*map(str, unknown), *map(str, lacks), *split, *map(str, found.rejected)])
        return Check("models", False, told, details, lines=(*lines, *notes))
    against = f"an empty database{f' and {setting.yesterday.told}' if setting.yesterday.schema is not None else ''}"
    return Check("models", True, f"the steps lead {against} to the models ({how})", details, lines=tuple(notes))


def held(setting: Setting, servers: Servers) -> tuple[Held, str]:
    """Models, list and the databases that stand compared on scratch, else in thought; and how that was done."""
    try:
        with servers() as server:
            return hold_together(setting, server), ON_SCRATCH
    except NoServerFound as none:
        return _in_thought(setting, none.hint)


ON_SCRATCH = "on scratch databases"
UNDECIDED = "undecided"


def _in_thought(setting: Setting, hint: str) -> tuple[Held, str]:
    """What is read of the steps alone: tables, columns, labels."""
    stands = setting.yesterday.schema
    new = _unkept(setting.foundation.catalog if setting.foundation is not None else empty_catalog(), setting)
    old = _unkept(stands.catalog, setting) if stands is not None else new
    unseen = (f"constraints, indexes, comments, and all that only a server can tell. {hint}",)
    if (new or old) and _opaque(setting.analysis):
        return Held((), (), (), unseen), UNDECIDED
    in_new = {(u.key, u.attribute) for u in new}
    hidden = tuple(u for u in old if (u.key, u.attribute) not in in_new)
    may_be = renames(old, stands.catalog, setting.models, {}, stands.by) if stands is not None else ()
    return Held(together(old, new), hidden, (), unseen, renames=may_be), "in thought"


def _unkept(catalog: Catalog, setting: Setting) -> tuple[Unkept, ...]:
    world = World(catalog)
    settle_in(world, setting.analysis)
    return unkept_by_models(world, setting.promised)


def refuse_to_hide(setting: Setting, servers: Servers) -> None:
    """Before an export: raises ``HistoryWouldHide`` where the schema that it keeps would hold what the databases that stand do not get."""
    stands = setting.yesterday.schema
    if setting.metadata is None or stands is None or stands.listed == setting.listed:
        return
    found, _ = held(setting, servers)
    lacks = tuple(named(one, setting.models) for one in found.hidden)
    if not lacks and not found.twofold:
        _refuse_rejected(found.rejected)
        return
    lines = [
        *(line for lack in lacks for line in _lines(lack, found.renames)),
        *(twofold(one, setting.models) for one in found.twofold),
    ]
    told = "\n".join(f"  {line}" for line in lines)
    raise HistoryWouldHide(
        f"a new database would have {len(lacks) + len(found.twofold)} thing(s) otherwise than those that stand "
        f"(as {setting.yesterday.told} has them)\n{told}",
        hint="Run: omega-bridge add, or mend model or step as shown; then export.",
        lacks=lacks,
    )


def _refuse_rejected(found: Collection[Rejected]) -> None:
    if found:
        told = "\n".join(f"  {one}" for one in found)
        raise HistoryWouldHide(
            f"what an export keeps would take {len(found)} step(s) for known to fail\n{told}",
            hint=f"{WAY_OUT[0].upper()}{WAY_OUT[1:]}; then export.",
        )


def _lines(lack: Lack, renames: Collection[Rename] = ()) -> Iterator[str]:
    yield str(lack)
    if len(lack.append) == 1:
        yield f"  add: {' '.join(lack.append[0].split())}"
    elif lack.append:
        yield f"  add: {len(lack.append)} steps, which omega-bridge add writes (--check shows them)"
    if lack.why:
        yield f"  {lack.why}"
    if lack.unkept.attribute == "nullable" and lack.unkept.expected is False:
        yield "  or let the model be nullable, too (Mapped[... | None])"
    for one in (one for one in renames if one.new == lack.unkept.key):
        yield f"  or is it {one.old.table}.{one.old.name} by a new name? omega-bridge add --renamed {one.told}"


def twofold(unkept: Unkept, metadata: MetaData) -> str:
    """What old and new databases have otherwise, with the two ways out."""
    lack = named(unkept, metadata)
    where = f" ({lack.place})" if lack.place.file else ""
    new, old = (
        ("no default" if v is None else v) if unkept.attribute == "default" else v for v in (unkept.expected, unkept.found)
    )
    ways = "say the same in the model and in the step"
    if unkept.attribute == "name":
        ways = "give the model the old name, or let omega-bridge add write the step that gives the new one"
    if unkept.attribute == "default" and unkept.found is not None:
        said = json.dumps(unkept.found, ensure_ascii=False)
        ways = f"give the model server_default=text({said}), or the step no DEFAULT (a default= of the model is Python's own)"
    return f"{lack.name}{where}: two schemas: {unkept.attribute} is {old} in databases that stand, {new} in new ones: {ways}"


def _opaque(analysis: Analysis) -> list[str]:
    return [s.id for s in analysis if any(q.opaque for q in s.reading.statements)]


def _told(several: Collection[str]) -> str:
    """The first few, and how many more."""
    more = [f"and {len(several) - 5} more"] if len(several) > 5 else []
    return "; ".join([*list(several)[:5], *more])
