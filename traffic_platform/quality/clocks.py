"""The check of sensor clocks: timestamps against the times of arrival at Kafka."""

from __future__ import annotations

from uuid import UUID

from traffic_platform.quality.check import Scope, check
from traffic_platform.quality.check_context import CheckContext
from traffic_platform.quality.feeds import by_feed, feed_of
from traffic_platform.quality.history import LEAST_DAYS
from traffic_platform.quality.outcome import SAMPLE_ROWS, Outcome, Row, not_evaluated

# A clock that is behind counts as wrong from this shift on (s). Ingest rejects 300 s ahead.
SHIFT_SECONDS = 300.0
# A clock that is ahead counts as wrong earlier (s): its readings arrive before their interval has
# begun.
AHEAD_SECONDS = 60.0
# A wrong clock shifts all delays alike. If their middle half spreads wider than this, the data was
# held up or loaded later (s, or a share of the shift up to an hour).
SPREAD_SECONDS = 60.0
SPREAD_SHARE = 0.25
SPREAD_MOST_SECONDS = 3_600.0
LEAST_READINGS = 20
# Sampled readings of an earlier day.
LEAST_SAMPLED = 5


@check("processed_events", "WARN", Scope.DATE, "clock_delays", "clock_history")
def clocks_agree(context: CheckContext) -> Outcome:
    """Readings arrive as long after their time as in the sensor's last 14 days.

    The check compares medians of (arrival at Kafka - time of the reading). Delays of data that was
    held up by an outage, or loaded later, spread; a wrong clock or time zone shifts all of them. A
    longer delay is compared with the lower quartile of the days before, a shorter one with the
    upper quartile. So a wrong clock is reported until three quarters of the days before have it.
    """
    today = context.read("clock_delays", least=LEAST_READINGS)
    if not today:
        return not_evaluated("no reading with a broker's time has this date")
    before = _usual_delays(context)
    compared = [row for row in today if row["sensor_id"] in before]
    numbers: dict[str, int | float] = {"sensors": len(today), "compared": len(compared)}
    if not compared:
        return not_evaluated("no sensor has three days of history with steady delays", numbers)
    found = [row for row in compared if _is_shifted(row, before[row["sensor_id"]])]
    numbers["shifted"] = len(found)
    shift_of = {row["sensor_id"]: _shift(row, before[row["sensor_id"]]) for row in compared}
    numbers["greatest shift (s)"] = max(abs(shift) for shift in shift_of.values())
    if not found:
        return Outcome(True, "Every clock is as far from the broker's as before.", numbers)
    shifts = sorted(shift_of[row["sensor_id"]] for row in found)
    middle = shifts[len(shifts) // 2]
    names = [str(row["sensor"]) for row in found]
    return Outcome(
        passed=False,
        summary=f"{len(found)} of {len(compared)} sensors are {abs(middle):.0f} s "
        f"{'behind' if middle > 0 else 'ahead of'} where they were: "
        f"{by_feed((feed_of(name), name) for name in names)}.",
        numbers=numbers,
        sample=[
            {
                "sensor": row["sensor"],
                "delay (s)": round(_median(row), 1),
                "delay before (s)": round(_median(row) - shift_of[row["sensor_id"]], 1),
                "readings": row["readings"],
            }
            for row in found[:SAMPLE_ROWS]
        ],
    )


def _usual_delays(context: CheckContext) -> dict[UUID, Row]:
    """Return the delays of the days before, by sensor; only sensors with steady delays."""
    rows = context.read(
        "clock_history",
        begin=context.history_begin,
        end=context.begin,
        percent=context.history_percent,
        least=LEAST_SAMPLED,
        steady=SHIFT_SECONDS,
        days=LEAST_DAYS,
    )
    known = context.history
    return {
        row["sensor_id"]: row
        for row in rows
        if row["sensor_id"] in known and known[row["sensor_id"]].is_enough
    }


def _is_shifted(row: Row, usual: Row) -> bool:
    shift = _shift(row, usual)
    most = min(SPREAD_MOST_SECONDS, SPREAD_SHARE * abs(shift))
    steady = _spread(row) <= max(SPREAD_SECONDS, most)
    return steady and (shift >= SHIFT_SECONDS or _is_ahead(row, usual))


def _is_ahead(row: Row, usual: Row) -> bool:
    return _median(row) <= -AHEAD_SECONDS and _median(row) - usual["delay"][2] <= -AHEAD_SECONDS


def _shift(row: Row, usual: Row) -> float:
    """Return how much later than before readings arrive (s); negative if earlier."""
    before = usual["delay"][2] if _is_ahead(row, usual) else usual["delay"][0]
    return round(_median(row) - before, 1)


def _spread(row: Row) -> float:
    return float(row["delay"][2] - row["delay"][0])


def _median(row: Row) -> float:
    return float(row["delay"][1])
