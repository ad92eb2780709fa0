"""All maintenance, in the required order."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from traffic_platform.errors import LockBusyError, translated
from traffic_platform.maintenance.compact_audit import Compacted, compact_audit
from traffic_platform.maintenance.index_closed_months import index_closed_months, unindexed_months
from traffic_platform.maintenance.partitions_ahead import create_ahead
from traffic_platform.postgres.connections import Connection, connect
from traffic_platform.postgres.event_partitions import Partition
from traffic_platform.postgres.identity import require_timezone
from traffic_platform.postgres.lock_retry import LockRetry
from traffic_platform.retention.expired_partitions import Retention, RetentionReport
from traffic_platform.settings import Settings

MAINTENANCE_LOCK = 7_204_511_003  # one maintenance at a time in a database


@dataclass
class MaintenanceReport:
    """Partitions created, audit rows compacted, partitions dropped and kept, months indexed."""

    created: list[Partition] = field(default_factory=list[Partition])
    compacted: Compacted = field(default_factory=Compacted)
    retired: RetentionReport = field(default_factory=RetentionReport)
    indexed: list[Partition] = field(default_factory=list[Partition])


def maintain_tables(
    settings: Settings,
    *,
    now: datetime | None = None,
    stop: Callable[[], bool] = lambda: False,
    lock_retry: LockRetry | None = None,
) -> MaintenanceReport:
    """Create partitions ahead, compact the audit, drop expired partitions, index closed months.

    It runs beside ingest. `now` is the current time, which tests choose. Another call continues
    after an interruption. Raises LockBusyError during another maintenance, TransientError,
    PermanentError, ArchiveError, and SettingsError when the database keeps its dates in another
    time zone.
    """
    now = (now or datetime.now(UTC)).astimezone(UTC)
    url = settings.endpoints().ingest_url
    with translated():
        with connect(url, application_name="traffic-maintenance", autocommit=True) as connection:
            require_timezone(connection, settings.timezone)
            _lock(connection)
            report = _maintain(connection, settings, now, lock_retry or LockRetry(stop=stop))
            unindexed = unindexed_months(connection, now)
        if unindexed and not stop():  # without the lock, since backfills wait for it
            report.indexed = index_closed_months(settings.endpoints().owner_url, now, stop)
        return report


def _maintain(
    connection: Connection, settings: Settings, now: datetime, lock_retry: LockRetry
) -> MaintenanceReport:
    report = MaintenanceReport()
    report.created = create_ahead(connection, now, lock_retry)
    # Before retention, which records dropped rows in the audit rows: then there are fewer of them.
    report.compacted = compact_audit(connection, settings, now, stop=lock_retry.stop)
    report.retired = Retention(connection, settings, lock_retry).drop_expired(now)
    return report


def _lock(connection: Connection) -> None:
    row = connection.execute("select pg_try_advisory_lock(%s)", (MAINTENANCE_LOCK,)).fetchone()
    if row is None or not row[0]:
        raise LockBusyError("another maintenance is running")
