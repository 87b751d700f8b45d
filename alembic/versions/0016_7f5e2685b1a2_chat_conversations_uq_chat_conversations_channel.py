# made from the step registry by: omega-bridge export -- do not edit; check with: omega-bridge export --check
"""\
chat-conversations-uq-chat-conversations-channel-user: 4c. Un usuario externo = una conversación por canal

Revision ID: 7f5e2685b1a2
Revises: 9e5ba520d091
Kind: step
Step: chat-conversations-uq-chat-conversations-channel-user (examples/nexus/main.py:225)
Checksum: c1:47a06c2548f696348d963e0d4c025422f24f08db4daeb167271f5f0cbb33d07b
Translation: 1 of 1 statement as Alembic operations
Effects:
  - constraint chat_conversations.uq_chat_conversations_channel_user: UNIQUE (tenant_id, channel, external_user_id)

SQL of the step, as the list has it:

        DO $$
        BEGIN
            IF NOT EXISTS (SELECT 1 FROM pg_constraint WHERE conname = 'uq_chat_conversations_channel_user') THEN
                ALTER TABLE chat_conversations
                    ADD CONSTRAINT uq_chat_conversations_channel_user UNIQUE (tenant_id, channel, external_user_id);
            END IF;
        END $$;
"""

from alembic import op

import omega_bridge.revisions.operations  # op.ensure and its kin

revision = "7f5e2685b1a2"
down_revision = "9e5ba520d091"
branch_labels = None
depends_on = None

steps = ("chat-conversations-uq-chat-conversations-channel-user",)
checksums = ("c1:47a06c2548f696348d963e0d4c025422f24f08db4daeb167271f5f0cbb33d07b",)


def upgrade() -> None:
    op.ensure("constraint", "uq_chat_conversations_channel_user", "ALTER TABLE chat_conversations ADD CONSTRAINT uq_chat_conversations_channel_user UNIQUE (tenant_id, channel, external_user_id)", table="chat_conversations")


def downgrade() -> None:
    op.drop_constraint('uq_chat_conversations_channel_user', 'chat_conversations', if_exists=True)
