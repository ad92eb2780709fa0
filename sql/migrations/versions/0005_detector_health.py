"""Detector health: a diagnosis of every sensor and local day."""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Run the SQL file beside this one."""
    script = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")
    op.get_bind().connection.driver_connection.execute(script)


def downgrade() -> None:
    """Drop what can be computed again; whether a sensor is rural has to be imported again."""
    op.execute("drop view traffic.detector_health_detail")
    op.execute("drop table traffic.detector_health")
    op.execute("alter table traffic.sensors drop column rural")
