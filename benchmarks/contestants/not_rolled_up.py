"""The platform's ingest run without roll-ups: it marks no buckets as dirty."""

from __future__ import annotations

from benchmarks.contestants import Task, take_part
from benchmarks.contestants.ingest_run import drain
from traffic_platform.event_tables import batch


def prepare(_task: Task) -> None:
    """Replace the function that marks dirty buckets."""
    batch.encode_dirty = lambda *_: None


if __name__ == "__main__":
    take_part(prepare, drain)
