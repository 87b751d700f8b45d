"""yoyo-migrations, in process."""

from __future__ import annotations

import importlib.util

from benchmarks.peers.base import Address, Peer, installed


class Yoyo(Peer):
    """``backend.apply_migrations``, one .sql file a step."""

    name = "yoyo"
    longest = (1000, "many round trips for each migration: an apply takes more than a minute")

    def missing(self) -> str | None:
        return None if importlib.util.find_spec("yoyo") else "yoyo-migrations is not installed"

    def version(self) -> str:
        return f"yoyo {installed('yoyo-migrations')}"

    def write(self) -> None:
        for number, step in enumerate(self.steps):
            (self.folder / f"{number:05d}.sql").write_text(step)

    def apply(self, url: str) -> None:
        from yoyo import get_backend, read_migrations

        backend = get_backend(Address.of(url).as_query_url("postgresql+psycopg"))
        try:
            with backend.lock():
                backend.apply_migrations(backend.to_apply(read_migrations(str(self.folder))))
        finally:
            backend.connection.close()
