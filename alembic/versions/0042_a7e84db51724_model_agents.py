# made from the step registry by: omega-bridge export -- do not edit; check with: omega-bridge export --check
"""\
model-agents: table agents, known only to the models

Revision ID: a7e84db51724
Revises: 7994675dd606
Kind: step (known only to the models)
Step: model-agents ((models))
Checksum: c1:20641967977dbef8beac3e2c3d95bdf87885a12b7ca54f2d09ef8de496b91eeb
Waits: in the list this step stands before what it needs (table tenants); one boot settles it here
Translation: 2 of 2 statements as Alembic operations
Effects:
  - table agents
  - column agents.id: uuid, not null, default gen_random_uuid()
  - column agents.tenant_id: int, not null
  - column agents.name: varchar(120), not null
  - column agents.model: varchar(80), not null, default 'gpt-4o-mini'
  - column agents.temperature: numeric(3, 2), not null, default 0.30
  - column agents.instructions: text
  - column agents.is_active: boolean, not null, default true
  - column agents.created_at: timestamp with time zone, not null, default now()
  - constraint agents.agents_pkey: PRIMARY KEY (id)
  - column agents.id: not null
  - constraint agents.agents_tenant_id_name_key: UNIQUE (tenant_id, name)
  - constraint agents.agents_tenant_id_fkey: FOREIGN KEY (tenant_id) REFERENCES tenants (id) ON DELETE CASCADE
  - index idx_agents_tenant_active on agents

SQL of the step, as the list has it:

    CREATE TABLE IF NOT EXISTS agents (
        id UUID DEFAULT gen_random_uuid() NOT NULL,
        tenant_id INTEGER NOT NULL,
        name VARCHAR(120) NOT NULL,
        model VARCHAR(80) DEFAULT 'gpt-4o-mini' NOT NULL,
        temperature NUMERIC(3, 2) DEFAULT 0.30 NOT NULL,
        instructions TEXT,
        is_active BOOLEAN DEFAULT true NOT NULL,
        created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
        CONSTRAINT agents_pkey PRIMARY KEY (id),
        CONSTRAINT agents_tenant_id_name_key UNIQUE (tenant_id, name),
        CONSTRAINT agents_tenant_id_fkey FOREIGN KEY(tenant_id) REFERENCES tenants (id) ON DELETE CASCADE
    );
    CREATE INDEX IF NOT EXISTS idx_agents_tenant_active ON agents (tenant_id) WHERE is_active;
"""

import sqlalchemy as sa
from alembic import op

revision = "a7e84db51724"
down_revision = "7994675dd606"
branch_labels = None
depends_on = None

steps = ("model-agents",)
checksums = ("c1:20641967977dbef8beac3e2c3d95bdf87885a12b7ca54f2d09ef8de496b91eeb",)


def upgrade() -> None:
    op.create_table('agents',
        sa.Column('id', sa.UUID(), server_default=sa.text('gen_random_uuid()'), autoincrement=False, nullable=False),
        sa.Column('tenant_id', sa.Integer(), nullable=False),
        sa.Column('name', sa.String(length=120), nullable=False),
        sa.Column('model', sa.String(length=80), server_default=sa.text("'gpt-4o-mini'"), nullable=False),
        sa.Column('temperature', sa.Numeric(precision=3, scale=2), server_default=sa.text('0.30'), nullable=False),
        sa.Column('instructions', sa.Text(), nullable=True),
        sa.Column('is_active', sa.Boolean(), server_default=sa.text('true'), nullable=False),
        sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
        sa.ForeignKeyConstraint(['tenant_id'], ['tenants.id'], name='agents_tenant_id_fkey', ondelete='CASCADE'),
        sa.PrimaryKeyConstraint('id', name='agents_pkey'),
        sa.UniqueConstraint('tenant_id', 'name', name='agents_tenant_id_name_key'),
        if_not_exists=True
    )
    op.create_index('idx_agents_tenant_active', 'agents', ['tenant_id'], unique=False, postgresql_where=sa.text('is_active'), if_not_exists=True)


def downgrade() -> None:
    op.drop_index('idx_agents_tenant_active', table_name='agents', if_exists=True)
    op.drop_table('agents', if_exists=True)
