"""When dates were diagnosed, and an index of when batches were committed."""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """Run the SQL file beside this one."""
    script = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")
    op.get_bind().connection.driver_connection.execute(script)


def downgrade() -> None:
    """Drop them."""
    op.execute("drop index traffic.micro_batches_committed_at_idx")
    op.execute("drop table traffic.diagnosed_dates")
