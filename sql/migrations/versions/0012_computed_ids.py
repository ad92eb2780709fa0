"""Ids of readings computed where they are read, by servers that can."""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """Run the SQL file beside this one."""
    _run("0012_computed_ids.sql")


def downgrade() -> None:
    """Store them again."""
    _run("0012_stored_ids.sql")


def _run(name: str) -> None:
    script = Path(__file__).with_name(name).read_text(encoding="utf-8")
    op.get_bind().connection.driver_connection.execute(script)
