"""Checks of measures: missing, stuck, in another unit, or of falling quality."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from traffic_platform.quality.check import Scope, check
from traffic_platform.quality.check_context import CheckContext
from traffic_platform.quality.feeds import by_feed
from traffic_platform.quality.outcome import SAMPLE_ROWS, Outcome, Row, not_evaluated
from traffic_platform.quality.sensor_days import MEASURES, Measure, SensorDay

# A share of fewer readings than this proves nothing.
LEAST_READINGS = 20
# A sensor fails if its share of missing values grew by this much (0 to 1).
MISSING_GROWTH = 0.2
# A sensor without a history fails if this share is missing (0 to 1).
MISSING_ALL = 0.9

# Consecutive equal readings: so many, over so long. PeMS calls 48 samples of 5 minutes with the
# same occupancy constant; three equal measures with vehicles are much less likely than one.
STUCK_READINGS = 12
STUCK_FOR = timedelta(minutes=30)
# A measure that never changed in so many readings of a date is not measured.
CONSTANT_READINGS = 60

# At 600 vehicles per hour and 85 mph there are 7 vehicles to the mile. With 15 ft each, and 6 ft of
# the detector, they occupy it for 2.8 % of the time. So a value up to 1 is not a percentage.
FRACTION_GREATEST = 1.0

# If the mean score falls by this much, about one test in seven fails that passed before.
SCORE_FALL = 0.15


@check("traffic_readings", "WARN", Scope.DATE, "sensor_days", "sensor_history")
def measures_present(context: CheckContext) -> Outcome:
    """Each sensor has the measures that it had in its last 14 days.

    Readings of an empty road do not count, because many detectors omit the speed there. A sensor
    without history fails if nine of ten readings lack a measure that another sensor of its feed
    has.
    """
    if not context.sensors:
        return not_evaluated("no reading has this date")
    measured = _measured(context.sensors)
    found: list[dict[str, Any]] = []
    without_history = 0
    for sensor in context.sensors:
        history = context.history.get(sensor.sensor_id)
        without_history += history is None or not history.is_enough
        for measure in MEASURES:
            base, missing = sensor.base(measure), sensor.missing[measure]
            if base < LEAST_READINGS:
                continue
            before = history.share_missing(measure) if history else None
            limit = MISSING_ALL if before is None else before + MISSING_GROWTH
            if missing / base < limit or (
                before is None and (sensor.feed, measure) not in measured
            ):
                continue
            found.append(
                {
                    "sensor": sensor.name,
                    "measure": measure,
                    "missing": missing,
                    "of": base,
                    "share": round(missing / base, 3),
                    "share before": None if before is None else round(before, 3),
                }
            )
    numbers = {
        "sensors": len(context.sensors),
        "sensors without history": without_history,
        "sensors with a missing measure": len({row["sensor"] for row in found}),
    }
    if not found:
        return Outcome(True, "Every sensor has the measures that it had before.", numbers)
    return Outcome(
        passed=False,
        summary="; ".join(_missing_sentences(found, context.sensors)) + ".",
        numbers=numbers,
        sample=found[:SAMPLE_ROWS],
    )


def _measured(sensors: Iterable[SensorDay]) -> set[tuple[str, Measure]]:
    """Return the measures of each feed that at least one sensor has in most readings."""
    return {
        (sensor.feed, measure)
        for sensor in sensors
        for measure in MEASURES
        if sensor.base(measure) >= LEAST_READINGS
        and sensor.missing[measure] < sensor.base(measure) / 2
    }


def _missing_sentences(found: list[dict[str, Any]], sensors: list[SensorDay]) -> Iterable[str]:
    feeds = {sensor.name: sensor.feed for sensor in sensors}
    for measure in MEASURES:
        names = [row["sensor"] for row in found if row["measure"] == measure]
        if names:
            yield (
                f"No {measure} from {len(names)} of {len(sensors)} sensors: "
                + by_feed((feeds[name], name) for name in names)
            )


@check("traffic_readings", "WARN", Scope.DATE, "stuck_runs", "sensor_days")
def values_change(context: CheckContext) -> Outcome:
    """No sensor is stuck, that is, repeats the same measures at different times.

    A sensor is stuck if consecutive readings are equal while vehicles pass, or, once the date is
    over, if a measure never changed on it.
    """
    if not context.sensors:
        return not_evaluated("no reading has this date")
    runs = context.read("stuck_runs", readings=STUCK_READINGS, lasting=STUCK_FOR)
    found: list[Row] = [*runs]
    stuck = {row["sensor"] for row in runs}
    if context.over:
        found += [row for row in _constants(context.sensors) if row["sensor"] not in stuck]
    numbers = {"sensors": len(context.sensors), "stuck sensors": len(found)}
    if not found:
        return Outcome(True, "No sensor is stuck.", numbers)
    feeds = {sensor.name: sensor.feed for sensor in context.sensors}
    names = [str(row["sensor"]) for row in found]
    return Outcome(
        passed=False,
        summary=f"{len(found)} of {len(context.sensors)} sensors repeat the same values: "
        f"{by_feed((feeds[name], name) for name in names)}.",
        numbers=numbers,
        sample=found[:SAMPLE_ROWS],
    )


def _constants(sensors: list[SensorDay]) -> Iterable[Row]:
    """Yield sensors with a measure that never changed although vehicles passed their feed."""
    with_vehicles = {sensor.feed for sensor in sensors if sensor.with_vehicles >= LEAST_READINGS}
    for sensor in sensors:
        if sensor.readings < CONSTANT_READINGS or sensor.feed not in with_vehicles:
            continue
        measured: list[Measure] = [
            measure for measure in MEASURES if sensor.values[measure] >= CONSTANT_READINGS
        ]
        same = [measure for measure in measured if sensor.is_constant(measure)]
        # On an empty road zeros are right, unless all measures are constant.
        if same and (same == measured or sensor.with_vehicles >= LEAST_READINGS):
            yield {
                "sensor": sensor.name,
                "readings": sensor.readings,
                **{
                    measure: sensor.least[measure] if measure in same else None
                    for measure in MEASURES
                },
                "first": None,
                "last": None,
                "finding": f"{' and '.join(same)} never changed",
            }


@check("traffic_readings", "WARN", Scope.DATE, "sensor_days")
def occupancy_in_percent(context: CheckContext) -> Outcome:
    """Occupancy is a percentage: in traffic it exceeds 1 at some time of the date.

    A feed that sends fractions stays below 1. The check reads readings of 600 vehicles per hour and
    more, where an occupancy of 1 % would be impossible. 0 is a missing measure, not a fraction.
    """
    busy = [sensor for sensor in context.sensors if sensor.busy >= LEAST_READINGS]
    if not busy:
        return not_evaluated(
            f"no sensor has {LEAST_READINGS} readings with occupancy in traffic on this date"
        )
    found = [
        sensor for sensor in busy if 0 < (sensor.greatest["occupancy"] or 0) <= FRACTION_GREATEST
    ]
    numbers = {"sensors in traffic": len(busy), "sensors with a fraction": len(found)}
    if not found:
        return Outcome(True, "Occupancy is in percent.", numbers)
    return Outcome(
        passed=False,
        summary=f"Occupancy never exceeds 1 in traffic at {len(found)} of {len(busy)} sensors, so "
        f"it is a fraction: {by_feed((one.feed, one.name) for one in found)}.",
        numbers=numbers,
        sample=[
            {
                "sensor": one.name,
                "feed": one.feed,
                "greatest occupancy": one.greatest["occupancy"],
                "readings in traffic": one.busy,
            }
            for one in found[:SAMPLE_ROWS]
        ],
    )


@check("traffic_readings", "WARN", Scope.DATE, "sensor_days", "sensor_history")
def quality_holds(context: CheckContext) -> Outcome:
    """Each sensor's mean quality score is not lower than in its last 14 days."""
    pairs = [
        (sensor, context.history[sensor.sensor_id])
        for sensor in context.sensors
        if sensor.readings >= LEAST_READINGS and sensor.sensor_id in context.history
    ]
    pairs = [(sensor, history) for sensor, history in pairs if history.is_enough]
    readings = sum(sensor.readings for sensor in context.sensors)
    total = sum(sensor.readings * sensor.score for sensor in context.sensors)
    numbers: dict[str, int | float] = {"sensors": len(context.sensors), "compared": len(pairs)}
    if readings:
        numbers["mean score"] = round(total / readings, 3)
    if not pairs:
        return not_evaluated("no sensor has three days of history", numbers)
    found = [
        (sensor, history) for sensor, history in pairs if sensor.score < history.score - SCORE_FALL
    ]
    numbers["fallen"] = len(found)
    if not found:
        return Outcome(True, "No sensor's quality score has fallen.", numbers)
    return Outcome(
        passed=False,
        summary=f"The quality score has fallen at {len(found)} of {len(pairs)} sensors: "
        f"{by_feed((sensor.feed, sensor.name) for sensor, _ in found)}.",
        numbers=numbers,
        sample=[
            {
                "sensor": sensor.name,
                "score": round(sensor.score, 3),
                "score before": round(history.score, 3),
                "readings": sensor.readings,
            }
            for sensor, history in found[:SAMPLE_ROWS]
        ],
    )
