"""Every finding of a list: the rules of ``analysis/rules`` over what is known of it, less what it asks to have ignored.

Pure: no database is asked. A comment ``-- omega-bridge: ignore <rule>, <rule>`` inside a step speaks for that step.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from difflib import get_close_matches

from omega_bridge import sql
from omega_bridge.analysis import Analysis, statements
from omega_bridge.analysis.findings import Finding, Listed, Severity, Span
from omega_bridge.analysis.rules import all_rules
from omega_bridge.analysis.secrets import masked
from omega_bridge.analysis.sizes import GROWS, Size, by_table
from omega_bridge.analysis.written import written
from omega_bridge.catalog import Catalog, Key, Kind
from omega_bridge.errors import ConfigurationInvalid
from omega_bridge.planning.foundation import Foundation
from omega_bridge.planning.second_start import done_again
from omega_bridge.planning.settling import empty_catalog, settle_in
from omega_bridge.planning.world import World

_IGNORE = re.compile(r"omega-bridge:\s*ignore\s(.*)")
FOREIGN = "squawk-"
"""What the names of another program's rules begin with: which ones there are is not known here."""
_WORD = re.compile(r"[a-z][a-z-]+")


def lint(
    analysis: Analysis,
    *,
    models: int = 0,
    select: Collection[str] = (),
    ignore: Collection[str] = (),
    catalog: Catalog | None = None,
    sizes: Iterable[Size] = (),
    foundation: Foundation | None = None,
    deploys: Mapping[str, int] | None = None,
) -> tuple[Finding, ...]:
    """The findings, in the list's order. The first ``models`` steps stand for what only the models know.

    ``select``: these rules only; ``ignore``: not these. ``catalog``: what a database holds, where one was read, ``sizes``: how
    large its tables are. ``foundation``: what the list stands on. ``deploys``: by id, with which deploy a step came.
    No finding shows a secret.
    Raises ``ConfigurationInvalid`` for a rule that does not exist.
    """
    _known((*select, *ignore))
    listed = replace(listing(analysis, models, foundation), catalog=catalog, sizes=by_table(sizes), deploys=deploys or {})
    place = {step.id: number for number, step in enumerate(analysis)}
    ignored = {step.id: ignored_in(step.step.sql) for step in analysis}
    found = [
        finding
        for rule in all_rules()
        if (not select or rule.name in select) and rule.name not in ignore
        for finding in rule.findings(listed)
        if rule.name not in ignored[finding.step]
    ]
    if listed.sizes:
        found = [_weighed(f, listed) for f in found]
    return tuple(_discreet(f) for f in sorted(found, key=lambda f: (place[f.step], f.rule)))


def _weighed(finding: Finding, listed: Listed) -> Finding:
    """With the size of the largest table that its statement names; of work on small ones alone it is a note."""
    step = next(s for s in listed.analysis if s.id == finding.step)
    about = [w for w in written(step) if Span.of(finding.text, w.sql.text) == finding.span] if finding.span else []
    names = {k.table or k.name for w in about for k in (*w.sql.needs, *(e.key for e in w.sql.effects))}
    known = sorted((listed.sizes[name] for name in names if name in listed.sizes), key=lambda size: size.bytes)
    if not known:
        return finding
    lighter = finding.rule in GROWS and known[-1].is_small and finding.severity is Severity.WARNING
    return replace(finding, weight=known[-1], severity=Severity.NOTE if lighter else finding.severity)


def _discreet(finding: Finding) -> Finding:
    text = masked(finding.text)
    if text == finding.text:
        return finding
    return replace(
        finding,
        message=masked(finding.message),
        hint=masked(finding.hint),
        instead=tuple(map(masked, finding.instead)),
        text=text,
        span=None,  # of the text as it was
        edit=None,
    )


def listing(analysis: Analysis, models: int = 0, foundation: Foundation | None = None) -> Listed:
    """The list with what a start of an empty database, and the start after it, would meet.

    Tables that nothing in the list makes are taken to be there: others make them.
    """
    ground = foundation.catalog if foundation is not None else empty_catalog()
    world = World(Catalog({**{key: {"columns known": False} for key in _given(analysis)}, **ground.objects}))
    settling = settle_in(world, analysis)
    return Listed(analysis, models, settling.waited, done_again(world, analysis, settling))


def _given(analysis: Analysis) -> Iterator[Key]:
    provided = analysis.provided()
    for step in analysis:
        for s in statements(step.program, handlers=True):
            yield from (
                key._replace(schema=key.schema or "public")
                for key in s.needs
                if key.kind is Kind.TABLE and (key.kind, key.name) not in provided
            )


def is_failing(findings: Collection[Finding], *, strict: bool = False) -> bool:
    """Whether a gate says no: an error among them, or (``strict``) a warning; a note is no reason to stop anybody."""
    failing = (Severity.ERROR, Severity.WARNING) if strict else (Severity.ERROR,)
    return any(f.severity in failing for f in findings)


def ignored_in(text: str) -> frozenset[str]:
    """The rules that a step's comments pass over."""
    if "omega-bridge" not in text:
        return frozenset()
    told = (found for comment in sql.comments(text) for found in _IGNORE.findall(comment))
    return frozenset(word for words in told for word in _WORD.findall(words))


def _known(names: Collection[str]) -> None:
    rules = [rule.name for rule in all_rules()]
    for name in names:
        if name not in rules and not name.startswith(FOREIGN):
            near = get_close_matches(name, rules, n=1)
            raise ConfigurationInvalid(
                f"there is no rule {name!r}",
                hint=f"Did you mean {near[0]}?" if near else f"The rules are: {', '.join(rules)}.",
            )
