# made from the step registry by: omega-bridge export -- do not edit; check with: omega-bridge export --check
"""\
extension-pg-trgm: 0. Extensiones (pg_trgm para buscar clientes por nombre; en algunos RDS no hay permiso, no es fatal)

Revision ID: c7bd2c860743
Revises: 009fe1354806
Kind: step
Step: extension-pg-trgm (examples/nexus/main.py:39)
Checksum: c1:d90ee076b35515674e102167d3d59cafa8cf3e728bd1644cf24dc2d59e6274d1
Translation: 1 of 1 statement as Alembic operations
Effects:
  - extension pg_trgm

SQL of the step, as the list has it:

        DO $$
        BEGIN
            CREATE EXTENSION IF NOT EXISTS pg_trgm;
        EXCEPTION WHEN OTHERS THEN
            RAISE NOTICE 'pg_trgm no disponible: %', SQLERRM;
        END $$;
"""

from alembic import op

import omega_bridge.revisions.operations  # op.ensure and its kin

revision = "c7bd2c860743"
down_revision = "009fe1354806"
branch_labels = None
depends_on = None

steps = ("extension-pg-trgm",)
checksums = ("c1:d90ee076b35515674e102167d3d59cafa8cf3e728bd1644cf24dc2d59e6274d1",)


def upgrade() -> None:
    op.ensure("extension", "pg_trgm", "CREATE EXTENSION IF NOT EXISTS pg_trgm", optional=True)


def downgrade() -> None:
    op.ensure_absent("extension", "pg_trgm")
