"""Due maintenance, found without reading the tables."""

from __future__ import annotations

from datetime import datetime

from traffic_platform.maintenance.index_closed_months import unindexed_months
from traffic_platform.maintenance.partitions_ahead import missing_partitions
from traffic_platform.postgres.connections import Connection
from traffic_platform.postgres.event_partitions import Partition
from traffic_platform.postgres.lock_retry import LockRetry
from traffic_platform.retention.expired_partitions import Retention
from traffic_platform.settings import Settings


def find_work(connection: Connection, settings: Settings, now: datetime) -> list[Partition]:
    """Return partitions to create, probably expired ones, and closed months without index.

    The reading role suffices. A partition ahead is missing every day, so there is work every day;
    the compaction, which is never urgent, needs no search of its own. Raises psycopg.Error.
    """
    retention = Retention(connection, settings, LockRetry())
    return [
        *missing_partitions(connection, now),
        *retention.find_expired(now),
        *unindexed_months(connection, now),
    ]
