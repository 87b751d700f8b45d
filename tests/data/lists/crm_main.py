"""A CRM with several schemas, computed statements and guards of every kind."""

crm_steps = [
    # accounts first
    """
    CREATE SCHEMA IF NOT EXISTS crm;
    CREATE TABLE IF NOT EXISTS crm.accounts (id UUID PRIMARY KEY DEFAULT gen_random_uuid(), name TEXT NOT NULL, owner_id UUID);
    """,
    'CREATE TABLE IF NOT EXISTS crm."Contact People" ("Id" UUID PRIMARY KEY DEFAULT gen_random_uuid(), "fullName" text, account_id uuid)',
    """
    DO $$ BEGIN
        IF NOT EXISTS (SELECT 1 FROM pg_constraint c JOIN pg_class t ON t.oid = c.conrelid
                       WHERE c.conname = 'contact_account_fk' AND t.relname = 'Contact People') THEN
            ALTER TABLE crm."Contact People" ADD CONSTRAINT contact_account_fk FOREIGN KEY (account_id) REFERENCES crm.accounts(id);
        END IF;
    END $$;
    """,
    # every table of the schema gets the two columns
    """
    DO $$
    DECLARE
        t record;
    BEGIN
        FOR t IN SELECT table_name FROM information_schema.tables WHERE table_schema = 'crm' AND table_type = 'BASE TABLE' LOOP
            EXECUTE format('ALTER TABLE crm.%I ADD COLUMN IF NOT EXISTS created_at timestamptz DEFAULT now()', t.table_name);
            EXECUTE format('ALTER TABLE crm.%I ADD COLUMN IF NOT EXISTS updated_at timestamptz', t.table_name);
        END LOOP;
    END $$;
    """,
    # deals: reference the stages that come later, errors hidden
    """
    DO $$
    BEGIN
        CREATE TABLE IF NOT EXISTS crm.deals (
            id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
            account_id uuid NOT NULL REFERENCES crm.accounts (id) ON DELETE CASCADE,
            stage_id int REFERENCES crm.stages (id),
            amount numeric(14,2) DEFAULT 0,
            won boolean
        );
        CREATE INDEX IF NOT EXISTS ix_deals_stage ON crm.deals (stage_id) WHERE won IS NULL;
    EXCEPTION WHEN OTHERS THEN
        RAISE WARNING 'deals: % %', SQLSTATE, SQLERRM;
    END $$;
    """,
    "CREATE TABLE IF NOT EXISTS crm.stages (id int PRIMARY KEY, label text NOT NULL UNIQUE, position smallint)",
    """
    INSERT INTO crm.stages (id, label, position) VALUES (1, 'new', 1), (2, 'offer', 2), (3, 'won', 3)
    ON CONFLICT (id) DO NOTHING;
    """,
    # one handler over two statements, of which the second fails for ever: the first one never stands
    """
    DO $$ BEGIN
        ALTER TABLE crm.deals ADD COLUMN IF NOT EXISTS probability int;
        ALTER TABLE crm.deals ADD CONSTRAINT deals_never CHECK (no_such_column > 0);
    EXCEPTION WHEN OTHERS THEN
        NULL;
    END $$;
    """,
    # fails for ever: an integer reference to a uuid key
    """
    DO $$ BEGIN
        IF NOT EXISTS (SELECT 1 FROM information_schema.tables WHERE table_schema = 'crm' AND table_name = 'notes') THEN
            CREATE TABLE crm.notes (id serial PRIMARY KEY, deal_id integer REFERENCES crm.deals(id), body text);
        END IF;
    EXCEPTION WHEN OTHERS THEN
        RAISE NOTICE 'notes: %', SQLERRM;
    END $$;
    """,
    # guard in a variable
    """
    DO $$
    DECLARE
        has_it boolean;
        n integer;
    BEGIN
        SELECT EXISTS (SELECT 1 FROM pg_indexes WHERE schemaname = 'crm' AND indexname = 'ix_accounts_name') INTO has_it;
        IF NOT has_it THEN
            CREATE INDEX ix_accounts_name ON crm.accounts (name varchar_pattern_ops);
        END IF;
        SELECT count(*) INTO n FROM pg_attribute WHERE attrelid = 'crm.accounts'::regclass AND attname = 'vat_id' AND NOT attisdropped;
        IF n = 0 THEN
            ALTER TABLE crm.accounts ADD COLUMN vat_id varchar(20);
        END IF;
    END $$;
    """,
    # PERFORM ... FOUND
    """
    DO $$ BEGIN
        PERFORM 1 FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace WHERE t.typname = 'mood' AND n.nspname = 'crm';
        IF NOT FOUND THEN
            CREATE TYPE crm.mood AS ENUM ('calm', 'cross');
        END IF;
    END $$;
    """,
    "ALTER TABLE crm.accounts ADD COLUMN IF NOT EXISTS mood crm.mood DEFAULT 'calm'",
    "ALTER TYPE crm.mood RENAME VALUE 'cross' TO 'angry'",
    # a guard on another object
    """
    DO $$ BEGIN
        IF NOT EXISTS (SELECT 1 FROM information_schema.columns WHERE table_schema = 'crm' AND table_name = 'accounts' AND column_name = 'phone') THEN
            ALTER TABLE crm.accounts ADD COLUMN phone text;
            ALTER TABLE crm.accounts ADD COLUMN fax text;
            UPDATE crm.accounts SET phone = '-', fax = '-';
            ALTER TABLE crm.accounts ALTER COLUMN phone SET NOT NULL;
        END IF;
    END $$;
    """,
    # search_path
    """
    SET search_path TO crm, public;
    CREATE TABLE IF NOT EXISTS tasks (id bigserial PRIMARY KEY, title text NOT NULL, due date);
    CREATE INDEX IF NOT EXISTS ix_tasks_due ON tasks (due);
    RESET search_path;
    """,
    """
    DO $$ BEGIN
        PERFORM set_config('search_path', 'crm', true);
        ALTER TABLE tasks ADD COLUMN IF NOT EXISTS done boolean DEFAULT false;
    END $$;
    """,
    # computed names
    """
    DO $outer$
    DECLARE
        col text;
    BEGIN
        FOREACH col IN ARRAY ARRAY['alpha', 'beta', 'Gamma ray'] LOOP
            IF NOT EXISTS (SELECT 1 FROM information_schema.columns WHERE table_schema = 'crm' AND table_name = 'tasks' AND column_name = col) THEN
                EXECUTE format($fmt$ALTER TABLE crm.tasks ADD COLUMN %I integer DEFAULT %L$fmt$, col, 7);
            END IF;
        END LOOP;
    END $outer$;
    """,
    # touch
    """
    CREATE OR REPLACE FUNCTION crm.touch() RETURNS trigger AS $$
    BEGIN
        NEW.updated_at := now();
        RETURN NEW;
    END
    $$ LANGUAGE plpgsql SECURITY DEFINER SET search_path = crm;
    """,
    """
    DROP TRIGGER IF EXISTS touch_accounts ON crm.accounts;
    CREATE TRIGGER touch_accounts BEFORE UPDATE ON crm.accounts FOR EACH ROW EXECUTE PROCEDURE crm.touch()
    """,
    # foreign key added late, guarded by information_schema.table_constraints with the schema
    """
    DO $$ BEGIN
        IF NOT EXISTS (SELECT 1 FROM information_schema.table_constraints
                       WHERE constraint_schema = 'crm' AND table_name = 'accounts' AND constraint_name = 'accounts_owner_fk') THEN
            ALTER TABLE crm.accounts ADD CONSTRAINT accounts_owner_fk FOREIGN KEY (owner_id) REFERENCES crm."Contact People" ("Id") NOT VALID;
        END IF;
    END $$;
    """,
    # drops
    "DROP INDEX IF EXISTS crm.ix_old_name",
    "ALTER TABLE IF EXISTS crm.legacy_notes RENAME TO old_notes",
    "ALTER TABLE crm.accounts DROP CONSTRAINT IF EXISTS accounts_name_key",
    "DROP FUNCTION IF EXISTS crm.touch_old()",
    "DROP TYPE IF EXISTS crm.unused",
]
