"""Parts of the dashboard without a browser: layout, marks, times, templates and colours."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import product
from pathlib import Path
from uuid import UUID

import pytest

import traffic_platform.dashboard
from traffic_platform.dashboard.detectors.undiagnosed import undiagnosed
from traffic_platform.dashboard.overview.sensor_layout import lay_out
from traffic_platform.dashboard.reader.marks import Band, Health, band, sensor_health
from traffic_platform.dashboard.reader.sensors import LiveHealth, Reading, Sensor
from traffic_platform.dashboard.reader.state import State
from traffic_platform.dashboard.shared.days import Days
from traffic_platform.dashboard.shared.render import render
from traffic_platform.dashboard.shared.time_format import Zone, age
from traffic_platform.events.quality_tests import QUALITY_TESTS

NOW = datetime(2025, 10, 4, 12, tzinfo=UTC)
PAGE = Path(traffic_platform.dashboard.__file__).parent


def sensor(number: int, **fields: object) -> Sensor:
    known = Sensor(
        sensor_id=UUID(int=number), external_id=f"s{number}", name=None, road="R",
        direction="NORTH", milepost=1.0, latitude=None, longitude=None, interval_s=None,
        free_flow_mph=60.0,
        diagnosed_on=None, diagnosis=None, seen=None, field=None,
    )  # fmt: skip
    return replace(known, **fields)


def reading(number: int, ago_s: float = 10.0, **fields: object) -> Reading:
    known = Reading(UUID(int=number), NOW - timedelta(seconds=ago_s), 60.0, 600, 5.0, 0)
    return replace(known, **fields)


def test_lanes_lie_to_the_right_of_traffic() -> None:
    def at(direction: str, first: int) -> list[Sensor]:
        return [
            sensor(first + place, direction=direction, milepost=float(place),
                   latitude=45.0 + place / 100, longitude=-122.0)
            for place in range(3)
        ]  # fmt: skip

    layout = lay_out([*at("NORTH", 0), *at("SOUTH", 3)]).geographic
    assert [name for name, _ in layout.roads] == ["R NORTH", "R SOUTH"]
    assert [place[2] for place in layout.places] == [1, 1, 1, -1, -1, -1]  # east, then west


def test_sensors_without_coordinates_are_on_lines_and_others_listed() -> None:
    layouts = lay_out(
        [
            sensor(0, milepost=1.0),
            sensor(1, milepost=1.0),
            sensor(2, milepost=2.0),
            sensor(3, road="S"),
            sensor(4, milepost=None),
            sensor(5, road=None, latitude=45.0, longitude=-122.0),
        ]
    )
    assert layouts.schematic.places == [
        (1.0, 0.0, 0.0, -1.0, [0, 1]),
        (2.0, 0.0, 0.0, -1.0, [2]),
        (1.0, -1.0, 0.0, -1.0, [3]),
    ]
    assert layouts.unplaced == [4]
    assert [place[4] for place in layouts.geographic.places] == [[5]]
    assert layouts.geographic.roads == []


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"speed": 23.9}, Band.STOPPED),
        ({"speed": 24.0}, Band.SLOW),
        ({"speed": 36.0}, Band.DENSE),
        ({"speed": 48.0}, Band.STEADY),
        ({"speed": 57.0}, Band.FREE),
        ({"speed": None}, Band.UNKNOWN),
        ({"speed": 0.0, "volume": 0, "occupancy": 0.0}, Band.FREE),
        ({"speed": 0.0, "volume": 0, "occupancy": 80.0}, Band.UNKNOWN),
        ({"ago_s": 301.0}, Band.STALE),
    ],
)
def test_a_band_is_the_speed_relative_to_free_flow(
    fields: dict[str, object], expected: Band
) -> None:
    state = State(zone="UTC", sensors=[sensor(1)])
    state.add_newest([reading(1, **fields)])  # pyright: ignore[reportArgumentType]
    assert band(state, sensor(1), NOW) is expected


def test_a_slow_feed_is_recent_for_three_intervals() -> None:
    state = State(zone="UTC")
    state.add_newest([reading(1, ago_s=890)])
    assert band(state, sensor(1), NOW) is Band.STALE
    assert band(state, sensor(1, interval_s=300), NOW) is Band.FREE
    assert band(state, sensor(1, free_flow_mph=None, interval_s=300), NOW) is Band.UNKNOWN


def test_the_last_hour_takes_precedence_over_a_diagnosis() -> None:
    faulty = sensor(1, diagnosis="card_off")
    states = {
        "reporting": Health.DIAGNOSED, "stuck": Health.STUCK, "silent": Health.SILENT,
    }  # fmt: skip
    for state, health in states.items():
        known = State(zone="UTC", health={faulty.sensor_id: LiveHealth(state, "")})
        assert sensor_health(known, faulty) is health
    assert sensor_health(State(zone="UTC"), faulty) is Health.UNKNOWN


def test_an_empty_road_is_not_flagged() -> None:
    assert not reading(1, speed=0.0, volume=0, occupancy=0.0, quality_flags=8).is_flagged
    assert reading(1, quality_flags=8).is_flagged


def test_a_reading_names_every_test_that_it_failed() -> None:
    assert reading(1, speed=0.0, volume=0, occupancy=0.0, quality_flags=8).failed_tests == ""
    for test in QUALITY_TESTS:
        assert reading(1, quality_flags=test.bit).failed_tests == test.sentence
    every = sum(test.bit for test in QUALITY_TESTS)
    assert reading(1, quality_flags=every).failed_tests == ", ".join(
        test.sentence for test in QUALITY_TESTS
    )


def test_a_day_has_as_many_hours_as_its_clock() -> None:
    zone = Zone("America/Los_Angeles")
    assert len(zone.hours(date(2025, 10, 4))) == 25  # with the end
    spring = zone.hours(date(2025, 3, 9))
    assert (len(spring), spring[2], spring[-1]) == (24, (120, "03:00"), (1380, "24:00"))
    autumn = zone.hours(date(2025, 11, 2))
    assert (len(autumn), autumn[1:3]) == (26, [(60, "01:00"), (120, "01:00")])
    assert [age(each) for each in (7.4, 120, 7200, 3e5)] == ["7 s", "2 min", "2 h", "3 days"]


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        (datetime(2025, 10, 5, 11, 19, tzinfo=UTC), "A job computes it at 04:20 on 2025-10-05"),
        (datetime(2025, 10, 5, 11, 21, tzinfo=UTC), "traffic backfill --from 2025-10-04 --asset"),
    ],
)
def test_a_day_without_diagnosis_shows_how_to_compute_one(now: datetime, expected: str) -> None:
    day = date(2025, 10, 4)
    assert expected in undiagnosed(Days(Zone("America/Los_Angeles"), day, [day]), now)


def test_bytes_of_a_message_cannot_act_on_the_page() -> None:
    message = {
        "topic": "t", "partition": 0, "offset": 1, "arrived": NOW, "reason": "x", "detail": "<b>",
        "key": b"\x00", "value": b"<b>\xff\n", "value_bytes": 5,
    }  # fmt: skip
    html = render("quarantine/messages", rows=[message], zone=Zone("UTC"), reason=None)
    assert "&lt;b&gt;\\xff\\n" in html
    assert "<b>" not in html
    tombstone = message | {"value": None, "value_bytes": None}
    html = render("quarantine/messages", rows=[tombstone], zone=Zone("UTC"), reason=None)
    assert "(no value)" in html


def tokens(theme: str) -> dict[str, str]:
    """Return the colours of a theme by name."""
    style = (PAGE / "static" / "page.css").read_text(encoding="utf-8")
    block = style.split(theme, 1)[1].split("}", 1)[0]
    return dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6})", block))


def luminance(colour: str) -> float:
    """Return the relative luminance of WCAG 2."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (
        part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """Return the contrast ratio of WCAG 2."""
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("theme", ["body {", "body.body--dark {"])
def test_text_and_marks_have_contrast(theme: str) -> None:
    colours = tokens(theme)
    texts = [*product(("ink", "muted", "accent"), ("ground", "surface", "raised"))]
    texts += [("warn", "warn-ground"), ("bad", "bad-ground"), ("accent", "accent-ground")]
    texts += [("flagged", "surface"), ("muted", "surface")]
    low = [pair for pair in texts if contrast(*(colours[name] for name in pair)) < 4.5]
    assert low == []
    # Graphics need 3. Two pale bands stand out by their size and their neighbours.
    marks = [name for name in colours if name.startswith(("health-", "band-"))]
    faint = [name for name in marks if contrast(colours[name], colours["raised"]) < 3]
    assert set(faint) <= {"band-dense", "band-steady"}
    slow, free = luminance(colours["band-stopped"]), luminance(colours["band-free"])
    assert free > 1.5 * slow  # readers who cannot tell red from green


def test_a_day_without_good_detectors_differs_from_one_with_only_good_ones() -> None:
    undecided, good = [
        render("detectors/diagnosed", rows=[], counts=counts, day=NOW.date())
        for counts in ({"not_evaluated": 69}, {"good": 3, "not_evaluated": 66})
    ]
    assert "No detector could be diagnosed" in undecided
    assert "All detectors with a diagnosis are good (3)." in good
