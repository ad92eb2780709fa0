"""The checks: one property each, of one table, with the page that says what to do.

Of a table (`Scope.TABLE`): as it is now. Of a date (`Scope.DATE`): of what that date holds.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Literal

from traffic_platform.quality.accounting import every_offset_accounted_for, no_lost_range
from traffic_platform.quality.arrival import feeds_deliver, messages_stored_in_time
from traffic_platform.quality.check_context import CheckContext
from traffic_platform.quality.clocks import clocks_agree
from traffic_platform.quality.completeness import every_event_has_its_reading, sensors_deliver
from traffic_platform.quality.expectations import (
    measures_in_range,
    messages_give_one_reading,
    readings_have_sensors,
    required_columns_filled,
)
from traffic_platform.quality.health import detectors_stay_healthy
from traffic_platform.quality.keys import no_duplicate_readings, no_null_in_keys
from traffic_platform.quality.measures import (
    measures_present,
    occupancy_in_percent,
    quality_holds,
    values_change,
)
from traffic_platform.quality.outcome import Outcome
from traffic_platform.quality.quarantine import quarantine_rate_holds, quarantine_reasons_hold
from traffic_platform.quality.repeats import repeats_are_rare


class Scope(Enum):
    """What a result is about: the table as it is, or a date of it."""

    TABLE = "table"
    DATE = "date"


@dataclass(frozen=True)
class Check:
    """A property of `table` (its name without the schema).

    `statements` name the SQL behind it; `runbook` is the page, in the repository, that says what a
    failure means and what to do. A `blocking` check stands before what is built from the table:
    where it fails, nothing is built. `heavy` ones import Great Expectations, and look at what no
    stream can bring about, so they wait until a date is over.
    """

    name: str
    table: str
    severity: Literal["ERROR", "WARN"]
    scope: Scope
    evaluate: Callable[[CheckContext], Outcome]
    statements: Sequence[str]
    blocking: bool = False
    heavy: bool = False

    @property
    def description(self) -> str:
        """The property, as one sentence."""
        return (self.evaluate.__doc__ or "").partition("\n")[0]

    @property
    def runbook(self) -> str:
        """Path of the page about a failure."""
        return f"docs/runbooks/{self.name}.md"


def checks_named(names: Sequence[str]) -> list[Check]:
    """The checks with these names, in their own order; all of them where there are no names.

    Raises ValueError, with the names that there are, for one that is none.
    """
    known = {check.name for check in CHECKS}
    unknown = [name for name in names if name not in known]
    if unknown:
        raise ValueError(f"no check {', '.join(unknown)}; there are {', '.join(sorted(known))}.")
    return [check for check in CHECKS if not names or check.name in names]


def _check(
    table: str,
    severity: Literal["ERROR", "WARN"],
    scope: Scope,
    evaluate: Callable[[CheckContext], Outcome],
    *statements: str,
    blocking: bool = False,
    heavy: bool = False,
) -> Check:
    """A check that is called as its function is."""
    names = [f"quality/{name}" for name in statements]
    return Check(evaluate.__name__, table, severity, scope, evaluate, names, blocking, heavy)


_RAW, _PROCESSED, _READINGS = "raw_events", "processed_events", "traffic_readings"
_DAYS = ("sensor_days", "sensor_history")

CHECKS = (
    _check(
        _RAW,
        "ERROR",
        Scope.TABLE,
        every_offset_accounted_for,
        "ledger_gaps",
        "unbalanced_batches",
        "raw_rows_missing",
        "ledger_totals",
    ),
    _check(_RAW, "ERROR", Scope.TABLE, no_lost_range, "open_losses"),
    _check(_RAW, "WARN", Scope.DATE, messages_stored_in_time, "arrival_lag"),
    _check(_PROCESSED, "WARN", Scope.DATE, quarantine_rate_holds, "messages_by_date"),
    _check(
        _PROCESSED,
        "WARN",
        Scope.DATE,
        quarantine_reasons_hold,
        "quarantine_reasons",
        "messages_by_date",
    ),
    _check(_PROCESSED, "WARN", Scope.DATE, clocks_agree, "clock_delays", "clock_history"),
    _check(
        _READINGS,
        "ERROR",
        Scope.TABLE,
        no_duplicate_readings,
        "partitions_without_key",
        blocking=True,
    ),
    _check(_READINGS, "ERROR", Scope.TABLE, no_null_in_keys, "nullable_key_columns", blocking=True),
    _check(_READINGS, "WARN", Scope.TABLE, feeds_deliver, "newest_readings"),
    _check(_READINGS, "ERROR", Scope.DATE, every_event_has_its_reading, "events_without_reading"),
    _check(
        _READINGS,
        "ERROR",
        Scope.DATE,
        measures_in_range,
        "readings_out_of_range",
        blocking=True,
        heavy=True,
    ),
    _check(
        _READINGS,
        "ERROR",
        Scope.DATE,
        required_columns_filled,
        "readings_with_nulls",
        blocking=True,
        heavy=True,
    ),
    _check(
        _READINGS,
        "ERROR",
        Scope.DATE,
        readings_have_sensors,
        "expect_no_sensor",
        "readings_without_sensor",
        blocking=True,
        heavy=True,
    ),
    _check(
        _READINGS,
        "ERROR",
        Scope.DATE,
        messages_give_one_reading,
        "expect_shared_messages",
        "readings_of_one_message",
        heavy=True,
    ),
    _check(
        _READINGS, "WARN", Scope.DATE, sensors_deliver, "weekday_counts", "first_readings", *_DAYS
    ),
    _check(_READINGS, "WARN", Scope.DATE, measures_present, *_DAYS),
    _check(_READINGS, "WARN", Scope.DATE, values_change, "stuck_runs", "sensor_days"),
    _check(_READINGS, "WARN", Scope.DATE, occupancy_in_percent, "sensor_days"),
    _check(_READINGS, "WARN", Scope.DATE, quality_holds, *_DAYS),
    _check(_READINGS, "WARN", Scope.DATE, repeats_are_rare, "repeat_shares", "repeated_events"),
    _check(
        "detector_health",
        "WARN",
        Scope.DATE,
        detectors_stay_healthy,
        "health_by_date",
        "newly_unhealthy",
    ),
)
