"""The order time of messages, and the number of superseded events of a batch."""

from __future__ import annotations

from alembic import op

from traffic_platform.statements import statement

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    """Add the columns, and continue the order of the messages that are stored."""
    connection = op.get_bind().connection.driver_connection
    connection.execute(statement("migrations/order_time"))


def downgrade() -> None:
    """Refuse: without these columns the order of stored messages is unknown."""
    raise RuntimeError("This migration cannot be undone. Restore a backup made before it.")
