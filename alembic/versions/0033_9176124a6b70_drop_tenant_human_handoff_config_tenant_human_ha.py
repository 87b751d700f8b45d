# made from the step registry by: omega-bridge export -- do not edit; check with: omega-bridge export --check
"""\
drop-tenant-human-handoff-config-tenant-human-handoff-co: 10b. la PK era tenant_id en las primeras versiones; ahora es id

Revision ID: 9176124a6b70
Revises: 87a2ea8b789d
Kind: step
Step: drop-tenant-human-handoff-config-tenant-human-handoff-co (examples/nexus/main.py:390)
Checksum: c1:bdd0fe38228e53a01fcc8e25d3b2a7ce2e6ede4d57134f5bfc0670929b9da6fb
Translation: 3 of 3 statements as Alembic operations
Effects:
  - constraint tenant_human_handoff_config.tenant_human_handoff_config_pkey is gone
  - constraint tenant_human_handoff_config.tenant_human_handoff_config_pkey: PRIMARY KEY (id)
  - column tenant_human_handoff_config.id: not null
  - index uq_handoff_tenant on tenant_human_handoff_config

SQL of the step, as the list has it:

        ALTER TABLE tenant_human_handoff_config DROP CONSTRAINT IF EXISTS tenant_human_handoff_config_pkey;
        ALTER TABLE tenant_human_handoff_config ADD CONSTRAINT tenant_human_handoff_config_pkey PRIMARY KEY (id);
        CREATE UNIQUE INDEX IF NOT EXISTS uq_handoff_tenant ON tenant_human_handoff_config (tenant_id);
"""

from alembic import op

import omega_bridge.revisions.operations  # op.ensure and its kin

revision = "9176124a6b70"
down_revision = "87a2ea8b789d"
branch_labels = None
depends_on = None

steps = ("drop-tenant-human-handoff-config-tenant-human-handoff-co",)
checksums = ("c1:bdd0fe38228e53a01fcc8e25d3b2a7ce2e6ede4d57134f5bfc0670929b9da6fb",)


def upgrade() -> None:
    op.drop_constraint('tenant_human_handoff_config_pkey', 'tenant_human_handoff_config', if_exists=True)
    op.ensure("constraint", "tenant_human_handoff_config_pkey", "ALTER TABLE tenant_human_handoff_config ADD CONSTRAINT tenant_human_handoff_config_pkey PRIMARY KEY (id)", table="tenant_human_handoff_config")
    op.create_index('uq_handoff_tenant', 'tenant_human_handoff_config', ['tenant_id'], unique=True, if_not_exists=True)


def downgrade() -> None:
    op.drop_index('uq_handoff_tenant', table_name='tenant_human_handoff_config', if_exists=True)
    op.drop_constraint('tenant_human_handoff_config_pkey', 'tenant_human_handoff_config', if_exists=True)
