"""One round: eight starts at once, what a seed throws at them, and what must hold afterwards."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress

import psycopg

import omega_bridge
from omega_bridge import OmegaBridgeError, Step
from omega_bridge.catalog import Catalog, diff
from omega_bridge.ledger import first_broken
from omega_bridge.postgres import ledger_store
from omega_bridge.postgres.catalog_reader import read_catalog
from tests.torture.server import CrashingServer
from tests.torture.starts import OPTIONS, RAW, TOLD, WELL, start

STARTS = 8

STEPS = [
    Step("CREATE TABLE IF NOT EXISTS t (id int PRIMARY KEY, name text)"),
    Step("CREATE TABLE IF NOT EXISTS counted (what text)"),
    Step("INSERT INTO counted VALUES ('once')", id="once", repeat="once"),
    Step("ALTER TABLE t ADD COLUMN IF NOT EXISTS a int"),
    Step("DO $$ BEGIN ALTER TABLE t ADD CONSTRAINT t_a CHECK (a > 0); EXCEPTION WHEN duplicate_object THEN NULL; END $$"),
    Step("CREATE INDEX CONCURRENTLY IF NOT EXISTS t_name ON t (name)"),
    Step(
        "CREATE TABLE IF NOT EXISTS u (id int PRIMARY KEY); INSERT INTO counted VALUES ('half'); "
        "CREATE INDEX CONCURRENTLY IF NOT EXISTS t_a_name ON t (a, name); UPDATE counted SET what = what || '!' WHERE what = 'half'",
        id="half",
    ),
    Step("UPDATE t SET name = 'x' WHERE name IS NULL"),
    Step("CREATE OR REPLACE VIEW v AS SELECT id, name FROM t"),
    Step("ALTER TABLE u ADD COLUMN IF NOT EXISTS t_id int REFERENCES t (id)"),
]
BEFORE = (0, 1, 4)
"""How many of the steps the database may have seen before; there it holds rows, and readers."""

Throw = Callable[[CrashingServer, str, random.Random, list[object]], None]


def kill(_server: CrashingServer, _url: str, rng: random.Random, processes: list[object]) -> None:
    """SIGKILL for one of the starts."""
    rng.choice(processes).kill()  # type: ignore[attr-defined]


def terminate(_server: CrashingServer, url: str, _rng: random.Random, _processes: list[object]) -> None:
    """An administrator ends one of their sessions."""
    with suppress(psycopg.Error), psycopg.connect(url, autocommit=True, application_name="administrator") as conn:
        conn.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() "
            "AND application_name LIKE 'omega-bridge%' ORDER BY random() LIMIT 1"
        )


def crash(server: CrashingServer, _url: str, _rng: random.Random, _processes: list[object]) -> None:
    """The whole server, and its recovery."""
    server.crash()


def read(_server: CrashingServer, url: str, rng: random.Random, _processes: list[object]) -> None:
    """A reader keeps the table for a while."""
    with suppress(psycopg.Error), psycopg.connect(url, application_name="reader") as conn:
        conn.execute("SELECT count(*) FROM t")
        time.sleep(rng.uniform(0.1, 1.0))


THROWS: list[Throw] = [kill, kill, kill, terminate, terminate, crash, read, read]


def run(server: CrashingServer, loop: Catalog, seed: int) -> tuple[Counter[str], list[str]]:
    """What was tried, counted, and what does not hold."""
    rng = random.Random(seed)
    name = f"torture_{seed}"
    url = server.create_database(name)
    tried: Counter[str] = Counter(rounds=1, starts=STARTS)
    before = rng.choice(BEFORE)
    if before:
        omega_bridge.boot(url, STEPS[:before])
        with psycopg.connect(url, autocommit=True) as conn:
            conn.execute("INSERT INTO t (id) SELECT generate_series(1, 2000)")
    processes: list[object] = [start(url, STEPS) for _ in range(STARTS)]
    throws = [rng.choice(THROWS) for _ in range(rng.randint(2, 6))]
    threads = []
    for throw in throws:
        time.sleep(rng.uniform(0.0, 0.15))
        tried[throw.__name__] += 1
        thread = threading.Thread(target=throw, args=(server, url, random.Random(rng.random()), processes))
        thread.start()
        if throw is crash:
            thread.join()
        threads.append(thread)
    found = []
    for process in processes:
        process.join(120)  # type: ignore[attr-defined]
        code = process.exitcode  # type: ignore[attr-defined]
        ended = {WELL: "well", TOLD: "told", RAW: "raw", None: "hanging"}.get(code, "killed")
        tried[ended] += 1
        if code in (RAW, None):
            found.append("a start did not end in 120 s" if code is None else "a start ended with an error of the driver's")
    for thread in threads:
        thread.join()
    found += broken(url, loop)
    if not found:
        server.drop_database(name)
    return tried, [f"seed {seed}: {what}" for what in found]


def broken(url: str, loop: Catalog) -> Iterator[str]:
    """What must hold after the next start, and does not."""
    try:
        run = omega_bridge.boot(url, STEPS, **OPTIONS)  # type: ignore[arg-type]
    except OmegaBridgeError as error:
        yield f"the next start fails: {error}"
        return
    if run.outcome not in ("repaired", "current"):
        yield f"the next start is {run.outcome}"
    again = omega_bridge.boot(url, STEPS)
    if again.outcome != "current" or again.round_trips > 2:
        yield f"the start after it is {again.outcome}, with {again.round_trips} round trips"
    with psycopg.connect(url, autocommit=True) as conn:
        for difference in diff(loop, schema(conn)):
            yield f"not the loop's schema: {difference}"
        if (place := first_broken(ledger_store.read(conn))) is not None:
            yield f"the ledger is broken at {place}"
        counted = dict(conn.execute("SELECT what, count(*) FROM counted GROUP BY 1").fetchall())
        if counted.get("once") != 1:
            yield f"a data step with repeat=once was not applied once: {counted}"
        done = conn.execute(
            "SELECT count(*) FROM omega_bridge.omega_bridge_ledger WHERE event = 'step' AND subject = 'half' AND outcome = 'applied'"
        ).fetchone()
        if done != (counted.get("half!"),) or "half" in counted:
            yield f"a half-applied step did not go on where it had ended: applied {done}, rows {counted}"
        if conn.execute("SELECT count(*) FROM t WHERE name IS NULL").fetchone() != (0,):
            yield "a data step was not applied"
        if (left := conn.execute("SELECT pid, mode FROM pg_locks WHERE locktype = 'advisory'").fetchall()) != []:
            yield f"locks are left: {left}"
        if invalid := conn.execute("SELECT indexrelid::regclass::text FROM pg_index WHERE NOT indisvalid").fetchall():
            yield f"indexes are left INVALID: {invalid}"


def by_the_loop(server: CrashingServer) -> Catalog:
    """The schema to which the naive loop comes, in passes over the list."""
    with psycopg.connect(server.create_database("torture_loop"), autocommit=True) as conn:
        for _ in range(2):
            for step in STEPS:
                for statement in step.sql.split("; ") if step.id == "half" else [step.sql]:
                    with suppress(psycopg.Error):
                        conn.execute(statement.encode())
        return schema(conn)


def schema(conn: psycopg.Connection) -> Catalog:
    """Everything but the bridge's own."""
    return read_catalog(conn)
