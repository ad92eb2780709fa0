"""Rebuilt events: what a rebuild replaced."""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Run the SQL file beside this one."""
    script = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")
    op.get_bind().connection.driver_connection.execute(script)


def downgrade() -> None:
    """Drop the corrections; verify then names what rebuilds have replaced."""
    op.execute("drop table traffic.rebuilds")
    op.execute("drop table traffic.rebuilt_events")
