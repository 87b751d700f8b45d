# made from the step registry by: omega-bridge export -- do not edit; check with: omega-bridge export --check
"""\
enum-handoff-channel: 10. Derivación a humano

Revision ID: 87a2ea8b789d
Revises: 54ebf65a17f7
Kind: step
Step: enum-handoff-channel (examples/nexus/main.py:371)
Checksum: c1:1f66a9b55f63b920be82a3f5776be85c9055ed033b4fc2f364a40f660c762f34
Translation: 2 of 2 statements as Alembic operations
Effects:
  - enum handoff_channel: email, whatsapp, slack
  - table tenant_human_handoff_config
  - column tenant_human_handoff_config.id: uuid, not null, default gen_random_uuid()
  - column tenant_human_handoff_config.tenant_id: int, not null
  - constraint tenant_human_handoff_config.tenant_human_handoff_config_tenant_id_fkey: FOREIGN KEY (tenant_id) REFERENCES tenants (id) ON DELETE CASCADE
  - column tenant_human_handoff_config.enabled: boolean, not null, default false
  - column tenant_human_handoff_config.destination_email: varchar(255)
  - column tenant_human_handoff_config.handoff_instructions: text
  - column tenant_human_handoff_config.created_at: timestamptz, not null, default now()
  - column tenant_human_handoff_config.updated_at: timestamptz, not null, default now()

SQL of the step, as the list has it:

        DO $do$
        BEGIN
            IF NOT EXISTS (SELECT 1 FROM pg_type WHERE typname = 'handoff_channel') THEN
                CREATE TYPE handoff_channel AS ENUM ('email', 'whatsapp', 'slack');
            END IF;
        END
        $do$;
        CREATE TABLE IF NOT EXISTS tenant_human_handoff_config (
            id UUID NOT NULL DEFAULT gen_random_uuid(),
            tenant_id INTEGER NOT NULL REFERENCES tenants(id) ON DELETE CASCADE,
            enabled BOOLEAN NOT NULL DEFAULT FALSE,
            destination_email VARCHAR(255),
            handoff_instructions TEXT,
            created_at TIMESTAMPTZ NOT NULL DEFAULT now(),
            updated_at TIMESTAMPTZ NOT NULL DEFAULT now()
        );
"""

import sqlalchemy as sa
from alembic import op

import omega_bridge.revisions.operations  # op.ensure and its kin

revision = "87a2ea8b789d"
down_revision = "54ebf65a17f7"
branch_labels = None
depends_on = None

steps = ("enum-handoff-channel",)
checksums = ("c1:1f66a9b55f63b920be82a3f5776be85c9055ed033b4fc2f364a40f660c762f34",)


def upgrade() -> None:
    op.ensure("enum", "handoff_channel", "CREATE TYPE handoff_channel AS ENUM ('email', 'whatsapp', 'slack')")
    op.create_table('tenant_human_handoff_config',
        sa.Column('id', sa.UUID(), server_default=sa.text('gen_random_uuid()'), nullable=False),
        sa.Column('tenant_id', sa.Integer(), nullable=False),
        sa.Column('enabled', sa.Boolean(), server_default=sa.text('false'), nullable=False),
        sa.Column('destination_email', sa.String(length=255), nullable=True),
        sa.Column('handoff_instructions', sa.Text(), nullable=True),
        sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
        sa.Column('updated_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
        sa.ForeignKeyConstraint(['tenant_id'], ['tenants.id'], ondelete='CASCADE'),
        if_not_exists=True
    )


def downgrade() -> None:
    op.drop_table('tenant_human_handoff_config', if_exists=True)
    op.ensure_absent("enum", "handoff_channel")
