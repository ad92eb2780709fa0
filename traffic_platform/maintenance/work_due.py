"""Whether there is anything to do, told without reading the tables."""

from __future__ import annotations

from datetime import datetime

from traffic_platform.maintenance.index_closed_months import months_without_order
from traffic_platform.maintenance.partitions_ahead import missing_partitions
from traffic_platform.postgres.event_partitions import Connection, Partition
from traffic_platform.postgres.lock_retry import LockRetry
from traffic_platform.retention.expired_partitions import Retention
from traffic_platform.settings import Settings


def find_work(connection: Connection, settings: Settings, now: datetime) -> list[Partition]:
    """Partitions that should be there, seem old enough to go, or are over and not in order.

    The reading role may ask.
    A day further every partition made ahead is one short: so there is work each day, and folding,
    which never is urgent, goes with it. Raises psycopg.Error.
    """
    retention = Retention(connection, settings, LockRetry())
    return [
        *missing_partitions(connection, now),
        *retention.seem_old(now),
        *months_without_order(connection, now),
    ]
