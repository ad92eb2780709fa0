"""Checks of the ledger: every offset accounted for, and no open losses.

The ledger advances only by compare-and-set, and audit rows are only added. So a range that was
right half an hour ago still is, and a check that runs every half hour reads only the newest rows.
`traffic verify` reads all. At ten commits a second a partition adds 18,000 audit rows in that time.
"""

from __future__ import annotations

from traffic_platform.quality.check import Scope, check
from traffic_platform.quality.check_context import CheckContext
from traffic_platform.quality.outcome import SAMPLE_ROWS, Outcome

# Audit rows examined per partition generation: over an hour at ten commits a second.
NEWEST_AUDIT_ROWS = 40_000
# Offsets per partition generation whose raw rows are counted: at least one full micro-batch.
COUNTED_OFFSETS = 20_000
# A lock that ingest waits for is over sooner in normal work (s).
BLOCKED_SECONDS = 60

_PARTITION = ("topic", "partition")


@check(
    "raw_events",
    "ERROR",
    Scope.TABLE,
    "ledger_gaps",
    "unbalanced_batches",
    "raw_rows_missing",
    "ledger_totals",
)
def every_offset_accounted_for(context: CheckContext) -> Outcome:
    """Each offset up to the ledger is in one audit row or one lost range, and the counts add up.

    For each partition generation, the ranges of micro_batches and lost_ranges tile [start, next).
    In each audit row, delivered = raw + echoes and raw = processed + quarantined. raw_events holds
    as many rows as the audit counts.
    """
    newest = {"most": NEWEST_AUDIT_ROWS}
    gaps = context.read("ledger_gaps", **newest)
    unbalanced = context.read("unbalanced_batches", **newest)
    missing = context.read("raw_rows_missing", offsets=COUNTED_OFFSETS)
    totals = context.read("ledger_totals", **newest)[0]
    found = {
        "ranges that do not tile": gaps,
        "audit rows that do not add up": unbalanced,
        "partitions whose raw rows differ": missing,
    }
    wrong = [f"{len(rows)} {finding}" for finding, rows in found.items() if rows]
    return Outcome(
        passed=not wrong,
        summary=f"Found {', '.join(wrong)}." if wrong else "Every offset is accounted for.",
        numbers={
            **{name.replace("_", " "): int(number) for name, number in totals.items()},
            **{finding: len(rows) for finding, rows in found.items()},
        },
        sample=[{"what": finding, **row} for finding, rows in found.items() for row in rows][
            :SAMPLE_ROWS
        ],
        named_by=_PARTITION,
    )


@check("raw_events", "ERROR", Scope.TABLE, "ledger_blockers")
def ledger_not_blocked(context: CheckContext) -> Outcome:
    """No session of PostgreSQL has blocked the commits of ingest for more than 60 s."""
    blockers = context.read("ledger_blockers", seconds=BLOCKED_SECONDS)
    numbers = {"blocking sessions": len(blockers)}
    if not blockers:
        return Outcome(True, "No session blocks ingest.", numbers)
    first = blockers[0]
    return Outcome(
        passed=False,
        summary=f"Process {first['pid']} of application {first['application']!r} (role"
        f" {first['role']}) blocks ingest. Its query: {first['query']}",
        numbers=numbers,
        sample=blockers,
        named_by=(),  # one that is ended and comes again is not news
    )


@check("raw_events", "ERROR", Scope.TABLE, "open_losses")
def no_lost_range(context: CheckContext) -> Outcome:
    """Kafka dropped no message before ingest read it, except losses that were acknowledged."""
    losses = context.read("open_losses")
    numbers = {"lost ranges": len(losses)}
    if not losses:
        return Outcome(True, "No message was lost, or all losses are acknowledged.", numbers)
    first = losses[0]
    return Outcome(
        passed=False,
        summary=f"Kafka had dropped messages before they were read ({first['cause']}): "
        + ", ".join(
            f"{row['topic']}/{row['partition']} from {row['first_offset']}" for row in losses
        )
        + ".",
        numbers=numbers,
        sample=losses,
        named_by=_PARTITION,
    )
