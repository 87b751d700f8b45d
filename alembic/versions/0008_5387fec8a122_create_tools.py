# made from the step registry by: omega-bridge export -- do not edit; check with: omega-bridge export --check
"""\
create-tools: 2. Tools

Revision ID: 5387fec8a122
Revises: 940f11ee2aa2
Kind: step
Step: create-tools (examples/nexus/main.py:94)
Checksum: c1:2ea42b7501fa50a1e8a467d348659929441fca426f73dd03453ce5c8bb378b0a
Translation: 2 of 2 statements as Alembic operations
Effects:
  - table tools
  - column tools.id: integer, not null, default from its sequence
  - constraint tools.tools_pkey: PRIMARY KEY (id)
  - column tools.id: not null
  - column tools.tenant_id: int
  - constraint tools.tools_tenant_id_fkey: FOREIGN KEY (tenant_id) REFERENCES tenants (id) ON DELETE CASCADE
  - column tools.name: varchar(100), not null
  - constraint tools.tools_name_key: UNIQUE (name)
  - column tools.type: varchar(50), not null, default 'http'
  - column tools.service_url: text
  - column tools.is_active: boolean, not null, default true
  - column tools.created_at: timestamptz, not null, default now()
  - index idx_tools_tenant on tools

SQL of the step, as the list has it:

        CREATE TABLE IF NOT EXISTS tools (
            id SERIAL PRIMARY KEY,
            tenant_id INTEGER REFERENCES tenants(id) ON DELETE CASCADE,
            name VARCHAR(100) NOT NULL UNIQUE,
            type VARCHAR(50) NOT NULL DEFAULT 'http',
            service_url TEXT,
            is_active BOOLEAN NOT NULL DEFAULT TRUE,
            created_at TIMESTAMPTZ NOT NULL DEFAULT now()
        );
        CREATE INDEX IF NOT EXISTS idx_tools_tenant ON tools (tenant_id);
"""

import sqlalchemy as sa
from alembic import op

revision = "5387fec8a122"
down_revision = "940f11ee2aa2"
branch_labels = None
depends_on = None

steps = ("create-tools",)
checksums = ("c1:2ea42b7501fa50a1e8a467d348659929441fca426f73dd03453ce5c8bb378b0a",)


def upgrade() -> None:
    op.create_table('tools',
        sa.Column('id', sa.Integer(), autoincrement=True, nullable=False),
        sa.Column('tenant_id', sa.Integer(), nullable=True),
        sa.Column('name', sa.String(length=100), nullable=False),
        sa.Column('type', sa.String(length=50), server_default=sa.text("'http'"), nullable=False),
        sa.Column('service_url', sa.Text(), nullable=True),
        sa.Column('is_active', sa.Boolean(), server_default=sa.text('true'), nullable=False),
        sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
        sa.ForeignKeyConstraint(['tenant_id'], ['tenants.id'], ondelete='CASCADE'),
        sa.PrimaryKeyConstraint('id'),
        sa.UniqueConstraint('name'),
        if_not_exists=True
    )
    op.create_index('idx_tools_tenant', 'tools', ['tenant_id'], unique=False, if_not_exists=True)


def downgrade() -> None:
    op.drop_index('idx_tools_tenant', table_name='tools', if_exists=True)
    op.drop_table('tools', if_exists=True)
