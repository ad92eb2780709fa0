"""The whole schema of a new database.

`traffic_platform.postgres.migrate` brings databases of version 0.1.0 (revision 0012) to the same
schema in place.
"""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0013"
down_revision = None


def upgrade() -> None:
    """Run the SQL files of the folder `baseline` in the order of their names."""
    folder = Path(__file__).parents[1] / "baseline"
    # By the driver itself: SQLAlchemy passes parameters, and psycopg then reads each % as one.
    connection = op.get_bind().connection.driver_connection
    for script in sorted(folder.glob("*.sql")):
        connection.execute(script.read_text(encoding="utf-8"))


def downgrade() -> None:
    """Refuse: without the first migration no data is left."""
    raise RuntimeError("The first migration cannot be undone. Drop the database instead.")
