# made from the step registry by: omega-bridge export -- do not edit; check with: omega-bridge export --check
"""\
create-customers: 6. Customers

Revision ID: d8f4d01161a5
Revises: 411ae272051f
Kind: step
Step: create-customers (examples/nexus/main.py:273)
Checksum: c1:8c0ee6e4e68cb977a6b367e5611d14f24eecafdee7c59bebfab886355f07a8f3
Translation: 4 of 4 statements as Alembic operations
Effects:
  - table customers
  - column customers.id: integer, not null, default from its sequence
  - constraint customers.customers_pkey: PRIMARY KEY (id)
  - column customers.id: not null
  - column customers.tenant_id: int, not null
  - constraint customers.customers_tenant_id_fkey: FOREIGN KEY (tenant_id) REFERENCES tenants (id) ON DELETE CASCADE
  - column customers.phone_number: varchar(20), not null
  - column customers.name: varchar(255)
  - column customers.email: varchar(255)
  - column customers.created_at: timestamptz, not null, default now()
  - index uq_customers_tenant_phone on customers
  - index idx_customers_email on customers
  - index idx_customers_tenant_created on customers

SQL of the step, as the list has it:

        CREATE TABLE IF NOT EXISTS customers (
            id SERIAL PRIMARY KEY,
            tenant_id INTEGER NOT NULL REFERENCES tenants(id) ON DELETE CASCADE,
            phone_number VARCHAR(20) NOT NULL,
            name VARCHAR(255),
            email VARCHAR(255),
            created_at TIMESTAMPTZ NOT NULL DEFAULT now()
        );
        CREATE UNIQUE INDEX IF NOT EXISTS uq_customers_tenant_phone ON customers (tenant_id, phone_number);
        CREATE INDEX IF NOT EXISTS idx_customers_email ON customers (lower(email)) WHERE email IS NOT NULL;
        CREATE INDEX IF NOT EXISTS idx_customers_tenant_created ON customers (tenant_id, created_at);
"""

import sqlalchemy as sa
from alembic import op

revision = "d8f4d01161a5"
down_revision = "411ae272051f"
branch_labels = None
depends_on = None

steps = ("create-customers",)
checksums = ("c1:8c0ee6e4e68cb977a6b367e5611d14f24eecafdee7c59bebfab886355f07a8f3",)


def upgrade() -> None:
    op.create_table('customers',
        sa.Column('id', sa.Integer(), autoincrement=True, nullable=False),
        sa.Column('tenant_id', sa.Integer(), nullable=False),
        sa.Column('phone_number', sa.String(length=20), nullable=False),
        sa.Column('name', sa.String(length=255), nullable=True),
        sa.Column('email', sa.String(length=255), nullable=True),
        sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
        sa.ForeignKeyConstraint(['tenant_id'], ['tenants.id'], ondelete='CASCADE'),
        sa.PrimaryKeyConstraint('id'),
        if_not_exists=True
    )
    op.create_index('uq_customers_tenant_phone', 'customers', ['tenant_id', 'phone_number'], unique=True, if_not_exists=True)
    op.create_index('idx_customers_email', 'customers', [sa.literal_column('lower(email)')], unique=False, postgresql_where=sa.text('email IS NOT NULL'), if_not_exists=True)
    op.create_index('idx_customers_tenant_created', 'customers', ['tenant_id', 'created_at'], unique=False, if_not_exists=True)


def downgrade() -> None:
    op.drop_index('idx_customers_tenant_created', table_name='customers', if_exists=True)
    op.drop_index('idx_customers_email', table_name='customers', if_exists=True)
    op.drop_index('uq_customers_tenant_phone', table_name='customers', if_exists=True)
    op.drop_table('customers', if_exists=True)
