# made from the step registry by: omega-bridge export -- do not edit; check with: omega-bridge export --check
"""\
create-tenants: 1. Tenants

Revision ID: 9a7566d68718
Revises: c7bd2c860743
Kind: step
Step: create-tenants (examples/nexus/main.py:48)
Checksum: c1:992ca25d4395f7005b3a8b682d3a60b210ea1d807813f3294f860b47fff84472
Translation: 3 of 3 statements as Alembic operations
Effects:
  - table tenants
  - column tenants.id: integer, not null, default from its sequence
  - constraint tenants.tenants_pkey: PRIMARY KEY (id)
  - column tenants.id: not null
  - column tenants.store_name: varchar(255), not null
  - column tenants.bot_phone_number: varchar(32), not null
  - constraint tenants.tenants_bot_phone_number_key: UNIQUE (bot_phone_number)
  - column tenants.owner_email: varchar(255), not null
  - column tenants.is_active: boolean, not null, default true
  - column tenants.created_at: timestamptz, not null, default now()
  - column tenants.updated_at: timestamptz, not null, default now()
  - index idx_tenants_store_name on tenants
  - index idx_tenants_active on tenants

SQL of the step, as the list has it:

        CREATE TABLE IF NOT EXISTS tenants (
            id SERIAL PRIMARY KEY,
            store_name VARCHAR(255) NOT NULL,
            bot_phone_number VARCHAR(32) NOT NULL UNIQUE,
            owner_email VARCHAR(255) NOT NULL,
            is_active BOOLEAN NOT NULL DEFAULT TRUE,
            created_at TIMESTAMPTZ NOT NULL DEFAULT now(),
            updated_at TIMESTAMPTZ NOT NULL DEFAULT now()
        );
        CREATE INDEX IF NOT EXISTS idx_tenants_store_name ON tenants (store_name);
        CREATE INDEX IF NOT EXISTS idx_tenants_active ON tenants (is_active) WHERE is_active;
"""

import sqlalchemy as sa
from alembic import op

revision = "9a7566d68718"
down_revision = "c7bd2c860743"
branch_labels = None
depends_on = None

steps = ("create-tenants",)
checksums = ("c1:992ca25d4395f7005b3a8b682d3a60b210ea1d807813f3294f860b47fff84472",)


def upgrade() -> None:
    op.create_table('tenants',
        sa.Column('id', sa.Integer(), autoincrement=True, nullable=False),
        sa.Column('store_name', sa.String(length=255), nullable=False),
        sa.Column('bot_phone_number', sa.String(length=32), nullable=False),
        sa.Column('owner_email', sa.String(length=255), nullable=False),
        sa.Column('is_active', sa.Boolean(), server_default=sa.text('true'), nullable=False),
        sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
        sa.Column('updated_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
        sa.PrimaryKeyConstraint('id'),
        sa.UniqueConstraint('bot_phone_number'),
        if_not_exists=True
    )
    op.create_index('idx_tenants_store_name', 'tenants', ['store_name'], unique=False, if_not_exists=True)
    op.create_index('idx_tenants_active', 'tenants', ['is_active'], unique=False, postgresql_where=sa.text('is_active'), if_not_exists=True)


def downgrade() -> None:
    op.drop_index('idx_tenants_active', table_name='tenants', if_exists=True)
    op.drop_index('idx_tenants_store_name', table_name='tenants', if_exists=True)
    op.drop_table('tenants', if_exists=True)
