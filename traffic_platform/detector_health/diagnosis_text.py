"""Sentences for people: the figures behind a diagnosis, and the parts to check in the field."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Literal
from zoneinfo import ZoneInfo

from traffic_platform.detector_health.diagnosis import (
    Diagnosis,
    Finding,
    SensorDay,
    exceeds,
    percentage,
)
from traffic_platform.detector_health.local_day import LocalDay
from traffic_platform.detector_health.thresholds import Thresholds

Scope = Literal["detector", "station", "feed"]

_HOURS = "05:00 to 21:59"

_FIELD: Mapping[Diagnosis, str] = {
    Diagnosis.INSUFFICIENT_DATA: (
        "The line to the controller: modem, signal, polls that are dropped. If the detector never "
        "delivers more, its interval_s is wrong: import the right one."
    ),
    Diagnosis.CARD_OFF: (
        "The detector card: whether it is on and its channel enabled; then the loop: open, cut or "
        "unplugged. If traffic is light there, import the sensor as rural."
    ),
    Diagnosis.HIGH_VALUE: (
        "A card that is locked on: reset it, lower its sensitivity, give loops side by side other "
        "frequencies; then the loop's insulation. A queue that stands all day looks the same."
    ),
    Diagnosis.INTERMITTENT: (
        "The connection between loop and card: splices, lead-in cable, loose terminals; then the "
        "card's sensitivity and the controller's settings for counting and presence."
    ),
    Diagnosis.CONSTANT: (
        "The card or the controller repeats one value: reset the card, then the controller. If "
        "others of the station do the same, the software between controller and feed."
    ),
}
_SILENT: Mapping[Scope, str] = {
    "detector": (
        "This detector: its card, its loop, its place in the controller's configuration. If it was "
        "taken out, import it as retired."
    ),
    "station": (
        "The station, not the loops: power, controller, and its line. No detector of it delivers."
    ),
    "feed": (
        "The data path first: no detector delivers. Check the feed, its producer, Kafka and this "
        "platform (`traffic status`)."
    ),
}


def describe_finding(day: SensorDay, finding: Finding, local: LocalDay, limits: Thresholds) -> str:
    """Return one to three sentences with the figures that decided."""
    match finding.diagnosis:
        case Diagnosis.NO_DATA:
            text = _no_data(day, local)
        case Diagnosis.INSUFFICIENT_DATA:
            text = _insufficient_data(day, limits)
        case Diagnosis.CARD_OFF:
            condition = f"Occupancy is 0{' on a rural road' if day.rural else ''}"
            limit = limits.card_off(rural=day.rural)
            text = _above_limit(condition, day.zero_occupancy, day.with_occupancy, limit)
        case Diagnosis.HIGH_VALUE:
            condition = f"Occupancy is above {limits.high_occupancy:g} %"
            limit = limits.high_value_percent
            text = _above_limit(condition, day.high_occupancy, day.with_occupancy, limit)
        case Diagnosis.INTERMITTENT:
            text = _intermittent(day, limits)
        case Diagnosis.CONSTANT:
            text = _constant(day, local, limits)
        case Diagnosis.GOOD:
            text = f"{_samples(day)}; no test failed.{_untested(finding, day, limits)}"
        case Diagnosis.NOT_EVALUATED:
            text = _not_evaluated(day, finding, local, limits)
    return text


def advise(diagnosis: Diagnosis, scope: Scope | None) -> str:
    """Return the parts to check, nearest first; empty when nothing is to be done."""
    return _FIELD.get(diagnosis, "") if scope is None else _SILENT[scope]


def _no_data(day: SensorDay, local: LocalDay) -> str:
    if day.last_reading is None:
        return f"No reading from {_HOURS}; the sensor has never reported."
    return f"No reading from {_HOURS}; the newest is of {_local_time(day.last_reading, local)}."


def _insufficient_data(day: SensorDay, limits: Thresholds) -> str:
    text = f"{_samples(day)}; fewer than {limits.min_samples_percent:g} % are too few."
    if day.readings > day.samples:
        text += f" The others of {day.readings:,} readings lack volume or occupancy."
    if day.longest_gap_s:
        text += f" Longest time without a reading: {_duration(day.longest_gap_s)}."
    return text


def _intermittent(day: SensorDay, limits: Thresholds) -> str:
    occupied, counted = day.occupancy_without_volume, day.volume_without_occupancy
    texts: list[str] = []
    if exceeds(occupied, day.with_both, limits.occupancy_without_volume_percent):
        limit = limits.occupancy_without_volume_percent
        texts.append(_above_limit("Occupancy without volume", occupied, day.with_both, limit))
    if exceeds(counted, day.with_both, limits.volume_without_occupancy_percent):
        limit = limits.volume_without_occupancy_percent
        texts.append(_above_limit("Volume without occupancy", counted, day.with_both, limit))
    return " ".join(texts)


def _constant(day: SensorDay, local: LocalDay, limits: Thresholds) -> str:
    since = f", from {_local_time(day.constant_from, local)}" if day.constant_from else ""
    return (
        f"Occupancy is {day.constant_occupancy:.4g} % in {day.constant_samples} 5-minute samples "
        f"in a row{since}; {limits.constant_samples} are too many."
    )


def _not_evaluated(day: SensorDay, finding: Finding, local: LocalDay, limits: Thresholds) -> str:
    match finding.reason:
        case "day_not_over":
            return "The day is not over."
        case "first_day" if day.first_reading is not None:
            return f"Its first day: reporting since {_local_time(day.first_reading, local)}."
        case "last_day" if day.retired_at is not None:
            return f"Its last day: retired at {_local_time(day.retired_at, local)}."
        case "other_hours":
            return f"All readings of this day are outside {_HOURS}, the hours of the diagnosis."
        case "interval_unknown":
            return (
                "The expected number of samples is unknown: interval_s was not imported, and there "
                "are too few readings to infer it."
            )
        case _:
            return f"{_samples(day)}.{_untested(finding, day, limits)}"


def _untested(finding: Finding, day: SensorDay, limits: Thresholds) -> str:
    """Return a sentence, after a space, on tests that were not evaluated; empty without any."""
    names = list(finding.tests_not_evaluated)
    if not names:
        return ""
    if day.with_occupancy == 0:
        return f" Not evaluated: {', '.join(names)} (no reading holds an occupancy)."
    causes = {
        Diagnosis.INTERMITTENT: "no reading holds a volume",
        Diagnosis.CONSTANT: f"{day.occupancy_samples} 5-minute samples in the day, and "
        f"{limits.constant_samples} in a row are too many",
    }
    return f" Not evaluated: {', '.join(f'{name} ({causes[name]})' for name in names)}."


def _samples(day: SensorDay) -> str:
    expected = day.expected_samples
    share = percentage(day.samples, expected)
    if expected is None or share is None:
        return f"{day.samples:,} samples"
    source = ", inferred" if day.interval_inferred else ""
    return (
        f"{day.samples:,} of {expected:,} expected samples ({share:.1f} %; one every "
        f"{day.interval_s} s{source})"
    )


def _above_limit(condition: str, part: int, whole: int, limit: float) -> str:
    share = percentage(part, whole) or 0.0
    counts = f"{part:,} of {whole:,} readings ({share:.1f} %)"
    return f"{condition} in {counts}; more than {limit:g} % is too much."


def _local_time(time: datetime, local: LocalDay) -> str:
    return f"{time.astimezone(ZoneInfo(local.timezone)):%Y-%m-%d %H:%M}"


def _duration(seconds: int) -> str:
    hours, minutes = divmod(seconds // 60, 60)
    return f"{hours} h {minutes:02} min" if hours else f"{minutes} min"
