"""The check of repeats: events whose sensor and time are stored already."""

from __future__ import annotations

from traffic_platform.quality.check import Scope, check
from traffic_platform.quality.check_context import CheckContext
from traffic_platform.quality.outcome import Outcome, named, not_evaluated
from traffic_platform.quality.shares import LEAST_DAYS, LEAST_MESSAGES, has_risen, usual_before

# A share has risen if it grew by so much (0 to 1), in so many events.
RISE = 0.01
LEAST_REPEATS = 50


@check("traffic_readings", "WARN", Scope.DATE, "repeat_shares", "repeated_events")
def repeats_are_rare(context: CheckContext) -> Outcome:
    """The share of events that repeat a stored reading is not larger than usual.

    By the day of arrival, from the audit: (updated + unchanged + superseded) / processed.
    """
    rows = context.read("repeat_shares", begin=context.history_begin)
    days = {row["day"]: row for row in rows}
    today = days.get(context.day)
    if today is None or today["events"] < LEAST_MESSAGES:
        return not_evaluated(f"fewer than {LEAST_MESSAGES} events arrived on this date")
    counts = {day: (row["repeats"], row["events"]) for day, row in days.items()}
    usual = usual_before(counts, context.history_days)
    repeats, events = counts[context.day]
    numbers: dict[str, int | float] = {
        "events": events,
        "repeats": repeats,
        "share": round(repeats / events, 4),
    }
    if usual is None:
        return not_evaluated(f"fewer than {LEAST_DAYS} days of history", numbers)
    numbers["usual share"] = round(usual, 4)
    if not has_risen(repeats, events, usual, by=RISE, least=LEAST_REPEATS):
        return Outcome(True, "Repeats are as rare as usual.", numbers)
    sensors = context.read("repeated_events", first=today["first_batch"], last=today["last_batch"])
    names = named([str(row["sensor"]) for row in sensors])
    return Outcome(
        passed=False,
        summary=f"{repeats:,} of {events:,} events repeat another ({repeats / events:.1%}; "
        f"{usual:.1%} is usual), most of them of {names or 'earlier days'}.",
        numbers=numbers,
        sample=sensors,
        named_by=(),  # every sensor repeats an event now and then
    )
