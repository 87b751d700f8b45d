# made from the step registry by: omega-bridge export -- do not edit; check with: omega-bridge export --check
"""\
chat-messages-content-nullable: 5b. un audio o una foto puede venir sin texto

Revision ID: 2f6ddcaf7ee7
Revises: 3a48c7f337e1
Kind: step
Step: chat-messages-content-nullable (examples/nexus/main.py:249)
Checksum: c1:d28f454f651581f7c5876993397b807fefd01dafd593d224c949082b6d7cfdc0
Translation: 4 of 4 statements as Alembic operations
Effects:
  - column chat_messages.content: nullable
  - column chat_messages.message_type: varchar(20), not null, default 'text'
  - column chat_messages.tokens_used: int
  - column chat_messages.latency_ms: int

SQL of the step, as the list has it:

        ALTER TABLE chat_messages ALTER COLUMN content DROP NOT NULL;
        ALTER TABLE chat_messages ADD COLUMN IF NOT EXISTS message_type VARCHAR(20) NOT NULL DEFAULT 'text';
        ALTER TABLE chat_messages ADD COLUMN IF NOT EXISTS tokens_used INTEGER;
        ALTER TABLE chat_messages ADD COLUMN IF NOT EXISTS latency_ms INTEGER;
"""

import sqlalchemy as sa
from alembic import op

import omega_bridge.revisions.operations  # op.ensure and its kin

revision = "2f6ddcaf7ee7"
down_revision = "3a48c7f337e1"
branch_labels = None
depends_on = None

steps = ("chat-messages-content-nullable",)
checksums = ("c1:d28f454f651581f7c5876993397b807fefd01dafd593d224c949082b6d7cfdc0",)


def upgrade() -> None:
    op.ensure_column("chat_messages", "content", nullable=True)
    op.add_column('chat_messages', sa.Column('message_type', sa.String(length=20), server_default=sa.text("'text'"), nullable=False), if_not_exists=True)
    op.add_column('chat_messages', sa.Column('tokens_used', sa.Integer(), nullable=True), if_not_exists=True)
    op.add_column('chat_messages', sa.Column('latency_ms', sa.Integer(), nullable=True), if_not_exists=True)


def downgrade() -> None:
    op.drop_column('chat_messages', 'latency_ms', if_exists=True)
    op.drop_column('chat_messages', 'tokens_used', if_exists=True)
    op.drop_column('chat_messages', 'message_type', if_exists=True)
    op.ensure_column("chat_messages", "content", nullable=False)
