-- Yesterday's database of one Nexus installation, with its rows: integer keys everywhere, the old credentials,
-- conversations without customer_id, tenants without openai_api_key, system_events with a bigint id.
--     psql -d nexus -f legacy.sql
-- Also runs as one multi-statement string. Every value here is invented.

CREATE TABLE tenants (
    id SERIAL PRIMARY KEY,
    store_name VARCHAR(255) NOT NULL,
    bot_phone_number VARCHAR(32) NOT NULL UNIQUE,
    owner_email VARCHAR(255) NOT NULL,
    is_active BOOLEAN NOT NULL DEFAULT TRUE,
    created_at TIMESTAMPTZ NOT NULL DEFAULT now(),
    updated_at TIMESTAMPTZ NOT NULL DEFAULT now(),
    system_prompt TEXT
);

CREATE TABLE tools (
    id SERIAL PRIMARY KEY,
    tenant_id INTEGER REFERENCES tenants(id) ON DELETE CASCADE,
    name VARCHAR(100) NOT NULL UNIQUE,
    type VARCHAR(50) NOT NULL DEFAULT 'http',
    service_url TEXT,
    is_active BOOLEAN NOT NULL DEFAULT TRUE,
    created_at TIMESTAMPTZ NOT NULL DEFAULT now()
);

CREATE TABLE credentials (
    id SERIAL PRIMARY KEY,
    tenant_id INTEGER REFERENCES tenants(id) ON DELETE CASCADE,
    service_name VARCHAR(100) NOT NULL,
    api_key_encrypted TEXT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL DEFAULT now()
);

CREATE TABLE customers (
    id SERIAL PRIMARY KEY,
    tenant_id INTEGER NOT NULL REFERENCES tenants(id) ON DELETE CASCADE,
    phone_number VARCHAR(20) NOT NULL,
    name VARCHAR(255),
    email VARCHAR(255),
    created_at TIMESTAMPTZ NOT NULL DEFAULT now()
);

CREATE TABLE chat_conversations (
    id BIGSERIAL PRIMARY KEY,
    tenant_id INTEGER NOT NULL REFERENCES tenants(id) ON DELETE CASCADE,
    channel VARCHAR(20) NOT NULL DEFAULT 'whatsapp',
    external_user_id VARCHAR(128) NOT NULL,
    display_name VARCHAR(255),
    status VARCHAR(20) NOT NULL DEFAULT 'open',
    last_message_at TIMESTAMPTZ,
    created_at TIMESTAMPTZ NOT NULL DEFAULT now(),
    updated_at TIMESTAMPTZ NOT NULL DEFAULT now()
);
CREATE INDEX idx_chat_conversations_tenant ON chat_conversations (tenant_id);

CREATE TABLE chat_messages (
    id BIGSERIAL PRIMARY KEY,
    conversation_id BIGINT NOT NULL REFERENCES chat_conversations(id) ON DELETE CASCADE,
    role VARCHAR(20) NOT NULL,
    content TEXT NOT NULL,
    correlation_id VARCHAR(64),
    created_at TIMESTAMPTZ NOT NULL DEFAULT now()
);

CREATE TABLE system_events (
    id BIGSERIAL PRIMARY KEY,
    tenant_id INTEGER REFERENCES tenants(id) ON DELETE SET NULL,
    level VARCHAR(20) NOT NULL DEFAULT 'info',
    event_type VARCHAR(100) NOT NULL,
    message TEXT,
    created_at TIMESTAMPTZ NOT NULL DEFAULT now()
);

-- The first version of this table was keyed by tenant.
CREATE TABLE tenant_human_handoff_config (
    id UUID DEFAULT gen_random_uuid(),
    tenant_id INTEGER NOT NULL REFERENCES tenants(id) ON DELETE CASCADE,
    enabled BOOLEAN NOT NULL DEFAULT FALSE,
    destination_email VARCHAR(255),
    handoff_instructions TEXT,
    created_at TIMESTAMPTZ NOT NULL DEFAULT now(),
    updated_at TIMESTAMPTZ NOT NULL DEFAULT now(),
    CONSTRAINT tenant_human_handoff_config_pkey PRIMARY KEY (tenant_id)
);

-- Made by create_all of an earlier release.
CREATE TABLE users (
    id UUID DEFAULT gen_random_uuid() NOT NULL,
    email VARCHAR(255) NOT NULL,
    password_hash VARCHAR(255) NOT NULL,
    full_name VARCHAR(255),
    role VARCHAR(20) DEFAULT 'viewer' NOT NULL,
    status VARCHAR(20) DEFAULT 'pending' NOT NULL,
    last_login_at TIMESTAMP WITH TIME ZONE,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT users_pkey PRIMARY KEY (id),
    CONSTRAINT users_email_key UNIQUE (email)
);

INSERT INTO tenants (store_name, bot_phone_number, owner_email, is_active, created_at, updated_at, system_prompt) VALUES
    ('Pointe Coach', '+5491150001001', 'hola@pointe.example', TRUE, '2024-02-01 10:00:00-03', '2024-11-20 09:30:00-03', NULL),
    ('Ñandú Zapatería', '+5491150001002', 'dueña@ñandu.example', TRUE, '2024-03-15 12:00:00-03', '2025-01-05 18:00:00-03', 'Sos Ñandita. Contestá con "onda" y sin vueltas; 10% off a :name.'),
    ('Café O''Higgins', '+5491150001003', 'cafe@ohiggins.example', TRUE, '2024-06-10 08:15:00-03', '2024-06-10 08:15:00-03', NULL),
    ('Librería «El Túnel»', '+5491150001004', 'ventas@tunel.example', FALSE, '2023-12-01 00:00:00-03', '2024-08-30 23:59:59-03', '');

INSERT INTO tools (tenant_id, name, type, service_url, is_active, created_at) VALUES
    (NULL, 'search_products', 'http', 'http://old-tiendanube:3000/search', TRUE, '2024-02-01 10:05:00-03'),
    (NULL, 'order_status', 'http', NULL, TRUE, '2024-02-01 10:05:00-03'),
    (1, 'reserva_clase_prueba', 'http', 'https://pointe.example/api/reservas?día=:day', TRUE, '2024-02-14 16:20:00-03'),
    (2, 'talle_por_cm', 'internal', NULL, FALSE, '2024-03-20 11:00:00-03');

INSERT INTO credentials (tenant_id, service_name, api_key_encrypted, created_at) VALUES
    (1, 'tiendanube', 'gAAAAABl-x1-tn-001==', '2024-02-01 10:10:00-03'),
    (1, 'openai', 'gAAAAABl-x1-oa-001==', '2024-02-01 10:11:00-03'),
    (2, 'tiendanube', 'gAAAAABm-x2-tn-002==', '2024-03-15 12:30:00-03'),
    (2, 'correo_señal', 'gAAAAABm-x2-cs-002%==', '2024-04-02 09:00:00-03'),
    (3, 'openai', 'gAAAAABn-x3-oa-003==', '2024-06-10 08:20:00-03'),
    (NULL, 'ycloud', 'gAAAAABk-glob-yc-000==', '2023-12-24 20:00:00-03');

INSERT INTO customers (tenant_id, phone_number, name, email, created_at) VALUES
    (1, '+5491161000001', 'María José Pérez', 'MariaJose@correo.example', '2024-02-10 10:00:00-03'),
    (1, '+5491161000002', 'Lucía', NULL, '2024-02-11 11:00:00-03'),
    (1, '+5491161000003', NULL, NULL, '2024-02-12 12:00:00-03'),
    (2, '+5491161000001', 'M. J. Pérez', 'mariajose@correo.example', '2024-04-01 13:00:00-03'),
    (2, '+5491162000002', 'Agustín Güiraldes', 'agus@correo.example', '2024-04-05 14:00:00-03'),
    (3, '+5491163000001', 'Bernardo O''Connor', NULL, '2024-06-12 07:45:00-03'),
    (3, '+5491163000002', 'Zoë', 'zoe@correo.example', '2024-06-13 08:00:00-03');

INSERT INTO chat_conversations (tenant_id, channel, external_user_id, display_name, status, last_message_at, created_at, updated_at) VALUES
    (1, 'whatsapp', '5491161000001', 'María José 🩰', 'open', '2024-11-20 09:30:00-03', '2024-02-10 10:00:00-03', '2024-11-20 09:30:00-03'),
    (1, 'instagram', 'ig:17841400000000001', 'lu.pointe', 'closed', '2024-05-02 22:10:00-03', '2024-05-01 20:00:00-03', '2024-05-02 22:10:00-03'),
    (1, 'whatsapp', '5491161000003', NULL, 'open', NULL, '2024-02-12 12:00:00-03', '2024-02-12 12:00:00-03'),
    (2, 'whatsapp', '5491161000001', 'MJ', 'open', '2025-01-05 18:00:00-03', '2024-04-01 13:00:00-03', '2025-01-05 18:00:00-03'),
    (2, 'whatsapp', '5491162000002', 'Agustín', 'human', '2024-12-30 12:00:00-03', '2024-04-05 14:00:00-03', '2024-12-30 12:00:00-03'),
    (3, 'whatsapp', '5491163000001', 'Bernardo', 'closed', '2024-06-12 08:00:00-03', '2024-06-12 07:45:00-03', '2024-06-12 08:00:00-03');

INSERT INTO chat_messages (conversation_id, role, content, correlation_id, created_at) VALUES
    (1, 'user', '¡Hola! ¿Tienen puntas Grishko talle 37½?', NULL, '2024-11-20 09:28:00-03'),
    (1, 'assistant', 'Sí: $98.500, 15% off con transferencia.' || chr(10) || '¿Te las reservo?', 'c0ffee-01', '2024-11-20 09:28:09-03'),
    (1, 'user', 'dale, "reservalas"', NULL, '2024-11-20 09:30:00-03'),
    (2, 'user', 'precio?', NULL, '2024-05-01 20:00:00-03'),
    (2, 'assistant', 'Depende del modelo, ¿me pasás el link?', 'c0ffee-02', '2024-05-01 20:00:07-03'),
    (2, 'user', 'C:\fotos\zapatilla.jpg', NULL, '2024-05-02 22:10:00-03'),
    (4, 'user', 'El pedido #1042 llegó a la mitad :(', NULL, '2025-01-05 17:58:00-03'),
    (4, 'assistant', 'Te pido disculpas, lo reviso.', 'c0ffee-03', '2025-01-05 18:00:00-03'),
    (5, 'user', 'quiero hablar con una persona', NULL, '2024-12-30 11:59:00-03'),
    (5, 'system', '{"handoff": true, "reason": "pedido"}', 'c0ffee-04', '2024-12-30 12:00:00-03'),
    (6, 'user', '', NULL, '2024-06-12 08:00:00-03');

INSERT INTO system_events (tenant_id, level, event_type, message, created_at) VALUES
    (NULL, 'info', 'boot', 'orchestrator v2.7 started', '2024-01-01 00:00:00-03'),
    (1, 'warning', 'llm_timeout', 'gpt-4 tardó más de 30 s', '2024-03-02 15:00:00-03'),
    (1, 'error', 'webhook', 'firma inválida: 0x%s', '2024-05-05 05:05:05-03'),
    (2, 'info', 'handoff', NULL, '2024-12-30 12:00:01-03'),
    (NULL, 'error', 'db', 'relation "agents" does not exist', '2025-01-10 03:00:00-03');

INSERT INTO tenant_human_handoff_config (id, tenant_id, enabled, destination_email, handoff_instructions, created_at, updated_at) VALUES
    ('6f1c2b1e-0a4d-4c55-9d0c-1f6a1e7b0001', 1, TRUE, 'recepcion@pointe.example', 'Llamar antes de las 20 h', '2024-09-01 10:00:00-03', '2024-09-01 10:00:00-03'),
    ('6f1c2b1e-0a4d-4c55-9d0c-1f6a1e7b0002', 2, FALSE, NULL, NULL, '2024-09-02 10:00:00-03', '2024-10-02 10:00:00-03');

INSERT INTO users (id, email, password_hash, full_name, role, status, last_login_at, created_at) VALUES
    ('aaaaaaaa-0000-4000-8000-000000000001', 'admin@nexus.example', '$2b$12$invented.invented.invented.1', 'Administración', 'admin', 'active', '2025-01-10 08:00:00-03', '2023-11-01 09:00:00-03'),
    ('aaaaaaaa-0000-4000-8000-000000000002', 'dueña@ñandu.example', '$2b$12$invented.invented.invented.2', 'Begoña Ibáñez', 'viewer', 'active', NULL, '2024-03-15 12:00:00-03'),
    ('aaaaaaaa-0000-4000-8000-000000000003', 'nuevo@tunel.example', '$2b$12$invented.invented.invented.3', NULL, 'viewer', 'pending', NULL, '2024-12-31 23:59:00-03');
