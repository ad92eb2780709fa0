"""The ledger, the three event tables, quarantine, and the roles that may touch them."""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create the schema `traffic` from the SQL file beside this one."""
    script = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")
    # By the driver itself: SQLAlchemy passes parameters, and psycopg then reads each % as one.
    op.get_bind().connection.driver_connection.execute(script)


def downgrade() -> None:
    """Going back from the first migration would delete the evidence, so it is refused."""
    raise RuntimeError("the first migration is not undone: drop the database instead")
