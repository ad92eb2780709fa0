"""The platform's ingest run with roll-ups beside it, as under Dagster."""

from __future__ import annotations

from benchmarks.contestants import Committed, Task, take_part
from benchmarks.contestants.ingest_run import drain as drain_plainly
from benchmarks.contestants.ingest_run import prepare, settings_of
from traffic_platform.rollups import BackgroundRollups


def drain(task: Task, committed: Committed) -> None:
    """Drain the topic with one ingest run and roll up meanwhile.

    It does not wait for dirty buckets at the end, because they do not belong to ingest.
    """
    with BackgroundRollups(settings_of(task), last_seconds=0) as rollups:
        drain_plainly(task, committed, rollups.stored)


if __name__ == "__main__":
    take_part(prepare, drain)
