# made from the step registry by: omega-bridge export -- do not edit; check with: omega-bridge export --check
"""\
tenants-system-prompt: 1d. Prompt, zona horaria y cupo de tokens

Revision ID: 940f11ee2aa2
Revises: 3bbbcd7fe6af
Kind: step
Step: tenants-system-prompt (examples/nexus/main.py:86)
Checksum: c1:19ccf48ccab86166442dd40ac47cfe9f7ae1ee4ac857ead6df370240aa59d28a
Translation: 5 of 5 statements as Alembic operations
Effects:
  - column tenants.system_prompt: text
  - column tenants.timezone: varchar(64), not null, default 'UTC'
  - column tenants.monthly_token_limit: int, default 100000
  - column tenants.monthly_token_limit: comment NULL = sin tope
  - column tenants.country_code: varchar(2)

SQL of the step, as the list has it:

        ALTER TABLE tenants ADD COLUMN IF NOT EXISTS system_prompt TEXT;
        ALTER TABLE tenants ADD COLUMN IF NOT EXISTS timezone VARCHAR(64) NOT NULL DEFAULT 'UTC';
        ALTER TABLE tenants ADD COLUMN IF NOT EXISTS monthly_token_limit INTEGER DEFAULT 100000;
        COMMENT ON COLUMN tenants.monthly_token_limit IS 'NULL = sin tope';
        ALTER TABLE tenants ADD COLUMN IF NOT EXISTS country_code VARCHAR(2);
"""

import sqlalchemy as sa
from alembic import op

import omega_bridge.revisions.operations  # op.ensure and its kin

revision = "940f11ee2aa2"
down_revision = "3bbbcd7fe6af"
branch_labels = None
depends_on = None

steps = ("tenants-system-prompt",)
checksums = ("c1:19ccf48ccab86166442dd40ac47cfe9f7ae1ee4ac857ead6df370240aa59d28a",)


def upgrade() -> None:
    op.add_column('tenants', sa.Column('system_prompt', sa.Text(), nullable=True), if_not_exists=True)
    op.add_column('tenants', sa.Column('timezone', sa.String(length=64), server_default=sa.text("'UTC'"), nullable=False), if_not_exists=True)
    op.add_column('tenants', sa.Column('monthly_token_limit', sa.Integer(), server_default=sa.text('100000'), nullable=True), if_not_exists=True)
    op.ensure_comment("column", "monthly_token_limit", "NULL = sin tope", table="tenants")
    op.add_column('tenants', sa.Column('country_code', sa.String(length=2), nullable=True), if_not_exists=True)


def downgrade() -> None:
    op.drop_column('tenants', 'country_code', if_exists=True)
    op.ensure_comment("column", "monthly_token_limit", None, table="tenants")
    op.drop_column('tenants', 'monthly_token_limit', if_exists=True)
    op.drop_column('tenants', 'timezone', if_exists=True)
    op.drop_column('tenants', 'system_prompt', if_exists=True)
