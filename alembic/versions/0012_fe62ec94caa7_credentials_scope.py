# made from the step registry by: omega-bridge export -- do not edit; check with: omega-bridge export --check
"""\
credentials-scope: 3b. Credentials vieja (service_name / api_key_encrypted) -> scope, category, name, value

Revision ID: fe62ec94caa7
Revises: 8d7e4e57bde5
Kind: step
Step: credentials-scope (examples/nexus/main.py:129)
Checksum: c1:25fa52c713eda9af6ec4a6402a4f6760aa4c2b1cd074925e2379934026631065
Translation: 6 of 6 statements as Alembic operations
Effects:
  - column credentials.scope: varchar(20), not null, default 'tenant'
  - column credentials.category: varchar(50), not null, default 'general'
  - column credentials.name: varchar(255)
  - column credentials.value: text
  - column credentials.description: text
  - column credentials.updated_at: timestamptz, not null, default now()

SQL of the step, as the list has it:

        DO $$
        BEGIN
            IF NOT EXISTS (SELECT 1 FROM information_schema.columns
                           WHERE table_name = 'credentials' AND column_name = 'scope') THEN
                ALTER TABLE credentials ADD COLUMN scope VARCHAR(20) NOT NULL DEFAULT 'tenant';
            END IF;
            IF NOT EXISTS (SELECT 1 FROM information_schema.columns
                           WHERE table_name = 'credentials' AND column_name = 'category') THEN
                ALTER TABLE credentials ADD COLUMN category VARCHAR(50) NOT NULL DEFAULT 'general';
            END IF;
            IF NOT EXISTS (SELECT 1 FROM information_schema.columns
                           WHERE table_name = 'credentials' AND column_name = 'name') THEN
                ALTER TABLE credentials ADD COLUMN name VARCHAR(255);
            END IF;
            IF NOT EXISTS (SELECT 1 FROM information_schema.columns
                           WHERE table_name = 'credentials' AND column_name = 'value') THEN
                ALTER TABLE credentials ADD COLUMN value TEXT;
            END IF;
            ALTER TABLE credentials ADD COLUMN IF NOT EXISTS description TEXT;
            ALTER TABLE credentials ADD COLUMN IF NOT EXISTS updated_at TIMESTAMPTZ NOT NULL DEFAULT now();
        EXCEPTION WHEN OTHERS THEN
            RAISE NOTICE 'credentials: %', SQLERRM;
        END $$;
"""

import sqlalchemy as sa
from alembic import op

revision = "fe62ec94caa7"
down_revision = "8d7e4e57bde5"
branch_labels = None
depends_on = None

steps = ("credentials-scope",)
checksums = ("c1:25fa52c713eda9af6ec4a6402a4f6760aa4c2b1cd074925e2379934026631065",)


def upgrade() -> None:
    op.add_column('credentials', sa.Column('scope', sa.String(length=20), server_default=sa.text("'tenant'"), nullable=False), if_not_exists=True)
    op.add_column('credentials', sa.Column('category', sa.String(length=50), server_default=sa.text("'general'"), nullable=False), if_not_exists=True)
    op.add_column('credentials', sa.Column('name', sa.String(length=255), nullable=True), if_not_exists=True)
    op.add_column('credentials', sa.Column('value', sa.Text(), nullable=True), if_not_exists=True)
    op.add_column('credentials', sa.Column('description', sa.Text(), nullable=True), if_not_exists=True)
    op.add_column('credentials', sa.Column('updated_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False), if_not_exists=True)


def downgrade() -> None:
    pass  # an earlier revision made it: there is nothing of this one to undo
