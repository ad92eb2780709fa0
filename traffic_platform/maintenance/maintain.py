"""Upkeep from end to end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import psycopg

from traffic_platform.errors import LockBusyError, translate
from traffic_platform.maintenance.compact_audit import Compacted, compact_audit
from traffic_platform.maintenance.index_closed_months import index_month, months_without_order
from traffic_platform.maintenance.partitions_ahead import make_ahead
from traffic_platform.postgres.connections import connect
from traffic_platform.postgres.event_partitions import Partition
from traffic_platform.postgres.identity import require_timezone
from traffic_platform.postgres.lock_retry import LockRetry
from traffic_platform.retention.expired_partitions import Retention, Retired
from traffic_platform.settings import Settings

UPKEEP_LOCK = 7_204_511_003  # one upkeep at a time per database


@dataclass
class MaintenanceReport:
    """What an upkeep made, folded, dropped and put in order."""

    made: list[Partition] = field(default_factory=list[Partition])
    folded: Compacted = field(default_factory=Compacted)
    retired: Retired = field(default_factory=Retired)
    ordered: list[Partition] = field(default_factory=list[Partition])


def maintain_tables(
    settings: Settings,
    *,
    now: datetime | None = None,
    stop: Callable[[], bool] = lambda: False,
    patience: LockRetry | None = None,
) -> MaintenanceReport:
    """Make partitions ahead, fold closed hours, drop what is too old, index months that are over.

    All of it runs beside live windows.

    `now` is the present, which tests choose. What was done stays done whatever ends this, and to
    call it again goes on. Raises LockBusyError while another upkeep runs, TransientError,
    PermanentError, ArchiveError, and SettingsError when this database keeps its dates in another
    time zone.
    """
    now = (now or datetime.now(UTC)).astimezone(UTC)
    url = settings.endpoints().ingest_url
    try:
        with connect(url, application_name="traffic-maintenance", autocommit=True) as connection:
            require_timezone(connection, settings.timezone)
            _lock(connection)
            report = _keep(connection, settings, now, patience or LockRetry(stop=stop))
            in_order = not months_without_order(connection, now)
        if not in_order and not stop():  # without the lock, which rebuilds wait for
            report.ordered = index_month(settings.endpoints().owner_url, now, stop)
        return report
    except Exception as error:
        raise translate(error) or error from error


def _keep(
    connection: psycopg.Connection[Any], settings: Settings, now: datetime, patience: LockRetry
) -> MaintenanceReport:
    report = MaintenanceReport()
    report.made = make_ahead(connection, now, patience)
    # Before anything goes: what is dropped is written down with the audit rows, and of these there
    # are fewer then.
    report.folded = compact_audit(connection, settings, now, stop=patience.stop)
    report.retired = Retention(connection, settings, patience).drop_old(now)
    return report


def _lock(connection: psycopg.Connection[Any]) -> None:
    row = connection.execute("select pg_try_advisory_lock(%s)", (UPKEEP_LOCK,)).fetchone()
    if row is None or not row[0]:
        raise LockBusyError("another upkeep is running")
