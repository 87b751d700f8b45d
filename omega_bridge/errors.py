"""Every error of omega-bridge: a code, a message built from fields, and a hint that ends in something to do.

Families: OB1xx the list and its configuration, OB2xx the connection, OB3xx steps and boot, OB4xx the lock,
OB5xx the compiled history, OB6xx the embedded server and scratch databases. Each code has a page in ``docs/errors/``.
No message ever holds a password: whoever builds one passes a DSN without it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar


class OmegaBridgeError(Exception):
    """Base of the family.

    ``code`` is stable and public; ``exit_code`` is what the command line returns for it.
    ``hint`` says what to do next.
    """

    code: ClassVar[str] = "OB000"
    exit_code: ClassVar[int] = 2

    def __init__(self, message: str, *, hint: str = "") -> None:
        self.message = message
        self.hint = hint
        super().__init__(message)

    def __str__(self) -> str:
        text = f"[{self.code}] {self.message}"
        return f"{text}\n  hint: {self.hint}" if self.hint else text


# --- OB1xx: the list and its configuration ---------------------------------------------------------------------


class SourceNotFound(OmegaBridgeError):
    """The list of steps is not where the source says."""

    code = "OB101"


class NotAList(OmegaBridgeError):
    """What the source names is not a list of steps."""

    code = "OB102"


class DynamicStep(OmegaBridgeError):
    """An entry of the list cannot be read from text, because Python computes it."""

    code = "OB103"


class StepSyntaxError(OmegaBridgeError):
    """PostgreSQL's grammar rejects the text of a step.

    ``line`` and ``column`` are 1-based within the step's text, or ``None`` where the parser does not tell.
    """

    code = "OB104"

    def __init__(
        self, message: str, *, hint: str = "", step: str = "", line: int | None = None, column: int | None = None
    ) -> None:
        super().__init__(message, hint=hint)
        self.step = step
        self.line = line
        self.column = column


class DuplicateStepId(OmegaBridgeError):
    """Two steps carry one explicit id."""

    code = "OB106"


class ConfigurationInvalid(OmegaBridgeError):
    """The configuration, an option or a path makes no sense."""

    code = "OB107"


class SourceSyntaxError(OmegaBridgeError):
    """The Python file that holds the list does not parse."""

    code = "OB108"


class ModuleFailed(OmegaBridgeError):
    """A module of the project raised an error while it was imported. ``place``: its file and line, where they are known."""

    code = "OB109"

    def __init__(self, message: str, *, hint: str = "", place: str = "") -> None:
        super().__init__(message, hint=hint)
        self.place = place


class ModelsIncomplete(OmegaBridgeError):
    """The models' ``MetaData`` has no table, or a foreign key to a table that it does not know: a module was not imported."""

    code = "OB110"


class DecisionNeeded(OmegaBridgeError):
    """A column of the models may be a new one, or one that is there by a new name, and nobody has said which."""

    code = "OB111"
    exit_code = 1


# --- OB2xx: the connection -------------------------------------------------------------------------------------


class DatabaseUnreachable(OmegaBridgeError):
    """No connection to the server."""

    code = "OB201"
    exit_code = 3


class AuthenticationFailed(DatabaseUnreachable):
    """The server refused the role or its password."""

    code = "OB202"


class NotPermitted(OmegaBridgeError):
    """The role may not do what the boot needs."""

    code = "OB203"
    exit_code = 3


class ReadOnlyDatabase(OmegaBridgeError):
    """The server is a standby, or the session is read-only, and there is something to repair."""

    code = "OB204"
    exit_code = 3


class ConnectionLost(OmegaBridgeError):
    """The server ended the connection while a boot was under way."""

    code = "OB205"
    exit_code = 3


class PoolerDetected(OmegaBridgeError):
    """The connection goes through a transaction pooler, which cannot hold a session lock."""

    code = "OB206"
    exit_code = 3


class NotTrusted(OmegaBridgeError):
    """The bridge's own schema or ``alembic_version`` belongs to somebody who is not trusted, or carries what such a one put on it."""

    code = "OB207"
    exit_code = 3


# --- OB3xx: steps and boot -------------------------------------------------------------------------------------


class StepFailed(OmegaBridgeError):
    """PostgreSQL rejected one or more steps, and trying again after the later ones did not help.

    ``failures`` holds the failed outcomes; ``run`` the whole record of the boot.
    """

    code = "OB301"
    exit_code = 3

    def __init__(self, message: str, *, hint: str = "", failures: Sequence[object] = (), run: object = None) -> None:
        super().__init__(message, hint=hint)
        self.failures = tuple(failures)
        self.run = run


class StepHadNoEffect(StepFailed):
    """A step ran and what it promises is not there (raised with ``strict``)."""

    code = "OB302"


class StepRefused(StepFailed):
    """A step would have destroyed rows and was rolled back (raised with ``strict``)."""

    code = "OB303"


class DatabaseIsNewer(OmegaBridgeError):
    """The database was repaired by a later list that this list is not a part of."""

    code = "OB304"
    exit_code = 3


class ListDoesNotSettle(StepFailed):
    """Steps of the list undo one another at every start (raised with ``strict``)."""

    code = "OB305"


class LedgerBroken(OmegaBridgeError):
    """The end of the ledger's chain is gone, or no longer what a start wrote, so that nothing can be appended to it."""

    code = "OB306"
    exit_code = 3


class StatementRejected(OmegaBridgeError):
    """PostgreSQL rejected, or somebody cancelled, a statement of the bridge's own. ``sqlstate`` is the server's."""

    code = "OB307"
    exit_code = 3

    def __init__(self, message: str, *, hint: str = "", sqlstate: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.sqlstate = sqlstate


class ModelsAhead(OmegaBridgeError):
    """The models need tables, columns or labels that the database lacks after the list has run.

    ``lacks`` holds them, each with the step to add; ``run`` the whole record of the boot.
    """

    code = "OB308"
    exit_code = 3

    def __init__(self, message: str, *, hint: str = "", lacks: Sequence[object] = (), run: object = None) -> None:
        super().__init__(message, hint=hint)
        self.lacks = tuple(lacks)
        self.run = run


# --- OB4xx: the lock -------------------------------------------------------------------------------------------


class LockNotAcquired(OmegaBridgeError):
    """Another start holds the lock, and it was not released in time."""

    code = "OB401"
    exit_code = 4


class RelationBusy(OmegaBridgeError):
    """Tables stayed locked by other sessions for the whole budget. ``run`` holds the whole record of the boot."""

    code = "OB402"
    exit_code = 4

    def __init__(self, message: str, *, hint: str = "", run: object = None) -> None:
        super().__init__(message, hint=hint)
        self.run = run


class LockLost(OmegaBridgeError):
    """The lock of a start was lost while it was at work."""

    code = "OB403"
    exit_code = 4


# --- OB5xx: the compiled history -------------------------------------------------------------------------------


class HistoryTampered(OmegaBridgeError):
    """A revision file or the sum file is not what export wrote."""

    code = "OB501"
    exit_code = 1


class AmbiguousMatch(OmegaBridgeError):
    """A step of the list cannot be told from another in the exported history."""

    code = "OB502"


class Irreversible(OmegaBridgeError):
    """A downgrade has no way back."""

    code = "OB503"
    exit_code = 3


class HistoryStale(OmegaBridgeError):
    """The exported history does not hold the list as it is now."""

    code = "OB504"
    exit_code = 1


class FoundationIncomplete(OmegaBridgeError):
    """Of the tables that the list stands on only some are there."""

    code = "OB506"
    exit_code = 3


class FoundationEdited(OmegaBridgeError):
    """The foundation is not the one that the history begins with."""

    code = "OB507"


class SeveralHeads(OmegaBridgeError):
    """The history has several heads, and a revision can follow only one."""

    code = "OB509"


class RevisionSquashed(OmegaBridgeError):
    """A revision is named, or stands in ``alembic_version``, that a squash has taken in."""

    code = "OB505"


class HistoryWouldHide(OmegaBridgeError):
    """The models have what the databases that stand do not get, and an export would take it for done. ``lacks`` holds it."""

    code = "OB508"
    exit_code = 1

    def __init__(self, message: str, *, hint: str = "", lacks: Sequence[object] = ()) -> None:
        super().__init__(message, hint=hint)
        self.lacks = tuple(lacks)


# --- OB6xx: the embedded server, scratch databases ---------------------------------------------------------------


class NoServerFound(OmegaBridgeError):
    """No PostgreSQL server binaries to start a private server with."""

    code = "OB601"


class ServerDidNotStart(OmegaBridgeError):
    """The private server ended before it took a connection."""

    code = "OB602"
    exit_code = 3


class NotScratch(OmegaBridgeError):
    """A proof was led to a database that is not the scratch one which was made for it."""

    code = "OB603"


class ProcessEnded(OmegaBridgeError):
    """A process that did a part of a proof ended before it was through. Nothing is proven."""

    code = "OB604"
    exit_code = 3
