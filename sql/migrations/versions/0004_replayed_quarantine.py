"""What replaying quarantine has to know of a message."""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Run the SQL file beside this one."""
    script = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")
    op.get_bind().connection.driver_connection.execute(script)


def downgrade() -> None:
    """What was replayed would no longer be accounted for, so going back is refused."""
    raise RuntimeError("the dates of quarantined messages would be lost: drop the database instead")
