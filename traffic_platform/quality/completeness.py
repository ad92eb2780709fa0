"""Checks of completeness: sensors deliver as before, and every event has its reading."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from uuid import UUID

from traffic_platform.quality.check import Scope, check
from traffic_platform.quality.check_context import CheckContext
from traffic_platform.quality.feeds import by_feed, feed_of
from traffic_platform.quality.outcome import SAMPLE_ROWS, Outcome, Row, named, not_evaluated

LOOK_BACK_WEEKS = 8  # the same weekdays within 60 days
LEAST_WEEKDAYS = 3
# A sensor with less than this share of its earlier readings is silent, or nearly so.
LEAST_SHARE = 0.5
# If all sensors together fall below this share, more than single detectors lack readings.
LEAST_TOTAL_SHARE = 0.9
# Sensors with fewer expected readings than this are not compared.
LEAST_EXPECTED = 20


@dataclass(frozen=True)
class _Expectation:
    """The expected readings of a sensor, from so many earlier dates."""

    name: str
    readings: float
    days: int


@check(
    "traffic_readings",
    "WARN",
    Scope.DATE,
    "expected_sensors",
    "weekday_counts",
    "first_readings",
    "sensor_days",
    "sensor_history",
)
def sensors_deliver(context: CheckContext) -> Outcome:
    """Each sensor delivers as many readings as on the same weekday in the 60 days before.

    For a date that is not over, as many as up to the same time of day. A sensor with fewer than
    three such weekdays is compared with its mean day of the last two weeks. A sensor on its first
    day is not compared, because that day is not complete. A retired sensor is not expected. Where
    the interval has changed, so many readings are expected as the new one gives.
    """
    expected = {
        sensor: expectation
        for sensor, expectation in _expectations(context).items()
        if expectation.readings >= LEAST_EXPECTED
    }
    delivered = {sensor.sensor_id: sensor.readings for sensor in context.sensors}
    new = _first_days(context, [one for one in delivered if one not in expected])
    if not expected:
        return not_evaluated(
            f"no sensor has a history to compare with{'; ' if new else ''}{_since(new)}",
            {"sensors on their first day": len(new)},
        )
    total = sum(expectation.readings for expectation in expected.values())
    stored = sum(delivered.get(sensor, 0) for sensor in expected)
    found = _lacking(expected, delivered)
    numbers: dict[str, int | float] = {
        "sensors compared": len(expected),
        "sensors that lack readings": len(found),
        "sensors on their first day": len(new),
        "readings": stored,
        "readings expected": round(total),
        "share": round(stored / total, 3),
    }
    if not found and stored >= LEAST_TOTAL_SHARE * total:
        more = f" Not evaluated: {_since(new)}." if new else ""
        return Outcome(True, f"Every sensor delivers as before.{more}", numbers)
    names = by_feed((feed_of(one.name), one.name) for one, _ in found)
    return Outcome(
        passed=False,
        summary=f"{stored:,} readings are stored, {total:,.0f} were expected. "
        f"{len(found)} of {len(expected)} sensors lack more than half of theirs"
        f"{': ' if found else ''}{names}.",
        numbers=numbers,
        sample=[
            {
                "sensor": expectation.name,
                "readings": readings,
                "expected": round(expectation.readings),
                "days before": expectation.days,
            }
            for expectation, readings in found[:SAMPLE_ROWS]
        ],
    )


def _lacking(
    expected: Mapping[UUID, _Expectation], delivered: Mapping[UUID, int]
) -> list[tuple[_Expectation, int]]:
    """Return the sensors below LEAST_SHARE with their readings, those that lack most first."""
    pairs = [(expectation, delivered.get(sensor, 0)) for sensor, expectation in expected.items()]
    return sorted(
        (pair for pair in pairs if pair[1] < LEAST_SHARE * pair[0].readings),
        key=lambda pair: (pair[1] / pair[0].readings, pair[0].name),
    )


def _first_days(context: CheckContext, sensors: Sequence[UUID]) -> list[Row]:
    """Return those of these sensors whose first reading is on the date, with its time (`since`)."""
    return context.read("first_readings", sensors=list(sensors))


def _since(new: Sequence[Row]) -> str:
    """Name the sensors on their first day with their first time, for a sentence."""
    if not new:
        return ""
    names = named([f"{row['sensor']} (since {row['since']:%H:%M} UTC)" for row in new])
    return f"on their first day are {names}"


def _expectations(context: CheckContext) -> dict[UUID, _Expectation]:
    """Return expectations by sensor, from enough same weekdays or from the sampled mean day."""
    weekdays = _weekday_counts(context)
    span = {"begin": context.begin, "until": context.until}
    expected: dict[UUID, _Expectation] = {}
    for row in context.read("expected_sensors", first=context.history_begin, **span):
        sensor, name = row["sensor_id"], row["external_id"]
        counts = weekdays.get(sensor, [])
        history = context.history.get(sensor)
        if len(counts) >= LEAST_WEEKDAYS:
            expected[sensor] = _Expectation(name, median(counts), len(counts))
        elif history is not None and history.is_enough:
            a_day = history.readings * 100 / context.history_percent / history.days * row["scale"]
            expected[sensor] = _Expectation(name, a_day * context.portion, history.days)
    return expected


def _weekday_counts(context: CheckContext) -> Mapping[UUID, list[float]]:
    """Count each sensor's readings up to the same time of day on the same weekdays before.

    Other intervals of that time are allowed for.
    """
    elapsed = context.until - context.begin
    span = {"begin": context.begin, "until": context.until}
    begins = [context.midnight(-7 * week) for week in range(1, LOOK_BACK_WEEKS + 1)]
    ends = [
        context.midnight(1 - 7 * week) if context.over else begin + elapsed
        for week, begin in enumerate(begins, 1)
    ]
    counts: dict[UUID, list[float]] = {}
    for row in context.read("weekday_counts", begins=begins, ends=ends, **span):
        counts.setdefault(row["sensor_id"], []).append(row["readings"])
    return counts


@check("traffic_readings", "ERROR", Scope.DATE, "events_without_reading")
def every_event_has_its_reading(context: CheckContext) -> Outcome:
    """Every processed event of the date has a reading of its sensor and time."""
    rows = context.read("events_without_reading")
    numbers: dict[str, int | float] = {"readings missing": rows[0]["missing"] if rows else 0}
    if not rows:
        return Outcome(True, "Every event has its reading.", numbers)
    shown = [{name: value for name, value in row.items() if name != "missing"} for row in rows]
    first = rows[0]
    return Outcome(
        passed=False,
        summary=f"{first['missing']:,} readings are missing although their events are stored. The "
        f"first is of {first['sensor']} at {first['timestamp']:%Y-%m-%dT%H:%M:%SZ}.",
        numbers=numbers,
        sample=shown,
    )
