# made from the step registry by: omega-bridge export -- do not edit; check with: omega-bridge export --check
"""\
tenants-openai-api-key: 1c. openai_api_key por tenant

Revision ID: cf63115a2e6a
Revises: c9d50b7ab207
Kind: step
Step: tenants-openai-api-key (examples/nexus/main.py:64)
Checksum: c1:efaf3e8f556f4c9bb844cd1fadeb54b456f2c64b198052f306beb636386103fc
Translation: 1 of 1 statement as Alembic operations
Effects:
  - column tenants.openai_api_key: varchar(255)

SQL of the step, as the list has it:

        DO $$
        BEGIN
            IF NOT EXISTS (
                SELECT 1 FROM information_schema.columns
                WHERE table_name = 'tenants' AND column_name = 'openai_api_key'
            ) THEN
                ALTER TABLE tenants ADD COLUMN openai_api_key VARCHAR(255);
            END IF;
        END $$;
"""

import sqlalchemy as sa
from alembic import op

revision = "cf63115a2e6a"
down_revision = "c9d50b7ab207"
branch_labels = None
depends_on = None

steps = ("tenants-openai-api-key",)
checksums = ("c1:efaf3e8f556f4c9bb844cd1fadeb54b456f2c64b198052f306beb636386103fc",)


def upgrade() -> None:
    op.add_column('tenants', sa.Column('openai_api_key', sa.String(length=255), nullable=True), if_not_exists=True)


def downgrade() -> None:
    op.drop_column('tenants', 'openai_api_key', if_exists=True)
