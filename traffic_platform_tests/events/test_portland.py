"""The quality tests against the flags that PORTAL's archive gave the same records."""

from __future__ import annotations

import csv
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import msgspec
import numpy as np
import pytest

from traffic_platform.events import quality_tests
from traffic_platform.events.columns import Decoded
from traffic_platform.events.decode import Decoder
from traffic_platform.events.rules import Rules

HOUR = Path(__file__).parents[2] / "examples/portland_i205/freeway_loopdata_OneHour.csv"
RULES = Rules(date(2010, 1, 1), None, "UTC")
ARRIVAL_US = 1_759_579_200_000_000
Measures = tuple[float | None, float | None, float | None]


def records() -> list[dict[str, str]]:
    """The rows of the file."""
    with HOUR.open(newline="") as lines:
        return list(csv.DictReader(lines))


def decode(measures: list[Measures], *, nested: bool) -> Decoded:
    """The measures as events, a second apart, decoded."""
    start = datetime(2011, 9, 15, tzinfo=UTC)
    values: list[bytes | None] = []
    for second, (speed, volume, occupancy) in enumerate(measures):
        body: dict[str, object] = {"speed": speed, "volume": volume, "occupancy": occupancy}
        if nested:
            names = ("speed_mph", "volume_vehicles_per_hour", "occupancy_percent")
            body = {"traffic_data": dict(zip(names, (speed, volume, occupancy), strict=True))}
        time = (start + timedelta(seconds=second)).isoformat()
        values.append(msgspec.json.encode({"sensor_id": 1345, "timestamp": time, **body}))
    return Decoder(RULES).decode(values, ARRIVAL_US)


def by_seven_tests(decoded: Decoded) -> tuple[quality_tests.Flags, quality_tests.Floats]:
    """Return the flags and scores of events by the archive's seven tests."""
    events, seven = decoded.processed, quality_tests.QUALITY_TESTS[:7]
    measures = events.measures
    flags = quality_tests.flags(measures, seven)
    assert (flags == events.quality_flags & 127).all()
    none = np.full(len(events), np.nan)
    return flags, quality_tests.score(measures, flags, none, seven)


def expected_flags(speed: float | None, volume: float | None, occupancy: float | None) -> int:
    """The seven tests, one reading at a time, as the design states them."""
    tests = {
        1: volume is not None and volume > 3060,
        2: occupancy is not None and occupancy > 95,
        4: speed is not None and speed > 100,
        8: speed is not None and speed < 5,
        16: speed == 0 and volume is not None and volume > 0,
        32: speed is not None and speed > 0 and volume == 0,
        64: occupancy is not None and occupancy > 0 and volume == 0,
    }
    return sum(bit for bit, failed in tests.items() if failed)


def number(text: str) -> float | None:
    """A cell; empty is null."""
    return float(text) if text else None


@pytest.mark.parametrize("nested", [False, True])
def test_all_flags_of_the_hour_are_reproduced_in_both_formats(nested: bool) -> None:
    rows = records()
    measures: list[Measures] = []
    for row in rows:
        count = number(row["volume"])
        volume = None if count is None else count * 180
        measures.append((number(row["speed"]), volume, number(row["occupancy"])))
    decoded = decode(measures, nested=nested)
    flags, _ = by_seven_tests(decoded)
    assert (len(rows), len(decoded.processed), len(decoded.quarantined)) == (12_420, 12_407, 13)
    assert {item.reason.value for item in decoded.quarantined} == {"no_measures"}
    wanted = [int(rows[index]["dqflags"]) for index in decoded.processed.index]
    assert flags.tolist() == wanted


def test_altered_values_get_the_flags_that_the_tests_say() -> None:
    speeds: list[float | None] = [None, 0.0, 4.9, 5.0, 60.0, 100.0, 100.1]
    volumes: list[float | None] = [None, 0.0, 180.0, 3060.0, 3061.0]
    occupancies: list[float | None] = [None, 0.0, 0.1, 95.0, 95.1]
    measures = [
        (speed, volume, occupancy)
        for speed in speeds
        for volume in volumes
        for occupancy in occupancies
        if (speed, volume, occupancy) != (None, None, None)
    ]
    decoded = decode(measures, nested=False)
    assert len(decoded.processed) == len(measures)
    flags, _ = by_seven_tests(decoded)
    assert flags.tolist() == [expected_flags(*reading) for reading in measures]
    assert np.bitwise_or.reduce(flags) == 127


def expected_score(speed: float | None, volume: float | None, occupancy: float | None) -> float:
    """Share of the applying tests that pass, one reading at a time, as the design states it."""
    present = [measure for measure in (speed, volume, occupancy) if measure is not None]
    if not any(present):
        return 1.0
    named = [(volume,), (occupancy,), (speed,), (speed,), (speed, volume), (speed, volume),
             (occupancy, volume)]  # fmt: skip
    applying = sum(None not in measures for measures in named)
    failed = bin(expected_flags(speed, volume, occupancy)).count("1")
    return round((applying - failed) / applying, 2)


@pytest.mark.parametrize("nested", [False, True])
def test_an_altered_hour_gets_the_flags_and_scores_that_the_tests_say(nested: bool) -> None:
    alterations = [
        lambda s, v, o: (s, v, o),
        lambda s, v, o: (s and s * 2, v, o),  # speeds beyond 100
        lambda s, v, o: (s and s / 20, v, o),  # and below 5
        lambda s, v, o: (s, v and v * 8, o),  # volumes beyond 3,060
        lambda s, v, o: (s, 0, o),
        lambda s, v, o: (0, v, o),
        lambda s, v, o: (s, v, None if o is None else 100 - o),
        lambda s, v, o: (None, v, o),
        lambda s, v, o: (s, None, o),
        lambda s, v, o: (s, v, None),
    ]
    measures: list[Measures] = []
    for number_of_row, row in enumerate(records()):
        count, speed, occupancy = (number(row[name]) for name in ("volume", "speed", "occupancy"))
        volume = None if count is None else count * 180
        alter = alterations[number_of_row * 7 % len(alterations)]
        measures.append(alter(speed, volume, occupancy))
    decoded = decode(measures, nested=nested)
    events = [reading for reading in measures if reading != (None, None, None)]
    assert len(decoded.processed) == len(events)
    flags, scores = by_seven_tests(decoded)
    assert flags.tolist() == [expected_flags(*each) for each in events]
    assert scores.tolist() == [expected_score(*each) for each in events]
    assert np.bitwise_or.reduce(flags) == 127


def test_an_empty_road_scores_one_and_no_score_is_above_the_reported() -> None:
    [empty] = decode([(0.0, 0.0, 0.0)], nested=False).processed.quality_score
    assert empty == 1.0
    time = "2011-09-15T07:00:00Z"
    value = msgspec.json.encode(
        {"sensor_id": "a", "timestamp": time, "speed": 55.0, "volume": 900, "quality_score": 0.4}
    )
    [own] = Decoder(RULES).decode([value], ARRIVAL_US).processed.quality_score
    assert own == 0.4
