"""Helpers for tests of maintenance."""

from __future__ import annotations

from typing import Any

from traffic_platform.maintenance import MaintenanceReport, maintain_tables
from traffic_platform.postgres.lock_retry import LockRetry
from traffic_platform.settings import Settings
from traffic_platform.verify import VerifyReport, verify
from traffic_platform_tests.integration.once import rows


def keep(settings: Settings, **options: Any) -> MaintenanceReport:
    """Run maintenance with little time to wait for locks."""
    return maintain_tables(settings, **{"lock_retry": LockRetry(seconds=1), **options})


def dropped(report: MaintenanceReport) -> set[str]:
    """Return the names of the dropped partitions that had rows."""
    return {one.partition.name for one in report.retired.dropped if one.rows}


def proof(settings: Settings) -> VerifyReport:
    """Return the report of a deep verification that must find no difference."""
    report = verify(settings, deep=True)
    assert report.holds, [finding.sentence for finding in report.findings]
    return report


def partitions(settings: Settings, parent: str) -> set[str]:
    """Return the names of the partitions of a table."""
    query = (
        "select c.relname from pg_inherits i join pg_class c on c.oid = i.inhrelid"
        " where i.inhparent = %s::regclass"
    )
    return {name for (name,) in rows(settings, query, (f"traffic.{parent}",))}


def count(settings: Settings, table: str) -> int:
    """Return the number of rows of a table."""
    return rows(settings, f"select count(*) from traffic.{table}")[0][0]


SUMS = (
    "select sum(delivered), sum(raw), sum(processed), sum(quarantined), sum(inserted),"
    " sum(updated), sum(unchanged), sum(superseded), sum(batches),"
    " (select jsonb_object_agg(day, numbers) from ("
    "   select d.key as day, array[sum((d.value ->> 'raw')::int),"
    "     sum((d.value ->> 'processed')::int), sum((d.value ->> 'quarantined')::int)] as numbers"
    "   from traffic.micro_batches, jsonb_each(date_counts) d group by d.key) dates)"
    " from traffic.micro_batches"
)


def sums(settings: Settings) -> tuple[Any, ...]:
    """Return sums over all audit rows, and by event date."""
    return rows(settings, SUMS)[0]
