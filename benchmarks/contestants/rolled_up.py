"""The platform's own window with folds beside it, as under Dagster."""

from __future__ import annotations

from benchmarks.contestants import Committed, Task, take_part
from benchmarks.contestants.window import drain as drain_plainly
from benchmarks.contestants.window import prepare, settings_of
from traffic_platform.rollups import BackgroundRollups


def drain(task: Task, committed: Committed) -> None:
    """Run one window until all that is there is stored, and fold meanwhile.

    What is left to fold at its end is not waited for: it is no part of ingest.
    """
    with BackgroundRollups(settings_of(task), last_seconds=0) as folds:
        drain_plainly(task, committed, folds.stored)


if __name__ == "__main__":
    take_part(prepare, drain)
