# made from the step registry by: omega-bridge export -- do not edit; check with: omega-bridge export --check
"""\
chat-conversations-human-override-until: 4d. human override (Protocolo Omega: el bot calla hasta esa hora)

Revision ID: 5329541e2811
Revises: 7f5e2685b1a2
Kind: step
Step: chat-conversations-human-override-until (examples/nexus/main.py:235)
Checksum: c1:83fb199f91277d2007822583ab11c9656e72f35ce64f7d7de34af54c6a04714b
Translation: 1 of 1 statement as Alembic operations
Effects:
  - column chat_conversations.human_override_until: timestamptz

SQL of the step, as the list has it:

    ALTER TABLE chat_conversations ADD COLUMN IF NOT EXISTS human_override_until TIMESTAMPTZ;
"""

import sqlalchemy as sa
from alembic import op

revision = "5329541e2811"
down_revision = "7f5e2685b1a2"
branch_labels = None
depends_on = None

steps = ("chat-conversations-human-override-until",)
checksums = ("c1:83fb199f91277d2007822583ab11c9656e72f35ce64f7d7de34af54c6a04714b",)


def upgrade() -> None:
    op.add_column('chat_conversations', sa.Column('human_override_until', sa.DateTime(timezone=True), nullable=True), if_not_exists=True)


def downgrade() -> None:
    op.drop_column('chat_conversations', 'human_override_until', if_exists=True)
