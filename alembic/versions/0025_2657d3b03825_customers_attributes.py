# made from the step registry by: omega-bridge export -- do not edit; check with: omega-bridge export --check
"""\
customers-attributes: 6d.

Revision ID: 2657d3b03825
Revises: 73887a17c22a
Kind: step
Step: customers-attributes (examples/nexus/main.py:298)
Checksum: c1:e59f69d1584f056761bc2ca81c1d0c6877b1453eed831d853dcee552e013a34d
Translation: 1 of 1 statement as Alembic operations
Effects:
  - column customers.attributes: jsonb, not null, default '{}'::jsonb

SQL of the step, as the list has it:

    ALTER TABLE customers ADD COLUMN IF NOT EXISTS attributes JSONB NOT NULL DEFAULT '{}'::jsonb
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "2657d3b03825"
down_revision = "73887a17c22a"
branch_labels = None
depends_on = None

steps = ("customers-attributes",)
checksums = ("c1:e59f69d1584f056761bc2ca81c1d0c6877b1453eed831d853dcee552e013a34d",)


def upgrade() -> None:
    op.add_column('customers', sa.Column('attributes', postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'::jsonb"), nullable=False), if_not_exists=True)


def downgrade() -> None:
    op.drop_column('customers', 'attributes', if_exists=True)
