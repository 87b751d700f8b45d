# made from the step registry by: omega-bridge export -- do not edit; check with: omega-bridge export --check
"""\
function-nexus-touch-updated-at: 11. updated_at automático

Revision ID: f8888de83e51
Revises: bd3be67aa693
Kind: step
Step: function-nexus-touch-updated-at (examples/nexus/main.py:414)
Checksum: c1:ac1bc83bacdd7de504d594f1a463df11a4196991e0b699560bef2641f77e1fc5
Translation: 4 of 4 statements as Alembic operations
Effects:
  - function nexus_touch_updated_at()
  - trigger chat_conversations.trg_chat_conversations_updated_at is gone
  - trigger chat_conversations.trg_chat_conversations_updated_at
  - trigger business_assets.trg_business_assets_updated_at

SQL of the step, as the list has it:

        CREATE OR REPLACE FUNCTION nexus_touch_updated_at() RETURNS trigger AS $fn$
        BEGIN
            NEW.updated_at := now();
            RETURN NEW;
        END;
        $fn$ LANGUAGE plpgsql;

        DROP TRIGGER IF EXISTS trg_chat_conversations_updated_at ON chat_conversations;
        CREATE TRIGGER trg_chat_conversations_updated_at
            BEFORE UPDATE ON chat_conversations
            FOR EACH ROW EXECUTE FUNCTION nexus_touch_updated_at();

        DO $$
        BEGIN
            IF NOT EXISTS (SELECT 1 FROM pg_trigger WHERE tgname = 'trg_business_assets_updated_at') THEN
                CREATE TRIGGER trg_business_assets_updated_at
                    BEFORE UPDATE ON business_assets
                    FOR EACH ROW EXECUTE FUNCTION nexus_touch_updated_at();
            END IF;
        END $$;
"""

from alembic import op

import omega_bridge.revisions.operations  # op.ensure and its kin

revision = "f8888de83e51"
down_revision = "bd3be67aa693"
branch_labels = None
depends_on = None

steps = ("function-nexus-touch-updated-at",)
checksums = ("c1:ac1bc83bacdd7de504d594f1a463df11a4196991e0b699560bef2641f77e1fc5",)


def upgrade() -> None:
    op.ensure("function", "nexus_touch_updated_at()", """\
CREATE OR REPLACE FUNCTION nexus_touch_updated_at() RETURNS trigger AS $fn$
    BEGIN
        NEW.updated_at := now();
        RETURN NEW;
    END;
    $fn$ LANGUAGE plpgsql""", replace=True)
    op.ensure_absent("trigger", "trg_chat_conversations_updated_at", table="chat_conversations")
    op.ensure("trigger", "trg_chat_conversations_updated_at", "CREATE TRIGGER trg_chat_conversations_updated_at BEFORE UPDATE ON chat_conversations FOR EACH ROW EXECUTE FUNCTION nexus_touch_updated_at()", table="chat_conversations")
    op.ensure("trigger", "trg_business_assets_updated_at", "CREATE TRIGGER trg_business_assets_updated_at BEFORE UPDATE ON business_assets FOR EACH ROW EXECUTE FUNCTION nexus_touch_updated_at()", table="business_assets")


def downgrade() -> None:
    op.ensure_absent("trigger", "trg_business_assets_updated_at", table="business_assets")
    op.ensure_absent("trigger", "trg_chat_conversations_updated_at", table="chat_conversations")
    op.ensure_absent("function", "nexus_touch_updated_at()")
