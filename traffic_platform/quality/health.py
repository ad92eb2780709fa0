"""The check of detector health, by the diagnoses of detector_health."""

from __future__ import annotations

from statistics import median

from traffic_platform.quality.check import Scope, check
from traffic_platform.quality.check_context import CheckContext
from traffic_platform.quality.history import LEAST_DAYS
from traffic_platform.quality.outcome import SAMPLE_ROWS, Outcome, not_evaluated

# Of a hundred detectors a few change from day to day. If more fail at once, a line, a controller or
# a feed is the cause (our own judgement).
MOST_FALL = 0.05
# Fewer detectors than this are left to their own diagnoses.
LEAST_DETECTORS = 2


@check("detector_health", "WARN", Scope.DATE, "health_by_date", "newly_unhealthy")
def detectors_stay_healthy(context: CheckContext) -> Outcome:
    """The share of healthy detectors does not fall below that of the two weeks before.

    The diagnoses are computed once a date is over. Detectors whose tests could not be evaluated do
    not count.
    """
    first = context.history_days[0]
    rows = context.read("health_by_date", first=first)
    shares = {row["date"]: row["good"] / row["evaluated"] for row in rows if row["evaluated"]}
    if context.day not in shares:
        return not_evaluated("no detector has been diagnosed for the date")
    share = shares.pop(context.day)
    if len(shares) < LEAST_DAYS:
        return not_evaluated("detectors have been diagnosed for too few days before")
    usual = median(shares.values())
    today = rows[-1]
    broken = context.read("newly_unhealthy", first=first)
    numbers: dict[str, int | float] = {
        "detectors evaluated": today["evaluated"],
        "healthy": today["good"],
        "share": round(share, 3),
        "usual share": round(usual, 3),
        "newly unhealthy": len(broken),
    }
    lacking = (usual - share) * today["evaluated"]
    if usual - share <= MOST_FALL or lacking < LEAST_DETECTORS:
        return Outcome(True, "As many detectors as before are healthy.", numbers)
    names = ", ".join(f"{row['sensor']} ({row['diagnosis']})" for row in broken[:SAMPLE_ROWS])
    return Outcome(
        passed=False,
        summary=f"{share:.0%} of the detectors are healthy; {usual:.0%} were before. Newly"
        f" unhealthy: {names or 'no detector that was healthy before'}.",
        numbers=numbers,
        sample=broken[:SAMPLE_ROWS],
    )
