"""A revision as the text of its file. Deterministic: no clock, no order but that of the chain."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from omega_bridge.analysis import StepAnalysis
from omega_bridge.analysis.program import Effect
from omega_bridge.revisions.chain import Revision, RevisionKind
from omega_bridge.revisions.lifting import Lifted, lift, render
from omega_bridge.revisions.models import is_model
from omega_bridge.revisions.quoting import quoted

SQL_HEADING = "SQL of the step, as the list has it:"


def render_file(revision: Revision, before: str | None = None) -> str:
    """The text of the revision's file. ``before`` is the SQL that an amendment replaces."""
    lifted = [] if revision.kind is RevisionKind.RETIRE else [lift(s) for s in revision.steps]
    imports: set[str] = set()
    upgrade = list(_upgrade(revision, lifted, imports))
    downgrade = list(_downgrade(revision, lifted, imports))
    lines = [
        "# made from the step registry by: omega-bridge export -- do not edit; check with: omega-bridge export --check",
        quoted(_docstring(revision, lifted, before)),
        "",
        *sorted(
            imports | {"import sqlalchemy as sa", "from alembic import op"},
            key=lambda i: (i.startswith("from omega"), i),
        ),
        "",
        f'revision = "{revision.id}"',
        f"down_revision = {quoted(revision.down) if revision.down else None}",
        "branch_labels = None",
        "depends_on = None",
        "",
        f"steps = {_tuple(revision.labels)}",
        f"checksums = {_tuple([s.checksum for s in revision.steps])}",
        "",
        "",
        "def upgrade() -> None:",
        *_indented(upgrade),
        "",
        "",
        "def downgrade() -> None:",
        *_indented(downgrade),
        "",
    ]
    text = "\n".join(lines)
    return text if "sa." in "\n".join([*upgrade, *downgrade]) else text.replace("import sqlalchemy as sa\n", "", 1)


def _tuple(values: Sequence[str]) -> str:
    inner = ", ".join(quoted(v) for v in values)
    return f"({inner},)" if len(values) == 1 else f"({inner})"


def _indented(blocks: Sequence[str]) -> Iterator[str]:
    """Blocks, indented at their first line only where a literal runs over several."""
    for block in blocks or ["pass"]:
        yield f"    {block}" if block else ""


def _upgrade(revision: Revision, lifted: Sequence[Lifted], imports: set[str]) -> Iterator[str]:
    if revision.kind is RevisionKind.RETIRE:
        yield "pass  # the step is in the list no more; what it made stays"
        return
    for step, found in zip(revision.steps, lifted, strict=True):
        if found.is_whole:
            operations = [o for s in found.statements for o in s.operations or ()]
            text, needed = render(operations)
            imports |= needed
            yield from text.splitlines() or ["pass"]
        elif step.transactional:
            imports.add("import omega_bridge.revisions.operations  # registers op.run_step")
            yield f"op.run_step({quoted(step.step.sql)})"
        else:
            imports.add("import omega_bridge.revisions.operations  # registers op.run_step")
            yield "with op.get_context().autocommit_block():"
            for statement in step.texts():
                yield f"    op.run_step({quoted(statement)})"


def _downgrade(revision: Revision, lifted: Sequence[Lifted], imports: set[str]) -> Iterator[str]:
    reason = irreversible(revision, lifted)
    if reason is not None:
        imports.add("from omega_bridge.errors import Irreversible")
        yield f"raise Irreversible({quoted(f'revision {revision.id} ({revision.slug}) has no way back: {reason}')},"
        yield f"                   hint={quoted('Restore a backup, or write the way back by hand; what the revision did is in the ledger.')})"
        return
    if revision.kind in (RevisionKind.RETIRE, RevisionKind.SETTLE):
        yield "pass"
        return
    operations = [o for found in reversed(lifted) for s in reversed(found.statements) for o in s.reverse or ()]
    text, needed = render(operations)
    imports |= needed
    yield from text.splitlines() or ["pass"]


def irreversible(revision: Revision, lifted: Sequence[Lifted]) -> str | None:
    """Why a revision cannot be taken back; ``None`` where it can."""
    if revision.kind is RevisionKind.RETIRE:
        return None
    if revision.kind is RevisionKind.AMEND:
        return "an amendment replaces what an earlier revision did, on a database that may have had either"
    if revision.kind is RevisionKind.SETTLE:
        return None
    for found in lifted:
        if not found.is_whole:
            return f"the step's own SQL was run ({found.reason})"
        for statement in found.statements:
            if statement.reverse is None:
                return statement.reason or f"{statement.tag} cannot be undone"
    return None


# --- the docstring ---------------------------------------------------------------------------------------------


def _docstring(revision: Revision, lifted: Sequence[Lifted], before: str | None) -> str:
    lines = [
        _title(revision),
        "",
        f"Revision ID: {revision.id}",
        f"Revises: {revision.down or ''}".rstrip(),
        f"Kind: {_kind(revision)}",
    ]
    for label, step in zip(revision.labels, revision.steps, strict=False):
        lines.append(f"Step: {label} ({step.step.place})")
        lines.append(f"Checksum: {step.checksum}")
    if revision.past:
        lines.append(f"About: step {revision.past.label}, revision {revision.past.revision}, checksum {revision.past.checksum}")
    if revision.waited:
        lines.append(f"Waits: in the list this step stands before what it needs ({revision.waited}); one boot settles it here")
    if not revision.settled:
        lines.append("Unsettled: on an empty database nothing in the list makes what this step needs")
    for found in lifted:
        lines.append(f"Translation: {'Alembic operations' if found.is_whole else f'the step verbatim: {found.reason}'}")
    if reason := irreversible(revision, lifted):
        lines.append(f"Downgrade: none: {reason}")
    for step in revision.steps:
        lines += _effects(step, before if revision.kind is RevisionKind.AMEND else None)
    for step in revision.steps:
        lines += ["", SQL_HEADING, "", *(f"    {line}" if line else "" for line in step.step.sql.split("\n"))]
    return "\n".join(lines) + "\n"


def _title(revision: Revision) -> str:
    match revision.kind:
        case RevisionKind.BASE:
            tables = ", ".join(label.removeprefix("model-").replace("-", "_") for label in revision.labels)
            return f"base: what only the models create ({tables})"
        case RevisionKind.RETIRE:
            return f"{revision.labels[0]}: retired from the list"
        case RevisionKind.AMEND:
            return f"{revision.labels[0]}: amended"
        case RevisionKind.SETTLE:
            return f"{revision.labels[0]}: settles, now that the list makes what it needs"
    step = revision.steps[0]
    told = step.step.title or _told(step)
    return f"{revision.labels[0]}: {' '.join(told.split())}" if told else revision.labels[0]


def _told(step: StepAnalysis) -> str:
    effects = [_line(e) for e in step.effects]
    return effects[0] + (f" (and {len(effects) - 1} more)" if len(effects) > 1 else "") if effects else str(step.kind)


def _kind(revision: Revision) -> str:
    if revision.kind is RevisionKind.STEP and is_model(revision.steps[0].step):
        return "step (known only to the models)"
    return str(revision.kind)


def _effects(step: StepAnalysis, before: str | None) -> list[str]:
    after = [_line(e) for e in _all_effects(step)]
    if before is None:
        return ["Effects:", *(f"  - {line}" for line in after)] if after else []
    from omega_bridge.analysis import analyse
    from omega_bridge.steps import Registry

    old = [_line(e) for e in _all_effects(analyse(Registry.of([before])).steps[0])]
    lines = ["Difference:"]
    lines += [f"  - no more: {line}" for line in old if line not in after]
    lines += [f"  - new: {line}" for line in after if line not in old]
    return lines if len(lines) > 1 else ["Difference: in the text only; the effects are the same"]


def _all_effects(step: StepAnalysis) -> Iterator[Effect]:
    from omega_bridge.analysis import statements

    for s in statements(step.program):
        yield from s.effects
        yield from (e for e in s.implied if e.attributes)


def _line(effect: Effect) -> str:
    return " ".join(str(effect).split())[:200]
