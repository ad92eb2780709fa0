"""Materializations of ingest runs and roll-ups."""

from __future__ import annotations

from datetime import UTC, date, datetime

from dagster import AssetMaterialization

from traffic_platform.ingest.totals import DateTotals, IngestTotals
from traffic_platform.orchestration.ingest.materializations import (
    MOST_RANGES,
    ingest_materializations,
    rollup_materializations,
)
from traffic_platform.orchestration.keys import (
    PROCESSED_EVENTS,
    RAW_EVENTS,
    READINGS_5MIN,
    TRAFFIC_READINGS,
)
from traffic_platform.rollups import Changes, RollupResult

NOON_US = int(datetime(2025, 10, 4, 12, tzinfo=UTC).timestamp() * 1_000_000)
SATURDAY, SUNDAY = date(2025, 10, 4), date(2025, 10, 5)


def totals() -> IngestTotals:
    """An ingest run over two dates, with one quarantined message on the second."""
    return IngestTotals(
        batches=3,
        delivered=13,
        raw=13,
        processed=12,
        quarantined=1,
        inserted=10,
        updated=1,
        unchanged=1,
        lag=4,
        dates={
            SUNDAY: DateTotals(raw=1, quarantined=1, offsets={("traffic-raw", 1, 0): (5, 6)}),
            SATURDAY: DateTotals(
                raw=12,
                processed=12,
                first_event_us=NOON_US,
                last_event_us=NOON_US + 60_000_000,
                offsets={("traffic-raw", 1, 1): (0, 7), ("traffic-raw", 1, 0): (0, 5)},
            ),
        },
    )


def values(event: AssetMaterialization) -> dict[str, object]:
    """The metadata's plain values."""
    return {name: value.value for name, value in event.metadata.items()}


def test_each_table_has_one_event_for_each_date_that_it_got_rows_of() -> None:
    events = ingest_materializations(totals(), "run")
    assert [(event.asset_key, event.partition) for event in events] == [
        (RAW_EVENTS, "2025-10-04"),
        (PROCESSED_EVENTS, "2025-10-04"),
        (TRAFFIC_READINGS, "2025-10-04"),
        (RAW_EVENTS, "2025-10-05"),
    ]


def test_an_event_shows_counts_offsets_lag_and_the_times_of_its_events() -> None:
    raw, _, readings, quarantined = ingest_materializations(totals(), "run")
    assert (
        values(raw).items()
        >= {
            "messages": 12,
            "quarantined": 0,
            "lag": 4,
            "offsets": "traffic-raw/0: 0-4, traffic-raw/1: 0-6",
            "first event": NOON_US / 1e6,
            "last event": NOON_US / 1e6 + 60,
        }.items()
    )
    assert values(readings)["inserted (all dates)"] == 10
    assert "first event" not in quarantined.metadata


def test_an_event_leads_to_the_audit_rows_of_its_run_and_date() -> None:
    event = ingest_materializations(totals(), "0b1c")[0]
    query = str(event.metadata["audit rows"].value)
    assert "run_id = '0b1c'" in query
    assert "event_dates @> array['2025-10-04'::date]" in query


def test_a_run_that_stored_nothing_logs_nothing() -> None:
    assert ingest_materializations(IngestTotals(), "run") == []


def test_offsets_of_very_many_partitions_are_not_spelled_out() -> None:
    many = totals()
    many.dates[SATURDAY].offsets = {("traffic-raw", 1, p): (0, 9) for p in range(MOST_RANGES + 1)}
    assert values(ingest_materializations(many, "run")[0])["offsets"] == (
        f"{MOST_RANGES + 1} partitions; see the audit rows"
    )


def test_roll_ups_have_one_event_for_each_changed_table_and_date() -> None:
    result = RollupResult()
    result.of("readings_5min", SUNDAY).add(Changes(added=2, changed=1))
    result.of("readings_5min", SATURDAY).add(Changes(removed=3))
    result.of("readings_daily", SATURDAY)
    events = rollup_materializations(result)
    assert [(event.asset_key, event.partition) for event in events] == [
        (READINGS_5MIN, "2025-10-04"),
        (READINGS_5MIN, "2025-10-05"),
    ]
    assert values(events[1]) == {"rows added": 2, "rows changed": 1, "rows removed": 0}
