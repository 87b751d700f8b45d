"""A lending library: the keys changed their type under the rows."""

list_of_repairs = [
    "CREATE TABLE IF NOT EXISTS branches (id SERIAL PRIMARY KEY, name TEXT NOT NULL)",
    "CREATE TABLE IF NOT EXISTS members (id SERIAL PRIMARY KEY, name TEXT NOT NULL, joined DATE)",
    "CREATE TABLE IF NOT EXISTS books (id SERIAL PRIMARY KEY, isbn CHAR(13), title TEXT, year SMALLINT)",
    # loans keep the type of the old keys
    """CREATE TABLE IF NOT EXISTS loans (
        id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
        member_id INTEGER NOT NULL REFERENCES members(id),
        book_id INTEGER NOT NULL REFERENCES books(id),
        since DATE NOT NULL DEFAULT CURRENT_DATE,
        back DATE
    )""",
    # a uuid beside the integer key
    "ALTER TABLE members ADD COLUMN IF NOT EXISTS uid UUID",
    "UPDATE members SET uid = gen_random_uuid() WHERE uid IS NULL",
    "ALTER TABLE members ALTER COLUMN uid SET DEFAULT gen_random_uuid()",
    "ALTER TABLE members ALTER COLUMN uid SET NOT NULL",
    """
    DO $$ BEGIN
        IF NOT EXISTS (SELECT 1 FROM information_schema.table_constraints
                       WHERE table_name='members' AND constraint_name='members_uid_key') THEN
            ALTER TABLE members ADD CONSTRAINT members_uid_key UNIQUE (uid);
        END IF;
    END $$;
    """,
    # credentials of the old shape: the primary key becomes a uuid
    """CREATE TABLE IF NOT EXISTS api_keys (
        id UUID PRIMARY KEY DEFAULT gen_random_uuid(), label TEXT NOT NULL, scope TEXT NOT NULL DEFAULT 'read')""",
    """
    DO $$
    BEGIN
        IF EXISTS (
            SELECT 1 FROM information_schema.columns
            WHERE table_name = 'api_keys' AND column_name = 'id' AND data_type IN ('integer', 'bigint')
        ) THEN
            ALTER TABLE api_keys ADD COLUMN new_id UUID NOT NULL DEFAULT gen_random_uuid();
            ALTER TABLE api_keys DROP CONSTRAINT IF EXISTS api_keys_pkey;
            ALTER TABLE api_keys RENAME COLUMN id TO old_id;
            ALTER TABLE api_keys RENAME COLUMN new_id TO id;
            ALTER TABLE api_keys ALTER COLUMN old_id DROP NOT NULL;
            ALTER TABLE api_keys ALTER COLUMN old_id DROP DEFAULT;
            ALTER TABLE api_keys ADD PRIMARY KEY (id);
        END IF;
    END $$;
    """,
    """
    DO $$ BEGIN
        IF NOT EXISTS (SELECT 1 FROM information_schema.columns WHERE table_name='api_keys' AND column_name='label') THEN
            IF EXISTS (SELECT 1 FROM information_schema.columns WHERE table_name='api_keys' AND column_name='service_name') THEN
                ALTER TABLE api_keys RENAME COLUMN service_name TO label;
            ELSIF EXISTS (SELECT 1 FROM information_schema.columns WHERE table_name='api_keys' AND column_name='svc') THEN
                ALTER TABLE api_keys RENAME COLUMN svc TO label;
            ELSE
                ALTER TABLE api_keys ADD COLUMN label TEXT;
            END IF;
        END IF;
    END $$;
    """,
    "ALTER TABLE api_keys ADD COLUMN IF NOT EXISTS scope TEXT NOT NULL DEFAULT 'read'",
    "ALTER TABLE api_keys ALTER COLUMN label DROP NOT NULL",
    # a mandatory column without default: impossible with rows, until the next step
    "ALTER TABLE books ADD COLUMN IF NOT EXISTS language VARCHAR(5)",
    "ALTER TABLE books ALTER COLUMN language SET NOT NULL",
    "UPDATE books SET language = 'es' WHERE language IS NULL",
    "ALTER TABLE books ALTER COLUMN language SET DEFAULT 'es'",
    # year: smallint to int, and a check
    """
    DO $$ BEGIN
        IF EXISTS (SELECT 1 FROM information_schema.columns WHERE table_schema = current_schema() AND table_name = 'books'
                   AND column_name = 'year' AND udt_name = 'int2') THEN
            ALTER TABLE books ALTER COLUMN year TYPE INTEGER;
        END IF;
        IF NOT EXISTS (SELECT 1 FROM pg_constraint WHERE conname = 'books_year_check' AND contype = 'c') THEN
            ALTER TABLE books ADD CONSTRAINT books_year_check CHECK (year > 0 AND year < 3000);
        END IF;
    END $$;
    """,
    # a table that changes its shape: dropped when it has the wrong one
    """
    DO $$ BEGIN
        IF NOT EXISTS (SELECT 1 FROM information_schema.columns WHERE table_name = 'fines' AND column_name = 'loan_id') THEN
            DROP TABLE IF EXISTS fines CASCADE;
            CREATE TABLE fines (id BIGSERIAL PRIMARY KEY, loan_id UUID NOT NULL REFERENCES loans (id) ON DELETE CASCADE, cents INT NOT NULL);
        END IF;
    END $$;
    """,
    "ALTER TABLE books DROP COLUMN IF EXISTS shelf",
    'ALTER TABLE branches ADD COLUMN IF NOT EXISTS opening JSONB DEFAULT \'{"mon": ["09:00", "17:00"]}\'',
    "ALTER TABLE loans ADD COLUMN IF NOT EXISTS branch_id INT REFERENCES branches (id) ON DELETE SET NULL",
    "CREATE INDEX IF NOT EXISTS ix_loans_open ON loans (book_id) WHERE back IS NULL",
    """
    INSERT INTO branches (id, name) VALUES (1, 'Central') ON CONFLICT (id) DO NOTHING;
    SELECT setval(pg_get_serial_sequence('branches', 'id'), (SELECT max(id) FROM branches));
    """,
    # a second attempt at the same thing
    """
    DO $$ BEGIN
        BEGIN
            ALTER TABLE loans ADD CONSTRAINT loans_dates CHECK (back IS NULL OR back >= since);
        EXCEPTION WHEN duplicate_object THEN
            RAISE NOTICE 'loans_dates is there';
        END;
        BEGIN
            ALTER TABLE loans ADD CONSTRAINT loans_once UNIQUE (book_id, since);
        EXCEPTION WHEN duplicate_table OR duplicate_object THEN
            NULL;
        END;
    END $$;
    """,
    # one index replaced by another
    "DROP INDEX IF EXISTS ix_loans_member; CREATE INDEX IF NOT EXISTS ix_loans_member_open ON loans (member_id) WHERE back IS NULL",
    "ALTER TABLE members RENAME COLUMN joined TO joined_on",
    "COMMENT ON COLUMN members.joined_on IS NULL",
    "DROP VIEW IF EXISTS overdue CASCADE",
    "CREATE VIEW overdue AS SELECT l.*, m.name FROM loans l JOIN members m ON m.id = l.member_id WHERE l.back IS NULL AND l.since < CURRENT_DATE - 30",
]
