"""What a start locks: the keys of its advisory locks, by the schemas that it works in, and who holds them, as SQL."""

from __future__ import annotations

import re
from collections.abc import Iterable
from zlib import crc32

from omega_bridge.values import dataclass

CLASS, OBJECT = 0x6F6D6567, 0x61627267
"""The two halves of the key of everything ("omeg", "abrg"): exclusive for an older release, shared for who locks a schema."""

SCHEMA = 0x6F6D6573
"""The first half of a schema's key ("omes"); the second is a checksum of its name. Advisory locks are per database."""

DATABASE = 0x6F6D6564
"""The second half of the key of the whole database ("omed"), beside ``CLASS``."""

IS = "OPERATOR(pg_catalog.=)"

HERE = (
    f"l.locktype {IS} 'advisory' AND l.objsubid {IS} 2 AND l.granted AND l.database {IS} "
    f"(SELECT oid FROM pg_catalog.pg_database WHERE datname {IS} pg_catalog.current_database())"
)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a start locks: the ``schemas`` that it works in, exclusively.

    ``ahead``: those before them on the search path, which are not there yet. The list may make one, and who connects after that
    works in it: they are locked, too, but shared, so that tenants who have one of them in common do not wait for one another.
    """

    schemas: tuple[str, ...]
    ahead: tuple[str, ...] = ()

    @property
    def keys(self) -> dict[str, str]:
        """How each lock is taken, and how it is given back, as calls in SQL."""
        shared = [(CLASS, OBJECT), *((SCHEMA, signed(number(name))) for name in self.ahead)]
        alone = [(SCHEMA, signed(number(name))) for name in self.schemas]
        return {
            **{f"pg_catalog.pg_try_advisory_lock_shared{key}": f"pg_catalog.pg_advisory_unlock_shared{key}" for key in shared},
            **{f"pg_catalog.pg_try_advisory_lock{key}": f"pg_catalog.pg_advisory_unlock{key}" for key in alone},
        }


@dataclass(slots=True)
class Held:
    """What a session holds: taken by the server process ``pid``. ``database``: and the lock of the whole database."""

    pid: int
    wanted: Wanted
    database: bool = False

    @property
    def schemas(self) -> tuple[str, ...]:
        """Where nobody else is at work."""
        return self.wanted.schemas

    @property
    def rows(self) -> str:
        """In SQL: our locks of these schemas among those of our own server process."""
        mine = f"l.pid {IS} pg_catalog.pg_backend_pid() AND l.mode {IS} 'ExclusiveLock'"
        return f"pg_catalog.pg_locks l WHERE {mine} AND {of_schemas(self.schemas)}"

    @property
    def proof(self) -> str:
        """Fails where a lock is lost, so that the COMMIT behind it in one round trip is not reached."""
        return f"SELECT 1 OPERATOR(pg_catalog./) CASE WHEN {self.is_whole} THEN 1 ELSE 0 END"

    def where_taken(self, call: str) -> str:
        """In SQL: the ``call`` in the server process that took the locks, and NULL in any other that a pooler may give us."""
        return f"CASE WHEN pg_catalog.pg_backend_pid() {IS} {self.pid} THEN {call} END"

    @property
    def is_whole(self) -> str:
        """In SQL: whether all of them are still held."""
        return f"(SELECT pg_catalog.count(*) FROM {self.rows}) {IS} {len(set(map(number, self.schemas)))}"


def all_of(wanted: Wanted) -> str:
    """All the locks or none: a condition in SQL. A ``CASE`` keeps its order."""
    found = "true"
    for take, give_back in wanted.keys.items():
        found = f"CASE WHEN NOT {take} THEN false WHEN {found} THEN true ELSE NOT {give_back} END"
    return found


def of_schemas(schemas: tuple[str, ...]) -> str:
    """In SQL: a lock ``l`` of one of these schemas."""
    return among(SCHEMA, map(number, schemas))


def among(first: int, second: Iterable[int]) -> str:
    """In SQL: a lock ``l`` with one of these keys."""
    keys = ",".join(map(str, second))
    return f"({HERE} AND l.classid {IS} {first}::pg_catalog.oid AND l.objid {IS} ANY ('{{{keys}}}'::pg_catalog.oid[]))"


EVERY_START = among(CLASS, [OBJECT])
"""In SQL: the lock ``l`` that each start holds, whatever its schema."""

EVERYTHING = f"{EVERY_START} AND l.mode {IS} 'ExclusiveLock'"
"""In SQL: the lock ``l`` of an older release."""


def number(schema: str) -> int:
    """The second half of a schema\'s key."""
    return crc32(schema.encode())


def signed(number: int) -> int:
    """As the functions take it; ``pg_locks`` shows it without a sign."""
    return number - (1 << 32) if number >= 1 << 31 else number


def to_lock(search_path: str, role: str, schema: str | None) -> Wanted:
    """What to lock under a ``search_path``, whose first schema that is there is ``schema``."""
    ahead: list[str] = []
    for found in re.finditer(r'"((?:[^"]|"")*)"|([^\s,][^,]*)', search_path):
        name = found[1].replace('""', '"') if found[1] is not None else found[2].strip().lower()
        name = role if name == "$user" else name
        if name == schema:
            break
        ahead.append(name)
    if schema is None:
        return Wanted(tuple(ahead) or ("",))
    return Wanted((schema,), tuple(ahead))
