"""An index that a crash left INVALID, taken away where the record names it."""

from __future__ import annotations

from collections.abc import Sequence

from alembic.operations import Operations

from omega_bridge.revisions import guards
from omega_bridge.revisions.operations.operation import Argument, Operation

_DROP_OURS = """
DECLARE
    ours boolean := false;
BEGIN
    IF {invalid} THEN
        IF to_regclass('omega_bridge.omega_bridge_ledger') IS NOT NULL THEN
            EXECUTE $q$SELECT EXISTS (SELECT FROM omega_bridge.omega_bridge_ledger l WHERE l.event = 'statement' AND l.outcome = 'begun'
                AND l.detail->>'index' = $1 AND NOT EXISTS (SELECT FROM omega_bridge.omega_bridge_ledger a WHERE a.seq > l.seq
                    AND a.event IN ('step', 'upgrade') AND a.outcome IN ('applied', 'already-there')
                    AND l.checksum IN (SELECT a.checksum UNION SELECT unnest(string_to_array(a.checksum, ',')))))$q$
                INTO ours USING (SELECT format('%I.%I', n.nspname, c.relname) FROM pg_class c
                    JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = {regclass});
        END IF;
        IF NOT ours THEN
            RAISE EXCEPTION 'omega-bridge: index % is INVALID, and the record does not name it', {told} USING ERRCODE = 'OB307',
                HINT = 'Another session may be building it. Where none is: drop it, and go on.';
        END IF;
        DROP INDEX {name};
    END IF;
END """


class DropInvalidIndexOp(Operation):
    """Takes away an index that a crash left INVALID; ahead of ``CREATE INDEX CONCURRENTLY IF NOT EXISTS``.

    One that the record does not name may be another session's, at work, or a partitioned table's: it is left alone.
    """

    verb = "drop_invalid_index"

    def __init__(self, name: str, *, schema: str | None = None) -> None:
        self.name, self.schema = name, schema

    @classmethod
    def drop_invalid_index(cls, operations: Operations, name: str, *, schema: str | None = None) -> None:
        """Drop the index where it is there, INVALID, and named by the record."""
        operations.invoke(cls(name, schema=schema))

    @property
    def drop(self) -> str:
        """What drops it where it is INVALID, whoever left it."""
        return guards.unless(f"NOT {self._invalid}", f"DROP INDEX {guards.identifier(self.name, self.schema)}")

    @property
    def _invalid(self) -> str:
        return f"EXISTS (SELECT FROM pg_index WHERE indexrelid = {guards.regclass(self.name, self.schema)} AND NOT indisvalid)"

    def statements(self) -> Sequence[str]:
        name = guards.identifier(self.name, self.schema)
        text = _DROP_OURS.format(
            invalid=self._invalid, name=name, regclass=guards.regclass(self.name, self.schema), told=guards.literal(name)
        )
        return (f"DO {guards.tagged(text)}",)

    def arguments(self) -> Sequence[Argument]:
        return ((None, self.name, ...), ("schema", self.schema, None))
