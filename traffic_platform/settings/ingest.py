"""Settings of ingest runs and their batches."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from traffic_platform.settings.subject import SubjectSettings


class IngestSettings(SubjectSettings):
    """Ingest runs and batches"""

    writers: Annotated[int, Field(ge=1, le=64)] = 1
    """Number of ingest runs at a time. Each drains its own partitions, so a writer beyond the
    number of partitions has no work."""
    batch_messages: Annotated[int, Field(ge=1, le=200_000)] = 20_000
    """Largest number of messages in a micro-batch, which is one transaction."""
    batch_bytes: Annotated[int, Field(ge=1024)] = 32 * 1024 * 1024
    """Largest size of a micro-batch's keys and values, in bytes. A larger message is a batch of its
    own."""
    batch_linger_ms: Annotated[int, Field(ge=1, le=10_000)] = 100
    """Time in milliseconds that a batch waits for more messages while few arrive."""
    ingest_run_seconds: Annotated[float, Field(gt=0, le=3600)] = 1200
    """An ingest run ends after this many seconds of draining, a publisher run after three times as
    many."""
    ingest_run_idle_seconds: Annotated[float, Field(gt=0)] = 60
    """An ingest run or publisher run ends after this many seconds without a message."""
    lease_seconds: Annotated[float, Field(ge=2)] = 10
    """Another run takes over a partition whose holder has not renewed its lock for this many
    seconds."""
