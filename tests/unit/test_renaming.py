"""What a renamed attribute means for the steps that the list has already."""

from __future__ import annotations

from omega_bridge.catalog import Key, Kind
from omega_bridge.revisions.renaming import added_by
from omega_bridge.steps import Registry

OLD = Key(Kind.COLUMN, "public", "tenants", "phone")
GUARDED = (
    "DO $$ BEGIN IF NOT EXISTS (SELECT 1 FROM information_schema.columns WHERE table_name = 'tenants' AND column_name = 'phone') "
    "THEN ALTER TABLE tenants ADD COLUMN phone varchar(30); END IF; END $$"
)


def test_the_steps_that_would_make_the_old_column_again_are_named() -> None:
    """Guarded or not, a step that adds it does so at the next start, when it is gone; one that makes the table with it does not."""
    listed = Registry.of(
        [
            "CREATE TABLE IF NOT EXISTS tenants (id int, phone varchar(30))",
            GUARDED,
            ("plain", "ALTER TABLE tenants ADD COLUMN IF NOT EXISTS phone varchar(30)"),
            "ALTER TABLE tenants ADD COLUMN IF NOT EXISTS email text",
            "ALTER TABLE users ADD COLUMN IF NOT EXISTS phone text",
        ]
    )
    assert list(added_by(listed, OLD)) == ["tenants-phone", "plain"]
