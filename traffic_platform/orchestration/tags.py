"""Run tags: limits of the queue, filters of the offset sensor, and priorities."""

from __future__ import annotations

from typing import Final

from traffic_platform.settings import Settings

# Every job of the platform carries this tag; the launcher forks runs that have it.
KIND: Final = "traffic/kind"
INGEST_KIND: Final = "ingest"
PUBLISHER_KIND: Final = "publisher"
WRITER: Final = "traffic/writer"
WRITERS: Final = "traffic/writers"

# A publisher run lasts as long as this many ingest runs, because people rarely look at its runs.
PUBLISHER_INGEST_RUNS: Final = 3
# Time for a run to start, to wait out an outage at its end, and to end (s).
_RUN_MARGIN_SECONDS = 300


def ingest_tags(settings: Settings) -> dict[str, str]:
    """Return the tags of an ingest run: first in the queue, never retried, ended when overdue.

    A run may wait as long as its predecessor drains, and then drain as long itself. After that its
    process is gone or hangs, and run monitoring ends it.
    """
    longest = settings.ingest_run_seconds + settings.ingest_run_idle_seconds
    return _stream_tags(INGEST_KIND, longest, priority=10)


def publisher_tags(settings: Settings) -> dict[str, str]:
    """Return the tags of a publisher run, which behaves like an ingest run."""
    longest = PUBLISHER_INGEST_RUNS * settings.ingest_run_seconds + settings.ingest_run_idle_seconds
    return _stream_tags(PUBLISHER_KIND, longest, priority=5)


def writer_tags(writer: int, writers: int) -> dict[str, str]:
    """Return the tags that say which partitions an ingest run drains."""
    return {WRITER: str(writer), WRITERS: str(writers)}


def housekeeping_tags(kind: str, max_runtime_seconds: int) -> dict[str, str]:
    """Return the tags of a scheduled run. It is not retried: the schedule asks again."""
    return {
        KIND: kind,
        "dagster/max_retries": "0",
        "dagster/max_runtime": str(max_runtime_seconds),
    }


def _stream_tags(kind: str, longest_seconds: float, priority: int) -> dict[str, str]:
    longest = round(2 * longest_seconds + _RUN_MARGIN_SECONDS)
    return {**housekeeping_tags(kind, longest), "dagster/priority": str(priority)}
