# made from the step registry by: omega-bridge export -- do not edit; check with: omega-bridge export --check
"""\
chat-media-type-value-sticker: 8b. stickers (WhatsApp los manda como webp)

Revision ID: 9a73fb4e81fc
Revises: fe9c780df81a
Kind: step
Step: chat-media-type-value-sticker (examples/nexus/main.py:349)
Checksum: c1:ee7b1e5e6a87be776b12df01c1bdc4649a7ac7858c00b92e5a25539dc75a71e0
Translation: 1 of 1 statement as Alembic operations
Downgrade: none: PostgreSQL has no way to take a value out of an enum type
Effects:
  - enum chat_media_type has the label sticker

SQL of the step, as the list has it:

    ALTER TYPE chat_media_type ADD VALUE IF NOT EXISTS 'sticker'
"""

from alembic import op

from omega_bridge.errors import Irreversible
import omega_bridge.revisions.operations  # op.ensure and its kin

revision = "9a73fb4e81fc"
down_revision = "fe9c780df81a"
branch_labels = None
depends_on = None

steps = ("chat-media-type-value-sticker",)
checksums = ("c1:ee7b1e5e6a87be776b12df01c1bdc4649a7ac7858c00b92e5a25539dc75a71e0",)


def upgrade() -> None:
    op.ensure_enum_value("chat_media_type", "sticker")


def downgrade() -> None:
    raise Irreversible(
        "revision 9a73fb4e81fc (chat-media-type-value-sticker) has no way back: PostgreSQL has no way to take a value out of an enum type",
        hint="Restore a backup, or write the way back by hand; what the revision did is in the ledger.",
    )
