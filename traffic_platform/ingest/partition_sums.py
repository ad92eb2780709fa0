"""Sums of the audit rows of an ingest run without Dagster, by partition."""

from __future__ import annotations

from dataclasses import dataclass

import psycopg
from psycopg.rows import class_row

from traffic_platform.errors import translate
from traffic_platform.ingest.totals import IngestTotals
from traffic_platform.postgres.connections import connect
from traffic_platform.settings import Settings
from traffic_platform.statements import statement


@dataclass(frozen=True)
class PartitionSums:
    """Sums over the batches of a partition."""

    topic: str
    partition: int
    batches: int
    first_offset: int
    next_offset: int
    delivered: int
    raw: int
    processed: int
    quarantined: int
    echoes: int
    inserted: int
    updated: int
    unchanged: int
    superseded: int


def read_partition_sums(settings: Settings, totals: IngestTotals) -> list[PartitionSums]:
    """Return the sums of each partition of the run. Raises TransientError or PermanentError."""
    if not totals.batches:
        return []
    url = settings.endpoints().read_url
    batch_range = {"first": totals.first_batch_id, "last": totals.last_batch_id}
    try:
        with (
            connect(url, application_name="traffic ingest") as connection,
            connection.cursor(row_factory=class_row(PartitionSums)) as cursor,
        ):
            rows = cursor.execute(statement("ingest/sum_batches"), batch_range).fetchall()
    except psycopg.Error as error:
        raise (translate(error) or error) from error
    return [row for row in rows if (row.topic, row.partition) in totals.partitions]
