"""Rewrites that ask nobody: findings that say what to put in the place of which words, done one by one and judged again.

Pure. A rewrite stands where the step still parses, its statements make the same true, and the rule has nothing more to say,
nor any other rule that is more than a note. Whether the catalog is the same is for a server to say (``audit.fixed``).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from omega_bridge.analysis import analyse
from omega_bridge.analysis.analysis import Analysis, StepAnalysis
from omega_bridge.analysis.findings import Finding, Severity
from omega_bridge.analysis.written import written
from omega_bridge.lint import lint
from omega_bridge.steps import Registry, Step
from omega_bridge.tags import Tag

ROUNDS = 12
"""A rewrite may give another rule something to rewrite: a guard, then IF NOT EXISTS behind it."""


@dataclass(frozen=True, slots=True)
class Rewrite:
    """One step written anew: its place in the list's own steps, its id, the rules that asked for it, and the texts."""

    index: int
    step: str
    rules: tuple[str, ...]
    before: Step
    after: Step


@dataclass(frozen=True, slots=True)
class Rewriting:
    """The list with its rewrites, and what of the findings is left."""

    registry: Registry
    rewrites: tuple[Rewrite, ...]
    left: tuple[Finding, ...]


def rewrite(analysis: Analysis, *, models: int = 0, select: Collection[str] = (), ignore: Collection[str] = ()) -> Rewriting:
    """Every rewrite that the selected rules offer. Raises ``ConfigurationInvalid`` for a rule that does not exist."""
    lint(Analysis(Registry(()), ()), select=select, ignore=ignore)
    steps = list(analysis.registry.steps)
    original = list(analysis)
    rules: dict[int, list[str]] = {}
    refused: set[tuple[int, str, str]] = set()
    current, found = analysis, lint(analysis, models=models)
    for _ in range(ROUNDS):
        tried = {
            index: (finding.rule, new)
            for index, finding in reversed(list(_offered(current, found, select, ignore)))  # the first one of a step stays
            if (index, finding.rule, steps[index].sql) not in refused
            and (new := _edited(steps[index], *(finding.edit or ("", "")))) is not None
            and _keeps(original[index], new)
        }
        if not tried:
            break
        after = _with(steps, {index: new for index, (_, new) in tried.items()})
        now = lint(after, models=models)
        worse = {
            index for index, (rule, _) in tried.items() if _is_worse(_of(current, found, index), _of(after, now, index), rule)
        }
        refused |= {(index, tried[index][0], steps[index].sql) for index in worse}
        for index in tried.keys() - worse:
            rules.setdefault(index, []).append(tried[index][0])
            steps[index] = tried[index][1]
        if worse:
            after = _with(steps, {})
            now = lint(after, models=models)
        current, found = after, now
    rewrites = tuple(
        Rewrite(n - models, original[n].id, tuple(dict.fromkeys(rules[n])), analysis.registry.steps[n], steps[n])
        for n in sorted(rules)
    )
    left = lint(current, models=models, select=select, ignore=ignore)
    return Rewriting(Registry(tuple(steps[models:]), analysis.registry.source), rewrites, left)


def without(rewriting: Rewriting, refused: Collection[int]) -> Registry:
    """The list with all rewrites but these, by their places."""
    steps = list(rewriting.registry.steps)
    for each in rewriting.rewrites:
        if each.index in refused:
            steps[each.index] = each.before
    return Registry(tuple(steps), rewriting.registry.source)


def _offered(
    analysis: Analysis, found: Iterable[Finding], select: Collection[str], ignore: Collection[str]
) -> Iterator[tuple[int, Finding]]:
    at = {step.id: n for n, step in enumerate(analysis)}
    for finding in found:
        if finding.edit is not None and finding.rule not in ignore and (not select or finding.rule in select):
            yield at[finding.step], finding


def _of(analysis: Analysis, found: Iterable[Finding], index: int) -> list[Finding]:
    return [f for f in found if f.step == analysis.steps[index].id]


def _with(steps: Sequence[Step], new: Mapping[int, Step]) -> Analysis:
    return analyse(Registry(tuple(new.get(n, step) for n, step in enumerate(steps))))


def _edited(step: Step, before: str, after: str) -> Step | None:
    """The step with the words replaced: only where they stand once, and nothing of theirs would be cut off by a comment."""
    text = step.sql
    if text.count(before) != 1 or before == after:
        return None
    if before == text and before not in after:
        return replace(step, sql=after)
    head, found, tail = after.partition(before)
    if found and "--" in before:
        return None
    if "\n" in text:
        line = text[: text.index(before)].rpartition("\n")[2]
        indent = line if not line.strip() else ""
        head, tail = head.replace("\n", f"\n{indent}"), tail.replace("\n", f"\n{indent}")
    else:
        head, tail = _on_one_line(head), _on_one_line(tail)
    return replace(step, sql=text.replace(before, f"{head}{found}{tail}"))


def _on_one_line(text: str) -> str:
    words = " ".join(text.split())
    return f"{' ' if text[:1].isspace() else ''}{words}{' ' if text[-1:].isspace() and words else ''}"


def _keeps(before: StepAnalysis, new: Step) -> bool:
    """Whether the statements are the same ones, and make the same true."""
    after = analyse(Registry((new,))).steps[0]
    if after.problem is not None:
        return False
    return _done(before) == _done(after)


def _done(step: StepAnalysis) -> list[tuple[str, str]]:
    return [(w.sql.tag, repr((w.sql.effects, w.sql.implied))) for w in written(step) if w.sql.tag != Tag.TRANSACTION]


def _is_worse(was: Collection[Finding], now: Collection[Finding], rule: str) -> bool:
    """Whether the rule still says as much of a step, or another one says more than it did, and more than a note."""
    if sum(f.rule == rule for f in now) >= sum(f.rule == rule for f in was):
        return True
    known = {f.rule for f in was}
    return any(f.rule not in known and f.severity is not Severity.NOTE for f in now)
