# made from the step registry by: omega-bridge export -- do not edit; check with: omega-bridge export --check
"""\
index-idx-chat-messages-correlation: 5d.

Revision ID: 411ae272051f
Revises: ea3f224eebbf
Kind: step
Step: index-idx-chat-messages-correlation (examples/nexus/main.py:264)
Checksum: c1:cf3c59320740e74c8f61bc122d50f5e8f064869b2c190aafe9a1e391181df492
Translation: 1 of 1 statement as Alembic operations
Effects:
  - index idx_chat_messages_correlation on chat_messages

SQL of the step, as the list has it:

        DO $$ BEGIN
            IF to_regclass('idx_chat_messages_correlation') IS NULL THEN
                CREATE INDEX idx_chat_messages_correlation ON chat_messages (correlation_id)
                    WHERE correlation_id IS NOT NULL;
            END IF;
        END $$;
"""

import sqlalchemy as sa
from alembic import op

revision = "411ae272051f"
down_revision = "ea3f224eebbf"
branch_labels = None
depends_on = None

steps = ("index-idx-chat-messages-correlation",)
checksums = ("c1:cf3c59320740e74c8f61bc122d50f5e8f064869b2c190aafe9a1e391181df492",)


def upgrade() -> None:
    op.create_index('idx_chat_messages_correlation', 'chat_messages', ['correlation_id'], unique=False, postgresql_where=sa.text('correlation_id IS NOT NULL'), if_not_exists=True)


def downgrade() -> None:
    op.drop_index('idx_chat_messages_correlation', table_name='chat_messages', if_exists=True)
