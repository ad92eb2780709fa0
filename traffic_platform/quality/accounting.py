"""Every offset accounted for: ledger arithmetic over the newest stretch of each log.

The ledger moves only by compare-and-set and audit rows are only added, so what was right a quarter
of an hour ago still is; a check that runs every quarter of an hour needs to look at what is new,
and `traffic verify` looks at all. At ten commits a second a partition adds 9,000 audit rows in
that time.
"""

from __future__ import annotations

from traffic_platform.quality.outcome import SAMPLE_ROWS, Outcome
from traffic_platform.quality.reading import Connection, read_rows

# Audit rows of each log that are examined: over an hour at ten commits a second.
NEWEST_AUDIT_ROWS = 40_000
# Offsets of each log whose raw rows are counted: one full micro-batch at least.
COUNTED_OFFSETS = 20_000


def every_offset_accounted_for(connection: Connection) -> Outcome:
    """Each offset up to the ledger is in one audit row or one lost range, and the counts add up.

    That is, for each log (a topic's partition as long as it is the same log): the ranges of
    micro_batches and lost_ranges tile [start, next); delivered = raw + echoes and raw = processed
    + quarantined in each audit row; raw_events holds as many rows as the audit says; and no lost
    range waits to be acknowledged.
    """
    newest = {"most": NEWEST_AUDIT_ROWS}
    gaps = read_rows(connection, "ledger_gaps", **newest)
    unbalanced = read_rows(connection, "unbalanced_batches", **newest)
    missing = read_rows(connection, "raw_rows_missing", offsets=COUNTED_OFFSETS)
    losses = read_rows(connection, "open_losses")
    totals = read_rows(connection, "ledger_totals", **newest)[0]
    found = {
        "ranges that do not tile": gaps,
        "audit rows that do not add up": unbalanced,
        "logs whose raw rows differ": missing,
        "lost ranges": losses,
    }
    wrong = [f"{len(rows)} {what}" for what, rows in found.items() if rows]
    return Outcome(
        passed=not wrong,
        summary=f"Found {', '.join(wrong)}." if wrong else "Every offset is accounted for.",
        numbers={
            **{name.replace("_", " "): int(number) for name, number in totals.items()},
            **{what: len(rows) for what, rows in found.items()},
        },
        sample=[row for rows in found.values() for row in rows][:SAMPLE_ROWS],
    )
