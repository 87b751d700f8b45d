"""As many minimal revisions as one likes, as ``alembic revision`` writes them."""

from __future__ import annotations

import hashlib
from pathlib import Path

_REVISION = '''"""step {number}

Revision ID: {revision}
Revises: {down}
Create Date: 2024-03-01 12:00:00.000000

"""
from typing import Sequence, Union

from alembic import op
import sqlalchemy as sa


# revision identifiers, used by Alembic.
revision: str = {revision!r}
down_revision: Union[str, Sequence[str], None] = {down_or_none!r}
branch_labels: Union[str, Sequence[str], None] = None
depends_on: Union[str, Sequence[str], None] = None


def upgrade() -> None:
    """Upgrade schema."""
    op.add_column("bench_{table}", sa.Column("c{number}", sa.String(length=64), nullable=True))


def downgrade() -> None:
    """Downgrade schema."""
    op.drop_column("bench_{table}", "c{number}")
'''

_ENVIRONMENT = '''"""What alembic init writes, without the parts that no command here needs."""

import os

from alembic import context
from sqlalchemy import create_engine

with create_engine(os.environ["DATABASE_URL"].replace("postgresql://", "postgresql+psycopg://", 1)).connect() as connection:
    context.configure(connection=connection)
    with context.begin_transaction():
        context.run_migrations()
'''


def write_history(folder: Path, count: int) -> None:
    """A folder that Alembic can use."""
    versions = folder / "versions"
    versions.mkdir(parents=True)
    (folder / "env.py").write_text(_ENVIRONMENT)
    down = None
    for number in range(1, count + 1):
        revision = hashlib.sha256(f"{number}".encode()).hexdigest()[:12]
        text = _REVISION.format(number=number, revision=revision, down=down or "", down_or_none=down, table=number % 50)
        (versions / f"{revision}_step_{number}.py").write_text(text)
        down = revision
