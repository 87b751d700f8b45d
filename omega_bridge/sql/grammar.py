"""What a parse tree says by a number, in PostgreSQL's words (``nodes/parsenodes.h``, ``nodes/primnodes.h``); those that somebody asks for."""

from __future__ import annotations

from typing import Final

from omega_bridge.sql.libpg_query import pb


class AlterTableType:
    """The commands of ``ALTER TABLE``."""

    ADD_COLUMN: Final[int] = pb.AT_AddColumn
    ADD_CONSTRAINT: Final[int] = pb.AT_AddConstraint
    ADD_IDENTITY: Final[int] = pb.AT_AddIdentity
    ALTER_COLUMN_TYPE: Final[int] = pb.AT_AlterColumnType
    ATTACH_PARTITION: Final[int] = pb.AT_AttachPartition
    CHANGE_OWNER: Final[int] = pb.AT_ChangeOwner
    COLUMN_DEFAULT: Final[int] = pb.AT_ColumnDefault
    DETACH_PARTITION: Final[int] = pb.AT_DetachPartition
    DETACH_PARTITION_FINALIZE: Final[int] = pb.AT_DetachPartitionFinalize
    DISABLE_ROW_SECURITY: Final[int] = pb.AT_DisableRowSecurity
    DROP_COLUMN: Final[int] = pb.AT_DropColumn
    DROP_CONSTRAINT: Final[int] = pb.AT_DropConstraint
    DROP_IDENTITY: Final[int] = pb.AT_DropIdentity
    DROP_NOT_NULL: Final[int] = pb.AT_DropNotNull
    ENABLE_ROW_SECURITY: Final[int] = pb.AT_EnableRowSecurity
    FORCE_ROW_SECURITY: Final[int] = pb.AT_ForceRowSecurity
    NO_FORCE_ROW_SECURITY: Final[int] = pb.AT_NoForceRowSecurity
    SET_NOT_NULL: Final[int] = pb.AT_SetNotNull
    SET_UNLOGGED: Final[int] = pb.AT_SetUnLogged
    VALIDATE_CONSTRAINT: Final[int] = pb.AT_ValidateConstraint


class BoolExprType:
    """``AND``, ``OR``, ``NOT``."""

    AND: Final[int] = pb.AND_EXPR
    NOT: Final[int] = pb.NOT_EXPR


class BoolTestType:
    """``IS TRUE`` and its like."""

    IS_FALSE: Final[int] = pb.IS_FALSE
    IS_NOT_FALSE: Final[int] = pb.IS_NOT_FALSE
    IS_NOT_TRUE: Final[int] = pb.IS_NOT_TRUE
    IS_TRUE: Final[int] = pb.IS_TRUE


class CmdType:
    """What is done with rows."""

    DELETE: Final[int] = pb.CMD_DELETE


class CoercionForm:
    """How a call is written."""

    EXPLICIT_CALL: Final[int] = pb.COERCE_EXPLICIT_CALL


class ConstrType:
    """Constraints, and what stands beside a constraint or a column like one."""

    ATTR_DEFERRABLE: Final[int] = pb.CONSTR_ATTR_DEFERRABLE
    ATTR_DEFERRED: Final[int] = pb.CONSTR_ATTR_DEFERRED
    ATTR_ENFORCED: Final[int] = pb.CONSTR_ATTR_ENFORCED
    ATTR_IMMEDIATE: Final[int] = pb.CONSTR_ATTR_IMMEDIATE
    ATTR_NOT_DEFERRABLE: Final[int] = pb.CONSTR_ATTR_NOT_DEFERRABLE
    ATTR_NOT_ENFORCED: Final[int] = pb.CONSTR_ATTR_NOT_ENFORCED
    CHECK: Final[int] = pb.CONSTR_CHECK
    DEFAULT: Final[int] = pb.CONSTR_DEFAULT
    EXCLUSION: Final[int] = pb.CONSTR_EXCLUSION
    FOREIGN: Final[int] = pb.CONSTR_FOREIGN
    GENERATED: Final[int] = pb.CONSTR_GENERATED
    IDENTITY: Final[int] = pb.CONSTR_IDENTITY
    NOTNULL: Final[int] = pb.CONSTR_NOTNULL
    NULL: Final[int] = pb.CONSTR_NULL
    PRIMARY: Final[int] = pb.CONSTR_PRIMARY
    UNIQUE: Final[int] = pb.CONSTR_UNIQUE


class DropBehavior:
    """``CASCADE`` or not."""

    CASCADE: Final[int] = pb.DROP_CASCADE
    RESTRICT: Final[int] = pb.DROP_RESTRICT


class ExprKind:
    """What an operator stands in."""

    BETWEEN: Final[int] = pb.AEXPR_BETWEEN
    DISTINCT: Final[int] = pb.AEXPR_DISTINCT
    ILIKE: Final[int] = pb.AEXPR_ILIKE
    IN: Final[int] = pb.AEXPR_IN
    LIKE: Final[int] = pb.AEXPR_LIKE
    NOT_BETWEEN: Final[int] = pb.AEXPR_NOT_BETWEEN
    NOT_DISTINCT: Final[int] = pb.AEXPR_NOT_DISTINCT
    OP: Final[int] = pb.AEXPR_OP
    OP_ANY: Final[int] = pb.AEXPR_OP_ANY
    SIMILAR: Final[int] = pb.AEXPR_SIMILAR


class FunctionParameterMode:
    """The ways of a parameter."""

    DEFAULT: Final[int] = pb.FUNC_PARAM_DEFAULT
    IN: Final[int] = pb.FUNC_PARAM_IN
    INOUT: Final[int] = pb.FUNC_PARAM_INOUT
    OUT: Final[int] = pb.FUNC_PARAM_OUT
    TABLE: Final[int] = pb.FUNC_PARAM_TABLE
    VARIADIC: Final[int] = pb.FUNC_PARAM_VARIADIC


class JoinType:
    """How two relations are joined."""

    INNER: Final[int] = pb.JOIN_INNER


class LimitOption:
    """What is limited."""

    COUNT: Final[int] = pb.LIMIT_OPTION_COUNT
    DEFAULT: Final[int] = pb.LIMIT_OPTION_DEFAULT


class GrantTargetType:
    """What privileges are given on: objects by their names, or all in a schema."""

    ALL_IN_SCHEMA: Final[int] = pb.ACL_TARGET_ALL_IN_SCHEMA


class NullTestType:
    """``IS NULL`` and ``IS NOT NULL``."""

    IS_NOT_NULL: Final[int] = pb.IS_NOT_NULL
    IS_NULL: Final[int] = pb.IS_NULL


class ObjectType:
    """What a statement is about."""

    AGGREGATE: Final[int] = pb.OBJECT_AGGREGATE
    COLUMN: Final[int] = pb.OBJECT_COLUMN
    DOMAIN: Final[int] = pb.OBJECT_DOMAIN
    EVENT_TRIGGER: Final[int] = pb.OBJECT_EVENT_TRIGGER
    EXTENSION: Final[int] = pb.OBJECT_EXTENSION
    FDW: Final[int] = pb.OBJECT_FDW
    FOREIGN_SERVER: Final[int] = pb.OBJECT_FOREIGN_SERVER
    FOREIGN_TABLE: Final[int] = pb.OBJECT_FOREIGN_TABLE
    FUNCTION: Final[int] = pb.OBJECT_FUNCTION
    INDEX: Final[int] = pb.OBJECT_INDEX
    LANGUAGE: Final[int] = pb.OBJECT_LANGUAGE
    MATVIEW: Final[int] = pb.OBJECT_MATVIEW
    PROCEDURE: Final[int] = pb.OBJECT_PROCEDURE
    PUBLICATION: Final[int] = pb.OBJECT_PUBLICATION
    ROUTINE: Final[int] = pb.OBJECT_ROUTINE
    SCHEMA: Final[int] = pb.OBJECT_SCHEMA
    SEQUENCE: Final[int] = pb.OBJECT_SEQUENCE
    TABCONSTRAINT: Final[int] = pb.OBJECT_TABCONSTRAINT
    TABLE: Final[int] = pb.OBJECT_TABLE
    TYPE: Final[int] = pb.OBJECT_TYPE
    VIEW: Final[int] = pb.OBJECT_VIEW


class OnCommitAction:
    """What becomes of a temporary table."""

    DROP: Final[int] = pb.ONCOMMIT_DROP
    NOOP: Final[int] = pb.ONCOMMIT_NOOP


class DiscardMode:
    """What of a session is let go."""

    TEMP: Final[int] = pb.DISCARD_TEMP


class OnConflictAction:
    """What an ``INSERT`` does with a row that is there."""

    NOTHING: Final[int] = pb.ONCONFLICT_NOTHING
    UPDATE: Final[int] = pb.ONCONFLICT_UPDATE


class ReindexObjectType:
    """What is built anew."""

    DATABASE: Final[int] = pb.REINDEX_OBJECT_DATABASE
    SCHEMA: Final[int] = pb.REINDEX_OBJECT_SCHEMA
    SYSTEM: Final[int] = pb.REINDEX_OBJECT_SYSTEM


class RoleSpecType:
    """How a role is named."""

    CSTRING: Final[int] = pb.ROLESPEC_CSTRING
    CURRENT_ROLE: Final[int] = pb.ROLESPEC_CURRENT_ROLE
    CURRENT_USER: Final[int] = pb.ROLESPEC_CURRENT_USER
    SESSION_USER: Final[int] = pb.ROLESPEC_SESSION_USER


class SQLValueFunctionOp:
    """``CURRENT_DATE`` and its like."""

    CURRENT_SCHEMA: Final[int] = pb.SVFOP_CURRENT_SCHEMA
    LOCALTIMESTAMP_N: Final[int] = pb.SVFOP_LOCALTIMESTAMP_N


class SetOperation:
    """``UNION`` and its like."""

    NONE: Final[int] = pb.SETOP_NONE


class SortByDir:
    """The order of a sorting."""

    ASC: Final[int] = pb.SORTBY_ASC
    DEFAULT: Final[int] = pb.SORTBY_DEFAULT
    DESC: Final[int] = pb.SORTBY_DESC


class SortByNulls:
    """Where a sorting puts NULL."""

    NULLS_DEFAULT: Final[int] = pb.SORTBY_NULLS_DEFAULT
    NULLS_FIRST: Final[int] = pb.SORTBY_NULLS_FIRST
    NULLS_LAST: Final[int] = pb.SORTBY_NULLS_LAST


class SubLinkType:
    """What is asked of a query inside an expression."""

    EXISTS: Final[int] = pb.EXISTS_SUBLINK
    EXPR: Final[int] = pb.EXPR_SUBLINK


class TransactionStmtKind:
    """What is done with a transaction."""

    BEGIN: Final[int] = pb.TRANS_STMT_BEGIN
    COMMIT: Final[int] = pb.TRANS_STMT_COMMIT
    PREPARE: Final[int] = pb.TRANS_STMT_PREPARE
    RELEASE: Final[int] = pb.TRANS_STMT_RELEASE
    ROLLBACK: Final[int] = pb.TRANS_STMT_ROLLBACK
    ROLLBACK_PREPARED: Final[int] = pb.TRANS_STMT_ROLLBACK_PREPARED
    ROLLBACK_TO: Final[int] = pb.TRANS_STMT_ROLLBACK_TO
    SAVEPOINT: Final[int] = pb.TRANS_STMT_SAVEPOINT
    START: Final[int] = pb.TRANS_STMT_START


class VariableSetKind:
    """What is done with a setting."""

    RESET: Final[int] = pb.VAR_RESET
    RESET_ALL: Final[int] = pb.VAR_RESET_ALL
    SET_DEFAULT: Final[int] = pb.VAR_SET_DEFAULT
    SET_VALUE: Final[int] = pb.VAR_SET_VALUE


def object_type(word: str) -> int:
    """The number of a member of ``ObjectType`` by the grammar's name, such as ``OBJECT_TABLE``."""
    return int(pb.ObjectType.Value(word))
