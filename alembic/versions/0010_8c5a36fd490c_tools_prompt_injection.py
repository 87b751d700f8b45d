# made from the step registry by: omega-bridge export -- do not edit; check with: omega-bridge export --check
"""\
tools-prompt-injection: column tools.prompt_injection: text (and 1 more)

Revision ID: 8c5a36fd490c
Revises: f23c36a915eb
Kind: step
Step: tools-prompt-injection (examples/nexus/main.py:108)
Checksum: c1:5d329c8bdae3fd8bbc3f1b3650b3ce80b3069362edc7ebbae228ed9fdf9a6543
Translation: 1 of 1 statement as Alembic operations
Effects:
  - column tools.prompt_injection: text
  - column tools.response_guide: text

SQL of the step, as the list has it:

        ALTER TABLE tools
            ADD COLUMN IF NOT EXISTS prompt_injection TEXT,
            ADD COLUMN IF NOT EXISTS response_guide TEXT;
"""

import sqlalchemy as sa
from alembic import op

revision = "8c5a36fd490c"
down_revision = "f23c36a915eb"
branch_labels = None
depends_on = None

steps = ("tools-prompt-injection",)
checksums = ("c1:5d329c8bdae3fd8bbc3f1b3650b3ce80b3069362edc7ebbae228ed9fdf9a6543",)


def upgrade() -> None:
    op.add_column('tools', sa.Column('prompt_injection', sa.Text(), nullable=True), if_not_exists=True)
    op.add_column('tools', sa.Column('response_guide', sa.Text(), nullable=True), if_not_exists=True)


def downgrade() -> None:
    op.drop_column('tools', 'response_guide', if_exists=True)
    op.drop_column('tools', 'prompt_injection', if_exists=True)
