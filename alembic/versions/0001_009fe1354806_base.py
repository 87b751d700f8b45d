# made from the step registry by: omega-bridge export -- do not edit; check with: omega-bridge export --check
"""\
base: what only the models create (users)

Revision ID: 009fe1354806
Revises:
Kind: base
Step: model-users ((models))
Checksum: c1:0394bfeb64049a394007c049bcf932f136b2401f6c3f6a33b78967c5bf2ad002
Translation: 1 of 1 statement as Alembic operations
Effects:
  - table users
  - column users.id: uuid, not null, default gen_random_uuid()
  - column users.email: varchar(255), not null
  - column users.password_hash: varchar(255), not null
  - column users.full_name: varchar(255)
  - column users.role: varchar(20), not null, default 'viewer'
  - column users.status: varchar(20), not null, default 'pending'
  - column users.last_login_at: timestamp with time zone
  - column users.created_at: timestamp with time zone, not null, default now()
  - constraint users.users_pkey: PRIMARY KEY (id)
  - column users.id: not null
  - constraint users.users_email_key: UNIQUE (email)

SQL of the step, as the list has it:

    CREATE TABLE IF NOT EXISTS users (
        id UUID DEFAULT gen_random_uuid() NOT NULL,
        email VARCHAR(255) NOT NULL,
        password_hash VARCHAR(255) NOT NULL,
        full_name VARCHAR(255),
        role VARCHAR(20) DEFAULT 'viewer' NOT NULL,
        status VARCHAR(20) DEFAULT 'pending' NOT NULL,
        last_login_at TIMESTAMP WITH TIME ZONE,
        created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
        CONSTRAINT users_pkey PRIMARY KEY (id),
        CONSTRAINT users_email_key UNIQUE (email)
    );
"""

import sqlalchemy as sa
from alembic import op

revision = "009fe1354806"
down_revision = None
branch_labels = None
depends_on = None

steps = ("model-users",)
checksums = ("c1:0394bfeb64049a394007c049bcf932f136b2401f6c3f6a33b78967c5bf2ad002",)


def upgrade() -> None:
    op.create_table('users',
        sa.Column('id', sa.UUID(), server_default=sa.text('gen_random_uuid()'), autoincrement=False, nullable=False),
        sa.Column('email', sa.String(length=255), nullable=False),
        sa.Column('password_hash', sa.String(length=255), nullable=False),
        sa.Column('full_name', sa.String(length=255), nullable=True),
        sa.Column('role', sa.String(length=20), server_default=sa.text("'viewer'"), nullable=False),
        sa.Column('status', sa.String(length=20), server_default=sa.text("'pending'"), nullable=False),
        sa.Column('last_login_at', sa.DateTime(timezone=True), nullable=True),
        sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
        sa.PrimaryKeyConstraint('id', name='users_pkey'),
        sa.UniqueConstraint('email', name='users_email_key'),
        if_not_exists=True
    )


def downgrade() -> None:
    op.drop_table('users', if_exists=True)
