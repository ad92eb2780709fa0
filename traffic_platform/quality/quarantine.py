"""Checks of quarantine: the share of rejected messages and of each reason, against earlier days.

A message counts at its event's date. If its timestamp is the fault, it counts at the date of its
arrival; otherwise a clock that says 2000 or 2036 would count in 2000 or 2036.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime

from traffic_platform.events.reasons import Reason
from traffic_platform.quality.check import Scope, check
from traffic_platform.quality.check_context import CheckContext
from traffic_platform.quality.outcome import SAMPLE_ROWS, Outcome, Row, not_evaluated
from traffic_platform.quality.shares import LEAST_DAYS, LEAST_MESSAGES, has_risen, usual_before

# A share has risen if it grew by so much (0 to 1), in so many messages.
RISE = 0.01
REASON_RISE = 0.005
LEAST_QUARANTINED = 10
# Reasons of clocks that are far off, whose events' dates mean nothing.
FAR_OFF = (str(Reason.TIMESTAMP_IN_FUTURE), str(Reason.TIMESTAMP_TOO_EARLY))


@check("processed_events", "WARN", Scope.DATE, "messages_by_date")
def quarantine_rate_holds(context: CheckContext) -> Outcome:
    """The share of quarantined messages is not larger than usual."""
    counts = _messages(context)
    bad, messages = counts.get(context.day, (0, 0))
    if messages < LEAST_MESSAGES:
        return not_evaluated(f"fewer than {LEAST_MESSAGES} messages have this date")
    numbers: dict[str, int | float] = {
        "messages": messages,
        "quarantined": bad,
        "share": round(bad / messages, 4),
    }
    usual = usual_before(counts, context.history_days)
    if usual is None:
        return not_evaluated(f"fewer than {LEAST_DAYS} days of history", numbers)
    numbers["usual share"] = round(usual, 4)
    if not has_risen(bad, messages, usual, by=RISE, least=LEAST_QUARANTINED):
        return Outcome(True, "No more messages than usual are quarantined.", numbers)
    return Outcome(
        passed=False,
        summary=f"{bad:,} of {messages:,} messages are quarantined ({bad / messages:.1%}; "
        f"{usual:.1%} is usual).",
        numbers=numbers,
        sample=_read(context, "quarantined_messages", context.begin),
        named_by=(),  # each result has other newest messages
    )


@check("processed_events", "WARN", Scope.DATE, "quarantine_reasons", "messages_by_date")
def quarantine_reasons_hold(context: CheckContext) -> Outcome:
    """No rejection reason has a larger share of messages than usual."""
    totals = _messages(context)
    _, messages = totals.get(context.day, (0, 0))
    if messages < LEAST_MESSAGES:
        return not_evaluated(f"fewer than {LEAST_MESSAGES} messages have this date")
    reasons = _reasons(context)
    today = {reason: days.get(context.day, 0) for reason, days in reasons.items()}
    numbers: dict[str, int | float] = {
        "messages": messages,
        **{reason: count for reason, count in sorted(today.items()) if count},
    }
    found: list[dict[str, object]] = []
    for reason, days in sorted(reasons.items()):
        shares = {day: (days.get(day, 0), total) for day, (_, total) in totals.items()}
        usual = usual_before(shares, context.history_days)
        if usual is None:
            return not_evaluated(f"fewer than {LEAST_DAYS} days of history", numbers)
        if has_risen(today[reason], messages, usual, by=REASON_RISE, least=LEAST_QUARANTINED):
            found.append(
                {
                    "reason": reason,
                    "messages": today[reason],
                    "share": round(today[reason] / messages, 4),
                    "usual share": round(usual, 4),
                }
            )
    if not found:
        return Outcome(True, "No rejection reason is more frequent than usual.", numbers)
    return Outcome(
        passed=False,
        summary="More messages than usual are quarantined: "
        + ", ".join(f"{row['messages']} as {row['reason']}" for row in found)
        + ".",
        numbers=numbers,
        sample=found[:SAMPLE_ROWS],
        named_by=("reason",),
    )


def _messages(context: CheckContext) -> Mapping[date, tuple[int, int]]:
    """Return (quarantined, all) messages of the date and of the days before."""
    days = [*context.history_days, context.day]
    names = [day.isoformat() for day in days]
    rows = _read(context, "messages_by_date", context.history_begin, days=days, names=names)
    return {row["day"]: (row["quarantined"], row["messages"]) for row in rows}


def _reasons(context: CheckContext) -> Mapping[str, Mapping[date, int]]:
    """Return the messages in quarantine by reason and date."""
    days = [*context.history_days, context.day]
    reasons: dict[str, dict[date, int]] = {}
    for row in _read(context, "quarantine_reasons", context.history_begin, days=days):
        reasons.setdefault(row["reason"], {})[row["day"]] = row["messages"]
    return reasons


def _read(context: CheckContext, name: str, begin: datetime, **parameters: object) -> list[Row]:
    """Run a statement; messages with far-off clocks count from `begin` to the end of the date."""
    return context.read(name, begin=begin, far_off=list(FAR_OFF), **parameters)
