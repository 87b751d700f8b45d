# made from the step registry by: omega-bridge export -- do not edit; check with: omega-bridge export --check
"""\
create-chat-messages: 5. Chat messages

Revision ID: 3a48c7f337e1
Revises: 5329541e2811
Kind: step
Step: create-chat-messages (examples/nexus/main.py:237)
Checksum: c1:c6dd06862b4c6bf93f5a5d5dd7c28ae982e043725082d2b9f3ff4e913f29a50e
Translation: 2 of 2 statements as Alembic operations
Effects:
  - table chat_messages
  - column chat_messages.id: bigint, not null, default from its sequence
  - constraint chat_messages.chat_messages_pkey: PRIMARY KEY (id)
  - column chat_messages.id: not null
  - column chat_messages.conversation_id: bigint, not null
  - constraint chat_messages.chat_messages_conversation_id_fkey: FOREIGN KEY (conversation_id) REFERENCES chat_conversations (id) ON DELETE CASCADE
  - column chat_messages.role: varchar(20), not null
  - column chat_messages.content: text, not null
  - column chat_messages.correlation_id: varchar(64)
  - column chat_messages.created_at: timestamptz, not null, default now()
  - index idx_chat_messages_conversation on chat_messages

SQL of the step, as the list has it:

        CREATE TABLE IF NOT EXISTS chat_messages (
            id BIGSERIAL PRIMARY KEY,
            conversation_id BIGINT NOT NULL REFERENCES chat_conversations(id) ON DELETE CASCADE,
            role VARCHAR(20) NOT NULL,
            content TEXT NOT NULL,
            correlation_id VARCHAR(64),
            created_at TIMESTAMPTZ NOT NULL DEFAULT now()
        );
        CREATE INDEX IF NOT EXISTS idx_chat_messages_conversation ON chat_messages (conversation_id, created_at);
"""

import sqlalchemy as sa
from alembic import op

revision = "3a48c7f337e1"
down_revision = "5329541e2811"
branch_labels = None
depends_on = None

steps = ("create-chat-messages",)
checksums = ("c1:c6dd06862b4c6bf93f5a5d5dd7c28ae982e043725082d2b9f3ff4e913f29a50e",)


def upgrade() -> None:
    op.create_table('chat_messages',
        sa.Column('id', sa.BigInteger(), autoincrement=True, nullable=False),
        sa.Column('conversation_id', sa.BigInteger(), nullable=False),
        sa.Column('role', sa.String(length=20), nullable=False),
        sa.Column('content', sa.Text(), nullable=False),
        sa.Column('correlation_id', sa.String(length=64), nullable=True),
        sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
        sa.ForeignKeyConstraint(['conversation_id'], ['chat_conversations.id'], ondelete='CASCADE'),
        sa.PrimaryKeyConstraint('id'),
        if_not_exists=True
    )
    op.create_index('idx_chat_messages_conversation', 'chat_messages', ['conversation_id', 'created_at'], unique=False, if_not_exists=True)


def downgrade() -> None:
    op.drop_index('idx_chat_messages_conversation', table_name='chat_messages', if_exists=True)
    op.drop_table('chat_messages', if_exists=True)
