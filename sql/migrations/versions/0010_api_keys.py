"""API keys: who may ask the API, when it is not only for this machine."""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Run the SQL file beside this one."""
    script = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")
    op.get_bind().connection.driver_connection.execute(script)


def downgrade() -> None:
    """Drop the keys, which cannot be had again."""
    op.execute("drop function traffic.find_api_keys(bytea[])")
    op.execute("drop table traffic.api_keys")
