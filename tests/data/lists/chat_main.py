"""A chat product: many tenants, feature flags, and the platform's four sacred steps."""

migration_steps = [
    "CREATE TABLE IF NOT EXISTS tenants (id SERIAL PRIMARY KEY, store_name VARCHAR(255) NOT NULL, bot_phone_number VARCHAR(20) UNIQUE)",
    """
    DO $$
    BEGIN
        IF NOT EXISTS (SELECT 1 FROM information_schema.columns
                       WHERE table_name='tenants' AND column_name='new_feature_flag') THEN
            ALTER TABLE tenants ADD COLUMN new_feature_flag BOOLEAN DEFAULT FALSE;
        END IF;
    END $$;
    """,
    """
    DO $$
    BEGIN
        IF NOT EXISTS (SELECT 1 FROM information_schema.columns WHERE table_name='tenants' AND column_name='openai_api_key') THEN
            ALTER TABLE tenants ADD COLUMN openai_api_key TEXT;
        END IF;
        IF NOT EXISTS (SELECT 1 FROM information_schema.columns WHERE table_name='tenants' AND column_name='tier') THEN
            ALTER TABLE tenants ADD COLUMN tier VARCHAR(10) DEFAULT 'free';
            ALTER TABLE tenants ADD CONSTRAINT tenants_tier_check CHECK (tier IN ('free', 'pro'));
            UPDATE tenants SET tier = 'pro' WHERE store_name LIKE '%Pro%';
        END IF;
    END $$;
    """,
    """
    DO $$
    BEGIN
        IF NOT EXISTS (SELECT 1 FROM information_schema.tables WHERE table_name = 'customers') THEN
            CREATE TABLE customers (
                id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
                tenant_id INTEGER NOT NULL REFERENCES tenants(id) ON DELETE CASCADE,
                phone_number VARCHAR(32) NOT NULL,
                profile JSONB DEFAULT '{"lang": "es", "tags": []}',
                UNIQUE (tenant_id, phone_number)
            );
        END IF;
    END $$;
    """,
    "CREATE TABLE IF NOT EXISTS conversations (id UUID PRIMARY KEY DEFAULT gen_random_uuid(), tenant_id INTEGER REFERENCES tenants(id), channel TEXT NOT NULL)",
    """
    DO $$
    BEGIN
        IF NOT EXISTS (SELECT 1 FROM information_schema.columns WHERE table_name='conversations' AND column_name='customer_id') THEN
            ALTER TABLE conversations ADD COLUMN customer_id UUID REFERENCES customers(id) ON DELETE SET NULL;
            CREATE INDEX idx_conversations_customer ON conversations(customer_id);
        END IF;
    END $$;
    """,
    # the same in three ways, over the years
    "ALTER TABLE conversations ADD COLUMN IF NOT EXISTS last_message_at TIMESTAMPTZ",
    """
    DO $$ BEGIN
        ALTER TABLE conversations ADD COLUMN last_message_at TIMESTAMPTZ;
    EXCEPTION WHEN duplicate_column THEN RAISE NOTICE 'already there';
    END $$;
    """,
    """
    DO $$ BEGIN
        IF (SELECT COUNT(*) FROM information_schema.columns WHERE table_name='conversations' AND column_name='last_message_at') = 0 THEN
            ALTER TABLE conversations ADD COLUMN last_message_at TIMESTAMPTZ;
        END IF;
    END $$;
    """,
    # messages, then media, then the media columns on messages
    """
    CREATE TABLE IF NOT EXISTS messages (
        id BIGSERIAL PRIMARY KEY,
        conversation_id UUID NOT NULL REFERENCES conversations(id) ON DELETE CASCADE,
        role VARCHAR(16) NOT NULL,
        content TEXT,
        created_at TIMESTAMPTZ DEFAULT NOW()
    );
    CREATE INDEX IF NOT EXISTS idx_messages_conversation ON messages(conversation_id, created_at DESC);
    """,
    """
    DO $$
    DECLARE
        wanted text[] := ARRAY['human_override', 'muted'];
        c text;
    BEGIN
        FOREACH c IN ARRAY wanted LOOP
            BEGIN
                EXECUTE 'ALTER TABLE conversations ADD COLUMN ' || quote_ident(c) || ' BOOLEAN DEFAULT FALSE';
            EXCEPTION WHEN duplicate_column THEN
                NULL;
            END;
        END LOOP;
    END $$;
    """,
    """
    DO $$
    BEGIN
        IF NOT EXISTS (SELECT 1 FROM pg_constraint WHERE conname = 'messages_role_check') THEN
            ALTER TABLE messages ADD CONSTRAINT messages_role_check CHECK (role IN ('user', 'assistant', 'system', 'tool'));
        END IF;
    EXCEPTION
        WHEN check_violation THEN
            RAISE WARNING 'rows stand in the way: %', SQLERRM;
        WHEN OTHERS THEN
            RAISE NOTICE 'other: %', SQLERRM;
    END $$;
    """,
    # widened, in words of pg_attribute
    """
    DO $$
    BEGIN
        IF EXISTS (SELECT 1 FROM information_schema.columns
                   WHERE table_name = 'tenants' AND column_name = 'bot_phone_number' AND character_maximum_length < 32) THEN
            ALTER TABLE tenants ALTER COLUMN bot_phone_number TYPE VARCHAR(32);
        END IF;
        IF EXISTS (SELECT 1 FROM information_schema.columns
                   WHERE table_name = 'tenants' AND column_name = 'store_name' AND is_nullable = 'NO') THEN
            ALTER TABLE tenants ALTER COLUMN store_name DROP NOT NULL;
        END IF;
        IF EXISTS (SELECT 1 FROM information_schema.columns
                   WHERE table_name = 'tenants' AND column_name = 'tier' AND column_default LIKE '%free%') THEN
            ALTER TABLE tenants ALTER COLUMN tier SET DEFAULT 'basic';
        END IF;
    END $$;
    """,
    # the check that goes with it stands before: replaced
    """
    DO $$
    BEGIN
        ALTER TABLE tenants DROP CONSTRAINT IF EXISTS tenants_tier_check;
        ALTER TABLE tenants ADD CONSTRAINT tenants_tier_check CHECK (tier IN ('free', 'basic', 'pro', 'enterprise'));
    EXCEPTION WHEN OTHERS THEN
        RAISE NOTICE 'tier check: %', SQLERRM;
    END $$;
    """,
    # meta
    """
    CREATE TABLE IF NOT EXISTS meta_tokens (
        id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
        tenant_id INTEGER UNIQUE REFERENCES tenants(id) ON DELETE CASCADE,
        access_token TEXT,
        scopes TEXT[] DEFAULT '{}',
        expires_at TIMESTAMPTZ DEFAULT NOW() + INTERVAL '60 days'
    );
    """,
    """
    INSERT INTO tenants (id, store_name, bot_phone_number) VALUES (1, 'Tienda Ñandú', '+54 9 11')
    ON CONFLICT (id) DO UPDATE SET store_name = COALESCE(tenants.store_name, EXCLUDED.store_name);
    """,
    "SELECT setval('tenants_id_seq', (SELECT MAX(id) FROM tenants))",
    """
    INSERT INTO meta_tokens (tenant_id, scopes)
    SELECT t.id, ARRAY['pages_messaging'] FROM tenants t
    WHERE NOT EXISTS (SELECT 1 FROM meta_tokens m WHERE m.tenant_id = t.id);
    """,
    "UPDATE conversations SET channel = 'whatsapp' WHERE channel IS NULL OR channel = ''",
    "ALTER TABLE conversations ALTER COLUMN channel SET DEFAULT 'whatsapp'",
    # dedupe, then the unique constraint
    """
    DO $$
    BEGIN
        IF NOT EXISTS (SELECT 1 FROM pg_indexes WHERE indexname = 'uq_conversation_customer_channel') THEN
            DELETE FROM conversations a USING conversations b
                WHERE a.ctid < b.ctid AND a.customer_id = b.customer_id AND a.channel = b.channel;
            CREATE UNIQUE INDEX uq_conversation_customer_channel ON conversations (customer_id, channel);
        END IF;
    END $$;
    """,
    # legacy agents table is renamed away, with its key
    """
    DO $$
    BEGIN
        IF EXISTS (SELECT 1 FROM information_schema.tables WHERE table_name = 'bots')
           AND NOT EXISTS (SELECT 1 FROM information_schema.tables WHERE table_name = 'agents') THEN
            ALTER TABLE bots RENAME TO agents;
            ALTER INDEX IF EXISTS bots_pkey RENAME TO agents_pkey;
            ALTER SEQUENCE IF EXISTS bots_id_seq RENAME TO agents_id_seq;
        ELSIF NOT EXISTS (SELECT 1 FROM information_schema.tables WHERE table_name = 'agents') THEN
            CREATE TABLE agents (id SERIAL PRIMARY KEY, name TEXT);
        END IF;
    END $$;
    """,
    "ALTER TABLE agents ADD COLUMN IF NOT EXISTS tenant_id INTEGER REFERENCES tenants(id)",
    "ALTER TABLE agents ADD COLUMN IF NOT EXISTS model_version VARCHAR(50) DEFAULT 'gpt-4o-mini'",
    """
    DO $$ BEGIN
        IF NOT EXISTS (SELECT 1 FROM pg_proc WHERE proname = 'tenant_of') THEN
            CREATE FUNCTION tenant_of(conversation uuid) RETURNS integer LANGUAGE sql STABLE AS
                'SELECT tenant_id FROM conversations WHERE id = conversation';
        END IF;
    END $$;
    """,
    "CREATE OR REPLACE VIEW conversation_counts AS SELECT tenant_id, count(*) AS n FROM conversations GROUP BY tenant_id",
    "CREATE OR REPLACE VIEW conversation_counts AS SELECT tenant_id, count(*) AS n, max(last_message_at) AS latest FROM conversations GROUP BY tenant_id",
]
