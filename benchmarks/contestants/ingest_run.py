"""The platform's ingest run: raw, processed and readings in one transaction."""

from __future__ import annotations

from collections.abc import Callable

from benchmarks.contestants import Committed, Task, take_part
from traffic_platform.ingest.drain import RunLimits, run_ingest
from traffic_platform.ingest.totals import IngestTotals
from traffic_platform.settings import Settings


def settings_of(task: Task) -> Settings:
    """Return the platform's defaults with the servers, topic and group of the task."""
    return Settings(
        _env_file=None,  # pyright: ignore[reportCallIssue]
        kafka_bootstrap_servers=task.bootstrap_servers,
        database_url=task.owner_url,  # pyright: ignore[reportArgumentType]
        ingest_database_url=task.ingest_url,  # pyright: ignore[reportArgumentType]
        raw_topic=task.topic,
        consumer_group=task.group,
    )


def prepare(_task: Task) -> None:
    """Do nothing, because an ingest run makes partitions and sensors itself."""


def drain(task: Task, committed: Committed, stored: Callable[[], None] | None = None) -> None:
    """Drain the topic with one ingest run, which calls `stored` after each commit."""

    def report(totals: IngestTotals) -> None:
        committed(totals.delivered)

    run_ingest(
        settings_of(task),
        [task.topic],
        limits=RunLimits(seconds=3600, idle_seconds=60, until_caught_up=True),
        run_id=None,
        stop=lambda: False,
        writer=task.writer,
        writers=task.writers,
        report=report,
        report_seconds=0,
        stored=stored,
    )


if __name__ == "__main__":
    take_part(prepare, drain)
