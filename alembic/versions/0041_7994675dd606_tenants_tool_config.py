# made from the step registry by: omega-bridge export -- do not edit; check with: omega-bridge export --check
"""\
tenants-tool-config: column tenants.tool_config: jsonb (and 1 more)

Revision ID: 7994675dd606
Revises: a2459b6f3c6f
Kind: step
Step: tenants-tool-config (examples/nexus/main.py:621)
Checksum: c1:85254916ebf7d432294b93668f57fcfaad36ad4085d16f40d2c2f17a09649d8f
Translation: 2 of 2 statements as Alembic operations
Effects:
  - column tenants.tool_config: jsonb
  - column chat_media.transcription: text

SQL of the step, as the list has it:

        DO $$
        BEGIN
            IF NOT EXISTS (SELECT 1 FROM information_schema.columns
                           WHERE table_name = 'tenants' AND column_name = 'tool_config') THEN
                ALTER TABLE tenants ADD COLUMN tool_config JSONB;
            END IF;
            ALTER TABLE chat_media ADD COLUMN IF NOT EXISTS transcription TEXT;
        EXCEPTION WHEN OTHERS THEN
            RAISE NOTICE 'tool_config/transcription: %', SQLERRM;
        END $$;
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "7994675dd606"
down_revision = "a2459b6f3c6f"
branch_labels = None
depends_on = None

steps = ("tenants-tool-config",)
checksums = ("c1:85254916ebf7d432294b93668f57fcfaad36ad4085d16f40d2c2f17a09649d8f",)


def upgrade() -> None:
    op.add_column('tenants', sa.Column('tool_config', postgresql.JSONB(astext_type=sa.Text()), nullable=True), if_not_exists=True)
    op.add_column('chat_media', sa.Column('transcription', sa.Text(), nullable=True), if_not_exists=True)


def downgrade() -> None:
    op.drop_column('chat_media', 'transcription', if_exists=True)
    op.drop_column('tenants', 'tool_config', if_exists=True)
