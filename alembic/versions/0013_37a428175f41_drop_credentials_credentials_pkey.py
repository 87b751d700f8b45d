# made from the step registry by: omega-bridge export -- do not edit; check with: omega-bridge export --check
"""\
drop-credentials-credentials-pkey: 3c. Credentials: PK a UUID sin perder el id viejo (hay planillas que todavía lo usan)

Revision ID: 37a428175f41
Revises: fe62ec94caa7
Kind: step
Step: drop-credentials-credentials-pkey (examples/nexus/main.py:155)
Checksum: c1:0d065a74f0fad73beeb89e91963b0708cf9e53447cce1a67e86cbb5dcd715872
Translation: 0 of 4 statements as Alembic operations
  verbatim (4): its guard asks for more than whether an object is there
Downgrade: none: the step's own SQL was run (its guard asks for more than whether an object is there)
Effects:
  - constraint credentials.credentials_pkey is gone
  - column credentials.id is gone
  - column credentials.legacy_id
  - column credentials.id: uuid, not null, default gen_random_uuid()
  - constraint credentials.credentials_pkey: PRIMARY KEY (id)
  - column credentials.id: not null

SQL of the step, as the list has it:

        DO $$
        BEGIN
            IF EXISTS (
                SELECT 1 FROM information_schema.columns
                WHERE table_name = 'credentials' AND column_name = 'id' AND data_type IN ('integer', 'bigint')
            ) THEN
                ALTER TABLE credentials DROP CONSTRAINT credentials_pkey;
                ALTER TABLE credentials RENAME COLUMN id TO legacy_id;
                ALTER TABLE credentials ADD COLUMN id UUID NOT NULL DEFAULT gen_random_uuid();
                ALTER TABLE credentials ADD CONSTRAINT credentials_pkey PRIMARY KEY (id);
            END IF;
        END $$;
"""

from alembic import op

from omega_bridge.errors import Irreversible
import omega_bridge.revisions.operations  # op.ensure and its kin

revision = "37a428175f41"
down_revision = "fe62ec94caa7"
branch_labels = None
depends_on = None

steps = ("drop-credentials-credentials-pkey",)
checksums = ("c1:0d065a74f0fad73beeb89e91963b0708cf9e53447cce1a67e86cbb5dcd715872",)


def upgrade() -> None:
    op.attempt_step("""\

    DO $$
    BEGIN
        IF EXISTS (
            SELECT 1 FROM information_schema.columns
            WHERE table_name = 'credentials' AND column_name = 'id' AND data_type IN ('integer', 'bigint')
        ) THEN
            ALTER TABLE credentials DROP CONSTRAINT credentials_pkey;
            ALTER TABLE credentials RENAME COLUMN id TO legacy_id;
            ALTER TABLE credentials ADD COLUMN id UUID NOT NULL DEFAULT gen_random_uuid();
            ALTER TABLE credentials ADD CONSTRAINT credentials_pkey PRIMARY KEY (id);
        END IF;
    END $$;
    """)


def downgrade() -> None:
    raise Irreversible(
        "revision 37a428175f41 (drop-credentials-credentials-pkey) has no way back: the step's own SQL was run (its guard asks for more than whether an object is there)",
        hint="Restore a backup, or write the way back by hand; what the revision did is in the ledger.",
    )
