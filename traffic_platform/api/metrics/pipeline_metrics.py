"""Metrics of the pipeline's progress, from the ledger and the audit.

The first scrape sums the whole audit, later ones only its newer rows. Within a partition
generation, audit rows follow one another by offset and commit in that order, so the offset of the
last summed row is enough to resume. Maintenance compacts the rows of closed hours into one with
their sums. If that happened across the resume offset, the generation is summed again from its
start. The sums of ingest runs only grow, as counters must.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from psycopg.rows import dict_row

from traffic_platform.api.database import Connection, Database
from traffic_platform.statements import statement

# A fast stream has millions of audit rows, and the first scrape sums all of them.
_ROWS_AT_A_TIME = 200_000
_RESULTS = ("processed", "quarantined", "echoes")
_READINGS = ("inserted", "updated", "unchanged", "superseded")
_SUMS = ("batches", *_RESULTS, *_READINGS)
_LABELS = {"processed": "processed", "quarantined": "quarantined", "echoes": "echo"}

Generation = tuple[int, int]  # topic_no, partition


@dataclass(frozen=True)
class GenerationSums:
    """Sums of a partition generation below `next_offset`, with its lag and newest commit.

    lag: messages. committed: seconds since 1970.
    """

    topic: str
    next_offset: int
    sums: dict[str, int]
    corrected_quarantine: int = 0
    lag: int | None = None
    committed: float | None = None


@dataclass(frozen=True)
class Pipeline:
    """State of the pipeline. newest_bucket: seconds since 1970, None without readings."""

    generations: dict[Generation, GenerationSums]
    newest_bucket: float | None
    lost: int

    def families(self) -> Iterator[Metric]:
        """Yield the metrics."""
        lag = GaugeMetricFamily(
            "traffic_ingest_lag_messages",
            "Offsets between the ledger and the last known end of the partition.",
            labels=("topic", "partition"),
        )
        for (_, partition), sums in self.generations.items():
            if sums.lag is not None:
                lag.add_metric((sums.topic, str(partition)), sums.lag)
        yield lag
        yield from self._counters()
        yield from self._times()

    def _counters(self) -> Iterator[Metric]:
        messages = CounterMetricFamily(
            "traffic_messages",
            "Messages that ingest runs stored, by their result at ingest.",
            labels=("topic", "result"),
        )
        readings = CounterMetricFamily(
            "traffic_readings",
            "Events by their effect on readings at ingest.",
            labels=("topic", "result"),
        )
        batches = CounterMetricFamily(
            "traffic_batches",
            "Committed micro-batches, one for each partition in them.",
            labels=("topic",),
        )
        waiting = GaugeMetricFamily(
            "traffic_quarantine_waiting_messages",
            "Messages in quarantine that no reprocessing or backfill has resolved.",
            labels=("topic",),
        )
        for topic in sorted({found.topic for found in self.generations.values()}):
            of_topic = [found for found in self.generations.values() if found.topic == topic]
            total = {name: sum(found.sums[name] for found in of_topic) for name in _SUMS}
            for name in _RESULTS:
                messages.add_metric((topic, _LABELS[name]), total[name])
            for name in _READINGS:
                readings.add_metric((topic, name), total[name])
            batches.add_metric((topic,), total["batches"])
            corrected = sum(found.corrected_quarantine for found in of_topic)
            waiting.add_metric((topic,), total["quarantined"] + corrected)
        yield from (messages, readings, batches, waiting)

    def _times(self) -> Iterator[Metric]:
        times = (found.committed for found in self.generations.values())
        commits = [time for time in times if time is not None]
        if commits:
            yield GaugeMetricFamily(
                "traffic_newest_commit_timestamp_seconds",
                "Time of the newest commit of a batch.",
                value=max(commits),
            )
        if self.newest_bucket is not None:
            yield GaugeMetricFamily(
                "traffic_newest_readings_timestamp_seconds",
                "Start of the newest five minutes with readings, in event time.",
                value=self.newest_bucket,
            )
        yield GaugeMetricFamily(
            "traffic_lost_messages",
            "Offsets that Kafka dropped before they were read, without those acknowledged.",
            value=self.lost,
        )


class PipelineReader:
    """A reader of the pipeline's state that resumes where its last read ended."""

    def __init__(self) -> None:
        self._generations: dict[Generation, GenerationSums] = {}

    async def read(self, database: Database) -> Pipeline:
        """Read the state. Raises psycopg.Error or psycopg_pool.PoolTimeout in an outage."""
        async with database.connection() as connection:
            while await self._sum(connection):
                pass
            cursor = await connection.execute(statement("metrics/newest"))
            row = await cursor.fetchone()
        bucket, lost = row or (None, 0)
        return Pipeline(dict(self._generations), bucket, lost)

    async def _sum(self, connection: Connection) -> bool:
        """Add newer rows; return whether there is more to add."""
        known = self._generations
        cursor = connection.cursor(row_factory=dict_row)
        await cursor.execute(
            statement("metrics/audit_since"),
            {
                "topic_nos": [topic_no for topic_no, _ in known],
                "partitions": [partition for _, partition in known],
                "offsets": [sums.next_offset for sums in known.values()],
                "most": _ROWS_AT_A_TIME,
            },
        )
        found: dict[Generation, GenerationSums] = {}
        more = False
        for row in await cursor.fetchall():
            key = (row["topic_no"], row["partition"])
            before = known.get(key) or GenerationSums(row["topic"], 0, dict.fromkeys(_SUMS, 0))
            more = more or row["straddles"] or row["rows"] == _ROWS_AT_A_TIME
            if row["straddles"]:
                continue  # an unknown generation is summed from its start
            found[key] = replace(
                before,
                next_offset=row["next_offset"] or before.next_offset,
                sums={name: before.sums[name] + row[name] for name in _SUMS},
                corrected_quarantine=row["corrected_quarantine"],
                lag=row["lag"],
                committed=None if row["committed"] is None else float(row["committed"]),
            )
        self._generations = found
        return more
