# made from the step registry by: omega-bridge export -- do not edit; check with: omega-bridge export --check
"""\
index-idx-customers-name-trgm: 6c. Búsqueda por nombre parecido ("Maria" encuentra "María José")

Revision ID: 73887a17c22a
Revises: 1dae30d94207
Kind: step
Step: index-idx-customers-name-trgm (examples/nexus/main.py:289)
Checksum: c1:de4c9fd781f90de515a617d170ccfc3f99258e9bdecf7368c5f7fcbf7d4c64ab
Translation: 1 of 1 statement as Alembic operations
Effects:
  - index idx_customers_name_trgm on customers

SQL of the step, as the list has it:

        DO $$
        BEGIN
            CREATE INDEX IF NOT EXISTS idx_customers_name_trgm ON customers USING gin (name gin_trgm_ops);
        EXCEPTION WHEN OTHERS THEN
            RAISE NOTICE 'sin indice trgm en customers: %', SQLERRM;
        END $$;
"""

from alembic import op

import omega_bridge.revisions.operations  # op.ensure and its kin

revision = "73887a17c22a"
down_revision = "1dae30d94207"
branch_labels = None
depends_on = None

steps = ("index-idx-customers-name-trgm",)
checksums = ("c1:de4c9fd781f90de515a617d170ccfc3f99258e9bdecf7368c5f7fcbf7d4c64ab",)


def upgrade() -> None:
    op.ensure("index", "idx_customers_name_trgm", "CREATE INDEX IF NOT EXISTS idx_customers_name_trgm ON customers USING gin (name gin_trgm_ops)", optional=True)


def downgrade() -> None:
    op.drop_index('idx_customers_name_trgm', table_name='customers', if_exists=True)
