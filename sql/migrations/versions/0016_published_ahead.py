"""A table of messages in Kafka that were published before this database says so."""

from __future__ import annotations

from alembic import op

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    """Create `traffic.published_ahead`. The default privileges of the schema grant its use."""
    op.execute("""
        create table traffic.published_ahead (
            route text not null check (route in ('events', 'quarantine')),
            topic_no smallint not null,
            partition integer not null,
            "offset" bigint not null,
            primary key (route, topic_no, partition, "offset")
        )
    """)


def downgrade() -> None:
    """Refuse: without the table, published events would be published again."""
    raise RuntimeError("This migration cannot be undone. Restore a backup instead.")
