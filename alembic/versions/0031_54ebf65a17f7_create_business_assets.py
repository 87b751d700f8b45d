# made from the step registry by: omega-bridge export -- do not edit; check with: omega-bridge export --check
"""\
create-business-assets: 9. Business assets

Revision ID: 54ebf65a17f7
Revises: 9a73fb4e81fc
Kind: step
Step: create-business-assets (examples/nexus/main.py:351)
Checksum: c1:77b8c70b2efedc57c6da8057a7ea94cebf5c3cb718e4eaf6bd6c7544bf9e0de5
Translation: 4 of 4 statements as Alembic operations
Effects:
  - table business_assets
  - column business_assets.id: uuid, not null, default gen_random_uuid()
  - constraint business_assets.business_assets_pkey: PRIMARY KEY (id)
  - column business_assets.id: not null
  - column business_assets.tenant_id: int, not null
  - constraint business_assets.business_assets_tenant_id_fkey: FOREIGN KEY (tenant_id) REFERENCES tenants (id) ON DELETE CASCADE
  - column business_assets.asset_type: varchar(50), not null
  - column business_assets.content: jsonb, not null, default '{}'::jsonb
  - column business_assets.is_active: boolean, not null, default true
  - column business_assets.created_at: timestamptz, not null, default now()
  - column business_assets.updated_at: timestamptz, not null, default now()
  - index idx_business_assets_tenant_type on business_assets
  - column business_assets.title: varchar(200)
  - column business_assets.version: int, not null, default 1

SQL of the step, as the list has it:

        DO $$
        BEGIN
            IF NOT EXISTS (SELECT 1 FROM information_schema.tables WHERE table_name = 'business_assets') THEN
                CREATE TABLE business_assets (
                    id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
                    tenant_id INTEGER NOT NULL REFERENCES tenants(id) ON DELETE CASCADE,
                    asset_type VARCHAR(50) NOT NULL,
                    content JSONB NOT NULL DEFAULT '{}'::jsonb,
                    is_active BOOLEAN NOT NULL DEFAULT TRUE,
                    created_at TIMESTAMPTZ NOT NULL DEFAULT now(),
                    updated_at TIMESTAMPTZ NOT NULL DEFAULT now()
                );
            END IF;
        END $$;
        CREATE INDEX IF NOT EXISTS idx_business_assets_tenant_type ON business_assets (tenant_id, asset_type);
        ALTER TABLE business_assets ADD COLUMN IF NOT EXISTS title VARCHAR(200);
        ALTER TABLE business_assets ADD COLUMN IF NOT EXISTS version INTEGER NOT NULL DEFAULT 1;
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "54ebf65a17f7"
down_revision = "9a73fb4e81fc"
branch_labels = None
depends_on = None

steps = ("create-business-assets",)
checksums = ("c1:77b8c70b2efedc57c6da8057a7ea94cebf5c3cb718e4eaf6bd6c7544bf9e0de5",)


def upgrade() -> None:
    op.create_table('business_assets',
        sa.Column('id', sa.UUID(), server_default=sa.text('gen_random_uuid()'), autoincrement=False, nullable=False),
        sa.Column('tenant_id', sa.Integer(), nullable=False),
        sa.Column('asset_type', sa.String(length=50), nullable=False),
        sa.Column('content', postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'::jsonb"), nullable=False),
        sa.Column('is_active', sa.Boolean(), server_default=sa.text('true'), nullable=False),
        sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
        sa.Column('updated_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
        sa.ForeignKeyConstraint(['tenant_id'], ['tenants.id'], ondelete='CASCADE'),
        sa.PrimaryKeyConstraint('id'),
        if_not_exists=True
    )
    op.create_index('idx_business_assets_tenant_type', 'business_assets', ['tenant_id', 'asset_type'], unique=False, if_not_exists=True)
    op.add_column('business_assets', sa.Column('title', sa.String(length=200), nullable=True), if_not_exists=True)
    op.add_column('business_assets', sa.Column('version', sa.Integer(), server_default=sa.text('1'), nullable=False), if_not_exists=True)


def downgrade() -> None:
    op.drop_column('business_assets', 'version', if_exists=True)
    op.drop_column('business_assets', 'title', if_exists=True)
    op.drop_index('idx_business_assets_tenant_type', table_name='business_assets', if_exists=True)
    op.drop_table('business_assets', if_exists=True)
