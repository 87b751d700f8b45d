# made from the step registry by: omega-bridge export -- do not edit; check with: omega-bridge export --check
"""\
tenant-human-handoff-config-channel: 10c. canal de aviso y palabras que disparan la derivación

Revision ID: bd3be67aa693
Revises: 9176124a6b70
Kind: step
Step: tenant-human-handoff-config-channel (examples/nexus/main.py:396)
Checksum: c1:10e45dc72d92aeda87b23ee4b347a967071367296bda6009c5246504665287e7
Translation: 3 of 3 statements as Alembic operations
Effects:
  - column tenant_human_handoff_config.channel: handoff_channel, not null, default 'email'
  - column tenant_human_handoff_config.trigger_keywords: text[], not null, default '{}'::text[]
  - column tenant_human_handoff_config.notify_after_minutes: int, not null, default 5

SQL of the step, as the list has it:

        DO $$
        BEGIN
            IF NOT EXISTS (SELECT 1 FROM information_schema.columns
                           WHERE table_name = 'tenant_human_handoff_config' AND column_name = 'channel') THEN
                ALTER TABLE tenant_human_handoff_config ADD COLUMN channel handoff_channel NOT NULL DEFAULT 'email';
            END IF;
            IF NOT EXISTS (SELECT 1 FROM information_schema.columns
                           WHERE table_name = 'tenant_human_handoff_config' AND column_name = 'trigger_keywords') THEN
                ALTER TABLE tenant_human_handoff_config ADD COLUMN trigger_keywords TEXT[] NOT NULL DEFAULT '{}'::text[];
            END IF;
            ALTER TABLE tenant_human_handoff_config
                ADD COLUMN IF NOT EXISTS notify_after_minutes INTEGER NOT NULL DEFAULT 5;
        EXCEPTION WHEN OTHERS THEN
            RAISE NOTICE 'handoff: %', SQLERRM;
        END $$;
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from omega_bridge.revisions import sqltypes

revision = "bd3be67aa693"
down_revision = "9176124a6b70"
branch_labels = None
depends_on = None

steps = ("tenant-human-handoff-config-channel",)
checksums = ("c1:10e45dc72d92aeda87b23ee4b347a967071367296bda6009c5246504665287e7",)


def upgrade() -> None:
    op.add_column('tenant_human_handoff_config', sa.Column('channel', sqltypes.Type('handoff_channel'), server_default=sa.text("'email'"), nullable=False), if_not_exists=True)
    op.add_column('tenant_human_handoff_config', sa.Column('trigger_keywords', postgresql.ARRAY(sa.Text()), server_default=sa.text("'{}'::text[]"), nullable=False), if_not_exists=True)
    op.add_column('tenant_human_handoff_config', sa.Column('notify_after_minutes', sa.Integer(), server_default=sa.text('5'), nullable=False), if_not_exists=True)


def downgrade() -> None:
    op.drop_column('tenant_human_handoff_config', 'notify_after_minutes', if_exists=True)
    op.drop_column('tenant_human_handoff_config', 'trigger_keywords', if_exists=True)
    op.drop_column('tenant_human_handoff_config', 'channel', if_exists=True)
