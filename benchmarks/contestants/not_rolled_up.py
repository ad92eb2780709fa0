"""The platform's own window as if there were no roll-ups: nothing is marked as dirty."""

from __future__ import annotations

from benchmarks.contestants import Task, take_part
from benchmarks.contestants.window import drain
from traffic_platform.event_tables import batch


def prepare(_task: Task) -> None:
    """Leave out what ingest does for roll-ups."""
    batch.encode_dirty = lambda *_: None


if __name__ == "__main__":
    take_part(prepare, drain)
