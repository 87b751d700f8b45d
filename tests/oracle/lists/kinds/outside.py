"""What few lists hold: event triggers, foreign servers and tables, settings of the database, functions that are called and make things.

They are asked for by name (``--kinds``): what a seed gives without that stays as it was.
"""

from __future__ import annotations

from tests.oracle.lists import lookups
from tests.oracle.lists.context import Context, Name
from tests.oracle.lists.fragment import Fragment
from tests.oracle.lists.listed import Rows


def event_trigger(c: Context) -> Fragment:
    """An event trigger, and what it calls."""
    event = c.pick("ddl_command_end", "sql_drop")
    there = lookups.named("pg_event_trigger", "evtname", "'noted'")
    return c.pick(
        Fragment(
            "CREATE OR REPLACE FUNCTION note_ddl() RETURNS event_trigger LANGUAGE plpgsql AS $f$ BEGIN NULL; END $f$", plain=True
        ),
        Fragment(
            f"CREATE EVENT TRIGGER noted ON {event} EXECUTE FUNCTION note_ddl()", unless=(there,), duplicate="duplicate_object"
        ),
        Fragment(
            f"ALTER EVENT TRIGGER noted {c.pick('DISABLE', 'ENABLE', 'ENABLE ALWAYS')}",
            where=(there,),
            duplicate="undefined_object",
        ),
        Fragment("DROP EVENT TRIGGER IF EXISTS noted", where=(there,)),
        Fragment("COMMENT ON EVENT TRIGGER noted IS 'noted'", where=(there,)),
    )


def foreign(c: Context) -> Fragment:
    """A wrapper, a server, a foreign table."""
    t, column = c.table(), c.column()
    far = c.beside(t, c.named("far", t))
    server = lookups.named("pg_foreign_server", "srvname", "'elsewhere'")
    return c.pick(
        Fragment(
            "CREATE FOREIGN DATA WRAPPER hollow",
            unless=(lookups.named("pg_foreign_data_wrapper", "fdwname", "'hollow'"),),
            duplicate="duplicate_object",
        ),
        Fragment(
            "CREATE SERVER elsewhere FOREIGN DATA WRAPPER hollow",
            "CREATE SERVER IF NOT EXISTS elsewhere FOREIGN DATA WRAPPER hollow",
            unless=(server,),
        ),
        Fragment(f"ALTER SERVER elsewhere OPTIONS ({c.pick('ADD', 'SET')} host 'far.example')", where=(server,)),
        Fragment(
            f"CREATE FOREIGN TABLE {far.sql} (id int, {column.name.bare} {column.type}) SERVER elsewhere",
            f"CREATE FOREIGN TABLE IF NOT EXISTS {far.sql} (id int, {column.name.bare} {column.type}) SERVER elsewhere",
            (lookups.named("pg_class", "relname", far.lit),),
            duplicate="duplicate_table",
        ),
        Fragment(
            f"ALTER FOREIGN TABLE {far.sql} ADD COLUMN more int",
            f"ALTER FOREIGN TABLE {far.sql} ADD COLUMN IF NOT EXISTS more int",
            (lookups.column(c, far, Name("more")),),
            duplicate="duplicate_column",
        ),
        Fragment("DROP SERVER IF EXISTS elsewhere", where=(server,)),
    )


def called(c: Context) -> Fragment:
    """Functions and procedures that make things when they are called."""
    t, column = c.table(), c.column()
    n = column.name.bare
    return c.pick(
        Fragment(
            "CREATE OR REPLACE FUNCTION make_it() RETURNS void LANGUAGE plpgsql AS "
            f"$f$ BEGIN CREATE TABLE IF NOT EXISTS made_by_call (id int); ALTER TABLE {t.sql} ADD COLUMN IF NOT EXISTS by_call int; END $f$",
            plain=True,
        ),
        Fragment("SELECT make_it()", rows=Rows.TOO, duplicate="undefined_function"),
        Fragment("CREATE OR REPLACE PROCEDURE run_it() LANGUAGE plpgsql AS $f$ BEGIN PERFORM make_it(); END $f$", plain=True),
        Fragment("CALL run_it()", rows=Rows.TOO, duplicate="undefined_function"),
        Fragment(f"ALTER TABLE made_by_call ADD COLUMN IF NOT EXISTS {n} {column.type}", plain=True),
    )


def setting(c: Context) -> Fragment:
    """What sessions of the database begin with, and what one statement of the list leaves to the next."""
    return c.pick(
        Fragment(
            "DO $do$ BEGIN EXECUTE format('ALTER DATABASE %I SET work_mem = ''8MB''', current_database()); END $do$", plain=True
        ),
        Fragment("SELECT set_config('search_path', 'side, public', false)", plain=True, rows=Rows.TOO),
        Fragment("SET search_path TO DEFAULT", plain=True),
        Fragment("RESET ALL", plain=True),
        Fragment("SET check_function_bodies = off", plain=True),
    )


KINDS = {"event-trigger": event_trigger, "foreign": foreign, "called": called, "setting": setting}
