# made from the step registry by: omega-bridge export -- do not edit; check with: omega-bridge export --check
"""\
create-credentials: 3. Credentials (forma nueva, UUID)

Revision ID: 8d7e4e57bde5
Revises: 8c5a36fd490c
Kind: step
Step: create-credentials (examples/nexus/main.py:114)
Checksum: c1:5e2e5f0e26e1c2fb9cca34ac802bace1688ac1e9208180645b31ec850e50c98a
Translation: 2 of 2 statements as Alembic operations
Effects:
  - table credentials
  - column credentials.id: uuid, not null, default gen_random_uuid()
  - constraint credentials.credentials_pkey: PRIMARY KEY (id)
  - column credentials.id: not null
  - column credentials.tenant_id: int
  - constraint credentials.credentials_tenant_id_fkey: FOREIGN KEY (tenant_id) REFERENCES tenants (id) ON DELETE CASCADE
  - column credentials.scope: varchar(20), not null, default 'tenant'
  - column credentials.category: varchar(50), not null, default 'general'
  - column credentials.name: varchar(255)
  - column credentials.value: text
  - column credentials.description: text
  - column credentials.created_at: timestamptz, not null, default now()
  - column credentials.updated_at: timestamptz, not null, default now()
  - table credentials: comment Claves de terceros por tenant; scope = global es de la plataforma

SQL of the step, as the list has it:

        CREATE TABLE IF NOT EXISTS credentials (
            id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
            tenant_id INTEGER REFERENCES tenants(id) ON DELETE CASCADE,
            scope VARCHAR(20) NOT NULL DEFAULT 'tenant',
            category VARCHAR(50) NOT NULL DEFAULT 'general',
            name VARCHAR(255),
            value TEXT,
            description TEXT,
            created_at TIMESTAMPTZ NOT NULL DEFAULT now(),
            updated_at TIMESTAMPTZ NOT NULL DEFAULT now()
        );
        COMMENT ON TABLE credentials IS 'Claves de terceros por tenant; scope = global es de la plataforma';
"""

import sqlalchemy as sa
from alembic import op

import omega_bridge.revisions.operations  # op.ensure and its kin

revision = "8d7e4e57bde5"
down_revision = "8c5a36fd490c"
branch_labels = None
depends_on = None

steps = ("create-credentials",)
checksums = ("c1:5e2e5f0e26e1c2fb9cca34ac802bace1688ac1e9208180645b31ec850e50c98a",)


def upgrade() -> None:
    op.create_table('credentials',
        sa.Column('id', sa.UUID(), server_default=sa.text('gen_random_uuid()'), autoincrement=False, nullable=False),
        sa.Column('tenant_id', sa.Integer(), nullable=True),
        sa.Column('scope', sa.String(length=20), server_default=sa.text("'tenant'"), nullable=False),
        sa.Column('category', sa.String(length=50), server_default=sa.text("'general'"), nullable=False),
        sa.Column('name', sa.String(length=255), nullable=True),
        sa.Column('value', sa.Text(), nullable=True),
        sa.Column('description', sa.Text(), nullable=True),
        sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
        sa.Column('updated_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
        sa.ForeignKeyConstraint(['tenant_id'], ['tenants.id'], ondelete='CASCADE'),
        sa.PrimaryKeyConstraint('id'),
        if_not_exists=True
    )
    op.ensure_comment("table", "credentials", "Claves de terceros por tenant; scope = global es de la plataforma")


def downgrade() -> None:
    op.ensure_comment("table", "credentials", None)
    op.drop_table('credentials', if_exists=True)
