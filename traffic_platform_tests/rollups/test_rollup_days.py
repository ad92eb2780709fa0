"""Days are those that the platform's clock shows."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import psycopg
import pytest

from traffic_platform.rollups import recompute
from traffic_platform_tests.rollups.readings import add_sensor, every
from traffic_platform_tests.rollups.rolled import deliver, everything, roll_up_everything, rolled


@pytest.mark.parametrize(
    ("zone", "day", "starts", "hours"),
    [
        ("UTC", date(2025, 3, 30), "2025-03-30 00:00", 24),
        ("Europe/Berlin", date(2025, 3, 30), "2025-03-29 23:00", 23),
        ("Europe/Berlin", date(2025, 10, 26), "2025-10-25 22:00", 25),
        ("Asia/Kathmandu", date(2025, 10, 26), "2025-10-25 18:15", 24),
        ("Australia/Lord_Howe", date(2025, 4, 6), "2025-04-05 13:00", 24.5),
        # The clock goes from 1:00 back to midnight, so that midnight comes twice.
        ("America/Havana", date(2025, 11, 2), "2025-11-02 04:00", 25),
        # It goes from midnight to 1:00: the day begins at 1:00.
        ("Africa/Cairo", date(2025, 4, 25), "2025-04-24 22:00", 23),
    ],
)
def test_a_day_has_the_hours_that_the_clock_shows(
    owner: psycopg.Connection, zone: str, day: date, starts: str, hours: float
) -> None:
    owner.execute("update traffic.platform set timezone = %s", (zone,))
    add_sensor(owner, "a", interval_s=300, length_mi=1, free_flow_mph=60)
    start = datetime.fromisoformat(starts).replace(tzinfo=UTC)
    buckets = round(hours * 12)
    # An hour of the day before and after, with a volume of its own.
    deliver(owner, "a", every(300, start - timedelta(hours=1), 12, volume=12))
    deliver(owner, "a", every(300, start, buckets, volume=1200))
    deliver(owner, "a", every(300, start + timedelta(hours=hours), 12, volume=24))
    roll_up_everything(owner)
    before, of_day, after = rolled(owner, "readings_daily")
    assert [row["date"] for row in (before, of_day, after)] == [
        day - timedelta(days=1), day, day + timedelta(days=1)
    ]  # fmt: skip
    assert [row["sum_volume"] for row in (before, after)] == [144, 288]
    assert (of_day["samples"], of_day["vehicles"]) == (buckets, 100 * buckets)
    assert (of_day["completeness"], of_day["observed_share"]) == (1.0, 1.0)
    result = everything(owner)
    recompute(owner, [day + timedelta(days=offset) for offset in (-1, 0, 1)])
    assert everything(owner) == result


def test_a_date_that_the_zone_left_out_has_no_row(owner: psycopg.Connection) -> None:
    owner.execute("update traffic.platform set timezone = 'Pacific/Apia'")
    add_sensor(owner, "a", interval_s=300)
    deliver(owner, "a", every(300, datetime(2011, 12, 30, 9, tzinfo=UTC), 24))
    roll_up_everything(owner)
    assert [row["date"] for row in rolled(owner, "readings_daily")] == [
        date(2011, 12, 29), date(2011, 12, 31)
    ]  # fmt: skip
    assert recompute(owner, [date(2011, 12, 30)]).buckets == 0
