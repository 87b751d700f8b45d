"""What shall be true, as operations: the SQL asks the catalog first, and takes no lock where it is true already."""

from __future__ import annotations

from collections.abc import Sequence
from types import EllipsisType

from alembic.operations import Operations

from omega_bridge.revisions import guards
from omega_bridge.revisions.operations.operation import Argument, Operation, spelled
from omega_bridge.sql import printed_type


class EnsureOp(Operation):
    """An object that Alembic has no idempotent form for: created by ``sql`` where the catalog does not have it.

    ``replace``: the statement replaces what is there (``CREATE OR REPLACE``) and always runs. ``optional``: an error
    is a notice, as the step's own exception handler has it. ``attempt``: what it needs may be missing here, as ``attempt_step`` has it.
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
        attempt: bool = False,
    ) -> None:
        self.kind, self.name, self.sql, self.table, self.schema = kind, name, sql, table, schema
        self.replace, self.optional, self.attempt = replace, optional, attempt

    @classmethod
    def ensure(
        cls,
        operations: Operations,
        kind: str,
        name: str,
        sql: str,
        *,
        table: str | None = None,
        schema: str | None = None,
        replace: bool = False,
        optional: bool = False,
        attempt: bool = False,
    ) -> None:
        """Run ``sql`` where the catalog has no ``kind`` of that ``name``."""
        options = {"table": table, "schema": schema}
        operations.invoke(cls(kind, name, sql, **options, replace=replace, optional=optional, attempt=attempt))

    @property
    def words(self) -> str | None:
        return self.sql

    @property
    def attempted(self) -> Sequence[str]:
        return self._guarded(optional=self.optional) if self.attempt else ()

    def statements(self) -> Sequence[str]:
        return self._guarded(optional=self.optional or self.attempt)

    def _guarded(self, *, optional: bool) -> Sequence[str]:
        if self.replace:
            return (self.sql,)
        there = guards.is_there(self.kind, self.name, self.table, self.schema)
        return (guards.unless(there, self.sql, optional=f"{self.kind} {self.name}" if optional else None),)

    def arguments(self) -> Sequence[Argument]:
        return (
            (None, self.kind, ...), (None, self.name, ...), (None, self.sql, ...), ("table", self.table, None),
            ("schema", self.schema, None), ("replace", self.replace, False), ("optional", self.optional, False),
            ("attempt", self.attempt, False),
        )  # fmt: skip


class EnsureAbsentOp(Operation):
    """An object that shall be gone."""

    verb = "ensure_absent"

    def __init__(
        self, kind: str, name: str, *, table: str | None = None, schema: str | None = None, cascade: bool = False
    ) -> None:
        self.kind, self.name, self.table, self.schema, self.cascade = kind, name, table, schema, cascade

    @classmethod
    def ensure_absent(
        cls,
        operations: Operations,
        kind: str,
        name: str,
        *,
        table: str | None = None,
        schema: str | None = None,
        cascade: bool = False,
    ) -> None:
        """Drop the object where it is there."""
        operations.invoke(cls(kind, name, table=table, schema=schema, cascade=cascade))

    def statements(self) -> Sequence[str]:
        there = guards.is_there(self.kind, self.name, self.table, self.schema)
        return (
            guards.unless(f"NOT ({there})", guards.drop(self.kind, self.name, self.table, self.schema, cascade=self.cascade)),
        )

    def arguments(self) -> Sequence[Argument]:
        return (
            (None, self.kind, ...), (None, self.name, ...), ("table", self.table, None),
            ("schema", self.schema, None), ("cascade", self.cascade, False),
        )  # fmt: skip

    def undoes(self) -> str | None:
        return spelled(self.kind, self.name, self.table, self.schema)


class EnsureColumnOp(Operation):
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
        default: str | EllipsisType | None = ...,
        schema: str | None = None,
    ) -> None:
        self.table, self.column, self.type_, self.using = table, column, type_, using
        self.nullable, self.default, self.schema = nullable, default, schema

    @classmethod
    def ensure_column(
        cls,
        operations: Operations,
        table: str,
        column: str,
        *,
        type_: str | None = None,
        using: str | None = None,
        nullable: bool | None = None,
        default: str | EllipsisType | None = ...,
        schema: str | None = None,
    ) -> None:
        """``ALTER COLUMN`` where the catalog says otherwise. ``default`` is SQL, or ``None`` for no default."""
        operations.invoke(cls(table, column, type_=type_, using=using, nullable=nullable, default=default, schema=schema))

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

    def arguments(self) -> Sequence[Argument]:
        return (
            (None, self.table, ...), (None, self.column, ...), ("type_", self.type_, None), ("using", self.using, None),
            ("nullable", self.nullable, None), ("default", self.default, ...), ("schema", self.schema, None),
        )  # fmt: skip

    def undoes(self) -> str | None:
        attribute = "type" if self.type_ is not None else "default" if self.default is not ... else "nullable"
        return f"{spelled('column', self.column, self.table, self.schema)}: {attribute}"


class EnsureEnumValueOp(Operation):
    """A label that an enum type shall have."""

    verb = "ensure_enum_value"

    def __init__(
        self, name: str, value: str, *, before: str | None = None, after: str | None = None, schema: str | None = None
    ) -> None:
        self.name, self.value, self.before, self.after, self.schema = name, value, before, after, schema

    @classmethod
    def ensure_enum_value(
        cls,
        operations: Operations,
        name: str,
        value: str,
        *,
        before: str | None = None,
        after: str | None = None,
        schema: str | None = None,
    ) -> None:
        """``ALTER TYPE ... ADD VALUE`` where the label is missing."""
        operations.invoke(cls(name, value, before=before, after=after, schema=schema))

    def statements(self) -> Sequence[str]:
        there = (
            f"EXISTS (SELECT FROM pg_enum WHERE enumtypid = to_regtype({guards.literal(guards.identifier(self.name, self.schema))})"
            f" AND enumlabel = {guards.literal(self.value)})"
        )
        place = f" BEFORE {guards.literal(self.before)}" if self.before else ""
        place = f" AFTER {guards.literal(self.after)}" if self.after else place
        add = f"ALTER TYPE {guards.identifier(self.name, self.schema)} ADD VALUE {guards.literal(self.value)}{place}"
        return (guards.unless(there, add),)

    def arguments(self) -> Sequence[Argument]:
        return (
            (None, self.name, ...), (None, self.value, ...), ("before", self.before, None), ("after", self.after, None),
            ("schema", self.schema, None),
        )  # fmt: skip


class EnsureCommentOp(Operation):
    """The comment that an object shall carry; ``None`` for none."""

    verb = "ensure_comment"

    def __init__(self, kind: str, name: str, comment: str | None, *, table: str | None = None, schema: str | None = None) -> None:
        self.kind, self.name, self.comment, self.table, self.schema = kind, name, comment, table, schema

    @classmethod
    def ensure_comment(
        cls,
        operations: Operations,
        kind: str,
        name: str,
        comment: str | None,
        *,
        table: str | None = None,
        schema: str | None = None,
    ) -> None:
        """``COMMENT ON`` where the catalog has another comment."""
        operations.invoke(cls(kind, name, comment, table=table, schema=schema))

    def statements(self) -> Sequence[str]:
        target = guards.named(self.kind, self.name, self.table, self.schema)
        text = guards.literal(self.comment) if self.comment is not None else "NULL"
        there = guards.comment_is(self.kind, self.name, self.table, self.comment, self.schema)
        return (guards.unless(there, f"COMMENT ON {target} IS {text}"),)

    def arguments(self) -> Sequence[Argument]:
        return (
            (None, self.kind, ...), (None, self.name, ...), (None, self.comment, ...), ("table", self.table, None),
            ("schema", self.schema, None),
        )  # fmt: skip

    def undoes(self) -> str | None:
        return f"{spelled(self.kind, self.name, self.table, self.schema)}: comment"


class EnsureRenamedOp(Operation):
    """An object that shall bear its new name: renamed where the old one is there and the new one is not."""

    verb = "ensure_renamed"

    def __init__(self, kind: str, old: str, new: str, *, table: str | None = None, schema: str | None = None) -> None:
        self.kind, self.old, self.new, self.table, self.schema = kind, old, new, table, schema

    @classmethod
    def ensure_renamed(
        cls, operations: Operations, kind: str, old: str, new: str, *, table: str | None = None, schema: str | None = None
    ) -> None:
        """``RENAME`` where it has not happened yet."""
        operations.invoke(cls(kind, old, new, table=table, schema=schema))

    def statements(self) -> Sequence[str]:
        gone = f"NOT ({guards.is_there(self.kind, self.old, self.table, self.schema)})"
        come = guards.is_there(self.kind, self.new, self.table, self.schema)
        return (guards.unless(f"{gone} OR {come}", guards.rename(self.kind, self.old, self.new, self.table, self.schema)),)

    def arguments(self) -> Sequence[Argument]:
        return (
            (None, self.kind, ...), (None, self.old, ...), (None, self.new, ...), ("table", self.table, None),
            ("schema", self.schema, None),
        )  # fmt: skip

    def undoes(self) -> str | None:
        return spelled(self.kind, self.old, self.table, self.schema)


class EnsureRowSecurityOp(Operation):
    """The row level security switches of a table. What is not named stays as it is."""

    verb = "ensure_row_security"

    def __init__(self, table: str, *, enabled: bool | None = None, forced: bool | None = None, schema: str | None = None) -> None:
        self.table, self.enabled, self.forced, self.schema = table, enabled, forced, schema

    @classmethod
    def ensure_row_security(
        cls,
        operations: Operations,
        table: str,
        *,
        enabled: bool | None = None,
        forced: bool | None = None,
        schema: str | None = None,
    ) -> None:
        """Set the switches where the catalog says otherwise."""
        operations.invoke(cls(table, enabled=enabled, forced=forced, schema=schema))

    def statements(self) -> Sequence[str]:
        found = []
        words = (("relrowsecurity", self.enabled, "ENABLE", "DISABLE"), ("relforcerowsecurity", self.forced, "FORCE", "NO FORCE"))
        for column, wanted, on, off in words:
            if wanted is not None:
                there = f"EXISTS (SELECT FROM pg_class WHERE oid = {guards.regclass(self.table, self.schema)} AND {column} = {wanted})"
                change = f"ALTER TABLE {guards.identifier(self.table, self.schema)} {on if wanted else off} ROW LEVEL SECURITY"
                found.append(guards.unless(there, change))
        return found

    def arguments(self) -> Sequence[Argument]:
        return (
            (None, self.table, ...), ("enabled", self.enabled, None), ("forced", self.forced, None),
            ("schema", self.schema, None),
        )  # fmt: skip

    def undoes(self) -> str | None:
        attribute = "row_security" if self.enabled is not None else "force_row_security"
        return f"{spelled('table', self.table, None, self.schema)}: {attribute}"
