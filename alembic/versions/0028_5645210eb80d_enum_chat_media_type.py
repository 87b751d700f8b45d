# made from the step registry by: omega-bridge export -- do not edit; check with: omega-bridge export --check
"""\
enum-chat-media-type: 8. Chat media + su enum

Revision ID: 5645210eb80d
Revises: 116217f8debb
Kind: step
Step: enum-chat-media-type (examples/nexus/main.py:327)
Checksum: c1:596128ea0ae717f51f70bfd40b4da0484d3842057cb0dbeae4ff39ce551b84bb
Translation: 1 of 1 statement as Alembic operations
Effects:
  - enum chat_media_type: image, audio, video, document

SQL of the step, as the list has it:

        DO $$ BEGIN
            CREATE TYPE chat_media_type AS ENUM ('image', 'audio', 'video', 'document');
        EXCEPTION
            WHEN duplicate_object THEN NULL;
        END $$;
"""

from alembic import op

import omega_bridge.revisions.operations  # op.ensure and its kin

revision = "5645210eb80d"
down_revision = "116217f8debb"
branch_labels = None
depends_on = None

steps = ("enum-chat-media-type",)
checksums = ("c1:596128ea0ae717f51f70bfd40b4da0484d3842057cb0dbeae4ff39ce551b84bb",)


def upgrade() -> None:
    op.ensure("enum", "chat_media_type", "CREATE TYPE chat_media_type AS ENUM ('image', 'audio', 'video', 'document')")


def downgrade() -> None:
    op.ensure_absent("enum", "chat_media_type")
