# made from the step registry by: omega-bridge export -- do not edit; check with: omega-bridge export --check
"""\
create-system-events: 7b.

Revision ID: 116217f8debb
Revises: 1be19773b488
Kind: step
Step: create-system-events (examples/nexus/main.py:312)
Checksum: c1:1e918230c0d1b3eed88e1b8abbb6e1a2cd9978a2356733187492ef63d8f3ffac
Translation: 5 of 5 statements as Alembic operations
Effects:
  - table system_events
  - column system_events.id: uuid, not null, default gen_random_uuid()
  - constraint system_events.system_events_pkey: PRIMARY KEY (id)
  - column system_events.id: not null
  - column system_events.tenant_id: int
  - constraint system_events.system_events_tenant_id_fkey: FOREIGN KEY (tenant_id) REFERENCES tenants (id) ON DELETE SET NULL
  - column system_events.level: varchar(20), not null, default 'info'
  - column system_events.event_type: varchar(100), not null
  - column system_events.message: text
  - column system_events.created_at: timestamptz, not null, default now()
  - column system_events.payload: jsonb, not null, default '{}'::jsonb
  - index idx_system_events_created on system_events
  - index idx_system_events_tenant_level on system_events
  - index idx_system_events_errors on system_events

SQL of the step, as the list has it:

        CREATE TABLE IF NOT EXISTS system_events (
            id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
            tenant_id INTEGER REFERENCES tenants(id) ON DELETE SET NULL,
            level VARCHAR(20) NOT NULL DEFAULT 'info',
            event_type VARCHAR(100) NOT NULL,
            message TEXT,
            created_at TIMESTAMPTZ NOT NULL DEFAULT now()
        );
        ALTER TABLE system_events ADD COLUMN IF NOT EXISTS payload JSONB NOT NULL DEFAULT '{}'::jsonb;
        CREATE INDEX IF NOT EXISTS idx_system_events_created ON system_events (created_at DESC);
        CREATE INDEX IF NOT EXISTS idx_system_events_tenant_level ON system_events (tenant_id, level);
        CREATE INDEX IF NOT EXISTS idx_system_events_errors ON system_events (event_type) WHERE level = 'error';
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "116217f8debb"
down_revision = "1be19773b488"
branch_labels = None
depends_on = None

steps = ("create-system-events",)
checksums = ("c1:1e918230c0d1b3eed88e1b8abbb6e1a2cd9978a2356733187492ef63d8f3ffac",)


def upgrade() -> None:
    op.create_table('system_events',
        sa.Column('id', sa.UUID(), server_default=sa.text('gen_random_uuid()'), autoincrement=False, nullable=False),
        sa.Column('tenant_id', sa.Integer(), nullable=True),
        sa.Column('level', sa.String(length=20), server_default=sa.text("'info'"), nullable=False),
        sa.Column('event_type', sa.String(length=100), nullable=False),
        sa.Column('message', sa.Text(), nullable=True),
        sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
        sa.ForeignKeyConstraint(['tenant_id'], ['tenants.id'], ondelete='SET NULL'),
        sa.PrimaryKeyConstraint('id'),
        if_not_exists=True
    )
    op.add_column('system_events', sa.Column('payload', postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'::jsonb"), nullable=False), if_not_exists=True)
    op.create_index('idx_system_events_created', 'system_events', [sa.literal_column('created_at DESC')], unique=False, if_not_exists=True)
    op.create_index('idx_system_events_tenant_level', 'system_events', ['tenant_id', 'level'], unique=False, if_not_exists=True)
    op.create_index('idx_system_events_errors', 'system_events', ['event_type'], unique=False, postgresql_where=sa.text("level = 'error'"), if_not_exists=True)


def downgrade() -> None:
    op.drop_index('idx_system_events_errors', table_name='system_events', if_exists=True)
    op.drop_index('idx_system_events_tenant_level', table_name='system_events', if_exists=True)
    op.drop_index('idx_system_events_created', table_name='system_events', if_exists=True)
    op.drop_column('system_events', 'payload', if_exists=True)
    op.drop_table('system_events', if_exists=True)
