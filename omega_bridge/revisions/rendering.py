"""A revision as the text of its file. Deterministic: no clock, no order but that of the chain."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from omega_bridge.analysis import StepAnalysis, analyse
from omega_bridge.revisions import describing
from omega_bridge.revisions.chain import Again, Revision, RevisionKind
from omega_bridge.revisions.coverage import told
from omega_bridge.revisions.lifting import Lifted, Part, render, verbatim_operation
from omega_bridge.revisions.models import is_model
from omega_bridge.revisions.operations import AttemptStepOp, LayFoundationOp, RunStepOp
from omega_bridge.revisions.quoting import quoted
from omega_bridge.steps import Registry

STAYS = "the foundation stays, whoever laid it: other rows than the list's are in it"
SQL_HEADING = "SQL of the step, as the list has it:"


def render_file(revision: Revision, lifted: Sequence[Lifted], before: str | None = None) -> str:
    """The text of the revision's file. ``lifted``: its steps. ``before``: the SQL that an amendment replaces."""
    imports = {"from alembic import op"}
    upgrade = list(_between(revision, _upgrade(revision, lifted, imports), imports))
    downgrade = list(_downgrade(revision, lifted, imports))
    lines = [
        "# made from the step registry by: omega-bridge export -- do not edit; check with: omega-bridge export --check",
        quoted(_docstring(revision, lifted, before)),
        "",
        UNSORTED,
        *sorted_imports(imports),
        "",
        f'revision = "{revision.id}"',
        f"down_revision = {quoted(revision.down) if revision.down else None}",
        "branch_labels = None",
        "depends_on = None",
        "",
        f"steps = {tuple_of(revision.labels)}",
        f"checksums = {tuple_of([s.checksum for s in revision.steps])}",
        *([f"destructive = {tuple_of(allowed)}"] if (allowed := _allowed(revision)) else []),
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
    return "\n".join(lines)


def _allowed(revision: Revision) -> list[str]:
    """The steps that the list lets take rows away; one of a kind of revision that runs nothing is of no account."""
    if revision.kind is RevisionKind.RETIRE:
        return []
    return [label for label, step in zip(revision.labels, revision.steps, strict=True) if step.step.destructive]


UNSORTED = "# ruff: noqa: I001"
"""Which order is the right one depends on the project: a folder ``alembic`` beside it is taken for a package of its own."""


def sorted_imports(imports: set[str]) -> list[str]:
    """The lines of a file's imports, ours apart."""
    plain = sorted(i for i in imports if i.startswith("import sqlalchemy"))
    library = sorted(i for i in imports if "omega_bridge" not in i and i not in plain)
    return (
        [*plain, *library, "", *sorted(i for i in imports if "omega_bridge" in i)] if _uses_ours(imports) else [*plain, *library]
    )


def _uses_ours(imports: set[str]) -> bool:
    return any("omega_bridge" in i for i in imports)


def tuple_of(values: Sequence[str]) -> str:
    """A tuple of strings as Python source."""
    inner = ", ".join(quoted(v) for v in values)
    return f"({inner},)" if len(values) == 1 else f"({inner})"


def _indented(blocks: Sequence[str]) -> Iterator[str]:
    """Blocks, indented at their first line only: the others are inside a literal, or indented already."""
    for block in blocks or ["pass"]:
        yield f"    {block}" if block else ""


def _between(revision: Revision, blocks: Iterator[str], imports: set[str]) -> Iterator[str]:
    """The blocks under the settings that the list has there."""
    if revision.around is None or revision.kind is RevisionKind.RETIRE:
        yield from blocks
        return
    yield from _sent(revision.around.before, imports)
    yield from blocks
    yield from _sent(revision.around.behind, imports)


def _sent(text: str, imports: set[str]) -> list[str]:
    blocks, needed = render([RunStepOp(text)] if text else [])
    imports |= needed
    return blocks


def _upgrade(revision: Revision, lifted: Sequence[Lifted], imports: set[str]) -> Iterator[str]:
    if revision.kind is RevisionKind.FOUNDATION:
        blocks, needed = render([LayFoundationOp(s.step.sql, revision.tables) for s in revision.steps])
        imports |= needed
        yield from blocks
        return
    if revision.kind is RevisionKind.RETIRE:
        yield "pass  # the step is in the list no more; what it made stays"
        return
    for step, found in zip(revision.steps, lifted, strict=True):
        if found.is_verbatim:
            yield from _verbatim(step, imports, found.parts[0])
            continue
        for part in found.parts:
            operations = part.operations if part.operations is not None else (verbatim_operation(part),)
            blocks, needed = render(operations)
            imports |= needed
            yield from _outside(blocks) if part.is_apart else blocks


def _verbatim(step: StepAnalysis, imports: set[str], part: Part) -> Iterator[str]:
    operations = (
        [AttemptStepOp(step.step.sql)]
        if part.attempt
        else [RunStepOp(t) for t in ((step.step.sql,) if step.transactional else step.texts())]
    )
    blocks, needed = render(operations)
    imports |= needed
    yield from _outside(blocks) if part.is_apart else blocks


def _outside(blocks: Sequence[str]) -> Iterator[str]:
    """What refuses a transaction, in Alembic's block for such statements."""
    yield "with op.get_context().autocommit_block():"
    for block in blocks:
        yield f"    {block}"


_RAISE = "raise Irreversible(\n"
NO_WAY_BACK = f"def downgrade() -> None:\n    {_RAISE}"
"""What the file of a revision without a way back says."""


def _downgrade(revision: Revision, lifted: Sequence[Lifted], imports: set[str]) -> Iterator[str]:
    if revision.kind is RevisionKind.FOUNDATION:
        yield f"pass  # {STAYS}"
        return
    reason = irreversible(revision, lifted)
    if reason is not None:
        imports.add("from omega_bridge.errors import Irreversible")
        message = quoted(f"revision {revision.id} ({revision.slug}) has no way back: {reason}")
        hint = quoted("Restore a backup, or write the way back by hand; what the revision did is in the ledger.")
        yield f"{_RAISE}        {message},\n        hint={hint},\n    )"
        return
    if revision.kind in (RevisionKind.RETIRE, RevisionKind.SETTLE) and not revision.again:
        yield "pass  # what this revision settled belongs to the step's first revision"
        return
    operations = [o for found in reversed(lifted) for part in reversed(found.parts) for o in part.reverse or ()]
    blocks, needed = render(operations)
    imports |= needed
    yield from blocks or ["pass  # an earlier revision made it: there is nothing of this one to undo"]


def irreversible(revision: Revision, lifted: Sequence[Lifted]) -> str | None:
    """Why a revision cannot be taken back; ``None`` where it can."""
    match revision.kind:
        case RevisionKind.RETIRE | RevisionKind.SETTLE if not revision.again:
            return None
        case RevisionKind.AMEND:
            return "an amendment replaces what an earlier revision did, on a database that may have had either"
    return next((found.irreversible for found in lifted if found.irreversible is not None), None)


# --- the docstring ---------------------------------------------------------------------------------------------


def _docstring(revision: Revision, lifted: Sequence[Lifted], before: str | None) -> str:
    lines = [
        _plain(_title(revision)),
        "",
        f"Revision ID: {revision.id}",
        f"Revises: {revision.down or ''}".rstrip(),
        f"Kind: {_kind(revision)}",
    ]
    for label, step in zip(revision.labels, revision.steps, strict=False):
        lines.append(f"Step: {_plain(label)} ({_plain(str(step.step.place))})")
        lines.append(f"Checksum: {step.checksum}")
    if revision.past:
        lines.append(
            f"About: step {_plain(revision.past.label)}, revision {revision.past.revision}, checksum {revision.past.checksum}"
        )
    if revision.origin:
        origin = revision.origin
        lines.append(f"Commit: {origin.commit}")
        lines.append(f"Author: {_plain(origin.author)}, {origin.date}")
        lines.append(f"Subject: {_plain(origin.subject)}")
    if revision.waited:
        lines.append(f"Waits: in the list this step stands before what it needs ({revision.waited}); one boot settles it here")
    if not revision.settled:
        lines.append("Unsettled: on an empty database nothing in the list makes what this step needs")
    if revision.supposed:
        lines.append("Proven: where these are there as the step's own text implies them; elsewhere it may fail, as at a start:")
        lines += [f"  - {_plain(table)}" for table in revision.supposed]
    if revision.again:
        lines += _again(revision.again)
    if revision.kind is RevisionKind.FOUNDATION:
        lines += ["Tables:", *(f"  - {name}" for name in revision.tables), f"Downgrade: {STAYS}"]
        return "\n".join(lines) + "\n"
    for found in lifted:
        lines += told(found)
    if reason := irreversible(revision, lifted):
        lines.append(f"Downgrade: none: {reason}")
    for step in revision.steps:
        lines += _effects(step, before if revision.kind is RevisionKind.AMEND else None)
    for step in revision.steps:
        lines += ["", SQL_HEADING, "", *(f"    {line}" if line else "" for line in _trimmed(step.step.sql))]
    return "\n".join(lines) + "\n"


def _again(again: Again) -> list[str]:
    after = f"Again: a start runs this step once more after {again.after}"
    if again.of_rows:
        return [f"{after}, which changes rows that may have made it fail: its handler hides that"]
    if not again.changes:
        return [f"{after}, which may have given it work (not tried on a server)"]
    return [f"{after}, where it", *(f"  - {' '.join(change.split())}" for change in again.changes)]


def _plain(text: str) -> str:
    return " ".join(text.split())


def _trimmed(text: str) -> list[str]:
    """The lines of a text without blank ones at either end."""
    lines = text.split("\n")
    while lines and not lines[0].strip():
        del lines[0]
    while lines and not lines[-1].strip():
        del lines[-1]
    return lines


def _title(revision: Revision) -> str:
    match revision.kind:
        case RevisionKind.FOUNDATION:
            return "foundation: what the list stands on, laid where none of it is there"
        case RevisionKind.BASE:
            tables = ", ".join(label.removeprefix("model-").replace("-", "_") for label in revision.labels)
            return f"base: what only the models create ({tables})"
        case RevisionKind.RETIRE:
            return f"{revision.labels[0]}: retired from the list"
        case RevisionKind.AMEND:
            return f"{revision.labels[0]}: amended"
        case RevisionKind.SETTLE if revision.again:
            return f"{revision.labels[0]}: once more, now that {revision.again.after} has run"
        case RevisionKind.SETTLE:
            return f"{revision.labels[0]}: settles, now that the list makes what it needs"
    step = revision.steps[0]
    title = step.step.title or _told(step)
    return f"{revision.labels[0]}: {' '.join(title.split())}" if title else revision.labels[0]


def _told(step: StepAnalysis) -> str:
    effects = describing.lines(step)
    return effects[0] + (f" (and {len(effects) - 1} more)" if len(effects) > 1 else "") if effects else str(step.kind)


def _kind(revision: Revision) -> str:
    if revision.kind is RevisionKind.STEP and is_model(revision.steps[0].step):
        return "step (known only to the models)"
    return str(revision.kind)


def _effects(step: StepAnalysis, before: str | None) -> list[str]:
    after = describing.lines(step)
    if before is None:
        return ["Effects:", *(f"  - {line}" for line in after)] if after else []
    old = describing.lines(analyse(Registry.of([before])).steps[0])
    lines = ["Difference:"]
    lines += [f"  - no more: {line}" for line in old if line not in after]
    lines += [f"  - new: {line}" for line in after if line not in old]
    return lines if len(lines) > 1 else ["Difference: in the text only; the effects are the same"]
