# made from the step registry by: omega-bridge export -- do not edit; check with: omega-bridge export --check
"""\
tenants-owner-email-nullable: 1b. owner_email deja de ser obligatorio (alta desde el panel sin correo)

Revision ID: c9d50b7ab207
Revises: 9a7566d68718
Kind: step
Step: tenants-owner-email-nullable (examples/nexus/main.py:62)
Checksum: c1:289b0e3f683909762a3f73b648f58b6b10a67d9c060df9105d7bec4770d3a83b
Translation: 1 of 1 statement as Alembic operations
Effects:
  - column tenants.owner_email: nullable

SQL of the step, as the list has it:

    ALTER TABLE tenants ALTER COLUMN owner_email DROP NOT NULL
"""

from alembic import op

import omega_bridge.revisions.operations  # op.ensure and its kin

revision = "c9d50b7ab207"
down_revision = "9a7566d68718"
branch_labels = None
depends_on = None

steps = ("tenants-owner-email-nullable",)
checksums = ("c1:289b0e3f683909762a3f73b648f58b6b10a67d9c060df9105d7bec4770d3a83b",)


def upgrade() -> None:
    op.ensure_column("tenants", "owner_email", nullable=True)


def downgrade() -> None:
    op.ensure_column("tenants", "owner_email", nullable=False)
