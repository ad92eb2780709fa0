"""Ids of readings computed where they are read, by servers that can."""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """Run the SQL file beside this one; the view keeps its rights."""
    _run("0012_computed_ids.sql")


def downgrade() -> None:
    """Store them again."""
    _run("0012_stored_ids.sql")


def _run(name: str) -> None:
    connection = op.get_bind().connection.driver_connection
    rights = connection.execute(_read("0012_rights.sql")).fetchall()
    connection.execute(_read(name))
    for (grant,) in rights:
        connection.execute(grant)


def _read(name: str) -> str:
    return Path(__file__).with_name(name).read_text(encoding="utf-8")
