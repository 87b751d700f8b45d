"""Nexus: the orchestrator. At each start it repairs its own database, then serves.

    cd examples/nexus && DATABASE_URL=postgresql://... uvicorn main:app

The database comes from OMEGA_BRIDGE_DATABASE_URL, DATABASE_URL or POSTGRES_DSN. To add a field: the model in
app/models/, a defensive statement at the end of ``migration_steps``, and a restart.
"""

from __future__ import annotations

import logging
import os
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Annotated, Any

import psycopg
from fastapi import Depends, FastAPI, HTTPException, Request
from fastapi.responses import JSONResponse
from sqlalchemy import create_engine, func, select
from sqlalchemy.orm import Session, sessionmaker

import omega_bridge
from app.models import Base, ChatConversation, ChatMessage, SystemEvent, Tenant

logger = logging.getLogger("nexus")

CRITICAL_TABLES = ("tenants", "tools", "credentials")

# ---------------------------------------------------------------------------------------------------------------
# MIGRATION STEPS (auto-reparación en tiempo de arranque)
#
# Se ejecutan TODOS, en orden, en cada arranque: cada paso tiene que poder correr mil veces.
# Nada de archivos .sql a mano. Los modelos viven en app/models/.
# ---------------------------------------------------------------------------------------------------------------
migration_steps = [
    # 0. Extensiones (pg_trgm para buscar clientes por nombre; en algunos RDS no hay permiso, no es fatal)
    """
    DO $$
    BEGIN
        CREATE EXTENSION IF NOT EXISTS pg_trgm;
    EXCEPTION WHEN OTHERS THEN
        RAISE NOTICE 'pg_trgm no disponible: %', SQLERRM;
    END $$;
    """,
    # 1. Tenants
    """
    CREATE TABLE IF NOT EXISTS tenants (
        id SERIAL PRIMARY KEY,
        store_name VARCHAR(255) NOT NULL,
        bot_phone_number VARCHAR(32) NOT NULL UNIQUE,
        owner_email VARCHAR(255) NOT NULL,
        is_active BOOLEAN NOT NULL DEFAULT TRUE,
        created_at TIMESTAMPTZ NOT NULL DEFAULT now(),
        updated_at TIMESTAMPTZ NOT NULL DEFAULT now()
    );
    CREATE INDEX IF NOT EXISTS idx_tenants_store_name ON tenants (store_name);
    CREATE INDEX IF NOT EXISTS idx_tenants_active ON tenants (is_active) WHERE is_active;
    """,
    # 1b. owner_email deja de ser obligatorio (alta desde el panel sin correo)
    "ALTER TABLE tenants ALTER COLUMN owner_email DROP NOT NULL",
    # 1c. openai_api_key por tenant
    """
    DO $$
    BEGIN
        IF NOT EXISTS (
            SELECT 1 FROM information_schema.columns
            WHERE table_name = 'tenants' AND column_name = 'openai_api_key'
        ) THEN
            ALTER TABLE tenants ADD COLUMN openai_api_key VARCHAR(255);
        END IF;
    END $$;
    """,
    # 1c. Feature flag (el ejemplo de la guía)
    """
    DO $$
    BEGIN
        IF NOT EXISTS (SELECT 1 FROM information_schema.columns
                       WHERE table_name='tenants' AND column_name='new_feature_flag') THEN
            ALTER TABLE tenants ADD COLUMN new_feature_flag BOOLEAN DEFAULT FALSE;
        END IF;
    END $$;
    """,
    # 1d. Prompt, zona horaria y cupo de tokens
    """
    ALTER TABLE tenants ADD COLUMN IF NOT EXISTS system_prompt TEXT;
    ALTER TABLE tenants ADD COLUMN IF NOT EXISTS timezone VARCHAR(64) NOT NULL DEFAULT 'UTC';
    ALTER TABLE tenants ADD COLUMN IF NOT EXISTS monthly_token_limit INTEGER DEFAULT 100000;
    COMMENT ON COLUMN tenants.monthly_token_limit IS 'NULL = sin tope';
    ALTER TABLE tenants ADD COLUMN IF NOT EXISTS country_code VARCHAR(2);
    """,
    # 2. Tools
    """
    CREATE TABLE IF NOT EXISTS tools (
        id SERIAL PRIMARY KEY,
        tenant_id INTEGER REFERENCES tenants(id) ON DELETE CASCADE,
        name VARCHAR(100) NOT NULL UNIQUE,
        type VARCHAR(50) NOT NULL DEFAULT 'http',
        service_url TEXT,
        is_active BOOLEAN NOT NULL DEFAULT TRUE,
        created_at TIMESTAMPTZ NOT NULL DEFAULT now()
    );
    CREATE INDEX IF NOT EXISTS idx_tools_tenant ON tools (tenant_id);
    """,
    # 2b. Tools: config + guías para el LLM
    "ALTER TABLE tools ADD COLUMN IF NOT EXISTS config JSONB NOT NULL DEFAULT '{}'::jsonb",
    """
    ALTER TABLE tools
        ADD COLUMN IF NOT EXISTS prompt_injection TEXT,
        ADD COLUMN IF NOT EXISTS response_guide TEXT;
    """,
    # 3. Credentials (forma nueva, UUID)
    """
    CREATE TABLE IF NOT EXISTS credentials (
        id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
        tenant_id INTEGER REFERENCES tenants(id) ON DELETE CASCADE,
        scope VARCHAR(20) NOT NULL DEFAULT 'tenant',
        category VARCHAR(50) NOT NULL DEFAULT 'general',
        name VARCHAR(255),
        value TEXT,
        description TEXT,
        created_at TIMESTAMPTZ NOT NULL DEFAULT now(),
        updated_at TIMESTAMPTZ NOT NULL DEFAULT now()
    );
    COMMENT ON TABLE credentials IS 'Claves de terceros por tenant; scope = global es de la plataforma';
    """,
    # 3b. Credentials vieja (service_name / api_key_encrypted) -> scope, category, name, value
    """
    DO $$
    BEGIN
        IF NOT EXISTS (SELECT 1 FROM information_schema.columns
                       WHERE table_name = 'credentials' AND column_name = 'scope') THEN
            ALTER TABLE credentials ADD COLUMN scope VARCHAR(20) NOT NULL DEFAULT 'tenant';
        END IF;
        IF NOT EXISTS (SELECT 1 FROM information_schema.columns
                       WHERE table_name = 'credentials' AND column_name = 'category') THEN
            ALTER TABLE credentials ADD COLUMN category VARCHAR(50) NOT NULL DEFAULT 'general';
        END IF;
        IF NOT EXISTS (SELECT 1 FROM information_schema.columns
                       WHERE table_name = 'credentials' AND column_name = 'name') THEN
            ALTER TABLE credentials ADD COLUMN name VARCHAR(255);
        END IF;
        IF NOT EXISTS (SELECT 1 FROM information_schema.columns
                       WHERE table_name = 'credentials' AND column_name = 'value') THEN
            ALTER TABLE credentials ADD COLUMN value TEXT;
        END IF;
        ALTER TABLE credentials ADD COLUMN IF NOT EXISTS description TEXT;
        ALTER TABLE credentials ADD COLUMN IF NOT EXISTS updated_at TIMESTAMPTZ NOT NULL DEFAULT now();
    EXCEPTION WHEN OTHERS THEN
        RAISE NOTICE 'credentials: %', SQLERRM;
    END $$;
    """,
    # 3c. Credentials: PK a UUID sin perder el id viejo (hay planillas que todavía lo usan)
    """
    DO $$
    BEGIN
        IF EXISTS (
            SELECT 1 FROM information_schema.columns
            WHERE table_name = 'credentials' AND column_name = 'id' AND data_type IN ('integer', 'bigint')
        ) THEN
            ALTER TABLE credentials DROP CONSTRAINT credentials_pkey;
            ALTER TABLE credentials RENAME COLUMN id TO legacy_id;
            ALTER TABLE credentials ADD COLUMN id UUID NOT NULL DEFAULT gen_random_uuid();
            ALTER TABLE credentials ADD CONSTRAINT credentials_pkey PRIMARY KEY (id);
        END IF;
    END $$;
    """,
    # 3d. ...y las columnas viejas ya no son obligatorias; name/value salen de ellas la primera vez
    """
    DO $$
    BEGIN
        IF EXISTS (SELECT 1 FROM information_schema.columns
                   WHERE table_name = 'credentials' AND column_name = 'api_key_encrypted') THEN
            IF EXISTS (SELECT 1 FROM information_schema.columns
                       WHERE table_name = 'credentials' AND column_name = 'api_key_encrypted'
                         AND is_nullable = 'NO') THEN
                ALTER TABLE credentials ALTER COLUMN api_key_encrypted DROP NOT NULL;
                ALTER TABLE credentials ALTER COLUMN service_name DROP NOT NULL;
            END IF;
            EXECUTE 'UPDATE credentials SET name = service_name, value = api_key_encrypted
                     WHERE name IS NULL AND value IS NULL AND service_name IS NOT NULL';
        END IF;
    END $$;
    """,
    # 4. Chat conversations
    """
    CREATE TABLE IF NOT EXISTS chat_conversations (
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
    CREATE INDEX IF NOT EXISTS idx_chat_conversations_tenant ON chat_conversations (tenant_id);
    CREATE INDEX IF NOT EXISTS idx_chat_conversations_open
        ON chat_conversations (tenant_id, last_message_at DESC) WHERE status = 'open';
    CREATE INDEX IF NOT EXISTS idx_chat_conversations_last_message ON chat_conversations (last_message_at);
    """,
    # 4b. customer_id en conversaciones
    """
    DO $$
    BEGIN
        IF NOT EXISTS (
            SELECT 1 FROM information_schema.columns
            WHERE table_name = 'chat_conversations' AND column_name = 'customer_id'
        ) THEN
            ALTER TABLE chat_conversations ADD COLUMN customer_id INTEGER;
        END IF;
        IF NOT EXISTS (SELECT 1 FROM pg_constraint WHERE conname = 'fk_chat_conversations_customer') THEN
            ALTER TABLE chat_conversations
                ADD CONSTRAINT fk_chat_conversations_customer
                FOREIGN KEY (customer_id) REFERENCES customers(id) ON DELETE SET NULL;
        END IF;
        CREATE INDEX IF NOT EXISTS idx_chat_conversations_customer ON chat_conversations (customer_id);
    EXCEPTION WHEN OTHERS THEN
        RAISE NOTICE 'customer_id en chat_conversations: %', SQLERRM;
    END $$;
    """,
    # 4c. Un usuario externo = una conversación por canal
    """
    DO $$
    BEGIN
        IF NOT EXISTS (SELECT 1 FROM pg_constraint WHERE conname = 'uq_chat_conversations_channel_user') THEN
            ALTER TABLE chat_conversations
                ADD CONSTRAINT uq_chat_conversations_channel_user UNIQUE (tenant_id, channel, external_user_id);
        END IF;
    END $$;
    """,
    # 4d. human override (Protocolo Omega: el bot calla hasta esa hora)
    "ALTER TABLE chat_conversations ADD COLUMN IF NOT EXISTS human_override_until TIMESTAMPTZ;",
    # 5. Chat messages
    """
    CREATE TABLE IF NOT EXISTS chat_messages (
        id BIGSERIAL PRIMARY KEY,
        conversation_id BIGINT NOT NULL REFERENCES chat_conversations(id) ON DELETE CASCADE,
        role VARCHAR(20) NOT NULL,
        content TEXT NOT NULL,
        correlation_id VARCHAR(64),
        created_at TIMESTAMPTZ NOT NULL DEFAULT now()
    );
    CREATE INDEX IF NOT EXISTS idx_chat_messages_conversation ON chat_messages (conversation_id, created_at);
    """,
    # 5b. un audio o una foto puede venir sin texto
    """
    ALTER TABLE chat_messages ALTER COLUMN content DROP NOT NULL;
    ALTER TABLE chat_messages ADD COLUMN IF NOT EXISTS message_type VARCHAR(20) NOT NULL DEFAULT 'text';
    ALTER TABLE chat_messages ADD COLUMN IF NOT EXISTS tokens_used INTEGER;
    ALTER TABLE chat_messages ADD COLUMN IF NOT EXISTS latency_ms INTEGER;
    """,
    # 5c. Cost tracking: 4 decimals are enough for a message
    """
    DO $$
    BEGIN
        ALTER TABLE chat_messages ADD COLUMN cost_usd NUMERIC(10,4);
    EXCEPTION WHEN duplicate_column THEN NULL;
    END $$;
    """,
    # 5d.
    """
    DO $$ BEGIN
        IF to_regclass('idx_chat_messages_correlation') IS NULL THEN
            CREATE INDEX idx_chat_messages_correlation ON chat_messages (correlation_id)
                WHERE correlation_id IS NOT NULL;
        END IF;
    END $$;
    """,
    # 6. Customers
    """
    CREATE TABLE IF NOT EXISTS customers (
        id SERIAL PRIMARY KEY,
        tenant_id INTEGER NOT NULL REFERENCES tenants(id) ON DELETE CASCADE,
        phone_number VARCHAR(20) NOT NULL,
        name VARCHAR(255),
        email VARCHAR(255),
        created_at TIMESTAMPTZ NOT NULL DEFAULT now()
    );
    CREATE UNIQUE INDEX IF NOT EXISTS uq_customers_tenant_phone ON customers (tenant_id, phone_number);
    CREATE INDEX IF NOT EXISTS idx_customers_email ON customers (lower(email)) WHERE email IS NOT NULL;
    CREATE INDEX IF NOT EXISTS idx_customers_tenant_created ON customers (tenant_id, created_at);
    """,
    # 6b. Los ids de Instagram no entran en 20 caracteres
    "ALTER TABLE customers ALTER COLUMN phone_number TYPE VARCHAR(50);",
    # 6c. Búsqueda por nombre parecido ("Maria" encuentra "María José")
    """
    DO $$
    BEGIN
        CREATE INDEX IF NOT EXISTS idx_customers_name_trgm ON customers USING gin (name gin_trgm_ops);
    EXCEPTION WHEN OTHERS THEN
        RAISE NOTICE 'sin indice trgm en customers: %', SQLERRM;
    END $$;
    """,
    # 6d.
    "ALTER TABLE customers ADD COLUMN IF NOT EXISTS attributes JSONB NOT NULL DEFAULT '{}'::jsonb",
    # 7. System events: el id tiene que ser UUID. Si quedó la versión bigint se tira y se crea de nuevo
    """
    DO $$
    BEGIN
        IF EXISTS (
            SELECT 1 FROM information_schema.columns
            WHERE table_name = 'system_events' AND column_name = 'id' AND data_type <> 'uuid'
        ) THEN
            DROP TABLE system_events CASCADE;
        END IF;
    END $$;
    """,
    # 7b.
    """
    CREATE TABLE IF NOT EXISTS system_events (
        id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
        tenant_id INTEGER REFERENCES tenants(id) ON DELETE SET NULL,
        level VARCHAR(20) NOT NULL DEFAULT 'info',
        event_type VARCHAR(100) NOT NULL,
        message TEXT,
        created_at TIMESTAMPTZ NOT NULL DEFAULT now()
    );
    ALTER TABLE system_events ADD COLUMN IF NOT EXISTS payload JSONB NOT NULL DEFAULT '{}'::jsonb;
    CREATE INDEX IF NOT EXISTS idx_system_events_created ON system_events (created_at DESC);
    CREATE INDEX IF NOT EXISTS idx_system_events_tenant_level ON system_events (tenant_id, level);
    CREATE INDEX IF NOT EXISTS idx_system_events_errors ON system_events (event_type) WHERE level = 'error';
    """,
    # 8. Chat media + su enum
    """
    DO $$ BEGIN
        CREATE TYPE chat_media_type AS ENUM ('image', 'audio', 'video', 'document');
    EXCEPTION
        WHEN duplicate_object THEN NULL;
    END $$;
    """,
    """
    CREATE TABLE IF NOT EXISTS chat_media (
        id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
        tenant_id INTEGER NOT NULL REFERENCES tenants(id) ON DELETE CASCADE,
        message_id BIGINT REFERENCES chat_messages(id) ON DELETE SET NULL,
        media_type chat_media_type NOT NULL,
        storage_url TEXT NOT NULL,
        mime_type VARCHAR(100),
        size_bytes BIGINT,
        created_at TIMESTAMPTZ NOT NULL DEFAULT now()
    );
    CREATE INDEX IF NOT EXISTS idx_chat_media_message ON chat_media (message_id);
    CREATE INDEX IF NOT EXISTS idx_chat_media_tenant_created ON chat_media (tenant_id, created_at);
    """,
    # 8b. stickers (WhatsApp los manda como webp)
    "ALTER TYPE chat_media_type ADD VALUE IF NOT EXISTS 'sticker'",
    # 9. Business assets
    """
    DO $$
    BEGIN
        IF NOT EXISTS (SELECT 1 FROM information_schema.tables WHERE table_name = 'business_assets') THEN
            CREATE TABLE business_assets (
                id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
                tenant_id INTEGER NOT NULL REFERENCES tenants(id) ON DELETE CASCADE,
                asset_type VARCHAR(50) NOT NULL,
                content JSONB NOT NULL DEFAULT '{}'::jsonb,
                is_active BOOLEAN NOT NULL DEFAULT TRUE,
                created_at TIMESTAMPTZ NOT NULL DEFAULT now(),
                updated_at TIMESTAMPTZ NOT NULL DEFAULT now()
            );
        END IF;
    END $$;
    CREATE INDEX IF NOT EXISTS idx_business_assets_tenant_type ON business_assets (tenant_id, asset_type);
    ALTER TABLE business_assets ADD COLUMN IF NOT EXISTS title VARCHAR(200);
    ALTER TABLE business_assets ADD COLUMN IF NOT EXISTS version INTEGER NOT NULL DEFAULT 1;
    """,
    # 10. Derivación a humano
    """
    DO $do$
    BEGIN
        IF NOT EXISTS (SELECT 1 FROM pg_type WHERE typname = 'handoff_channel') THEN
            CREATE TYPE handoff_channel AS ENUM ('email', 'whatsapp', 'slack');
        END IF;
    END
    $do$;
    CREATE TABLE IF NOT EXISTS tenant_human_handoff_config (
        id UUID NOT NULL DEFAULT gen_random_uuid(),
        tenant_id INTEGER NOT NULL REFERENCES tenants(id) ON DELETE CASCADE,
        enabled BOOLEAN NOT NULL DEFAULT FALSE,
        destination_email VARCHAR(255),
        handoff_instructions TEXT,
        created_at TIMESTAMPTZ NOT NULL DEFAULT now(),
        updated_at TIMESTAMPTZ NOT NULL DEFAULT now()
    );
    """,
    # 10b. la PK era tenant_id en las primeras versiones; ahora es id
    """
    ALTER TABLE tenant_human_handoff_config DROP CONSTRAINT IF EXISTS tenant_human_handoff_config_pkey;
    ALTER TABLE tenant_human_handoff_config ADD CONSTRAINT tenant_human_handoff_config_pkey PRIMARY KEY (id);
    CREATE UNIQUE INDEX IF NOT EXISTS uq_handoff_tenant ON tenant_human_handoff_config (tenant_id);
    """,
    # 10c. canal de aviso y palabras que disparan la derivación
    """
    DO $$
    BEGIN
        IF NOT EXISTS (SELECT 1 FROM information_schema.columns
                       WHERE table_name = 'tenant_human_handoff_config' AND column_name = 'channel') THEN
            ALTER TABLE tenant_human_handoff_config ADD COLUMN channel handoff_channel NOT NULL DEFAULT 'email';
        END IF;
        IF NOT EXISTS (SELECT 1 FROM information_schema.columns
                       WHERE table_name = 'tenant_human_handoff_config' AND column_name = 'trigger_keywords') THEN
            ALTER TABLE tenant_human_handoff_config ADD COLUMN trigger_keywords TEXT[] NOT NULL DEFAULT '{}'::text[];
        END IF;
        ALTER TABLE tenant_human_handoff_config
            ADD COLUMN IF NOT EXISTS notify_after_minutes INTEGER NOT NULL DEFAULT 5;
    EXCEPTION WHEN OTHERS THEN
        RAISE NOTICE 'handoff: %', SQLERRM;
    END $$;
    """,
    # 11. updated_at automático
    """
    CREATE OR REPLACE FUNCTION nexus_touch_updated_at() RETURNS trigger AS $fn$
    BEGIN
        NEW.updated_at := now();
        RETURN NEW;
    END;
    $fn$ LANGUAGE plpgsql;

    DROP TRIGGER IF EXISTS trg_chat_conversations_updated_at ON chat_conversations;
    CREATE TRIGGER trg_chat_conversations_updated_at
        BEFORE UPDATE ON chat_conversations
        FOR EACH ROW EXECUTE FUNCTION nexus_touch_updated_at();

    DO $$
    BEGIN
        IF NOT EXISTS (SELECT 1 FROM pg_trigger WHERE tgname = 'trg_business_assets_updated_at') THEN
            CREATE TRIGGER trg_business_assets_updated_at
                BEFORE UPDATE ON business_assets
                FOR EACH ROW EXECUTE FUNCTION nexus_touch_updated_at();
        END IF;
    END $$;
    """,
    # 12. openai_api_key (otra vez, en staging no había quedado)
    """
    DO $$
    BEGIN
        IF NOT EXISTS (
            SELECT 1 FROM information_schema.columns
            WHERE table_name = 'tenants' AND column_name = 'openai_api_key'
        ) THEN
            ALTER TABLE tenants ADD COLUMN openai_api_key VARCHAR(255);
        END IF;
    END $$;
    """,
    # 12b. default de zona horaria: somos casi todos de acá
    "ALTER TABLE tenants ALTER COLUMN timezone SET DEFAULT 'America/Argentina/Buenos_Aires'",
    # 13. Credentials: scope válido + índices
    """
    DO $$
    BEGIN
        IF NOT EXISTS (SELECT 1 FROM pg_constraint WHERE conname = 'credentials_scope_check') THEN
            ALTER TABLE credentials ADD CONSTRAINT credentials_scope_check CHECK (scope IN ('global', 'tenant'));
        END IF;
    END $$;
    CREATE INDEX IF NOT EXISTS idx_credentials_tenant_category ON credentials (tenant_id, category);
    CREATE UNIQUE INDEX IF NOT EXISTS uq_credentials_global_name ON credentials (name) WHERE scope = 'global';
    """,
    # 14. Agente asignado (agents la crea create_all, no hay paso)
    """
    ALTER TABLE chat_conversations ADD COLUMN IF NOT EXISTS assigned_agent_id UUID;
    DO $$
    BEGIN
        IF NOT EXISTS (SELECT 1 FROM pg_constraint WHERE conname = 'fk_chat_conversations_agent') THEN
            ALTER TABLE chat_conversations
                ADD CONSTRAINT fk_chat_conversations_agent
                FOREIGN KEY (assigned_agent_id) REFERENCES agents(id) ON DELETE SET NULL;
        END IF;
    END $$;
    """,
    # 15. Tools de fábrica
    """
    INSERT INTO tools (name, type, service_url, prompt_injection, response_guide) VALUES
        ('search_products', 'http', 'http://tiendanube-service:8000/products',
         'Usá esta tool antes de hablar de precios.', 'Máximo 3 productos, con foto y precio.'),
        ('order_status', 'http', 'http://tiendanube-service:8000/orders',
         'Pedí el número de orden (#1234) si no lo dieron.', NULL),
        ('derivhumano', 'internal', NULL,
         'Solo si el cliente lo pide o está enojado.', 'Avisá que responde una persona en menos de 24 h.'),
        ('business_hours', 'internal', NULL, NULL, NULL)
    ON CONFLICT (name) DO NOTHING;
    """,
    # 16. Prompt por defecto para los tenants que no escribieron el suyo
    r"""
    UPDATE tenants SET system_prompt = 'Sos la asistente virtual de {store_name}. Hablás en español rioplatense,
cálido y breve.

REGLAS DE ORO:
1. Nunca inventes precios ni stock: si la tool devuelve 0 resultados decí "no lo encontré, ¿me das otra pista?".
2. Descuentos: hasta 15% con transferencia; los envíos de más de $50.000 son 100% gratis. Jamás escribas "%s"
   ni "%(nombre)s".
3. Reemplazá :name por el nombre del cliente y {{order_id}} por el número de orden; si no lo sabés, omitilo.
4. El teléfono válido cumple ^\+54\d{10}$ y los archivos viven en \\nexus\compartido\año_nuevo; no muestres
   \n ni \t literales.
5. Si escribe "quiero hablar con alguien", ''humano'' o ''persona'', llamá a derivhumano(reason := ''pedido'')
   -- y nada más; /* ni una palabra */

Formato de respuesta (JSON, sin markdown):
{"messages": [{"part": 1, "text": "¡Hola, :name! ¿Qué andás buscando?", "image": null}], "tool": $1, "costo": $$0$$}

Despedida: «¡Gracias por tu compra! – el equipo de {store_name}» ñandú, pingüino, corazón, 100 % algodón 🧵'
    WHERE system_prompt IS NULL;
    """,
]


# ---------------------------------------------------------------------------------------------------------------
# Service
# ---------------------------------------------------------------------------------------------------------------


def database_url() -> str:
    """The database of this process, or a clear word that none was given."""
    for variable in ("OMEGA_BRIDGE_DATABASE_URL", "DATABASE_URL", "POSTGRES_DSN"):
        if url := os.environ.get(variable):
            return url
    raise RuntimeError("No database: set DATABASE_URL, for instance postgresql://nexus@localhost/nexus")


def session_factory(url: str) -> sessionmaker[Session]:
    """Sessions on psycopg, whatever driver the URL was written for (postgres://, postgresql+asyncpg:// ...)."""
    conninfo = re.sub(r"^postgres(ql)?(\+\w+)?://", "postgresql://", url)
    return sessionmaker(create_engine("postgresql+psycopg://", creator=lambda: psycopg.connect(conninfo), pool_pre_ping=True))


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Repair, then serve. A step that fails for good raises here, and uvicorn does not start."""
    logging.basicConfig(level=logging.INFO, format="%(levelname)s:     %(name)s %(message)s")
    url = database_url()
    run = await omega_bridge.boot_async(
        url,
        migration_steps,
        metadata=Base.metadata,
        critical_tables=CRITICAL_TABLES,
    )
    logger.info("database is %s (%d steps in the list)", run.outcome, len(migration_steps))
    app.state.run = run
    app.state.sessions = session_factory(url)
    yield
    app.state.sessions.kw["bind"].dispose()


app = FastAPI(title="Nexus orchestrator", version="3.0.0", lifespan=lifespan)


def session(request: Request) -> Iterator[Session]:
    """A session for one request."""
    with request.app.state.sessions() as opened:
        yield opened


Database = Annotated[Session, Depends(session)]


@app.get("/health")
def health(request: Request) -> JSONResponse:
    """Whether this replica may get traffic, and how its database came up."""
    run = request.app.state.run
    body = {"status": "ok" if run.ready else "unavailable", "database": str(run.outcome), "ready": run.ready}
    return JSONResponse(body, status_code=200 if run.ready else 503)


@app.get("/tenants")
def tenants(db: Database) -> list[dict[str, Any]]:
    """The active tenants; keys are never shown, only whether there is one."""
    rows = db.scalars(select(Tenant).where(Tenant.is_active).order_by(Tenant.id))
    return [
        {
            "id": tenant.id,
            "store_name": tenant.store_name,
            "bot_phone_number": tenant.bot_phone_number,
            "timezone": tenant.timezone,
            "new_feature_flag": bool(tenant.new_feature_flag),
            "has_openai_key": tenant.openai_api_key is not None,
        }
        for tenant in rows
    ]


@app.get("/tenants/{tenant_id}/conversations")
def conversations(tenant_id: int, db: Database) -> list[dict[str, Any]]:
    """A tenant's conversations with the number of messages in each, the most recent first."""
    if db.get(Tenant, tenant_id) is None:
        raise HTTPException(404, "No such tenant")
    rows = db.execute(
        select(ChatConversation, func.count(ChatMessage.id))
        .outerjoin(ChatMessage, ChatMessage.conversation_id == ChatConversation.id)
        .where(ChatConversation.tenant_id == tenant_id)
        .group_by(ChatConversation.id)
        .order_by(ChatConversation.last_message_at.desc().nulls_last())
    )
    return [
        {
            "id": conversation.id,
            "channel": conversation.channel,
            "display_name": conversation.display_name,
            "status": conversation.status,
            "customer_id": conversation.customer_id,
            "messages": count,
        }
        for conversation, count in rows
    ]


@app.get("/events")
def events(db: Database, limit: int = 50) -> list[dict[str, Any]]:
    """The latest system events. Legacy databases number them, newer ones have UUIDs: the id is not read."""
    rows = db.execute(
        select(SystemEvent.created_at, SystemEvent.level, SystemEvent.event_type, SystemEvent.message)
        .order_by(SystemEvent.created_at.desc())
        .limit(limit)
    )
    return [dict(row._mapping) for row in rows]


# 17. Agregados de último momento (hotfix del viernes; va acá para no tocar la lista de arriba)
migration_steps.append(
    """
    DO $$
    BEGIN
        IF NOT EXISTS (SELECT 1 FROM information_schema.columns
                       WHERE table_name = 'tenants' AND column_name = 'tool_config') THEN
            ALTER TABLE tenants ADD COLUMN tool_config JSONB;
        END IF;
        ALTER TABLE chat_media ADD COLUMN IF NOT EXISTS transcription TEXT;
    EXCEPTION WHEN OTHERS THEN
        RAISE NOTICE 'tool_config/transcription: %', SQLERRM;
    END $$;
    """
)
