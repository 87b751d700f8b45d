"""Where lists are tried: databases made and dropped on one server, and what PostgreSQL shows of each."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path

import psycopg

from omega_bridge.embedded import Server

SNAPSHOT = files(__package__).joinpath("snapshot.sql").read_text("utf-8")
STATEMENT_TIMEOUT = "10s"
ROLES = ("oracle_reader", "oracle_writer")
MASKED = ("uuid", "timestamp with time zone", "timestamp without time zone", "date")
"""Types whose values are those of the moment: only whether they are null is compared."""

MOMENTS = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|\d{4}-\d\d-\d\d( \d\d:\d\d:\d\d[.\d+]*)?")
"""The same where they became text."""

ROWS = """
SELECT quote_ident(n.nspname) || '.' || quote_ident(c.relname), string_agg(CASE
    WHEN format_type(a.atttypid, NULL) = ANY (%s) OR a.attidentity <> '' OR pg_get_expr(d.adbin, d.adrelid) LIKE 'nextval(%%'
    THEN '(' || quote_ident(a.attname) || ' IS NULL)::text AS ' || quote_ident(a.attname) ELSE quote_ident(a.attname) END, ', ' ORDER BY a.attname)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
WHERE c.relkind IN ('r', 'p') AND n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'omega_bridge')
  AND c.relname <> 'alembic_version'
GROUP BY 1 ORDER BY 1
"""


class Place:
    """Databases for one run, with names of its own."""

    def __init__(self, server: Server, bin_dir: Path) -> None:
        self.server, self.bin_dir = server, bin_dir
        self._own = f"oracle_{os.getpid()}"
        self._made: set[str] = set()
        with psycopg.connect(server.url, autocommit=True) as admin:
            for role in ROLES:
                admin.execute(f"DO $$ BEGIN CREATE ROLE {role}; EXCEPTION WHEN duplicate_object THEN NULL; END $$")
        major = server.major
        self._snapshot = SNAPSHOT if major >= 14 else SNAPSHOT.replace("attcompression", "''")

    def fresh(self, label: str, like: str | None = None) -> str:
        """The URL of a new database, a copy of the one labelled ``like`` where that is given."""
        name = f"{self._own}_{label}"
        if name in self._made:
            self.server.drop_database(name)
        self._made.add(name)
        return self.server.create_database(name, f"{self._own}_{like}" if like else "template0")

    def url(self, label: str) -> str:
        """The URL of a database made before."""
        return self.server.url_for(f"{self._own}_{label}")

    def clean(self) -> None:
        """Drop what was made."""
        while self._made:
            self.server.drop_database(self._made.pop())

    def picture(self, label: str) -> frozenset[str]:
        """Every object and every row of a database, a line each."""
        with self.connection(label) as conn:
            conn.execute("SET search_path = pg_catalog")
            lines = {line for (line,) in conn.execute(self._snapshot.encode())}
            for table, columns in conn.execute(ROWS, [list(MASKED)]).fetchall():
                counted: dict[str, int] = {}
                for row in conn.execute(f"SELECT row({_values(columns)})::text FROM ONLY {table}".encode()):
                    values = MOMENTS.sub("?", row[0])
                    counted[values] = counted.get(values, 0) + 1
                lines |= {f"row of {table} ({columns}): {row} x{n}" for row, n in counted.items()}
            return frozenset(lines)

    def dump(self, label: str) -> list[str]:
        """What ``pg_dump --schema-only`` writes, without what hangs on the tool."""
        found = subprocess.run(
            [self.bin_dir / "pg_dump", "--schema-only", "-N", "omega_bridge", "-T", "alembic_version", self.url(label)],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        if found.returncode:
            return ["pg_dump: " + found.stderr.strip()]
        noise = ("--", "\\", "SET ", "SELECT pg_catalog.set_config")
        return [line for line in found.stdout.splitlines() if line.strip() and not line.startswith(noise)]

    @contextmanager
    def connection(self, label: str) -> Iterator[psycopg.Connection[tuple[str, ...]]]:
        """A connection in autocommit, on which no statement runs for long."""
        with psycopg.connect(self.url(label), autocommit=True, client_encoding="utf-8") as conn:
            conn.execute(f"SET statement_timeout = '{STATEMENT_TIMEOUT}'")
            yield conn

    def send(self, label: str, texts: Iterable[str]) -> list[str]:
        """Each text on its own on one connection, errors forgotten; those that worked."""
        worked = []
        with self.connection(label) as conn:
            for text in texts:
                try:
                    conn.execute(text.encode())
                except psycopg.Error:
                    if conn.closed:
                        break
                    conn.rollback()
                else:
                    worked.append(text)
        return worked

    def psql(self, label: str, script: str) -> str:
        """Run a script as ``psql`` does, which goes on after errors; the errors that it told."""
        found = subprocess.run(
            [self.bin_dir / "psql", "-X", "-q", self.url(label)],
            input=script, capture_output=True, text=True, check=False, env={**os.environ, "PGCLIENTENCODING": "utf-8"},
        )  # fmt: skip
        return " ".join(line for line in found.stderr.splitlines() if line.startswith(("ERROR", "FATAL")))


def _values(columns: str) -> str:
    return ", ".join(c.partition(" AS ")[0] for c in columns.split(", "))
