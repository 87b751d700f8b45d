"""A bot that answers tickets: prompts as data, steps in the wrong order, errors hidden."""

STEPS = [
    # 1
    """
    DO $$ BEGIN
        ALTER TABLE tickets ADD COLUMN IF NOT EXISTS priority smallint DEFAULT 3;
    EXCEPTION WHEN undefined_table THEN
        RAISE NOTICE 'tickets not there yet';
    END $$;
    """,
    # 1b
    "CREATE TABLE IF NOT EXISTS tickets (id BIGSERIAL PRIMARY KEY, subject VARCHAR(200), body TEXT, status VARCHAR(20) DEFAULT 'open')",
    # 1c
    "ALTER TABLE tickets ADD COLUMN IF NOT EXISTS agent_id UUID REFERENCES agents(id)",
    # 1c
    """CREATE TABLE IF NOT EXISTS agents (
        id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
        email CITEXT UNIQUE,
        prompt TEXT,
        config JSONB DEFAULT '{}'
    )""",
    # 2 extension after its use
    "CREATE EXTENSION IF NOT EXISTS citext",
    "CREATE EXTENSION IF NOT EXISTS pg_trgm",
    # 3
    "CREATE INDEX IF NOT EXISTS ix_tickets_subject_trgm ON tickets USING gin (subject gin_trgm_ops)",
    """
    CREATE TABLE IF NOT EXISTS messages (
        id UUID DEFAULT gen_random_uuid(),
        ticket_id BIGINT NOT NULL,
        author TEXT NOT NULL CHECK (author IN ('customer', 'agent', 'bot')),
        body TEXT,
        meta JSONB,
        created_at TIMESTAMPTZ NOT NULL DEFAULT (now() AT TIME ZONE 'utc'),
        CONSTRAINT messages_pkey PRIMARY KEY (id),
        FOREIGN KEY (ticket_id) REFERENCES tickets (id) ON UPDATE CASCADE ON DELETE CASCADE
    );
    CREATE INDEX IF NOT EXISTS ix_messages_ticket ON messages (ticket_id, created_at);
    CREATE INDEX IF NOT EXISTS ix_messages_meta ON messages USING gin (meta jsonb_path_ops);
    """,
    # 4 the prompt
    r"""
    INSERT INTO agents (id, email, prompt, config) VALUES (
        '00000000-0000-0000-0000-000000000001', 'bot@example.org',
        'Eres "Lía", asistente de soporte.
Responde siempre en español; usa {nombre}, {{doble}}, %s, %(x)s, :param, :: y \n literal.
- 100 % amable; ¿sí? ¡Sí! — «comillas»
- No digas $$ ni $1; tampoco -- comentarios /* raros */ ''simples'' ; punto y coma
',
        '{"temperature": 0.2, "stop": ["\n", "%%"], "tools": {"a": [1, 2, {"b": null}]}}'
    ) ON CONFLICT (id) DO NOTHING;
    """,
    # 5
    r"""UPDATE agents SET prompt = E'nuevo\tprompt\\ con %% y \'comillas\'' WHERE prompt IS NULL OR prompt = ''""",
    # 6 activates whatever waits
    "UPDATE tickets SET status = 'open' WHERE status IS NULL OR status = 'pending'",
    # 7 duplicates
    "ALTER TABLE tickets ADD COLUMN IF NOT EXISTS channel TEXT NOT NULL DEFAULT 'mail'",
    "alter table tickets add column if not exists channel text not null default 'mail'",
    # 8 several statements that depend on each other
    """
    ALTER TABLE tickets ADD COLUMN IF NOT EXISTS ext_id TEXT;
    UPDATE tickets SET ext_id = 'T-' || id WHERE ext_id IS NULL;
    ALTER TABLE tickets ALTER COLUMN ext_id SET NOT NULL;
    CREATE UNIQUE INDEX IF NOT EXISTS uq_tickets_ext ON tickets (ext_id);
    """,
    # 9 fails for ever, and says nothing
    """
    DO $$ BEGIN
        CREATE TABLE IF NOT EXISTS ratings (id serial PRIMARY KEY, agent_id INTEGER REFERENCES agents(id), stars int);
    EXCEPTION WHEN OTHERS THEN NULL;
    END $$
    """,
    # 10 drops and alters the same table under one handler
    """
    DO $$ BEGIN
        DROP TABLE IF EXISTS scratchpad;
        ALTER TABLE scratchpad ADD COLUMN x int;
    EXCEPTION WHEN OTHERS THEN
        RAISE NOTICE 'scratchpad: %', SQLERRM;
    END $$
    """,
    # 11 primary key dropped and added at every start
    """
    DO $$ BEGIN
        ALTER TABLE messages DROP CONSTRAINT IF EXISTS messages_pkey;
        ALTER TABLE messages ADD CONSTRAINT messages_pkey PRIMARY KEY (id);
    END $$
    """,
    # 12
    """
    DO $do$
    DECLARE v_sql text := 'CREATE INDEX IF NOT EXISTS ix_tickets_status ON tickets (status)';
    BEGIN
        EXECUTE v_sql;
        EXECUTE 'COMMENT ON TABLE tickets IS ' || quote_literal('it''s a ticket; $$ -- not a comment');
    END
    $do$
    """,
    # 13 conditional destruction: the wrong key type
    """
    DO $$ BEGIN
        IF EXISTS (SELECT 1 FROM information_schema.columns WHERE table_name = 'sessions' AND column_name = 'id' AND data_type = 'integer') THEN
            DROP TABLE sessions CASCADE;
        END IF;
        CREATE TABLE IF NOT EXISTS sessions (id UUID PRIMARY KEY DEFAULT gen_random_uuid(), ticket_id BIGINT REFERENCES tickets(id), token TEXT);
    END $$
    """,
    # 14 status becomes an enum
    """
    DO $$ BEGIN
        IF NOT EXISTS (SELECT 1 FROM pg_type WHERE typname = 'ticket_status') THEN
            CREATE TYPE ticket_status AS ENUM ('open', 'waiting', 'closed');
        END IF;
    END $$;
    DO $$ BEGIN
        IF (SELECT data_type FROM information_schema.columns WHERE table_name = 'tickets' AND column_name = 'status') = 'character varying' THEN
            ALTER TABLE tickets ALTER COLUMN status DROP DEFAULT;
            ALTER TABLE tickets ALTER COLUMN status TYPE ticket_status USING status::ticket_status;
            ALTER TABLE tickets ALTER COLUMN status SET DEFAULT 'open';
        END IF;
    END $$;
    """,
    # 15 a clock
    """
    CREATE OR REPLACE FUNCTION set_updated_at() RETURNS TRIGGER AS '
    BEGIN
        NEW.updated_at = now();
        RETURN NEW;
    END;
    ' LANGUAGE 'plpgsql';
    """,
    "ALTER TABLE tickets ADD COLUMN IF NOT EXISTS updated_at TIMESTAMPTZ",
    "DROP TRIGGER IF EXISTS trg_tickets_updated ON tickets",
    "CREATE TRIGGER trg_tickets_updated BEFORE UPDATE ON tickets FOR EACH ROW EXECUTE FUNCTION set_updated_at()",
]

STEPS.append("-- nothing here any more\nSELECT 1")
STEPS.extend(
    [
        "COMMENT ON COLUMN tickets.ext_id IS $tag$the id of the 'other' system: 50%$tag$",
        """CREATE OR REPLACE VIEW open_tickets AS SELECT * FROM tickets WHERE status = 'open'""",
    ]
)
