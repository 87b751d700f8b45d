# made from the step registry by: omega-bridge export -- do not edit; check with: omega-bridge export --check
"""\
chat-conversations-assigned-agent-id: 14. Agente asignado (agents la crea create_all, no hay paso)

Revision ID: c4db2e353f64
Revises: 0e42d7716d70
Kind: step
Step: chat-conversations-assigned-agent-id (examples/nexus/main.py:462)
Checksum: c1:5e854a4ea4a5c51df2b4de26625e1c01f6dd57651b7cef2d106a85ce84f84264
Waits: in the list this step stands before what it needs (table agents); one boot settles it here
Translation: 2 of 2 statements as Alembic operations
Effects:
  - column chat_conversations.assigned_agent_id: uuid
  - constraint chat_conversations.fk_chat_conversations_agent: FOREIGN KEY (assigned_agent_id) REFERENCES agents (id) ON DELETE SET NULL

SQL of the step, as the list has it:

        ALTER TABLE chat_conversations ADD COLUMN IF NOT EXISTS assigned_agent_id UUID;
        DO $$
        BEGIN
            IF NOT EXISTS (SELECT 1 FROM pg_constraint WHERE conname = 'fk_chat_conversations_agent') THEN
                ALTER TABLE chat_conversations
                    ADD CONSTRAINT fk_chat_conversations_agent
                    FOREIGN KEY (assigned_agent_id) REFERENCES agents(id) ON DELETE SET NULL;
            END IF;
        END $$;
"""

import sqlalchemy as sa
from alembic import op

import omega_bridge.revisions.operations  # op.ensure and its kin

revision = "c4db2e353f64"
down_revision = "0e42d7716d70"
branch_labels = None
depends_on = None

steps = ("chat-conversations-assigned-agent-id",)
checksums = ("c1:5e854a4ea4a5c51df2b4de26625e1c01f6dd57651b7cef2d106a85ce84f84264",)


def upgrade() -> None:
    op.add_column('chat_conversations', sa.Column('assigned_agent_id', sa.UUID(), nullable=True), if_not_exists=True)
    op.ensure("constraint", "fk_chat_conversations_agent", "ALTER TABLE chat_conversations ADD CONSTRAINT fk_chat_conversations_agent FOREIGN KEY (assigned_agent_id) REFERENCES agents(id) ON DELETE SET NULL", table="chat_conversations")


def downgrade() -> None:
    op.drop_constraint('fk_chat_conversations_agent', 'chat_conversations', if_exists=True)
    op.drop_column('chat_conversations', 'assigned_agent_id', if_exists=True)
