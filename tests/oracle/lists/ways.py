"""The ways by which a database comes up to a list: a start, ``alembic upgrade head``, and the same as a script for psql."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from alembic import command

import omega_bridge
from omega_bridge import errors
from omega_bridge.analysis import analyse
from omega_bridge.audit.equivalence import verify as compare
from omega_bridge.audit.proofs import prover
from omega_bridge.audit.verdict import Equivalence
from omega_bridge.config import Config
from omega_bridge.revisions import alembic_border, files, sums
from omega_bridge.revisions.proving import Proof
from omega_bridge.startup.run import Run
from omega_bridge.steps import Registry

ENV = "from alembic import context\nfrom omega_bridge.environment import run\n\nrun(context)\n"


def start(url: str, registry: Registry, *, retry: bool = False) -> Run:
    """One start that goes on where steps fail."""
    return omega_bridge.boot(url, registry, on_error="continue", retry=retry)


def export(server: Any, registry: Registry, folder: Path) -> None:
    """The list as a history, each translation tried on scratch databases."""
    (folder / "env.py").write_text(ENV, encoding="utf-8")

    @contextmanager
    def judges(_length: int) -> Iterator[Any]:
        with prover(server, lambda _n: None) as judge:
            yield judge

    files.export(analyse(registry), folder, prover=judges)


def recorded(folder: Path) -> list[tuple[str, bool]]:
    """The steps' own SQL in the order in which the history has it, and whether it was translated."""
    lines = sums.read_sum(folder)
    texts = files.RecordedTexts(folder, lines)
    return [(text, line.proof == Proof.PROVEN) for line in sums.revisions(lines) for text in texts.all(line.revision)]


def upgrade(url: str, registry: Registry, folder: Path) -> None:
    """``alembic upgrade head``."""
    command.upgrade(_configuration(url, registry, folder), "head")


def script(url: str, registry: Registry, folder: Path) -> str:
    """``alembic upgrade head --sql``."""
    config = _configuration(url, registry, folder)
    config.output_buffer = buffer = io.StringIO()
    command.upgrade(config, "head", sql=True)
    return buffer.getvalue()


def verify(server: Any, registry: Registry, folder: Path) -> Equivalence | None:
    """``omega-bridge verify``; ``None`` where it says that a revision cannot be run."""
    try:
        return compare(registry, None, server, history=folder)
    except errors.StepFailed:
        return None


def _configuration(url: str, registry: Registry, folder: Path) -> Any:
    config = alembic_border.alembic_config(folder, url)
    config.attributes["omega_bridge_config"] = Config(root=folder)
    config.attributes["omega_bridge_registry"] = (registry, None)
    return config
