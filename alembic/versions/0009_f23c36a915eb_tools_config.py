# made from the step registry by: omega-bridge export -- do not edit; check with: omega-bridge export --check
"""\
tools-config: 2b. Tools: config + guías para el LLM

Revision ID: f23c36a915eb
Revises: 5387fec8a122
Kind: step
Step: tools-config (examples/nexus/main.py:107)
Checksum: c1:7d522687b9d1172b36ee259d0240201bbbc41de5df54bf58a0caa28b1346f455
Translation: 1 of 1 statement as Alembic operations
Effects:
  - column tools.config: jsonb, not null, default '{}'::jsonb

SQL of the step, as the list has it:

    ALTER TABLE tools ADD COLUMN IF NOT EXISTS config JSONB NOT NULL DEFAULT '{}'::jsonb
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "f23c36a915eb"
down_revision = "5387fec8a122"
branch_labels = None
depends_on = None

steps = ("tools-config",)
checksums = ("c1:7d522687b9d1172b36ee259d0240201bbbc41de5df54bf58a0caa28b1346f455",)


def upgrade() -> None:
    op.add_column('tools', sa.Column('config', postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'::jsonb"), nullable=False), if_not_exists=True)


def downgrade() -> None:
    op.drop_column('tools', 'config', if_exists=True)
