"""Who is compared: one module a peer."""

from __future__ import annotations

from pathlib import Path

from benchmarks.peers.alembic_upgrade import Alembic, AlembicProcess
from benchmarks.peers.base import Peer
from benchmarks.peers.bridge import Bridge, BridgeProcess, Sentinel
from benchmarks.peers.connect import Connect
from benchmarks.peers.dbmate import Dbmate
from benchmarks.peers.django_migrate import Django
from benchmarks.peers.graphile_migrate import GraphileMigrate
from benchmarks.peers.loop import AsyncLoop, Loop
from benchmarks.peers.script import OneString, Psql
from benchmarks.peers.sqitch import Sqitch
from benchmarks.peers.yoyo_apply import Yoyo

__all__ = ["Peer", "all_peers", "peer_named"]


def all_peers(bin_dir: Path | None = None) -> list[Peer]:
    """In the order of the tables. ``bin_dir``: where the server's own programs are."""
    return [
        Connect(), Bridge(), Sentinel(), Loop(), AsyncLoop(), OneString(), Alembic(), Yoyo(),
        BridgeProcess(), Psql(bin_dir), AlembicProcess(), Django(), Dbmate(), GraphileMigrate(), Sqitch(bin_dir),
    ]  # fmt: skip


def peer_named(name: str) -> Peer:
    """The peer with this name."""
    return next(peer for peer in all_peers() if peer.name == name)
