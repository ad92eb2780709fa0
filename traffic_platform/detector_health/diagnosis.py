"""Diagnosis of a detector from a day's counts. Pure, no I/O.

The tests and their order are those of Caltrans PeMS; `thresholds` names the source.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Literal
from uuid import UUID

from traffic_platform.detector_health.thresholds import Thresholds


class Diagnosis(StrEnum):
    """Diagnoses in the order of their tests; the first that applies is reported."""

    NO_DATA = "no_data"
    INSUFFICIENT_DATA = "insufficient_data"
    CARD_OFF = "card_off"
    HIGH_VALUE = "high_value"
    INTERMITTENT = "intermittent"
    CONSTANT = "constant"
    GOOD = "good"
    NOT_EVALUATED = "not_evaluated"


Reason = Literal[
    "day_not_over", "first_day", "last_day", "other_hours", "interval_unknown", "no_occupancy"
]

TESTS = (
    Diagnosis.INSUFFICIENT_DATA,
    Diagnosis.CARD_OFF,
    Diagnosis.HIGH_VALUE,
    Diagnosis.INTERMITTENT,
    Diagnosis.CONSTANT,
)


@dataclass(frozen=True)
class SensorDay:
    """Counts of one sensor's readings in the window of a local day (05:00 to 21:59).

    - `interval_s` (seconds) is that of the window's end, None when it is unknown.
    - `expected_samples` has a sensor that misses none, each period by its interval.
    - `retired_at`: the sensor was retired in the window.
    - `vehicle_seconds`: the sum of volume (vehicles per hour) times interval (seconds).
    - `readings_elsewhere`: the day has readings outside the window.
    - `read_day_before`: the window of the day before has readings.
    - `first_reading`: the sensor's first reading ever, if it came after the window's start.
    - `empty_road` counts readings with volume 0 and no occupancy.
    - `occupancy_samples` counts 5-minute samples with an occupancy. `constant_…` describe the
      longest run of them with the same occupancy other than 0.

    Times are UTC. `longest_gap_s` is at least 300, or None.
    """

    sensor_id: UUID
    external_id: str
    station_id: str | None
    rural: bool
    interval_s: Decimal | None
    interval_inferred: bool
    expected_samples: int | None
    retired_at: datetime | None
    last_reading: datetime | None
    readings_elsewhere: bool
    read_day_before: bool
    first_reading: datetime | None
    readings: int
    with_occupancy: int
    with_volume: int
    with_both: int
    empty_road: int
    zero_occupancy: int
    high_occupancy: int
    occupancy_without_volume: int
    volume_without_occupancy: int
    with_traffic: int
    traffic_without_speed: int
    vehicle_seconds: Decimal | None
    longest_gap_s: int | None
    occupancy_samples: int
    constant_samples: int
    constant_occupancy: float | None
    constant_from: datetime | None

    @property
    def samples(self) -> int:
        """Readings with volume and occupancy, or with the one of them that the sensor reports.

        A reading of an empty road counts, although detectors may leave out its occupancy.
        """
        if self.with_occupancy and self.with_volume:
            return self.with_both + self.empty_road
        return self.with_occupancy or self.with_volume or self.readings


@dataclass(frozen=True)
class Finding:
    """The diagnosis of a sensor's day, and the tests that could not be evaluated.

    `reason` is set when the whole day was not evaluated.
    """

    diagnosis: Diagnosis
    tests_not_evaluated: tuple[Diagnosis, ...]
    reason: Reason | None = None


def diagnose(day: SensorDay, limits: Thresholds, *, over: bool) -> Finding:
    """Diagnose a day; `over` is False while readings of the day may still arrive."""
    reason = _reason_not_to_evaluate(day, over=over)
    if reason is not None:
        return Finding(Diagnosis.NOT_EVALUATED, TESTS, reason)
    results = _results(day, limits)
    missing = tuple(test for test in TESTS if results[test] is None)
    if day.readings == 0:
        return Finding(Diagnosis.NO_DATA, missing)
    if results[Diagnosis.INSUFFICIENT_DATA] is None:
        # Shares of few samples prove nothing, so no test counts while the expected number is
        # unknown.
        return Finding(Diagnosis.NOT_EVALUATED, TESTS, "interval_unknown")
    failed = next((test for test in TESTS if results[test]), None)
    if failed is None and day.with_occupancy == 0:
        return Finding(Diagnosis.NOT_EVALUATED, missing, "no_occupancy")
    return Finding(failed or Diagnosis.GOOD, missing)


def _reason_not_to_evaluate(day: SensorDay, *, over: bool) -> Reason | None:
    """Return the reason for which a day cannot be evaluated, None when it can."""
    if not over:
        return "day_not_over"
    if day.first_reading is not None:
        return "first_day"
    if day.retired_at is not None:
        return "last_day"
    # A sensor may report at other hours only. One that reported in the window the day before has
    # stopped, which is a failure.
    other_hours = day.readings == 0 and day.readings_elsewhere and not day.read_day_before
    return "other_hours" if other_hours else None


def _results(day: SensorDay, limits: Thresholds) -> dict[Diagnosis, bool | None]:
    """Return for each test True when it fails, None when it cannot be evaluated."""
    expected = day.expected_samples
    return {
        Diagnosis.INSUFFICIENT_DATA: (
            None if expected is None else 100 * day.samples < limits.min_samples_percent * expected
        ),
        Diagnosis.CARD_OFF: exceeds(
            day.zero_occupancy, day.with_occupancy, limits.card_off(rural=day.rural)
        ),
        Diagnosis.HIGH_VALUE: exceeds(
            day.high_occupancy, day.with_occupancy, limits.high_value_percent
        ),
        Diagnosis.INTERMITTENT: exceeds(
            day.occupancy_without_volume, day.with_both, limits.occupancy_without_volume_percent
        )
        or exceeds(
            day.volume_without_occupancy, day.with_both, limits.volume_without_occupancy_percent
        ),
        Diagnosis.CONSTANT: (
            None
            if day.occupancy_samples < limits.constant_samples
            else day.constant_samples >= limits.constant_samples
        ),
    }


def exceeds(part: int, whole: int, percent: float) -> bool | None:
    """Return True when part / whole is above a percentage, None when `whole` is 0."""
    return None if whole == 0 else 100 * part > percent * whole


def percentage(part: int, whole: int | None) -> float | None:
    """Return part / whole in percent, None when `whole` is 0 or None."""
    return 100 * part / whole if whole else None
