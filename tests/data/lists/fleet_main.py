"""A fleet of sensors: partitions, inheritance, domains, and whatever PostgreSQL has."""

fleet = (
    """
    CREATE TABLE IF NOT EXISTS devices (
        id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
        serial_no text NOT NULL,
        model text,
        installed date DEFAULT CURRENT_DATE,
        at point,
        net inet,
        flags bit(8) DEFAULT B'00000000',
        took interval hour to minute
    ) WITH (fillfactor = 90)
    """,
    """
    DO $$ BEGIN
        CREATE DOMAIN celsius AS numeric(5,2) CHECK (VALUE > -273.15);
    EXCEPTION WHEN duplicate_object THEN NULL;
    END $$
    """,
    """
    DO $$ BEGIN
        IF NOT EXISTS (SELECT 1 FROM pg_type WHERE typname = 'reading_part') THEN
            CREATE TYPE reading_part AS (kind text, value double precision);
        END IF;
    END $$
    """,
    """
    CREATE TABLE IF NOT EXISTS readings (
        device_id uuid NOT NULL REFERENCES devices (id),
        at timestamptz NOT NULL,
        temperature celsius,
        parts reading_part[],
        PRIMARY KEY (device_id, at)
    ) PARTITION BY RANGE (at)
    """,
    "CREATE TABLE IF NOT EXISTS readings_2023 PARTITION OF readings FOR VALUES FROM ('2023-01-01') TO ('2024-01-01')",
    "CREATE TABLE IF NOT EXISTS readings_rest PARTITION OF readings DEFAULT",
    # one a year
    """
    DO $$
    DECLARE
        y int;
    BEGIN
        FOR y IN 2024..2026 LOOP
            EXECUTE format(
                'CREATE TABLE IF NOT EXISTS readings_%s PARTITION OF readings FOR VALUES FROM (%L) TO (%L)',
                y, y || '-01-01', (y + 1) || '-01-01'
            );
        END LOOP;
    END $$
    """,
    "CREATE INDEX IF NOT EXISTS ix_readings_at ON readings USING brin (at) WITH (pages_per_range = 32)",
    "ALTER TABLE readings ADD COLUMN IF NOT EXISTS quality smallint",
    # inheritance
    "CREATE TABLE IF NOT EXISTS events (id bigserial, at timestamptz DEFAULT now(), what text)",
    "CREATE TABLE IF NOT EXISTS alarms (severity int CHECK (severity BETWEEN 1 AND 5)) INHERITS (events)",
    "ALTER TABLE events ADD COLUMN IF NOT EXISTS device_id uuid",
    # unlogged, like
    "CREATE UNLOGGED TABLE IF NOT EXISTS heartbeats (device_id uuid PRIMARY KEY, last timestamptz)",
    "CREATE TABLE IF NOT EXISTS devices_archive (LIKE devices INCLUDING ALL)",
    "ALTER TABLE heartbeats SET LOGGED",
    # collation
    'ALTER TABLE devices ADD COLUMN IF NOT EXISTS label varchar(50) COLLATE pg_catalog."C"',
    # functions, procedures
    """
    CREATE OR REPLACE PROCEDURE forget_device(d uuid) LANGUAGE plpgsql AS $$
    BEGIN
        DELETE FROM heartbeats WHERE device_id = d;
    END $$
    """,
    """
    CREATE OR REPLACE FUNCTION last_reading(d uuid, OUT at timestamptz, OUT temperature celsius) LANGUAGE sql STABLE AS
    $$ SELECT r.at, r.temperature FROM readings r WHERE r.device_id = d ORDER BY r.at DESC LIMIT 1 $$
    """,
    "CREATE OR REPLACE FUNCTION add_all(VARIADIC xs int[] DEFAULT '{}') RETURNS bigint LANGUAGE sql IMMUTABLE AS $$ SELECT sum(x) FROM unnest(xs) x $$",
    "CREATE OR REPLACE AGGREGATE total(int) (SFUNC = int4pl, STYPE = int, INITCOND = '0')",
    # guards by pg_indexes and pg_class
    """
    DO $$ BEGIN
        IF NOT EXISTS (SELECT 1 FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                       WHERE c.relname = 'uq_devices_serial' AND n.nspname = current_schema()) THEN
            CREATE UNIQUE INDEX uq_devices_serial ON devices (serial_no);
        END IF;
    END $$
    """,
    # maintenance
    "VACUUM (ANALYZE) devices",
    "REINDEX TABLE devices",
    "LOCK TABLE heartbeats IN SHARE MODE",
    "ANALYZE events",
    # a string with its own transaction
    "BEGIN; ALTER TABLE devices ADD COLUMN IF NOT EXISTS firmware text; COMMIT;",
    "BEGIN; ALTER TABLE devices ADD COLUMN IF NOT EXISTS never text; ROLLBACK;",
    # triggers
    """
    CREATE OR REPLACE FUNCTION check_device() RETURNS trigger LANGUAGE plpgsql AS $fn$
    DECLARE
        n int := 0;
    BEGIN
        EXECUTE 'SELECT count(*) FROM devices' INTO n;
        IF n > 100000 THEN RAISE EXCEPTION 'too many devices: % (limit 100 %%)', n; END IF;
        RETURN NULL;
    END $fn$
    """,
    """
    DO $$ BEGIN
        CREATE CONSTRAINT TRIGGER tr_check_device AFTER INSERT ON devices DEFERRABLE INITIALLY DEFERRED
            FOR EACH ROW EXECUTE FUNCTION check_device();
    EXCEPTION WHEN duplicate_object THEN NULL;
    END $$
    """,
    "CREATE OR REPLACE RULE no_delete AS ON DELETE TO devices_archive DO INSTEAD NOTHING",
    "ALTER TABLE devices CLUSTER ON devices_pkey",
    "ALTER TABLE devices REPLICA IDENTITY USING INDEX uq_devices_serial",
    "ALTER INDEX IF EXISTS ix_old_devices RENAME TO ix_new_devices",
    "ALTER TABLE devices DISABLE TRIGGER tr_check_device",
    "GRANT SELECT (id, serial_no), UPDATE (label) ON devices TO PUBLIC",
    "REVOKE ALL ON FUNCTION add_all(int[]) FROM PUBLIC",
    "ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT ON TABLES TO PUBLIC",
    "ALTER DOMAIN celsius SET DEFAULT 0",
    "ALTER TYPE reading_part ADD ATTRIBUTE unit text",
    "CREATE TABLE IF NOT EXISTS firmware_images AS SELECT 1 AS version, 'x'::text AS file WITH NO DATA",
    "INSERT INTO firmware_images SELECT 1, 'a.bin' WHERE NOT EXISTS (SELECT 1 FROM firmware_images WHERE version = 1)",
    "ALTER TABLE devices ALTER COLUMN model TYPE varchar(30)",
)
