# made from the step registry by: omega-bridge export -- do not edit; check with: omega-bridge export --check
"""\
customers-phone-number-type: 6b. Los ids de Instagram no entran en 20 caracteres

Revision ID: 1dae30d94207
Revises: d8f4d01161a5
Kind: step
Step: customers-phone-number-type (examples/nexus/main.py:287)
Checksum: c1:53fc4702d50d3c9498e91f4a5fd15634c0812c249fcc496a16668918bfa91de4
Translation: 1 of 1 statement as Alembic operations
Effects:
  - column customers.phone_number: type varchar(50)

SQL of the step, as the list has it:

    ALTER TABLE customers ALTER COLUMN phone_number TYPE VARCHAR(50);
"""

from alembic import op

import omega_bridge.revisions.operations  # op.ensure and its kin

revision = "1dae30d94207"
down_revision = "d8f4d01161a5"
branch_labels = None
depends_on = None

steps = ("customers-phone-number-type",)
checksums = ("c1:53fc4702d50d3c9498e91f4a5fd15634c0812c249fcc496a16668918bfa91de4",)


def upgrade() -> None:
    op.ensure_column("customers", "phone_number", type_="varchar(50)")


def downgrade() -> None:
    op.ensure_column("customers", "phone_number", type_="varchar(20)")
