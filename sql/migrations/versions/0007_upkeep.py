"""Upkeep: folded audit rows, what retention dropped, and the dropping of partitions."""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Run the SQL file beside this one."""
    script = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")
    op.get_bind().connection.driver_connection.execute(script)


def downgrade() -> None:
    """Take it back, while nothing was folded or dropped: that cannot be brought back."""
    used = op.get_bind().exec_driver_sql(
        "select exists (select from traffic.micro_batches where batches > 1)"
        " or exists (select from traffic.dropped_rows)"
    )
    if used.scalar():
        raise RuntimeError("what was folded and dropped cannot be brought back")
    op.execute("drop function traffic.drop_partition(text, date, bigint)")
    op.execute("drop view traffic.dropped_logs")
    op.execute("drop table traffic.dropped_rows, traffic.folded_logs")
    op.execute("drop index traffic.micro_batches_by_number")
    op.execute(
        "alter table traffic.micro_batches drop column last_batch_id, drop column batches,"
        " drop column run_ids, drop column first_committed_at, drop column dropped_raw,"
        " drop column dropped_processed"
    )
