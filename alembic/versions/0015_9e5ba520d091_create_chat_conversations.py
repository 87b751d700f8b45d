# made from the step registry by: omega-bridge export -- do not edit; check with: omega-bridge export --check
"""\
create-chat-conversations: 4. Chat conversations

Revision ID: 9e5ba520d091
Revises: 1137196afd67
Kind: step
Step: create-chat-conversations (examples/nexus/main.py:187)
Checksum: c1:e4bcae01913d1b2ea241e71968a0d1e8fbed9b96b50e3775140ad7c82e2a6c01
Translation: 4 of 4 statements as Alembic operations
Effects:
  - table chat_conversations
  - column chat_conversations.id: bigint, not null, default from its sequence
  - constraint chat_conversations.chat_conversations_pkey: PRIMARY KEY (id)
  - column chat_conversations.id: not null
  - column chat_conversations.tenant_id: int, not null
  - constraint chat_conversations.chat_conversations_tenant_id_fkey: FOREIGN KEY (tenant_id) REFERENCES tenants (id) ON DELETE CASCADE
  - column chat_conversations.channel: varchar(20), not null, default 'whatsapp'
  - column chat_conversations.external_user_id: varchar(128), not null
  - column chat_conversations.display_name: varchar(255)
  - column chat_conversations.status: varchar(20), not null, default 'open'
  - column chat_conversations.last_message_at: timestamptz
  - column chat_conversations.created_at: timestamptz, not null, default now()
  - column chat_conversations.updated_at: timestamptz, not null, default now()
  - index idx_chat_conversations_tenant on chat_conversations
  - index idx_chat_conversations_open on chat_conversations
  - index idx_chat_conversations_last_message on chat_conversations

SQL of the step, as the list has it:

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
"""

import sqlalchemy as sa
from alembic import op

revision = "9e5ba520d091"
down_revision = "1137196afd67"
branch_labels = None
depends_on = None

steps = ("create-chat-conversations",)
checksums = ("c1:e4bcae01913d1b2ea241e71968a0d1e8fbed9b96b50e3775140ad7c82e2a6c01",)


def upgrade() -> None:
    op.create_table('chat_conversations',
        sa.Column('id', sa.BigInteger(), autoincrement=True, nullable=False),
        sa.Column('tenant_id', sa.Integer(), nullable=False),
        sa.Column('channel', sa.String(length=20), server_default=sa.text("'whatsapp'"), nullable=False),
        sa.Column('external_user_id', sa.String(length=128), nullable=False),
        sa.Column('display_name', sa.String(length=255), nullable=True),
        sa.Column('status', sa.String(length=20), server_default=sa.text("'open'"), nullable=False),
        sa.Column('last_message_at', sa.DateTime(timezone=True), nullable=True),
        sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
        sa.Column('updated_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
        sa.ForeignKeyConstraint(['tenant_id'], ['tenants.id'], ondelete='CASCADE'),
        sa.PrimaryKeyConstraint('id'),
        if_not_exists=True
    )
    op.create_index('idx_chat_conversations_tenant', 'chat_conversations', ['tenant_id'], unique=False, if_not_exists=True)
    op.create_index('idx_chat_conversations_open', 'chat_conversations', ['tenant_id', sa.literal_column('last_message_at DESC')], unique=False, postgresql_where=sa.text("status = 'open'"), if_not_exists=True)
    op.create_index('idx_chat_conversations_last_message', 'chat_conversations', ['last_message_at'], unique=False, if_not_exists=True)


def downgrade() -> None:
    op.drop_index('idx_chat_conversations_last_message', table_name='chat_conversations', if_exists=True)
    op.drop_index('idx_chat_conversations_open', table_name='chat_conversations', if_exists=True)
    op.drop_index('idx_chat_conversations_tenant', table_name='chat_conversations', if_exists=True)
    op.drop_table('chat_conversations', if_exists=True)
