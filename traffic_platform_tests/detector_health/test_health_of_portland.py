"""The recorded hour of Portland, which is outside the hours of the diagnosis."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import date
from pathlib import Path

import psycopg

from traffic_platform.demo.replay import replay
from traffic_platform.detector_health.daily_health import compute_health
from traffic_platform.rollups import infer
from traffic_platform.sensors.sensor_import import import_sensors
from traffic_platform.settings import Settings
from traffic_platform_tests.integration.once import drain

PORTLAND = Path(__file__).parents[2] / "examples" / "portland_i205"
THURSDAY = date(2011, 9, 15)


def test_portlands_hour_is_not_evaluated_and_the_days_after_it_have_no_data(
    settings: Settings, make_topic: Callable[..., str]
) -> None:
    there = settings.model_copy(update={"timezone": "America/Los_Angeles"})
    with psycopg.connect(there.endpoints().owner_url, autocommit=True) as owner:
        owner.execute("update traffic.platform set timezone = 'America/Los_Angeles'")
    make_topic()
    import_sensors(there, PORTLAND)
    replay(there, PORTLAND / "freeway_loopdata_OneHour.csv")
    drain(there)
    with psycopg.connect(there.endpoints().owner_url, autocommit=True) as owner:
        infer(owner)

    hour = compute_health(there, THURSDAY)
    assert hour.counts == Counter({"not_evaluated": 69})
    assert {row.seen for row in hour.rows} == {
        "All readings of this day are outside 05:00 to 21:59, the hours of the diagnosis."
    }
    assert {row.interval_s for row in hour.rows} == {20}
    assert {row.expected_samples for row in hour.rows} == {3_060}
    assert sum(row.interval_inferred for row in hour.rows) == 17
    assert hour.good_percent is None

    assert compute_health(there, date(2011, 9, 14)).rows == []
    assert compute_health(there, date(2011, 9, 16)).counts == Counter({"no_data": 69})
    years_later = compute_health(there, date(2025, 10, 4))
    assert years_later.counts == Counter({"no_data": 52})  # those that were imported


def test_by_the_days_of_utc_the_same_hour_is_the_first_of_every_detector(
    settings: Settings, make_topic: Callable[..., str]
) -> None:
    make_topic()
    import_sensors(settings, PORTLAND)
    replay(settings, PORTLAND / "freeway_loopdata_OneHour.csv")
    drain(settings)
    hour = compute_health(settings, THURSDAY)
    assert hour.counts == Counter({"not_evaluated": 69})
    assert {row.seen for row in hour.rows} == {"Its first day: reporting since 2011-09-15 07:00."}
