"""Publishing to traffic-events, and replaying quarantine."""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Run the SQL file beside this one."""
    script = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")
    op.get_bind().connection.driver_connection.execute(script)


def downgrade() -> None:
    """What was published or replayed cannot be taken back, so going back is refused."""
    raise RuntimeError("positions of what was published would be lost: drop the database instead")
