"""Give what a sensor is a validity in time: sensor_periods."""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    """Turn the values of each sensor into a period since the beginning."""
    script = Path(__file__).parents[1] / "sensor_periods.sql"
    # By the driver itself: SQLAlchemy passes parameters, and psycopg then reads each % as one.
    op.get_bind().connection.driver_connection.execute(script.read_text(encoding="utf-8"))


def downgrade() -> None:
    """Refuse: the periods before the current one would be lost."""
    raise RuntimeError("This migration cannot be undone. Restore a backup instead.")
