# made from the step registry by: omega-bridge export -- do not edit; check with: omega-bridge export --check
"""\
create-chat-media: table chat_media (and 14 more)

Revision ID: fe9c780df81a
Revises: 5645210eb80d
Kind: step
Step: create-chat-media (examples/nexus/main.py:334)
Checksum: c1:da626400fc323be28b95b6ee36c21f78886578ca5f47b1b7bf6a1161238f82ae
Translation: 3 of 3 statements as Alembic operations
Effects:
  - table chat_media
  - column chat_media.id: uuid, not null, default gen_random_uuid()
  - constraint chat_media.chat_media_pkey: PRIMARY KEY (id)
  - column chat_media.id: not null
  - column chat_media.tenant_id: int, not null
  - constraint chat_media.chat_media_tenant_id_fkey: FOREIGN KEY (tenant_id) REFERENCES tenants (id) ON DELETE CASCADE
  - column chat_media.message_id: bigint
  - constraint chat_media.chat_media_message_id_fkey: FOREIGN KEY (message_id) REFERENCES chat_messages (id) ON DELETE SET NULL
  - column chat_media.media_type: chat_media_type, not null
  - column chat_media.storage_url: text, not null
  - column chat_media.mime_type: varchar(100)
  - column chat_media.size_bytes: bigint
  - column chat_media.created_at: timestamptz, not null, default now()
  - index idx_chat_media_message on chat_media
  - index idx_chat_media_tenant_created on chat_media

SQL of the step, as the list has it:

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
"""

import sqlalchemy as sa
from alembic import op

from omega_bridge.revisions import sqltypes

revision = "fe9c780df81a"
down_revision = "5645210eb80d"
branch_labels = None
depends_on = None

steps = ("create-chat-media",)
checksums = ("c1:da626400fc323be28b95b6ee36c21f78886578ca5f47b1b7bf6a1161238f82ae",)


def upgrade() -> None:
    op.create_table('chat_media',
        sa.Column('id', sa.UUID(), server_default=sa.text('gen_random_uuid()'), autoincrement=False, nullable=False),
        sa.Column('tenant_id', sa.Integer(), nullable=False),
        sa.Column('message_id', sa.BigInteger(), nullable=True),
        sa.Column('media_type', sqltypes.Type('chat_media_type'), nullable=False),
        sa.Column('storage_url', sa.Text(), nullable=False),
        sa.Column('mime_type', sa.String(length=100), nullable=True),
        sa.Column('size_bytes', sa.BigInteger(), nullable=True),
        sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
        sa.ForeignKeyConstraint(['message_id'], ['chat_messages.id'], ondelete='SET NULL'),
        sa.ForeignKeyConstraint(['tenant_id'], ['tenants.id'], ondelete='CASCADE'),
        sa.PrimaryKeyConstraint('id'),
        if_not_exists=True
    )
    op.create_index('idx_chat_media_message', 'chat_media', ['message_id'], unique=False, if_not_exists=True)
    op.create_index('idx_chat_media_tenant_created', 'chat_media', ['tenant_id', 'created_at'], unique=False, if_not_exists=True)


def downgrade() -> None:
    op.drop_index('idx_chat_media_tenant_created', table_name='chat_media', if_exists=True)
    op.drop_index('idx_chat_media_message', table_name='chat_media', if_exists=True)
    op.drop_table('chat_media', if_exists=True)
