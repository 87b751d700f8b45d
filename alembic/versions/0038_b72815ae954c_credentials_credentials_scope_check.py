# made from the step registry by: omega-bridge export -- do not edit; check with: omega-bridge export --check
"""\
credentials-credentials-scope-check: 13. Credentials: scope válido + índices

Revision ID: b72815ae954c
Revises: b5626a330e2d
Kind: step
Step: credentials-credentials-scope-check (examples/nexus/main.py:451)
Checksum: c1:42aed83ed5a4cb457e0ee2d41fba8549a56f97c32d36008c52dafda8ed61ed49
Translation: 3 of 3 statements as Alembic operations
Effects:
  - constraint credentials.credentials_scope_check: CHECK (scope IN ('global', 'tenant'))
  - index idx_credentials_tenant_category on credentials
  - index uq_credentials_global_name on credentials

SQL of the step, as the list has it:

        DO $$
        BEGIN
            IF NOT EXISTS (SELECT 1 FROM pg_constraint WHERE conname = 'credentials_scope_check') THEN
                ALTER TABLE credentials ADD CONSTRAINT credentials_scope_check CHECK (scope IN ('global', 'tenant'));
            END IF;
        END $$;
        CREATE INDEX IF NOT EXISTS idx_credentials_tenant_category ON credentials (tenant_id, category);
        CREATE UNIQUE INDEX IF NOT EXISTS uq_credentials_global_name ON credentials (name) WHERE scope = 'global';
"""

import sqlalchemy as sa
from alembic import op

import omega_bridge.revisions.operations  # op.ensure and its kin

revision = "b72815ae954c"
down_revision = "b5626a330e2d"
branch_labels = None
depends_on = None

steps = ("credentials-credentials-scope-check",)
checksums = ("c1:42aed83ed5a4cb457e0ee2d41fba8549a56f97c32d36008c52dafda8ed61ed49",)


def upgrade() -> None:
    op.ensure("constraint", "credentials_scope_check", "ALTER TABLE credentials ADD CONSTRAINT credentials_scope_check CHECK (scope IN ('global', 'tenant'))", table="credentials")
    op.create_index('idx_credentials_tenant_category', 'credentials', ['tenant_id', 'category'], unique=False, if_not_exists=True)
    op.create_index('uq_credentials_global_name', 'credentials', ['name'], unique=True, postgresql_where=sa.text("scope = 'global'"), if_not_exists=True)


def downgrade() -> None:
    op.drop_index('uq_credentials_global_name', table_name='credentials', if_exists=True)
    op.drop_index('idx_credentials_tenant_category', table_name='credentials', if_exists=True)
    op.drop_constraint('credentials_scope_check', 'credentials', if_exists=True)
