# made from the step registry by: omega-bridge export -- do not edit; check with: omega-bridge export --check
"""\
tenants-timezone-default: 12b. default de zona horaria: somos casi todos de acá

Revision ID: b5626a330e2d
Revises: 529f07bc7eb7
Kind: step
Step: tenants-timezone-default (examples/nexus/main.py:449)
Checksum: c1:75ca28710c415d0fb2a28225b79fb35998fd31a1573c23fd1015dac687a13274
Translation: 1 of 1 statement as Alembic operations
Effects:
  - column tenants.timezone: default 'America/Argentina/Buenos_Aires'

SQL of the step, as the list has it:

    ALTER TABLE tenants ALTER COLUMN timezone SET DEFAULT 'America/Argentina/Buenos_Aires'
"""

from alembic import op

import omega_bridge.revisions.operations  # op.ensure and its kin

revision = "b5626a330e2d"
down_revision = "529f07bc7eb7"
branch_labels = None
depends_on = None

steps = ("tenants-timezone-default",)
checksums = ("c1:75ca28710c415d0fb2a28225b79fb35998fd31a1573c23fd1015dac687a13274",)


def upgrade() -> None:
    op.ensure_column("tenants", "timezone", default="'America/Argentina/Buenos_Aires'")


def downgrade() -> None:
    op.ensure_column("tenants", "timezone", default="'UTC'")
