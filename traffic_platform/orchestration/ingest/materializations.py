"""Materializations of ingest runs and roll-ups: one per table and event date, with figures.

They are small on purpose, because an event takes 1.6 kB: they hold sums and ranges, and a query
for the rows of `traffic.micro_batches`, where every micro-batch has its own figures.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

from dagster import AssetKey, AssetMaterialization, MetadataValue

from traffic_platform.orchestration.keys import (
    PROCESSED_EVENTS,
    RAW_EVENTS,
    ROLLUPS,
    TRAFFIC_READINGS,
)

if TYPE_CHECKING:
    from traffic_platform.ingest.totals import DateTotals, IngestTotals
    from traffic_platform.rollups import Changes, RollupResult

# Up to this many partitions the metadata lists offset ranges, beyond it only their number.
MOST_RANGES = 12

Metadata = Mapping[str, Any]
_FIGURES: Mapping[AssetKey, Callable[[IngestTotals, DateTotals], Metadata]] = {
    RAW_EVENTS: lambda _, day: {"messages": day.raw, "quarantined": day.quarantined},
    PROCESSED_EVENTS: lambda _, day: {"events": day.processed},
    TRAFFIC_READINGS: lambda totals, day: {
        "events": day.processed,
        "inserted (all dates)": totals.inserted,
        "updated (all dates)": totals.updated,
        "unchanged (all dates)": totals.unchanged,
        "superseded (all dates)": totals.superseded,
    },
}


def ingest_materializations(totals: IngestTotals, run_id: str) -> list[AssetMaterialization]:
    """Return the events for what an ingest run stored since its last report.

    In the order of dates, then tables. A table without new rows for a date has no event.
    """
    return [
        AssetMaterialization(
            asset_key=key,
            partition=day.isoformat(),
            metadata={**figures(totals, counts), **_common(totals, day, counts, run_id)},
        )
        for day, counts in sorted(totals.dates.items())
        for key, figures in _FIGURES.items()
        if (counts.raw if key == RAW_EVENTS else counts.processed)
    ]


def rollup_materializations(result: RollupResult) -> list[AssetMaterialization]:
    """Return the events for changed roll-ups, in the order of dates, then tables."""
    return [
        AssetMaterialization(
            asset_key=key,
            partition=day.isoformat(),
            metadata=table_changes(result.of(key.path[-1], day)),
        )
        for day in sorted({day for dates in result.tables.values() for day in dates})
        for key in ROLLUPS
        if result.of(key.path[-1], day).total
    ]


def table_changes(changes: Changes) -> Metadata:
    """Return the changed rows of a roll-up as metadata."""
    return {
        "rows added": changes.added,
        "rows changed": changes.changed,
        "rows removed": changes.removed,
    }


def _common(totals: IngestTotals, day: date, counts: DateTotals, run_id: str) -> Metadata:
    metadata: dict[str, Any] = {
        "offsets": _ranges(counts),
        "lag": totals.lag,
        "micro-batches (all dates)": totals.batches,
        "audit rows": MetadataValue.md(f"```sql\n{audit_query(run_id, day)}\n```"),
    }
    if counts.first_event_us is not None and counts.last_event_us is not None:
        metadata["first event"] = _time(counts.first_event_us)
        metadata["last event"] = _time(counts.last_event_us)
    return metadata


def audit_query(run_id: str, day: date) -> str:
    """Return the SQL that shows a run's micro-batches with events of a date."""
    # People copy this query; nothing here executes it.
    return "\n".join(
        [
            "select * from traffic.micro_batches",
            f"where (run_id = '{run_id}' or run_ids @> array['{run_id}'])",
            f"  and event_dates @> array['{day.isoformat()}'::date]",
            "order by batch_id",
        ]
    )


def _ranges(counts: DateTotals) -> str:
    if len(counts.offsets) > MOST_RANGES:
        return f"{len(counts.offsets)} partitions; see the audit rows"
    return ", ".join(
        f"{topic}/{partition}: {first}-{following - 1}"
        for (topic, _, partition), (first, following) in sorted(counts.offsets.items())
    )


def _time(microseconds: int) -> MetadataValue:
    return MetadataValue.timestamp(datetime.fromtimestamp(microseconds / 1e6, tz=UTC))
