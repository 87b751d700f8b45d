"""Our own Alembic operations: values that Alembic runs, renders and writes as SQL (``--sql``) like its own.

Each says what shall be true; the SQL behind it asks the catalog first and takes no lock where it is true already.
Taking something away in a downgrade looks at the ledger: only what the bridge created goes.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from typing import Any, ClassVar

from alembic.autogenerate import renderers
from alembic.operations import MigrateOperation, Operations, ops

from omega_bridge.analysis.reading import reading_of
from omega_bridge.planning.foundation import laid
from omega_bridge.revisions import guards, recording, row_guard
from omega_bridge.revisions.alembic_border import server_error
from omega_bridge.revisions.quoting import quoted
from omega_bridge.revisions.recording import ATTEMPTS
from omega_bridge.revisions.row_guard import GUARD
from omega_bridge.revisions.sending import send
from omega_bridge.sql import parse, printed_type, sendable

log = logging.getLogger("omega_bridge")

CREATED = "omega_bridge_created"
"""The migration context's option that tells a downgrade what the bridge created: catalog keys as text, and changed
attributes as ``<key>: <attribute>``. Absent or ``None``: no record, nothing is held back."""


INDEXES = "omega_bridge_indexes"
"""The migration context's option that asks the record before an index is built: ``begins(name, schema)`` notes that it is, and says
whether an INVALID one of that name may go, since the record names it."""


_THERE_ALREADY = {"42701", "42710", "42P07", "42P06", "42723"}
"""duplicate_column, duplicate_object, duplicate_table, duplicate_schema, duplicate_function: of a single statement no failure."""


class _Ours(MigrateOperation):
    """An operation that is one or more statements, and one line in a revision file."""

    verb: ClassVar[str]

    def statements(self) -> Sequence[str]:
        """The SQL, each a statement of its own."""
        raise NotImplementedError

    def arguments(self) -> Sequence[tuple[str | None, Any, Any]]:
        """Name (``None``: by position), value and default of each argument, as the file shows them."""
        raise NotImplementedError

    def undoes(self) -> str | None:
        """What a downgrade must find in the ledger's record before it runs this; ``None`` for nothing."""
        return None

    @property
    def words(self) -> str | None:
        """The step's own SQL, where all that is sent is made of it."""
        return None


class RunStepOp(_Ours):
    """A step's own SQL, carried to the server (or into ``--sql``) exactly as it is written."""

    verb = "run_step"

    def __init__(self, sql: str) -> None:
        self.sql = sql

    @classmethod
    def run_step(cls, operations: Operations, sql: str) -> None:
        """Send a step's text without looking for parameters in it."""
        operations.invoke(cls(sql))

    @property
    def words(self) -> str | None:
        return self.sql

    def statements(self) -> Sequence[str]:
        return (self.sql,)

    def arguments(self) -> Sequence[tuple[str | None, Any, Any]]:
        return ((None, self.sql, ...),)


class LayFoundationOp(_Ours):
    """What the list stands on, made where none of its tables is there. Where only some are it stops, and names the others."""

    verb = "lay_foundation"

    def __init__(self, sql: str, tables: Sequence[str]) -> None:
        self.sql, self.tables = sql, tuple(tables)

    @classmethod
    def lay_foundation(cls, operations: Operations, sql: str, *, tables: Sequence[str]) -> None:
        """Run a text on a database that has none of these tables; do nothing on one that has them all."""
        operations.invoke(cls(sql, tables))

    @property
    def words(self) -> str | None:
        return self.sql

    def statements(self) -> Sequence[str]:
        return (laid(self.sql, self.tables),)

    def arguments(self) -> Sequence[tuple[str | None, Any, Any]]:
        return ((None, self.sql, ...), ("tables", self.tables, ...))


class AttemptStepOp(_Ours):
    """A step that nothing in the list makes possible on an empty database: an error of it changes nothing."""

    verb = "attempt_step"

    def __init__(self, sql: str) -> None:
        self.sql = sql

    @classmethod
    def attempt_step(cls, operations: Operations, sql: str) -> None:
        """Run a step's text; where it fails, leave everything as it was and go on, with a notice."""
        operations.invoke(cls(sql))

    @property
    def is_apart(self) -> bool:
        """Whether a statement of it refuses a transaction: then each goes out by itself, up to the first that is rejected."""
        return not reading_of(self.sql).transactional

    @property
    def words(self) -> str | None:
        return self.sql

    def statements(self) -> Sequence[str]:
        if self.is_apart:
            return tuple(statement.text for statement in parse(self.sql))
        return (guards.attempted(self.sql),)

    def arguments(self) -> Sequence[tuple[str | None, Any, Any]]:
        return ((None, self.sql, ...),)


class EnsureOp(_Ours):
    """An object that Alembic has no idempotent form for: created by ``sql`` where the catalog does not have it.

    ``replace``: the statement replaces what is there (``CREATE OR REPLACE``) and always runs. ``optional``: an error
    is a notice, as the step's own exception handler has it.
    """

    verb = "ensure"

    def __init__(
        self,
        kind: str,
        name: str,
        sql: str,
        *,
        table: str | None = None,
        schema: str | None = None,
        replace: bool = False,
        optional: bool = False,
    ) -> None:
        self.kind, self.name, self.sql, self.table, self.schema = kind, name, sql, table, schema
        self.replace, self.optional = replace, optional

    @classmethod
    def ensure(cls, operations: Operations, kind: str, name: str, sql: str, **options: Any) -> None:
        """Run ``sql`` where the catalog has no ``kind`` of that ``name``."""
        operations.invoke(cls(kind, name, sql, **options))

    @property
    def words(self) -> str | None:
        return self.sql

    def statements(self) -> Sequence[str]:
        if self.replace:
            return (self.sql,)
        first = [f"DROP INDEX IF EXISTS {guards.identifier(self.name, self.schema)}"] if self.kind == "index" else []
        there = guards.is_there(self.kind, self.name, self.table, self.schema)
        return (guards.unless(there, *first, self.sql, optional=f"{self.kind} {self.name}" if self.optional else None),)

    def arguments(self) -> Sequence[tuple[str | None, Any, Any]]:
        return (
            (None, self.kind, ...), (None, self.name, ...), (None, self.sql, ...), ("table", self.table, None),
            ("schema", self.schema, None), ("replace", self.replace, False), ("optional", self.optional, False),
        )  # fmt: skip


class EnsureAbsentOp(_Ours):
    """An object that shall be gone."""

    verb = "ensure_absent"

    def __init__(
        self, kind: str, name: str, *, table: str | None = None, schema: str | None = None, cascade: bool = False
    ) -> None:
        self.kind, self.name, self.table, self.schema, self.cascade = kind, name, table, schema, cascade

    @classmethod
    def ensure_absent(cls, operations: Operations, kind: str, name: str, **options: Any) -> None:
        """Drop the object where it is there."""
        operations.invoke(cls(kind, name, **options))

    def statements(self) -> Sequence[str]:
        there = guards.is_there(self.kind, self.name, self.table, self.schema)
        if self.kind == "index":
            there = f"{guards.regclass(self.name, self.schema)} IS NOT NULL"
        return (
            guards.unless(f"NOT ({there})", guards.drop(self.kind, self.name, self.table, self.schema, cascade=self.cascade)),
        )

    def arguments(self) -> Sequence[tuple[str | None, Any, Any]]:
        return (
            (None, self.kind, ...), (None, self.name, ...), ("table", self.table, None),
            ("schema", self.schema, None), ("cascade", self.cascade, False),
        )  # fmt: skip

    def undoes(self) -> str | None:
        return _told(self.kind, self.name, self.table, self.schema)


class EnsureColumnOp(_Ours):
    """A column that shall have this type, nullability or default. What is not named stays as it is."""

    verb = "ensure_column"

    def __init__(
        self,
        table: str,
        column: str,
        *,
        type_: str | None = None,
        using: str | None = None,
        nullable: bool | None = None,
        default: Any = ...,
        schema: str | None = None,
    ) -> None:
        self.table, self.column, self.type_, self.using = table, column, type_, using
        self.nullable, self.default, self.schema = nullable, default, schema

    @classmethod
    def ensure_column(cls, operations: Operations, table: str, column: str, **wanted: Any) -> None:
        """``ALTER COLUMN`` where the catalog says otherwise. ``default`` is SQL, or ``None`` for no default."""
        operations.invoke(cls(table, column, **wanted))

    def statements(self) -> Sequence[str]:
        alter = f"ALTER TABLE {guards.identifier(self.table, self.schema)} ALTER COLUMN {guards.identifier(self.column)}"
        found = []
        if self.type_ is not None:
            using = f" USING {self.using}" if self.using else ""
            there = guards.type_is(self.table, self.column, printed_type(self.type_), self.schema)
            found.append(guards.unless(there, f"{alter} TYPE {self.type_}{using}"))
        if self.default is not ...:
            change = "DROP DEFAULT" if self.default is None else f"SET DEFAULT {self.default}"
            found.append(
                guards.unless(guards.default_is(self.table, self.column, self.default, self.schema), f"{alter} {change}")
            )
        if self.nullable is not None:
            change = "DROP NOT NULL" if self.nullable else "SET NOT NULL"
            found.append(
                guards.unless(guards.nullable_is(self.table, self.column, self.nullable, self.schema), f"{alter} {change}")
            )
        return found

    def arguments(self) -> Sequence[tuple[str | None, Any, Any]]:
        return (
            (None, self.table, ...), (None, self.column, ...), ("type_", self.type_, None), ("using", self.using, None),
            ("nullable", self.nullable, None), ("default", self.default, ...), ("schema", self.schema, None),
        )  # fmt: skip

    def undoes(self) -> str | None:
        attribute = "type" if self.type_ is not None else "default" if self.default is not ... else "nullable"
        return f"{_told('column', self.column, self.table, self.schema)}: {attribute}"


class EnsureEnumValueOp(_Ours):
    """A label that an enum type shall have."""

    verb = "ensure_enum_value"

    def __init__(
        self, name: str, value: str, *, before: str | None = None, after: str | None = None, schema: str | None = None
    ) -> None:
        self.name, self.value, self.before, self.after, self.schema = name, value, before, after, schema

    @classmethod
    def ensure_enum_value(cls, operations: Operations, name: str, value: str, **options: Any) -> None:
        """``ALTER TYPE ... ADD VALUE`` where the label is missing."""
        operations.invoke(cls(name, value, **options))

    def statements(self) -> Sequence[str]:
        there = (
            f"EXISTS (SELECT FROM pg_enum WHERE enumtypid = to_regtype({guards.literal(guards.identifier(self.name, self.schema))})"
            f" AND enumlabel = {guards.literal(self.value)})"
        )
        place = f" BEFORE {guards.literal(self.before)}" if self.before else ""
        place = f" AFTER {guards.literal(self.after)}" if self.after else place
        add = f"ALTER TYPE {guards.identifier(self.name, self.schema)} ADD VALUE {guards.literal(self.value)}{place}"
        return (guards.unless(there, add),)

    def arguments(self) -> Sequence[tuple[str | None, Any, Any]]:
        return (
            (None, self.name, ...), (None, self.value, ...), ("before", self.before, None), ("after", self.after, None),
            ("schema", self.schema, None),
        )  # fmt: skip


class EnsureCommentOp(_Ours):
    """The comment that an object shall carry; ``None`` for none."""

    verb = "ensure_comment"

    def __init__(self, kind: str, name: str, comment: str | None, *, table: str | None = None, schema: str | None = None) -> None:
        self.kind, self.name, self.comment, self.table, self.schema = kind, name, comment, table, schema

    @classmethod
    def ensure_comment(cls, operations: Operations, kind: str, name: str, comment: str | None, **options: Any) -> None:
        """``COMMENT ON`` where the catalog has another comment."""
        operations.invoke(cls(kind, name, comment, **options))

    def statements(self) -> Sequence[str]:
        target = guards.named(self.kind, self.name, self.table, self.schema)
        text = guards.literal(self.comment) if self.comment is not None else "NULL"
        there = guards.comment_is(self.kind, self.name, self.table, self.comment, self.schema)
        return (guards.unless(there, f"COMMENT ON {target} IS {text}"),)

    def arguments(self) -> Sequence[tuple[str | None, Any, Any]]:
        return (
            (None, self.kind, ...), (None, self.name, ...), (None, self.comment, ...), ("table", self.table, None),
            ("schema", self.schema, None),
        )  # fmt: skip

    def undoes(self) -> str | None:
        return f"{_told(self.kind, self.name, self.table, self.schema)}: comment"


class EnsureRenamedOp(_Ours):
    """An object that shall bear its new name: renamed where the old one is there and the new one is not."""

    verb = "ensure_renamed"

    def __init__(self, kind: str, old: str, new: str, *, table: str | None = None, schema: str | None = None) -> None:
        self.kind, self.old, self.new, self.table, self.schema = kind, old, new, table, schema

    @classmethod
    def ensure_renamed(cls, operations: Operations, kind: str, old: str, new: str, **options: Any) -> None:
        """``RENAME`` where it has not happened yet."""
        operations.invoke(cls(kind, old, new, **options))

    def statements(self) -> Sequence[str]:
        gone = f"NOT ({guards.is_there(self.kind, self.old, self.table, self.schema)})"
        come = guards.is_there(self.kind, self.new, self.table, self.schema)
        return (guards.unless(f"{gone} OR {come}", guards.rename(self.kind, self.old, self.new, self.table, self.schema)),)

    def arguments(self) -> Sequence[tuple[str | None, Any, Any]]:
        return (
            (None, self.kind, ...), (None, self.old, ...), (None, self.new, ...), ("table", self.table, None),
            ("schema", self.schema, None),
        )  # fmt: skip

    def undoes(self) -> str | None:
        return _told(self.kind, self.old, self.table, self.schema)


class EnsureRowSecurityOp(_Ours):
    """The row level security switches of a table. What is not named stays as it is."""

    verb = "ensure_row_security"

    def __init__(self, table: str, *, enabled: bool | None = None, forced: bool | None = None, schema: str | None = None) -> None:
        self.table, self.enabled, self.forced, self.schema = table, enabled, forced, schema

    @classmethod
    def ensure_row_security(cls, operations: Operations, table: str, **switches: Any) -> None:
        """Set the switches where the catalog says otherwise."""
        operations.invoke(cls(table, **switches))

    def statements(self) -> Sequence[str]:
        found = []
        words = (("relrowsecurity", self.enabled, "ENABLE", "DISABLE"), ("relforcerowsecurity", self.forced, "FORCE", "NO FORCE"))
        for column, wanted, on, off in words:
            if wanted is not None:
                there = f"EXISTS (SELECT FROM pg_class WHERE oid = {guards.regclass(self.table, self.schema)} AND {column} = {wanted})"
                change = f"ALTER TABLE {guards.identifier(self.table, self.schema)} {on if wanted else off} ROW LEVEL SECURITY"
                found.append(guards.unless(there, change))
        return found

    def arguments(self) -> Sequence[tuple[str | None, Any, Any]]:
        return (
            (None, self.table, ...), ("enabled", self.enabled, None), ("forced", self.forced, None),
            ("schema", self.schema, None),
        )  # fmt: skip

    def undoes(self) -> str | None:
        attribute = "row_security" if self.enabled is not None else "force_row_security"
        return f"{_told('table', self.table, None, self.schema)}: {attribute}"


_DROP_OURS = """
DECLARE
    ours boolean := false;
BEGIN
    IF {invalid} THEN
        IF to_regclass('omega_bridge.ledger') IS NOT NULL THEN
            EXECUTE $q$SELECT EXISTS (SELECT FROM omega_bridge.ledger l WHERE l.event = 'statement' AND l.outcome = 'begun'
                AND l.detail->>'index' = $1 AND NOT EXISTS (SELECT FROM omega_bridge.ledger a WHERE a.seq > l.seq
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


class DropInvalidIndexOp(_Ours):
    """Takes away an index that a crash left INVALID; ahead of ``CREATE INDEX CONCURRENTLY IF NOT EXISTS``.

    One that the record does not name may be another session's, at work, or a partitioned table's: it is left alone.
    """

    verb = "drop_invalid_index"

    def __init__(self, name: str, *, schema: str | None = None) -> None:
        self.name, self.schema = name, schema

    @classmethod
    def drop_invalid_index(cls, operations: Operations, name: str, **options: Any) -> None:
        """Drop the index where it is there, INVALID, and named by the record."""
        operations.invoke(cls(name, **options))

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

    def arguments(self) -> Sequence[tuple[str | None, Any, Any]]:
        return ((None, self.name, ...), ("schema", self.schema, None))


OPERATIONS: tuple[type[_Ours], ...] = (
    RunStepOp,
    LayFoundationOp,
    AttemptStepOp,
    EnsureOp,
    EnsureAbsentOp,
    EnsureColumnOp,
    EnsureEnumValueOp,
    EnsureCommentOp,
    EnsureRenamedOp,
    EnsureRowSecurityOp,
    DropInvalidIndexOp,
)


def _told(kind: str, name: str, table: str | None, schema: str | None) -> str:
    """An object as the ledger's record spells it; without a schema, the ending of it."""
    path = ".".join(part for part in (schema, table, name) if part)
    return f"{kind} {path}"


def _is_recorded(told: str, record: frozenset[str]) -> bool:
    """Whether the record holds the object, in that schema or, where none is given, in any."""
    told, _, attribute = told.partition(": ")
    if attribute and _is_recorded(told, record):  # the whole object is the bridge's own
        return True
    told = f"{told}: {attribute}" if attribute else told
    if told in record:
        return True
    kind = next(k for k in sorted(_KINDS, key=len, reverse=True) if told.startswith(f"{k} "))
    tail = "." + told.removeprefix(f"{kind} ")
    return any(entry.startswith(f"{kind} ") and entry.endswith(tail) for entry in record)


_KINDS = (
    "schema", "extension", "table", "column", "constraint", "index", "sequence", "view", "materialized view", "enum",
    "domain", "composite type", "function", "trigger", "policy",
)  # fmt: skip


def _is_held_back(operations: Operations, told: str | None) -> bool:
    """Whether a downgrade must leave it, because the bridge found it there and did not make it."""
    record = operations.migration_context.opts.get(CREATED)
    return told is not None and record is not None and not _is_recorded(told, record)


def _run(operations: Operations, operation: _Ours) -> None:
    with _on_record(operations):
        _work(operations, operation)


def _work(operations: Operations, operation: _Ours) -> None:
    if _is_held_back(operations, operation.undoes()):
        return
    context = operations.migration_context
    if isinstance(operation, AttemptStepOp) and not context.as_sql and (operation.is_apart or ATTEMPTS in context.opts):
        _attempt(operations, operation)
        return
    if isinstance(operation, DropInvalidIndexOp) and not context.as_sql and INDEXES in context.opts:
        if context.opts[INDEXES].begins(operation.name, operation.schema):
            _send(operations, operation.drop)
        return
    for text in operation.statements():
        words = operation.words if operation.words != text else None
        _guarded(operations, text, partial(_send, operations, text), words)


def _on_record(operations: Operations) -> AbstractContextManager[None]:
    """In an ``env.py`` that knows nothing of the record, what a revision of ours does goes into it all the same."""
    context = operations.migration_context
    return nullcontext() if GUARD in context.opts or context.as_sql else recording.of(context, operations.get_bind())


def _send(operations: Operations, text: str) -> None:
    context = operations.migration_context
    if context.as_sql:
        sendable(text)
        plain = text.rstrip()
        context.impl.static_output(plain if plain.endswith(";") else f"{plain}\n;")
    else:
        send(operations.get_bind(), text)


def _guarded(operations: Operations, text: str, send: Callable[[], object], words: str | None = None) -> None:
    """Run ``send``, which sends ``text``, under the guard of rows. ``words``: the step's own, where ``text`` is made of them."""
    opts = operations.migration_context.opts
    if GUARD not in opts:
        _send(operations, row_guard.without_an_environment(text, words))
    elif opts[GUARD] is None:
        send()
    else:
        opts[GUARD].run(send, words or text)


def _attempt(operations: Operations, operation: AttemptStepOp) -> None:
    """Send a step, or each statement of one that refuses a transaction; at the first error all is as before that statement."""
    bind: Any = operations.get_bind()
    texts = operation.statements() if operation.is_apart else (operation.sql,)
    is_apart = operation.is_apart or bind.get_execution_options().get("isolation_level") == "AUTOCOMMIT"
    for text in texts:
        if not is_apart:
            send(bind, "SAVEPOINT omega_bridge_attempt")
        try:
            _guarded(operations, text, partial(send, bind, text))
        except Exception as exc:
            told = server_error(exc)
            if told is None:
                raise
            if is_apart:
                bind.connection.dbapi_connection.rollback()
            else:
                send(bind, "ROLLBACK TO SAVEPOINT omega_bridge_attempt")
            log.warning("omega-bridge: the step was not possible here: %s", told[1])
            if told[0] not in _THERE_ALREADY or len(parse(operation.sql)) > 1:
                operations.migration_context.opts.get(ATTEMPTS, []).append(told)
            return


def _render(context: Any, operation: _Ours) -> str:
    shown = []
    for name, value, default in operation.arguments():
        if name is None or value is not default:
            text = quoted(value) if isinstance(value, str) else repr(value)
            shown.append(text if name is None else f"{name}={text}")
    return f"op.{operation.verb}({', '.join(shown)})"


for _operation in OPERATIONS:
    Operations.register_operation(_operation.verb)(_operation)
    Operations.implementation_for(_operation)(_run)
    renderers.dispatch_for(_operation)(_render)


# --- Alembic's own drops, which ask the ledger too -------------------------------------------------------------


def _object(operation: Any) -> str:
    match operation:
        case ops.DropTableOp():
            return _told("table", operation.table_name, None, operation.schema)
        case ops.DropColumnOp():
            return _told("column", operation.column_name, operation.table_name, operation.schema)
        case ops.DropIndexOp():
            return _told("index", str(operation.index_name), None, operation.schema)
    return _told("constraint", str(operation.constraint_name), operation.table_name, operation.schema)


def _implement(kind: type[MigrateOperation], implementation: Callable[..., Any]) -> None:
    """In the place of Alembic's own, which has ``replace=True`` for it from 1.17.2 on; before, a second one is an error."""
    Operations._to_impl._registry.pop((kind, "default"))
    Operations.implementation_for(kind)(implementation)


def _asking_first(kind: type[MigrateOperation]) -> None:
    alembics = Operations._to_impl.dispatch(kind)

    def implementation(operations: Operations, operation: Any) -> Any:
        with _on_record(operations):
            if not _is_held_back(operations, _object(operation)):
                _watched(operations, operation, alembics)

    _implement(kind, implementation)


def _under_guard(kind: type[MigrateOperation]) -> None:
    """What only adds may call a function of the step's: it is watched where the revision is."""
    alembics = Operations._to_impl.dispatch(kind)

    def implementation(operations: Operations, operation: Any) -> Any:
        guard = operations.migration_context.opts.get(GUARD)
        if guard is None:
            with _on_record(operations):
                return alembics(operations, operation)
        found: list[Any] = []
        guard.run(lambda: found.append(alembics(operations, operation)), None)
        return found[-1]

    _implement(kind, implementation)


def _watched(operations: Operations, operation: Any, alembics: Callable[..., Any]) -> None:
    """A drop of Alembic's own, under the guard of rows; one in a revision that was written by hand is its author's."""
    opts = operations.migration_context.opts
    if opts.get(GUARD) is not None and isinstance(operation, ops.DropTableOp | ops.DropColumnOp):
        opts[GUARD].run(lambda: alembics(operations, operation), None)
    elif GUARD not in opts and isinstance(operation, ops.DropTableOp | ops.DropColumnOp) and row_guard.running() is not None:
        kind, name = (
            ("column", operation.column_name) if isinstance(operation, ops.DropColumnOp) else ("table", operation.table_name)
        )
        there = guards.is_there(kind, name, operation.table_name, operation.schema)
        drop = guards.drop(kind, name, operation.table_name, operation.schema)
        _send(operations, row_guard.without_an_environment(guards.unless(f"NOT ({there})", drop)))
    else:
        alembics(operations, operation)


for _kind in (ops.DropTableOp, ops.DropColumnOp, ops.DropIndexOp, ops.DropConstraintOp):
    _asking_first(_kind)
for _other in (ops.AddColumnOp, ops.CreateTableOp, ops.AlterColumnOp, ops.ExecuteSQLOp, ops.BulkInsertOp):
    _under_guard(_other)


def _only_on_record(kind: type[MigrateOperation]) -> None:
    alembics = Operations._to_impl.dispatch(kind)

    def implementation(operations: Operations, operation: Any) -> Any:
        with _on_record(operations):
            return alembics(operations, operation)

    _implement(kind, implementation)


_only_on_record(ops.CreateIndexOp)
