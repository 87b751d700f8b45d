"""Every revision of a folder and what it follows: the exported ones, and those that were written by hand, as their files say.

No file is imported. Where nobody wrote a revision by hand, no file is read either: the order of ``omega.sum`` says it all.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from omega_bridge.errors import ConfigurationInvalid, SeveralHeads
from omega_bridge.revisions.locations import locations
from omega_bridge.revisions.sums import VERSIONS, SumLine, is_exported, paths, places

_OURS = re.compile(r'^down_revision = (?:None|"(\w+)")', re.M)
_SAID = ("revision", "down_revision", "depends_on", "branch_labels")


@dataclass(frozen=True, slots=True)
class Node:
    """One revision. ``down``: what it follows; ``needs``: what it depends on, as its file names it. ``path``: of one written by hand."""

    revision: str
    down: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    path: Path | None = None

    @property
    def is_by_hand(self) -> bool:
        """Whether no export wrote it."""
        return self.path is not None


@dataclass(frozen=True)
class Graph:
    """All of them, by their ids."""

    nodes: Mapping[str, Node]

    @property
    def is_ours_alone(self) -> bool:
        """Whether no revision was written by hand."""
        return not any(node.is_by_hand for node in self.nodes.values())

    @cached_property
    def heads(self) -> tuple[str, ...]:
        """Those that nothing follows, as ``alembic heads`` has them."""
        followed = {down for node in self.nodes.values() for down in node.down}
        return tuple(sorted(name for name in self.nodes if name not in followed))

    @property
    def head(self) -> str | None:
        """The one head; ``None`` where there is no revision. Raises ``SeveralHeads``."""
        if len(self.heads) > 1:
            told = ", ".join(f"{name} ({self._where(name)})" for name in self.heads)
            raise SeveralHeads(
                f"the history has {len(self.heads)} heads: {told}",
                hint=f'Make them one: alembic merge -m "one head" {" ".join(self.heads)}; then: omega-bridge export',
            )
        return self.heads[0] if self.heads else None

    def _where(self, name: str) -> str:
        path = self.nodes[name].path
        return path.name if path is not None else "exported"

    def up_to(self, names: Iterable[str]) -> frozenset[str]:
        """These revisions and all that must have run before them: what they follow, and what they depend on."""
        found: set[str] = set()
        due = list(names)
        while due:
            name = self._named(due.pop())
            if name is not None and name not in found:
                found.add(name)
                due += [*self.nodes[name].down, *self.nodes[name].needs]
        return frozenset(found)

    def by_hand(self, names: Collection[str]) -> tuple[str, ...]:
        """Those among ``names`` that were written by hand, each behind what it follows."""
        wanted = [name for name in names if self.nodes[name].is_by_hand]
        return tuple(sorted(wanted, key=lambda name: (len(self.up_to([name])), name)))

    def _named(self, name: str) -> str | None:
        """A revision by its id or the label of its branch; a beginning of the id is taken where it is the only one's."""
        if name in self.nodes:
            return name
        found = [n.revision for n in self.nodes.values() if name in n.labels] or [n for n in self.nodes if n.startswith(name)]
        return found[0] if len(found) == 1 else None


def graph_of(folder: Path, lines: Sequence[SumLine]) -> Graph:
    """Raises ``ConfigurationInvalid`` where a file does not say plainly what it follows."""
    hand = {node.revision: node for node in _written_by_hand(folder, lines)}
    ours: dict[str, Node] = {}
    previous: tuple[str, ...] = ()
    for line, path in paths(folder, lines):
        if not line.is_squash:
            down = _down(path) if hand else previous
            ours[line.revision] = Node(line.revision, down)
            previous = (line.revision,)
    known = hand.keys() | ours.keys()
    for node in hand.values():
        if gone := [down for down in node.down if down not in known]:
            raise ConfigurationInvalid(
                f"{node.path} follows revision {gone[0]}, which is not in {', '.join(map(str, locations(folder)))}",
                hint="Restore that revision's file from version control, or correct down_revision.",
            )
    return Graph(hand | ours)


def to_follow(folder: Path, lines: Sequence[SumLine]) -> str | None:
    """The revision that the next one follows: the one head, whoever wrote it. Raises ``SeveralHeads``, ``ConfigurationInvalid``."""
    return graph_of(folder, lines).head


def refuse_if_followed(folder: Path, lines: Sequence[SumLine], gone: Collection[str], hint: str) -> None:
    """Raises ``ConfigurationInvalid`` where a revision written by hand follows or needs one of ``gone``."""
    for node in _written_by_hand(folder, lines):
        for revision in (*node.down, *node.needs):
            if revision in gone:
                raise ConfigurationInvalid(f"{node.path} names revision {revision}, which would be loaded no more", hint=hint)


def followed_by_squash(folder: Path, lines: Sequence[SumLine], first: str) -> str | None:
    """What the first revision of a squash follows, and so the squash; ``None`` for the root."""
    return next(iter(graph_of(folder, lines).nodes[first].down), None)


def _written_by_hand(folder: Path, lines: Sequence[SumLine]) -> Iterator[Node]:
    ours = {line.file for line, place in zip(lines, places(lines), strict=True) if place == VERSIONS}
    for path in (path for place in locations(folder) for path in sorted(place.glob("*.py"))):
        if path.name in ours or path.name.startswith(("__init__", ".#")) or is_exported(path):
            continue
        if (node := _read(path)) is not None:
            yield node


def _read(path: Path) -> Node | None:
    """What a file says of itself; ``None`` where it is no revision. Raises ``ConfigurationInvalid``."""
    try:
        tree = ast.parse(path.read_bytes())
    except (SyntaxError, ValueError) as error:
        raise ConfigurationInvalid(
            f"{path} is not valid Python: {error}", hint="Correct the file: Alembic cannot load it."
        ) from error
    said: dict[str, tuple[str, ...]] = {}
    for node in tree.body:
        targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
        for target in targets:
            if isinstance(target, ast.Name) and target.id in _SAID and isinstance(node, ast.Assign | ast.AnnAssign):
                said[target.id] = _names(path, target.id, node.value)
    if "revision" not in said:
        return None
    (revision,) = said["revision"] or ("",)
    return Node(revision, said.get("down_revision", ()), said.get("depends_on", ()), said.get("branch_labels", ()), path)


def _names(path: Path, what: str, value: ast.expr | None) -> tuple[str, ...]:
    """A name, several, or none."""
    try:
        found = ast.literal_eval(value) if value is not None else None
    except ValueError:
        found = 0
    if found is None:
        return ()
    if isinstance(found, str):
        return (found,)
    if isinstance(found, list | tuple | set) and all(isinstance(name, str) for name in found):
        return tuple(found)
    raise ConfigurationInvalid(
        f"{path} does not say its {what} plainly: {ast.unparse(value) if value is not None else 'nothing'}",
        hint=f"Write it as a string, or as a tuple of strings: {what} = ...; the history is read without running its files.",
    )


def _down(path: Path) -> tuple[str, ...]:
    """What a file that an export wrote follows."""
    found = _OURS.search(path.read_text(encoding="utf-8"))
    return (found[1],) if found is not None and found[1] else ()
