# made from the step registry by: omega-bridge export -- do not edit; check with: omega-bridge export --check
"""\
chat-messages-cost-usd: 5c. Cost tracking: 4 decimals are enough for a message

Revision ID: ea3f224eebbf
Revises: 2f6ddcaf7ee7
Kind: step
Step: chat-messages-cost-usd (examples/nexus/main.py:256)
Checksum: c1:440c34089b46c077f1ca46ddf8d414c36f6df4d4720d9e2b9754a7c778a607b5
Translation: 1 of 1 statement as Alembic operations
Effects:
  - column chat_messages.cost_usd: numeric(10, 4)

SQL of the step, as the list has it:

        DO $$
        BEGIN
            ALTER TABLE chat_messages ADD COLUMN cost_usd NUMERIC(10,4);
        EXCEPTION WHEN duplicate_column THEN NULL;
        END $$;
"""

import sqlalchemy as sa
from alembic import op

revision = "ea3f224eebbf"
down_revision = "2f6ddcaf7ee7"
branch_labels = None
depends_on = None

steps = ("chat-messages-cost-usd",)
checksums = ("c1:440c34089b46c077f1ca46ddf8d414c36f6df4d4720d9e2b9754a7c778a607b5",)


def upgrade() -> None:
    op.add_column('chat_messages', sa.Column('cost_usd', sa.Numeric(precision=10, scale=4), nullable=True), if_not_exists=True)


def downgrade() -> None:
    op.drop_column('chat_messages', 'cost_usd', if_exists=True)
