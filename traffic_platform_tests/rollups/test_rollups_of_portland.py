"""The real hour of Portland, from Kafka to the roll-ups."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from traffic_platform.demo.replay import replay
from traffic_platform.rollups import roll_up_all
from traffic_platform.sensors.sensor_import import import_sensors
from traffic_platform.settings import Settings
from traffic_platform_tests.integration.once import drain, rows

PORTLAND = Path(__file__).parents[2] / "examples" / "portland_i205"


def test_portlands_hour_has_its_vehicles_and_its_flow_weighted_speed(
    settings: Settings, make_topic: Callable[..., str]
) -> None:
    there = settings.model_copy(update={"timezone": "America/Los_Angeles"})
    with psycopg.connect(there.endpoints().owner_url, autocommit=True) as owner:
        owner.execute("update traffic.platform set timezone = 'America/Los_Angeles'")
    make_topic()
    import_sensors(there, PORTLAND)
    replay(there, PORTLAND / "freeway_loopdata_OneHour.csv")
    drain(there)
    roll_up_all(there)
    for table in ("readings_5min", "readings_hourly", "readings_daily"):
        [(vehicles, speed, samples)] = rows(
            there,
            f"select sum(vehicles), sum(sum_qv) / sum(sum_q), sum(samples) from traffic.{table}",
        )
        assert vehicles == pytest.approx(14_405)
        assert round(speed, 2) == 60.15
        assert samples == 12_407
    assert rows(there, "select distinct date::text from traffic.readings_daily") == [
        ("2011-09-15",)
    ]
    # No list tells the interval of 17 of the detectors; their readings do.
    assert rows(
        there,
        "select interval_s, inferred_interval_s, count(*)::int from traffic.sensors"
        " group by 1, 2 order by 1",
    ) == [(20, None, 52), (None, 20, 17)]
