"""Functions with overloads, procedures, aggregates; triggers and policies."""

from __future__ import annotations

from tests.oracle.lists import lookups
from tests.oracle.lists.context import Context, Name
from tests.oracle.lists.fragment import Fragment


def function(c: Context) -> Fragment:
    """A function in one of its versions."""
    name = Name(c.pick("rate", "rate", "put"), c.pick("", "", "", "public"))
    arguments, bare = c.pick(
        ("", ""), ("a int", "integer"), ("a text", "text"), ("a int, b int DEFAULT 0", "integer,integer"), ("VARIADIC a int[]", "integer[]"),
        ("a varchar(10)", "character varying"), ("OUT b text", ""), ("a timestamptz DEFAULT now()", "timestamptz"), ("a bit", "bit"),
    )  # fmt: skip
    result = "" if "OUT" in arguments else c.pick("RETURNS int", "RETURNS int", "RETURNS text")
    value = c.pick("1", "2", "100 % 7") if "int" in result else c.pick("'a'::text", "'b''s %'::text")
    body = c.pick(
        f"LANGUAGE sql AS $f$ SELECT {value} $f$", f"LANGUAGE sql IMMUTABLE AS $f$ SELECT {value} $f$",
        f"LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public AS $f$ SELECT {value} $f$",
    )  # fmt: skip
    if result and c.chance(0.3):
        body = f"LANGUAGE plpgsql AS $f$ BEGIN RETURN {value}; END $f$"
    text = f"FUNCTION {name.sql}({arguments}) {result} {body}".replace("  ", " ")
    return c.pick(
        Fragment(f"CREATE {text}", f"CREATE OR REPLACE {text}", (lookups.routine(c, name, bare),), duplicate="duplicate_function"),
        Fragment(f"CREATE {text}", f"CREATE OR REPLACE {text}", (lookups.routine(c, name, bare),), duplicate="duplicate_function"),
        Fragment(f"DROP FUNCTION IF EXISTS {name.sql}({bare}); CREATE {text}"),
        Fragment(f"DROP FUNCTION IF EXISTS {name.sql}({bare})", where=(lookups.routine(c, name, bare),)),
        Fragment(f"DROP FUNCTION IF EXISTS {name.sql}"),
        Fragment(f"ALTER FUNCTION {name.sql}({bare}) {c.pick('STABLE', 'SECURITY DEFINER', 'COST 50', 'STRICT', 'SET work_mem = 64')}", where=(lookups.routine(c, name, bare),)),
        Fragment(f"COMMENT ON FUNCTION {name.sql}({bare}) IS 'it''s one'"),
        Fragment(f"GRANT EXECUTE ON FUNCTION {name.sql}({bare}) TO oracle_reader"),
        Fragment(f"REVOKE ALL ON FUNCTION {name.sql}({bare}) FROM PUBLIC"),
    )  # fmt: skip


def routine(c: Context) -> Fragment:
    """Procedures, aggregates, operators, casts, table functions."""
    t = c.table()
    return c.pick(
        Fragment("CREATE OR REPLACE PROCEDURE tidy() LANGUAGE sql AS $f$ SELECT 1 $f$"),
        Fragment("CREATE PROCEDURE tidy(a int) LANGUAGE plpgsql AS $f$ BEGIN NULL; END $f$", unless=("SELECT 1 FROM pg_proc WHERE proname = 'tidy'",), duplicate="duplicate_function"),
        Fragment("CREATE AGGREGATE total_of(int) (SFUNC = int4pl, STYPE = int, INITCOND = '0')", unless=("SELECT 1 FROM pg_proc WHERE proname = 'total_of'",), duplicate="duplicate_function"),
        Fragment(f"CREATE OR REPLACE FUNCTION rows_of() RETURNS SETOF {t.sql} LANGUAGE sql AS $f$ SELECT * FROM {t.sql} $f$"),
        Fragment("CREATE OR REPLACE FUNCTION pairs() RETURNS TABLE (a int, b text) LANGUAGE sql AS $f$ SELECT 1, 'b'::text $f$"),
        Fragment("CREATE OPERATOR === (LEFTARG = int, RIGHTARG = int, FUNCTION = int4eq)", unless=("SELECT 1 FROM pg_operator WHERE oprname = '==='",), duplicate="duplicate_function"),
        Fragment("CREATE TEXT SEARCH CONFIGURATION plain_words (COPY = simple)", unless=("SELECT 1 FROM pg_ts_config WHERE cfgname = 'plain_words'",), duplicate="unique_violation"),
        Fragment('CREATE COLLATION IF NOT EXISTS plain FROM "C"'),
    )  # fmt: skip


def trigger(c: Context) -> Fragment:
    """A trigger, the function that it calls, and whether it fires."""
    t = c.table()
    name = c.named("tr", t)
    body = f"{name.bare} {c.pick('BEFORE UPDATE', 'AFTER INSERT OR UPDATE', 'BEFORE UPDATE OF id')} ON {t.sql} FOR EACH ROW EXECUTE FUNCTION touch()"
    return c.pick(
        Fragment("CREATE OR REPLACE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $f$ BEGIN RETURN NEW; END $f$"),
        Fragment("CREATE OR REPLACE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $f$ BEGIN RETURN NEW; END $f$"),
        Fragment(f"CREATE TRIGGER {body}", unless=(lookups.trigger(c, t, name),)),
        Fragment(f"DROP TRIGGER IF EXISTS {name.bare} ON {t.sql}; CREATE TRIGGER {body}"),
        Fragment(f"CREATE TRIGGER {body}", f"CREATE OR REPLACE TRIGGER {body}", (lookups.trigger(c, t, name),)),
        Fragment(f"ALTER TABLE {t.sql} {c.pick('DISABLE', 'ENABLE', 'ENABLE ALWAYS')} TRIGGER {name.bare}", where=(lookups.trigger(c, t, name),)),
        Fragment(f"DROP TRIGGER IF EXISTS {name.bare} ON {t.sql}", where=(lookups.trigger(c, t, name),)),
        Fragment("DROP FUNCTION IF EXISTS touch() CASCADE"),
    )  # fmt: skip


def policy(c: Context) -> Fragment:
    """Row level security."""
    t = c.table()
    name = c.named("p", t)
    body = f"{name.bare} ON {t.sql}{c.pick('', ' FOR SELECT', ' AS RESTRICTIVE')}{c.pick('', ' TO oracle_reader')} USING ({c.pick('true', 'id IS NOT NULL')})"
    return c.pick(
        Fragment(f"ALTER TABLE {t.sql} {c.pick('ENABLE', 'ENABLE', 'FORCE', 'DISABLE', 'NO FORCE')} ROW LEVEL SECURITY"),
        Fragment(f"CREATE POLICY {body}", unless=(lookups.policy(c, t, name),)),
        Fragment(f"CREATE POLICY {body}", unless=(lookups.policy(c, t, name),)),
        Fragment(f"DROP POLICY IF EXISTS {name.bare} ON {t.sql}; CREATE POLICY {body}"),
        Fragment(f"ALTER POLICY {name.bare} ON {t.sql} USING (id IS NULL)", where=(lookups.policy(c, t, name),)),
        Fragment(f"DROP POLICY IF EXISTS {name.bare} ON {t.sql}"),
    )  # fmt: skip


KINDS = {"function": function, "routine": routine, "trigger": trigger, "policy": policy}
