# made from the step registry by: omega-bridge export -- do not edit; check with: omega-bridge export --check
"""\
drop-system-events: 7. System events: el id tiene que ser UUID. Si quedó la versión bigint se tira y se crea de nuevo

Revision ID: 1be19773b488
Revises: 2657d3b03825
Kind: step
Step: drop-system-events (examples/nexus/main.py:300)
Checksum: c1:72fd02d90f21abee6a9e5a1533bae63c85116849ab5f0146cda7250cf3d3c29d
Translation: 0 of 1 statement as Alembic operations
  verbatim (1): its guard asks for more than whether an object is there
Downgrade: none: the step's own SQL was run (its guard asks for more than whether an object is there)
Effects:
  - table system_events is gone

SQL of the step, as the list has it:

        DO $$
        BEGIN
            IF EXISTS (
                SELECT 1 FROM information_schema.columns
                WHERE table_name = 'system_events' AND column_name = 'id' AND data_type <> 'uuid'
            ) THEN
                DROP TABLE system_events CASCADE;
            END IF;
        END $$;
"""

from alembic import op

from omega_bridge.errors import Irreversible
import omega_bridge.revisions.operations  # op.ensure and its kin

revision = "1be19773b488"
down_revision = "2657d3b03825"
branch_labels = None
depends_on = None

steps = ("drop-system-events",)
checksums = ("c1:72fd02d90f21abee6a9e5a1533bae63c85116849ab5f0146cda7250cf3d3c29d",)


def upgrade() -> None:
    op.attempt_step("""\

    DO $$
    BEGIN
        IF EXISTS (
            SELECT 1 FROM information_schema.columns
            WHERE table_name = 'system_events' AND column_name = 'id' AND data_type <> 'uuid'
        ) THEN
            DROP TABLE system_events CASCADE;
        END IF;
    END $$;
    """)


def downgrade() -> None:
    raise Irreversible(
        "revision 1be19773b488 (drop-system-events) has no way back: the step's own SQL was run (its guard asks for more than whether an object is there)",
        hint="Restore a backup, or write the way back by hand; what the revision did is in the ledger.",
    )
