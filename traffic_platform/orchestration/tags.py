"""Tags of runs: what the queue limits, what the sensor filters by, who wins a free slot."""

from __future__ import annotations

from typing import Final

from traffic_platform.settings import Settings

# On every job of ours; the launcher forks runs that have it.
KIND: Final = "traffic/kind"
INGEST_KIND: Final = "ingest"
PUBLISHER_KIND: Final = "publisher"
WRITER: Final = "traffic/writer"
WRITERS: Final = "traffic/writers"

# How long a window may take to start, to wait out an outage at its end and to end (s).
_RUN_MARGIN_SECONDS = 300


def ingest_tags(settings: Settings) -> dict[str, str]:
    """Tags of a window: never retried by Dagster, first in the queue, ended when overdue.

    A window may wait as long as its predecessor runs, and then run as long itself. After that
    only a process that is gone or hangs is left, and run monitoring clears it.
    """
    once = settings.ingest_run_seconds + settings.ingest_run_idle_seconds
    return {
        KIND: INGEST_KIND,
        "dagster/max_retries": "0",
        "dagster/max_runtime": str(round(2 * once + _RUN_MARGIN_SECONDS)),
        "dagster/priority": "10",
    }


# A publisher lasts as long as this many windows: its runs are worth less to people than windows'.
PUBLISHER_INGEST_RUNS = 3


def publisher_tags(settings: Settings) -> dict[str, str]:
    """Tags of a publisher: like a window's."""
    longest = PUBLISHER_INGEST_RUNS * settings.ingest_run_seconds + settings.ingest_run_idle_seconds
    return {
        KIND: PUBLISHER_KIND,
        "dagster/max_retries": "0",
        "dagster/max_runtime": str(round(2 * longest + _RUN_MARGIN_SECONDS)),
        "dagster/priority": "5",
    }


def writer_tags(writer: int, writers: int) -> dict[str, str]:
    """Tags that say which partitions a window drains."""
    return {WRITER: str(writer), WRITERS: str(writers)}


def housekeeping_tags(kind: str, max_runtime_seconds: int) -> dict[str, str]:
    """Tags of a small run on a schedule: the schedule asks again, so it is not retried."""
    return {
        KIND: kind,
        "dagster/max_retries": "0",
        "dagster/max_runtime": str(max_runtime_seconds),
    }
