# made from the step registry by: omega-bridge export -- do not edit; check with: omega-bridge export --check
"""\
chat-conversations-customer-id: 4b. customer_id en conversaciones

Revision ID: 0e42d7716d70
Revises: a7e84db51724
Kind: step
Step: chat-conversations-customer-id (examples/nexus/main.py:205)
Checksum: c1:6a7f68efc137e08789cda0706eba44907d4574f2882c47d37e7b85632ae4ac5d
Waits: in the list this step stands before what it needs (table customers); one boot settles it here
Translation: 3 of 3 statements as Alembic operations
Effects:
  - column chat_conversations.customer_id: int
  - constraint chat_conversations.fk_chat_conversations_customer: FOREIGN KEY (customer_id) REFERENCES customers (id) ON DELETE SET NULL
  - index idx_chat_conversations_customer on chat_conversations

SQL of the step, as the list has it:

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
"""

import sqlalchemy as sa
from alembic import op

import omega_bridge.revisions.operations  # op.ensure and its kin

revision = "0e42d7716d70"
down_revision = "a7e84db51724"
branch_labels = None
depends_on = None

steps = ("chat-conversations-customer-id",)
checksums = ("c1:6a7f68efc137e08789cda0706eba44907d4574f2882c47d37e7b85632ae4ac5d",)


def upgrade() -> None:
    op.add_column('chat_conversations', sa.Column('customer_id', sa.Integer(), nullable=True), if_not_exists=True)
    op.ensure("constraint", "fk_chat_conversations_customer", "ALTER TABLE chat_conversations ADD CONSTRAINT fk_chat_conversations_customer FOREIGN KEY (customer_id) REFERENCES customers(id) ON DELETE SET NULL", table="chat_conversations")
    op.create_index('idx_chat_conversations_customer', 'chat_conversations', ['customer_id'], unique=False, if_not_exists=True)


def downgrade() -> None:
    op.drop_index('idx_chat_conversations_customer', table_name='chat_conversations', if_exists=True)
    op.drop_constraint('fk_chat_conversations_customer', 'chat_conversations', if_exists=True)
    op.drop_column('chat_conversations', 'customer_id', if_exists=True)
