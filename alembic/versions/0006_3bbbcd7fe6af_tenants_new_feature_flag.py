# made from the step registry by: omega-bridge export -- do not edit; check with: omega-bridge export --check
"""\
tenants-new-feature-flag: 1c. Feature flag (el ejemplo de la guía)

Revision ID: 3bbbcd7fe6af
Revises: cf63115a2e6a
Kind: step
Step: tenants-new-feature-flag (examples/nexus/main.py:76)
Checksum: c1:6aeee380c6f298b800a39ca1e305f2f6131ec9d72617fab5fa77634eed384ce5
Translation: 1 of 1 statement as Alembic operations
Effects:
  - column tenants.new_feature_flag: boolean, default false

SQL of the step, as the list has it:

        DO $$
        BEGIN
            IF NOT EXISTS (SELECT 1 FROM information_schema.columns
                           WHERE table_name='tenants' AND column_name='new_feature_flag') THEN
                ALTER TABLE tenants ADD COLUMN new_feature_flag BOOLEAN DEFAULT FALSE;
            END IF;
        END $$;
"""

import sqlalchemy as sa
from alembic import op

revision = "3bbbcd7fe6af"
down_revision = "cf63115a2e6a"
branch_labels = None
depends_on = None

steps = ("tenants-new-feature-flag",)
checksums = ("c1:6aeee380c6f298b800a39ca1e305f2f6131ec9d72617fab5fa77634eed384ce5",)


def upgrade() -> None:
    op.add_column('tenants', sa.Column('new_feature_flag', sa.Boolean(), server_default=sa.text('false'), nullable=True), if_not_exists=True)


def downgrade() -> None:
    op.drop_column('tenants', 'new_feature_flag', if_exists=True)
