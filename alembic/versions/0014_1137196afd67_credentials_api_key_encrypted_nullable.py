# made from the step registry by: omega-bridge export -- do not edit; check with: omega-bridge export --check
"""\
credentials-api-key-encrypted-nullable: 3d. ...y las columnas viejas ya no son obligatorias; name/value salen de ellas la primera vez

Revision ID: 1137196afd67
Revises: 37a428175f41
Kind: step
Step: credentials-api-key-encrypted-nullable (examples/nexus/main.py:170)
Checksum: c1:ce4bc4d683ce8f20fc10b9ad676a2fb556cf4b05fdc2ea866d4ac0d7cb3e95e8
Translation: 0 of 3 statements as Alembic operations
  verbatim (3): rows are touched under a guard
Downgrade: none: the step's own SQL was run (rows are touched under a guard)
Effects:
  - column credentials.api_key_encrypted: nullable
  - column credentials.service_name: nullable

SQL of the step, as the list has it:

        DO $$
        BEGIN
            IF EXISTS (SELECT 1 FROM information_schema.columns
                       WHERE table_name = 'credentials' AND column_name = 'api_key_encrypted') THEN
                IF EXISTS (SELECT 1 FROM information_schema.columns
                           WHERE table_name = 'credentials' AND column_name = 'api_key_encrypted'
                             AND is_nullable = 'NO') THEN
                    ALTER TABLE credentials ALTER COLUMN api_key_encrypted DROP NOT NULL;
                    ALTER TABLE credentials ALTER COLUMN service_name DROP NOT NULL;
                END IF;
                EXECUTE 'UPDATE credentials SET name = service_name, value = api_key_encrypted
                         WHERE name IS NULL AND value IS NULL AND service_name IS NOT NULL';
            END IF;
        END $$;
"""

from alembic import op

from omega_bridge.errors import Irreversible
import omega_bridge.revisions.operations  # op.ensure and its kin

revision = "1137196afd67"
down_revision = "37a428175f41"
branch_labels = None
depends_on = None

steps = ("credentials-api-key-encrypted-nullable",)
checksums = ("c1:ce4bc4d683ce8f20fc10b9ad676a2fb556cf4b05fdc2ea866d4ac0d7cb3e95e8",)


def upgrade() -> None:
    op.run_step("""\

    DO $$
    BEGIN
        IF EXISTS (SELECT 1 FROM information_schema.columns
                   WHERE table_name = 'credentials' AND column_name = 'api_key_encrypted') THEN
            IF EXISTS (SELECT 1 FROM information_schema.columns
                       WHERE table_name = 'credentials' AND column_name = 'api_key_encrypted'
                         AND is_nullable = 'NO') THEN
                ALTER TABLE credentials ALTER COLUMN api_key_encrypted DROP NOT NULL;
                ALTER TABLE credentials ALTER COLUMN service_name DROP NOT NULL;
            END IF;
            EXECUTE 'UPDATE credentials SET name = service_name, value = api_key_encrypted
                     WHERE name IS NULL AND value IS NULL AND service_name IS NOT NULL';
        END IF;
    END $$;
    """)


def downgrade() -> None:
    raise Irreversible(
        "revision 1137196afd67 (credentials-api-key-encrypted-nullable) has no way back: the step's own SQL was run (rows are touched under a guard)",
        hint="Restore a backup, or write the way back by hand; what the revision did is in the ledger.",
    )
