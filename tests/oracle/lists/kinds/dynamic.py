"""Steps that compute what they send, steps that fail, steps that keep house."""

from __future__ import annotations

from tests.oracle.lists.context import Context, lit
from tests.oracle.lists.fragment import Fragment


def over_the_catalog(c: Context) -> Fragment:
    """A loop over the catalog, and statements made of names."""
    t, column = c.table(), c.column()
    tables = (
        "SELECT schemaname, tablename FROM pg_tables WHERE schemaname = 'public' AND tablename NOT LIKE 'alembic%' ORDER BY 2"
    )
    loop = (
        f"DO $do$ DECLARE r record; BEGIN FOR r IN {tables} LOOP EXECUTE format(@, r.schemaname, r.tablename); END LOOP; END $do$"
    )
    return c.pick(
        Fragment(loop.replace('@', "'ALTER TABLE %I.%I ADD COLUMN IF NOT EXISTS tenant int'"), plain=True),
        Fragment(loop.replace('@', "'ALTER TABLE %I.%I ENABLE ROW LEVEL SECURITY'"), plain=True),
        Fragment(loop.replace('@', "'COMMENT ON TABLE %I.%I IS ''looped'''"), plain=True),
        Fragment(loop.replace('@', "'GRANT SELECT ON %I.%I TO oracle_reader'"), plain=True),
        Fragment(
            f"DO $do$ DECLARE k text; BEGIN FOR k IN SELECT conname FROM pg_constraint WHERE conrelid = to_regclass({t.full}) AND contype = 'c' LOOP "
            f"EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I', {t.full}, k); END LOOP; END $do$", plain=True,
        ),
        Fragment(
            "DO $do$ DECLARE n text; BEGIN FOREACH n IN ARRAY ARRAY['one', 'two'] LOOP "
            "EXECUTE format('CREATE TABLE IF NOT EXISTS part_%s (id int)', n); END LOOP; END $do$", plain=True,
        ),
        Fragment("DO $do$ BEGIN FOR i IN 1..3 LOOP EXECUTE 'CREATE TABLE IF NOT EXISTS bucket_' || i || ' (id int)'; END LOOP; END $do$", plain=True),
        Fragment(
            f"DO $do$ DECLARE ty text; BEGIN SELECT data_type INTO ty FROM information_schema.columns WHERE table_name = {t.lit} AND column_name = {column.name.lit}; "
            f"IF ty = 'integer' THEN ALTER TABLE {t.sql} ALTER COLUMN {column.name.bare} TYPE bigint; END IF; END $do$", plain=True,
        ),
        Fragment(
            f"DO $do$ DECLARE d text; BEGIN SELECT column_default INTO d FROM information_schema.columns WHERE table_name = {t.lit} AND column_name = {column.name.lit}; "
            f"IF d IS DISTINCT FROM 'x' THEN ALTER TABLE {t.sql} ALTER COLUMN {column.name.bare} DROP DEFAULT; END IF; END $do$", plain=True,
        ),
        Fragment(
            f"DO $do$ BEGIN BEGIN ALTER TABLE {t.sql} ADD COLUMN dyn int; EXCEPTION WHEN duplicate_column THEN NULL; END; "
            f"BEGIN ALTER TABLE {t.sql} ADD COLUMN dyn2 nowhere; EXCEPTION WHEN OTHERS THEN NULL; END; END $do$", plain=True,
        ),
        Fragment(
            f"DO $do$ BEGIN ALTER TABLE {t.sql} ADD COLUMN IF NOT EXISTS half int; ALTER TABLE {t.sql} ADD COLUMN other nowhere; "
            "EXCEPTION WHEN OTHERS THEN NULL; END $do$", plain=True,
        ),
        Fragment(f"DO $do$ BEGIN PERFORM {t.full}::regclass; EXCEPTION WHEN undefined_table THEN CREATE TABLE {t.sql} (id int); END $do$", plain=True),
        Fragment(f"DO $do$ BEGIN EXECUTE {lit(f'ALTER TABLE {t.sql} ADD COLUMN IF NOT EXISTS exe int')}; END $do$", plain=True),
    )  # fmt: skip


def failing(c: Context) -> Fragment:
    """What PostgreSQL never takes."""
    t = c.table()
    return c.pick(
        Fragment("ALTER TABLE nowhere ADD COLUMN IF NOT EXISTS a int", plain=True),
        Fragment(f"ALTER TABLE {t.sql} ADD COLUMN IF NOT EXISTS bad int REFERENCES nosuch (id)", plain=True),
        Fragment("SELECT 1 / 0", plain=True),
        Fragment("CREATE TABEL t (id int)", plain=True),
        Fragment(f"ALTER TABLE {t.sql} ADD CONSTRAINT bad CHECK (nothing > 0)", plain=True),
        Fragment("DO $do$ BEGIN RAISE EXCEPTION 'not today'; END $do$", plain=True),
        Fragment(f"ALTER TABLE {t.sql} ADD COLUMN IF NOT EXISTS lost int; SELECT 1 / 0", plain=True),
        Fragment("CREATE TABLE IF NOT EXISTS half_made (id nowhere)", plain=True),
    )


def housekeeping(c: Context) -> Fragment:
    """What changes nothing that a dump shows."""
    t = c.table()
    return c.pick(
        Fragment("SELECT 1", plain=True),
        Fragment(f"ANALYZE {t.sql}", plain=True),
        Fragment(f"VACUUM {t.sql}", alone=True),
        Fragment("SET lock_timeout = '5s'", plain=True),
        Fragment(f"BEGIN; ALTER TABLE {t.sql} ADD COLUMN IF NOT EXISTS in_tx int; COMMIT", plain=True),
        Fragment(f"-- nothing but a comment\nCREATE TABLE IF NOT EXISTS {t.sql} (id int PRIMARY KEY) /* ; */;", plain=True),
        Fragment(
            f"CREATE TEMP TABLE IF NOT EXISTS scratch_ids (id int); CREATE INDEX IF NOT EXISTS ix_keep ON {t.sql} (id)",
            plain=True,
        ),
        Fragment(f"LOCK TABLE {t.sql}; ALTER TABLE {t.sql} ADD COLUMN IF NOT EXISTS locked int", plain=True),
    )


KINDS = {"loop": over_the_catalog, "failing": failing, "housekeeping": housekeeping}
