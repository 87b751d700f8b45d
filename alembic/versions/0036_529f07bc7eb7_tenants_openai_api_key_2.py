# made from the step registry by: omega-bridge export -- do not edit; check with: omega-bridge export --check
"""\
tenants-openai-api-key-2: 12. openai_api_key (otra vez, en staging no había quedado)

Revision ID: 529f07bc7eb7
Revises: f8888de83e51
Kind: step
Step: tenants-openai-api-key-2 (examples/nexus/main.py:437)
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

revision = "529f07bc7eb7"
down_revision = "f8888de83e51"
branch_labels = None
depends_on = None

steps = ("tenants-openai-api-key-2",)
checksums = ("c1:efaf3e8f556f4c9bb844cd1fadeb54b456f2c64b198052f306beb636386103fc",)


def upgrade() -> None:
    op.add_column('tenants', sa.Column('openai_api_key', sa.String(length=255), nullable=True), if_not_exists=True)


def downgrade() -> None:
    pass  # an earlier revision made it: there is nothing of this one to undo
