"""The guard of rows of an exported revision: whether it needs one, what is allowed, and the guard as SQL.

The bridge's own environment watches each operation on its connection. Where there is no connection (``--sql``), or another
``env.py``, a statement goes into a block that runs it, looks what went, and runs it again only where no row went with it.
"""

from __future__ import annotations

import io
import re
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from alembic import context as environment

from omega_bridge.analysis.batches import batches_of, question, untold
from omega_bridge.analysis.keeping import UNWATCHED, Enums, Watched, keeps_rows, watched
from omega_bridge.analysis.leaving import IN_THE_DATABASE, QUESTION, unseen, way_out
from omega_bridge.catalog import texts as listed
from omega_bridge.errors import StepRefused, StepSyntaxError
from omega_bridge.revisions.guards import identifier, literal, tagged
from omega_bridge.sql import parse
from omega_bridge.sql.building import without_into
from omega_bridge.tags import Tag

if TYPE_CHECKING:
    from alembic.ddl.impl import DefaultImpl


GUARD = "omega_bridge_guard"
"""The migration context's option that holds the ``RowGuard`` of the revision that runs; ``None``: it needs none."""

ALLOW = "allow-destructive"
"""``-x allow-destructive=ID``: repeatable, and several ids with commas between them."""


AS_ONE = "BEGIN;\n\n{}\n\nCOMMIT;"
"""Several statements that a server takes as one transaction, for ``psql``, which sends one after the other."""


class RowGuard(Protocol):
    """Runs what an operation sends, so that no row goes unasked."""

    def run(self, send: Callable[[], object], text: str | None) -> None:
        """``text``: what is sent, where it is one statement as the list has it."""


@dataclass(frozen=True, slots=True)
class Exported:
    """What the file of an exported revision says of itself. ``texts``: the SQL of its steps, where the docstring is there."""

    revision: str
    steps: tuple[str, ...]
    texts: tuple[str, ...]
    checksums: tuple[str, ...] = ()
    destructive: tuple[str, ...] = ()

    @classmethod
    def read(cls, module: Mapping[str, object]) -> Exported | None:
        """From the names in a revision's module; ``None`` for one that was written by hand."""
        if not all(isinstance(module.get(name), tuple) for name in ("steps", "checksums")):
            return None
        from omega_bridge.revisions.files import texts_in

        texts = texts_in(str(module.get("__doc__") or ""))
        steps, checksums, destructive = (listed(module.get(name)) for name in ("steps", "checksums", "destructive"))
        return cls(str(module.get("revision")), steps, texts, checksums, destructive)

    @property
    def keeps_rows(self) -> bool:
        """Whether its upgrade certainly takes none away."""
        return bool(self.texts) and all(map(keeps_rows, self.texts))

    def is_allowed(self, ids: Iterable[str]) -> bool:
        """Whether every step of it that may take rows is among these ids, or the revision is."""
        given = frozenset(ids)
        named = len(self.texts) == len(self.steps)
        risky = [s for n, s in enumerate(self.steps) if not (named and keeps_rows(self.texts[n]))] or self.steps
        return self.revision in given or given.issuperset(risky)

    @property
    def told(self) -> str:
        """Which revision, and which steps."""
        return f"revision {self.revision} ({', '.join(self.steps[:3])}{', ...' if len(self.steps) > 3 else ''})"

    def hint(self, command: str) -> str:
        """How to go on. ``command``: ``upgrade`` or ``downgrade``."""
        ids = ",".join(self.steps) if len(self.steps) < 4 else self.revision
        flag = "; or say so in the list: Step(..., destructive=True)" if command == "upgrade" else ""
        return f"Save the rows, then allow it: alembic -x {ALLOW}={ids} {command} ...{flag}."


def allowed_by(arguments: Iterable[str]) -> frozenset[str]:
    """The ids that ``-x`` allows. An id may hold a comma itself: the whole value counts, too."""
    values = [value for name, _, value in (a.partition("=") for a in arguments) if name == ALLOW]
    return frozenset(part.strip() for value in values for part in (value, *value.split(",")))


@dataclass(frozen=True, slots=True)
class AsSql:
    """The guard of ``--sql``: what an operation writes goes into a block."""

    impl: DefaultImpl
    exported: Exported
    command: str
    enums: Callable[[], Enums] = frozenset
    """The enumerations that the history makes."""

    def run(self, send: Callable[[], object], text: str | None) -> None:
        """Write it, in a block where it may take rows away. Raises ``StepRefused`` for what no block can watch."""
        if text is not None and (first := ahead_of(text, self.exported, self.command)) is not None:
            self.impl.static_output(first + ";")
            send()
            return
        if text is not None and (self._are_enums(text) or not needs_a_block(text, self.exported, self.command)):
            send()
            return
        buffer, self.impl.output_buffer = self.impl.output_buffer, io.StringIO()
        try:
            send()
        finally:
            written, self.impl.output_buffer = self.impl.output_buffer.getvalue(), buffer
        if written.strip():
            begin, commit = AS_ONE.split("{}")  # a block is one as it is
            written = written.strip().removeprefix(begin).removesuffix(commit)
            # what the step says may run more than what is written of it
            is_plain = not keeps_rows(written) and self._are_enums(written)
            guarded = written if is_plain else in_a_block(written, self.exported, self.command)
            self.impl.static_output(guarded.removesuffix(";") + ";")

    def _are_enums(self, text: str) -> bool:
        """Whether all that is in doubt of a text are types that the history makes as enumerations: then these are asked for ahead of it."""
        if keeps_rows(text):
            return True
        if not keeps_rows(text, self.enums()):
            return False
        named = [name for name in sorted(self.enums()) if re.search(rf"(?<!\w){re.escape(name[-1])}(?!\w)", text)]
        self.impl.static_output(unless_enums(named, self.exported, self.command) + ";")
        return True


def running() -> tuple[Exported, str] | None:
    """The exported revision whose function is running, and ``upgrade`` or ``downgrade``: told by the module that calls."""
    frame = sys._getframe(1)
    while frame is not None:
        if {"checksums", "down_revision"} <= frame.f_globals.keys() and frame.f_code.co_name.startswith(("up", "down")):
            found = Exported.read(frame.f_globals)
            return (found, "downgrade" if frame.f_code.co_name.startswith("down") else "upgrade") if found else None
        frame = frame.f_back  # type: ignore[assignment]
    return None


def without_an_environment(text: str, sql: str | None = None) -> tuple[str, ...]:
    """What to send for a text of an exported revision in an ``env.py`` that knows nothing of the guard.

    ``sql``: the step's own words, where ``text`` is made of them.
    """
    found = running()
    own = text if sql is None else sql
    if found is None or keeps_rows(own):
        return (text,)
    given: frozenset[str] = frozenset()
    with suppress(NameError):  # no command of Alembic's is running
        given = allowed_by(environment.get_x_argument())
    exported, command = found
    if exported.is_allowed(given) or (command == "upgrade" and exported.is_allowed((*given, *exported.destructive))):
        return (text,)
    if (first := ahead_of(own, exported, command)) is not None:
        return first, text
    return (in_a_block(text, exported, command) if needs_a_block(own, exported, command) else text,)


def unless_enums(names: Iterable[Sequence[str]], exported: Exported, command: str) -> str:
    """A block that raises where a type of such a name is no enumeration here: a domain's checks call what nobody has read."""
    types = ", ".join(f"to_regtype({literal(identifier(*name[::-1]))})" for name in names)
    told = literal(f"omega-bridge: {exported.told} takes % for an enumeration, and here it is none".replace("%:", "%%:"))
    return f"DO {tagged(_ENUMS.format(types=types, told=told, hint=literal(exported.hint(command))))}"


_ENUMS = """
DECLARE
    other text := (SELECT string_agg(oid::regtype::text, ', ') FROM pg_type WHERE oid IN ({types}) AND typtype <> 'e');
BEGIN
    IF other IS NOT NULL THEN
        RAISE EXCEPTION {told}, other USING ERRCODE = 'OB303', HINT = {hint};
    END IF;
END """


def ahead_of(text: str, exported: Exported, command: str) -> str | None:
    """For a block that commits as it goes: a block that raises where something on its tables may take away more than it names."""
    found = batches_of(text)
    if found is None:
        return None
    told = literal(f"omega-bridge: {exported.told} {untold('%')}".replace("%:", "%%:"))
    return f"DO {tagged(_AHEAD.format(question=question(found), told=told, hint=literal(exported.hint(command))))}"


_AHEAD = """
DECLARE
    told text;
BEGIN
    SELECT t.told INTO told FROM ({question}) t (told) LIMIT 1;
    IF told IS NOT NULL THEN
        RAISE EXCEPTION {told}, told USING ERRCODE = 'OB303', HINT = {hint};
    END IF;
END """


_SHRINKS = re.compile(r"\bdrop\s+attribute\b", re.IGNORECASE)


def needs_a_block(text: str, exported: Exported, command: str) -> bool:
    """Whether a text is to be watched. Raises ``StepRefused`` where nobody can."""
    if keeps_rows(text) or _each_keeps_rows(text):
        return False
    if watched(text) is Watched.NO:
        raise StepRefused(f"{exported.told} {UNWATCHED}", hint=exported.hint(command))
    if _SHRINKS.search(text):
        raise StepRefused(
            f"{exported.told} drops an attribute of a type, and nobody counts here whose values lose it",
            hint=exported.hint(command),
        )
    if (way := way_out(text)) is not None:
        raise StepRefused(f"{exported.told} {unseen(way)}", hint=exported.hint(command))
    return watched(text) is Watched.YES


def _each_keeps_rows(text: str) -> bool:
    """Whether no statement of a script takes a row away, between its own ``BEGIN`` and ``COMMIT`` either. A ``SET`` takes none."""
    try:
        return all(s.tag == Tag.VARIABLE_SET or keeps_rows(s.text) or watched(s.text) is Watched.NEEDLESS for s in parse(text))
    except StepSyntaxError:
        return False


def in_a_block(text: str, exported: Exported, command: str) -> str:
    """A block that runs a text, and raises where rows would go with it."""
    told = literal(f"omega-bridge: {exported.told} would destroy rows: %".replace("%:", "%%:"))
    unwatched = literal(f"omega-bridge: {exported.told} {unseen('%')}".replace("%:", "%%:"))
    ways = (IN_THE_DATABASE, QUESTION.replace("{text}", "step"))
    body = _BLOCK.format(
        step=tagged(without_into(text.strip())), told=told, unseen=unwatched, ways=ways, hint=literal(exported.hint(command))
    )
    return f"DO {tagged(body)}"


_BLOCK = """
DECLARE
    step CONSTANT text := {step};
    picture CONSTANT text := $q$SELECT coalesce(jsonb_object_agg(c.oid::text, jsonb_build_object(
        'name', c.oid::regclass::text, 'file', c.relfilenode::text, 'columns', (
            SELECT coalesce(jsonb_object_agg(attnum::text, attname), '{{}}') FROM pg_attribute
            WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped AND attgenerated = ''))), '{{}}')
        FROM pg_class c WHERE c.relkind IN ('r', 'p') AND c.relpersistence <> 't' AND c.oid >= 16384$q$;
    before jsonb; after jsonb; known record; number text; named text;
    waiting CONSTANT text := $q$SELECT string_agg(DISTINCT format('%I.%I', n.nspname, c.conname), ', ') FROM pg_trigger t
        JOIN pg_constraint c ON c.oid = t.tgconstraint JOIN pg_namespace n ON n.oid = c.connamespace
        WHERE NOT t.tgisinternal AND t.tginitdeferred$q$; -- triggers that would run at the commit, when nobody looks
    suspects text[] := '{{}}'; held bigint; far jsonb := '{{}}'; now_held bigint; lost text; security CONSTANT text := current_setting('row_security');
BEGIN
    IF {ways[0]} THEN
        SELECT way INTO named FROM ({ways[1]}) out (way);
        IF named IS NOT NULL THEN
            RAISE EXCEPTION {unseen}, named USING ERRCODE = 'OB303', HINT = {hint};
        END IF;
    END IF;
    EXECUTE picture INTO before;
    IF step ~* 'truncate' OR EXISTS (SELECT FROM pg_proc WHERE prosrc ~* 'truncate' AND oid >= 16384) THEN
        FOR named IN SELECT oid::regclass::text FROM pg_class WHERE relkind = 'f' LOOP -- rows that no file tells of
            BEGIN
                EXECUTE format('SELECT count(*) FROM %s', named) INTO held;
                far := far || jsonb_build_object(named, held);
            EXCEPTION WHEN OTHERS THEN NULL; -- its server does not say
            END;
        END LOOP;
    END IF;
    BEGIN
        EXECUTE step;
        EXECUTE waiting INTO named;
        IF named IS NOT NULL THEN EXECUTE 'SET CONSTRAINTS ' || named || ' IMMEDIATE'; END IF;
        EXECUTE picture INTO after;
        FOR known IN SELECT key AS oid, value->>'name' AS name, value->>'file' AS file, value->'columns' AS columns FROM jsonb_each(before) LOOP
            IF after->known.oid IS NULL THEN
                suspects := suspects || format('table %s: SELECT count(*) FROM %s', known.name, known.name);
            ELSIF after->known.oid->>'file' <> known.file THEN -- truncated or rewritten: what a rewrite keeps was not inserted
                EXECUTE format('SELECT count(*) FROM (SELECT FROM ONLY %s LIMIT 1) one', after->known.oid->>'name') INTO held;
                IF held = 0 OR pg_stat_get_xact_tuples_inserted(known.oid::oid) > 0 OR current_setting('track_counts') = 'off' THEN
                    suspects := suspects || format('table %s: SELECT count(*) FROM ONLY %s', known.name, known.name);
                END IF;
            END IF;
            FOR number, named IN SELECT key, value FROM jsonb_each_text(known.columns) LOOP
                IF after->known.oid IS NOT NULL AND after->known.oid->'columns'->number IS NULL THEN
                    suspects := suspects || format('column %s.%I: SELECT count(%I) FROM %s', known.name, named, named, known.name);
                END IF;
            END LOOP;
        END LOOP;
        FOR named, held IN SELECT key, value::bigint FROM jsonb_each_text(far) LOOP
            IF to_regclass(named) IS NOT NULL AND held > 0 THEN
                EXECUTE format('SELECT count(*) FROM %s', named) INTO now_held;
                IF now_held < held THEN
                    suspects := suspects || format('foreign table %s: SELECT count(*) FROM %s', named, named);
                END IF;
            END IF;
        END LOOP;
        IF suspects <> '{{}}' THEN
            RAISE EXCEPTION USING ERRCODE = 'OB303'; -- taken back, to count what went
        END IF;
    EXCEPTION WHEN SQLSTATE 'OB303' THEN
        PERFORM set_config('row_security', 'off', true); -- an error where a policy would hide rows
        FOREACH named IN ARRAY suspects LOOP
            IF named !~ '^foreign' THEN
                EXECUTE format('LOCK TABLE %s IN ACCESS EXCLUSIVE MODE', regexp_replace(named, '^.* FROM ', ''));
            END IF;
            EXECUTE regexp_replace(named, '^.*?: (?=SELECT count)', '') INTO held;
            IF held > 0 THEN
                lost := concat_ws('; ', lost, format('%s (%s)', regexp_replace(named, ': SELECT count.*$', ''), held));
            END IF;
        END LOOP;
        PERFORM set_config('row_security', security, true);
        IF lost IS NOT NULL THEN
            RAISE EXCEPTION {told}, lost USING ERRCODE = 'OB303', HINT = {hint};
        END IF;
        EXECUTE step;
    END;
END """
