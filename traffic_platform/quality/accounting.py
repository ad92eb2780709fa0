"""Every offset accounted for: ledger arithmetic over the newest stretch of each log.

The ledger moves only by compare-and-set and audit rows are only added, so what was right half an
hour ago still is; a check that runs every half hour needs to look at what is new,
and `traffic verify` looks at all. At ten commits a second a partition adds 18,000 audit rows in
that time.
"""

from __future__ import annotations

from traffic_platform.quality.check import Scope, check
from traffic_platform.quality.check_context import CheckContext
from traffic_platform.quality.check_statements import read_rows
from traffic_platform.quality.outcome import SAMPLE_ROWS, Outcome

# Audit rows of each log that are examined: over an hour at ten commits a second.
NEWEST_AUDIT_ROWS = 40_000
# Offsets of each log whose raw rows are counted: one full micro-batch at least.
COUNTED_OFFSETS = 20_000

_LOG = ("topic", "partition")


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

    That is, for each log (a topic's partition as long as it is the same log): the ranges of
    micro_batches and lost_ranges tile [start, next); delivered = raw + echoes and raw = processed
    + quarantined in each audit row; and raw_events holds as many rows as the audit says.
    """
    connection = context.connection
    newest = {"most": NEWEST_AUDIT_ROWS}
    gaps = read_rows(connection, "ledger_gaps", **newest)
    unbalanced = read_rows(connection, "unbalanced_batches", **newest)
    missing = read_rows(connection, "raw_rows_missing", offsets=COUNTED_OFFSETS)
    totals = read_rows(connection, "ledger_totals", **newest)[0]
    found = {
        "ranges that do not tile": gaps,
        "audit rows that do not add up": unbalanced,
        "logs whose raw rows differ": missing,
    }
    wrong = [f"{len(rows)} {what}" for what, rows in found.items() if rows]
    return Outcome(
        passed=not wrong,
        summary=f"Found {', '.join(wrong)}." if wrong else "Every offset is accounted for.",
        numbers={
            **{name.replace("_", " "): int(number) for name, number in totals.items()},
            **{what: len(rows) for what, rows in found.items()},
        },
        sample=[{"what": what, **row} for what, rows in found.items() for row in rows][
            :SAMPLE_ROWS
        ],
        named_by=_LOG,
    )


@check("raw_events", "ERROR", Scope.TABLE, "open_losses")
def no_lost_range(context: CheckContext) -> Outcome:
    """No message was gone from Kafka before it was read, but for losses that were acknowledged."""
    losses = read_rows(context.connection, "open_losses")
    numbers = {"lost ranges": len(losses)}
    if not losses:
        return Outcome(True, "Nothing was lost, or somebody took note of it.", numbers)
    first = losses[0]
    return Outcome(
        passed=False,
        summary=f"Kafka no longer had what was to be read ({first['cause']}): "
        + ", ".join(
            f"{row['topic']}/{row['partition']} from {row['first_offset']}" for row in losses
        )
        + ".",
        numbers=numbers,
        sample=losses,
        named_by=_LOG,
    )
