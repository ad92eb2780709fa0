"""Checks of arrival: messages are stored soon, and no feed is silent."""

from __future__ import annotations

from datetime import datetime, timedelta
from statistics import median

from traffic_platform.quality.check import Scope, check
from traffic_platform.quality.check_context import CheckContext
from traffic_platform.quality.feeds import feed_of
from traffic_platform.quality.outcome import SAMPLE_ROWS, Outcome, Row, named, not_evaluated

# Ingest stores messages within a second; a delay of a minute is an outage or a backlog (s).
LATE_SECONDS = 60
# A short outage delays a few messages. More than this share of a day (0 to 1) is not short.
LATE_SHARE = 0.05
LEAST_MESSAGES = 20

# A feed is silent after so many of its intervals, and not before a quarter of an hour.
SILENT_INTERVALS = 5
SILENT_FOR = timedelta(minutes=15)
# A feed that is silent for a week has ended; sensors_deliver has reported its sensors meanwhile.
ENDED_AFTER = timedelta(days=7)
# Readings that arrive later than this after their time were loaded, not sent live.
FED_WITHIN = timedelta(hours=6)
LEAST_READINGS = 10


@check("raw_events", "WARN", Scope.DATE, "arrival_lag")
def messages_stored_in_time(context: CheckContext) -> Outcome:
    """95 % of the messages that arrived on the date were stored within 60 s of their arrival.

    Arrival is the broker's time. In a topic with CreateTime it is the time that the producer sets.
    """
    rows = context.read("arrival_lag", late=LATE_SECONDS)
    messages = sum(row["messages"] for row in rows)
    if messages < LEAST_MESSAGES:
        return not_evaluated(f"fewer than {LEAST_MESSAGES} messages arrived on this date")
    late = sum(row["late"] for row in rows)
    numbers: dict[str, int | float] = {
        "messages": messages,
        "late": late,
        "longest (s)": max(round(row["longest_s"], 1) for row in rows),
    }
    if late <= LATE_SHARE * messages:
        return Outcome(True, "Messages are stored soon after their arrival.", numbers)
    delayed = [row for row in rows if row["late"]]
    return Outcome(
        passed=False,
        summary=f"{late:,} of {messages:,} messages were stored more than {LATE_SECONDS} s after "
        f"their arrival, the last of them by {numbers['longest (s)']} s.",
        numbers=numbers,
        sample=delayed[:SAMPLE_ROWS],
        named_by=(),  # a delay affects all partitions, so new names are not news
    )


@check("traffic_readings", "WARN", Scope.TABLE, "newest_readings")
def feeds_deliver(context: CheckContext) -> Outcome:
    """Each feed's newest reading arrived a short while ago.

    A feed may be silent for five of its intervals, and at least for a quarter of an hour. The check
    is about now, never about past dates. Feeds that were loaded, or ended a week ago, do not count.
    """
    if not context.is_today:
        return not_evaluated("this check is about now, and the date is not today")
    rows = context.read("newest_readings", since=context.now - ENDED_AFTER, until=context.now)
    feeds: dict[str, list[Row]] = {}
    for row in rows:
        if row["readings"] >= LEAST_READINGS and row["arrived"] - row["newest"] <= FED_WITHIN:
            feeds.setdefault(feed_of(row["sensor"]), []).append(row)
    if not feeds:
        return not_evaluated("no feed has delivered in the last seven days")
    silent = [
        row
        for feed, sensors in sorted(feeds.items())
        if (row := _silence(feed, sensors, context.now)) is not None
    ]
    numbers = {"feeds": len(feeds), "silent feeds": len(silent)}
    if not silent:
        return Outcome(True, "Every feed delivers.", numbers)
    return Outcome(
        passed=False,
        summary=f"Nothing has arrived from {named([str(row['feed']) for row in silent])}.",
        numbers=numbers,
        sample=silent[:SAMPLE_ROWS],
        named_by=("feed",),
    )


def _silence(feed: str, sensors: list[Row], now: datetime) -> Row | None:
    """Return the sample row of a silent feed, None if it is not silent."""
    arrived = max(row["arrived"] for row in sensors)
    interval = timedelta(seconds=float(median(row["interval_s"] for row in sensors)))
    allowed = max(SILENT_FOR, SILENT_INTERVALS * interval)
    if now - arrived <= allowed:
        return None
    return {
        "feed": feed,
        "sensors": len(sensors),
        "last arrival": arrived,
        "newest reading": max(row["newest"] for row in sensors),
        "silent for (min)": round((now - arrived) / timedelta(minutes=1)),
        "may be silent for (min)": round(allowed / timedelta(minutes=1)),
    }
