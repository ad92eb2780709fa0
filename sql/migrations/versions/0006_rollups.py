"""Roll-ups of readings by 5 minutes, hours and days, and what of them is to be computed again."""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Run the SQL file beside this one."""
    script = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")
    op.get_bind().connection.driver_connection.execute(script)


def downgrade() -> None:
    """Drop what can be computed again from the readings."""
    for table in ("readings_daily", "readings_hourly", "readings_5min", "dirty_buckets"):
        op.execute(f"drop table traffic.{table}")
    for column in ("inferred_interval_s", "inferred_free_flow_mph"):
        op.execute(f"alter table traffic.sensors drop column {column}")
