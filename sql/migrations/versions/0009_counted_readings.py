"""Counted readings: how many there are by the clock; any page of a date is found."""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Run the SQL file beside this one."""
    script = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")
    op.get_bind().connection.driver_connection.execute(script)


def downgrade() -> None:
    """Drop the counts, the index by time and the function."""
    op.execute("drop function traffic.reading_json")
    op.execute("drop table traffic.reading_changes")
    op.execute("drop table traffic.reading_counts")
    op.execute("drop index traffic.traffic_readings_by_time")
