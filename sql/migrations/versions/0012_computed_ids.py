"""Ids of readings computed where they are read, by servers that can."""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """Run the SQL file beside this one."""
    script = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")
    op.get_bind().connection.driver_connection.execute(script)


def downgrade() -> None:
    """Store them again, which rewrites the tables."""
    script = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")
    stored = script.replace(") virtual;", ") stored;")
    op.get_bind().connection.driver_connection.execute(stored)
