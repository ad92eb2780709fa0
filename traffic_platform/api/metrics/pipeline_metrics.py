"""How far the pipeline is, as the ledger and the audit have it.

The audit is summed once, when it is first asked for; afterwards only what is newer. Within a log,
audit rows follow one another in the order of offsets, and commit in that order, so the offset up to
which they are summed is enough to go on from. Closed hours are folded to rows with their sums: a
fold over that offset makes the log be summed anew. Sums of windows only grow, as counters must.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from psycopg.rows import dict_row

from traffic_platform.api.database import Connection, Database
from traffic_platform.statements import statement

# Days of a fast stream have millions of audit rows, and the first sum is of all of them.
_ROWS_AT_A_TIME = 200_000
_RESULTS = ("processed", "quarantined", "echoes")
_READINGS = ("inserted", "updated", "unchanged")
_SUMS = ("batches", *_RESULTS, *_READINGS)
_LABELS = {"processed": "processed", "quarantined": "quarantined", "echoes": "echo"}

Generation = tuple[int, int]


@dataclass(frozen=True)
class GenerationSums:
    """A log (topic_no, partition): what was counted below `next_offset`, and how it is now."""

    topic: str
    next_offset: int
    sums: dict[str, int]
    corrected_quarantine: int = 0
    lag: int | None = None
    committed: float | None = None


@dataclass(frozen=True)
class Pipeline:
    """One moment. Times are seconds since 1970, None where there is none."""

    logs: dict[Generation, GenerationSums]
    newest_bucket: float | None
    lost: int

    def families(self) -> Iterator[Metric]:
        """The metrics."""
        lag = GaugeMetricFamily(
            "traffic_ingest_lag_messages",
            "Offsets between the ledger and the end of the log, when it was last looked at.",
            labels=("topic", "partition"),
        )
        for (_, partition), log in self.logs.items():
            if log.lag is not None:
                lag.add_metric((log.topic, str(partition)), log.lag)
        yield lag
        yield from self._counters()
        yield from self._moments()

    def _counters(self) -> Iterator[Metric]:
        messages = CounterMetricFamily(
            "traffic_messages",
            "Messages that windows stored, by what they were when they came.",
            labels=("topic", "result"),
        )
        readings = CounterMetricFamily(
            "traffic_readings",
            "Events by what they did to readings when they came.",
            labels=("topic", "result"),
        )
        batches = CounterMetricFamily(
            "traffic_batches",
            "Micro-batches that were committed, one for each partition in them.",
            labels=("topic",),
        )
        waiting = GaugeMetricFamily(
            "traffic_quarantine_waiting_messages",
            "Messages in quarantine that no replay or rebuild has let in.",
            labels=("topic",),
        )
        for topic in sorted({log.topic for log in self.logs.values()}):
            logs = [log for log in self.logs.values() if log.topic == topic]
            total = {name: sum(log.sums[name] for log in logs) for name in _SUMS}
            for name in _RESULTS:
                messages.add_metric((topic, _LABELS[name]), total[name])
            for name in _READINGS:
                readings.add_metric((topic, name), total[name])
            batches.add_metric((topic,), total["batches"])
            corrected = sum(log.corrected_quarantine for log in logs)
            waiting.add_metric((topic,), total["quarantined"] + corrected)
        yield from (messages, readings, batches, waiting)

    def _moments(self) -> Iterator[Metric]:
        commits = [log.committed for log in self.logs.values() if log.committed is not None]
        if commits:
            yield GaugeMetricFamily(
                "traffic_newest_commit_timestamp_seconds",
                "When a batch was last committed.",
                value=max(commits),
            )
        if self.newest_bucket is not None:
            yield GaugeMetricFamily(
                "traffic_newest_readings_timestamp_seconds",
                "Where the newest five minutes that have readings begin, by their own time.",
                value=self.newest_bucket,
            )
        yield GaugeMetricFamily(
            "traffic_lost_messages",
            "Offsets that Kafka dropped before they were read, and nobody has acknowledged.",
            value=self.lost,
        )


class PipelineReader:
    """Reads one moment after another, each from where the one before ended."""

    def __init__(self) -> None:
        self._logs: dict[Generation, GenerationSums] = {}

    async def read(self, database: Database) -> Pipeline:
        """Read. Raises psycopg.Error, or psycopg_pool.PoolTimeout, when the server is away."""
        async with database.connection() as connection:
            while await self._sum(connection):
                pass
            cursor = await connection.execute(statement("metrics/newest"))
            row = await cursor.fetchone()
        bucket, lost = row or (None, 0)
        return Pipeline(dict(self._logs), bucket, lost)

    async def _sum(self, connection: Connection) -> bool:
        """Add what is newer; whether there is more to add."""
        known = self._logs
        cursor = connection.cursor(row_factory=dict_row)
        await cursor.execute(
            statement("metrics/audit_since"),
            {
                "topic_nos": [log[0] for log in known],
                "partitions": [log[1] for log in known],
                "offsets": [sums.next_offset for sums in known.values()],
                "most": _ROWS_AT_A_TIME,
            },
        )
        found: dict[Generation, GenerationSums] = {}
        more = False
        for row in await cursor.fetchall():
            log = (row["topic_no"], row["partition"])
            before = known.get(log) or GenerationSums(row["topic"], 0, dict.fromkeys(_SUMS, 0))
            more = more or row["straddles"] or row["rows"] == _ROWS_AT_A_TIME
            if row["straddles"]:
                continue  # a log that is not known is summed from its start
            found[log] = replace(
                before,
                next_offset=row["next_offset"] or before.next_offset,
                sums={name: before.sums[name] + row[name] for name in _SUMS},
                corrected_quarantine=row["corrected_quarantine"],
                lag=row["lag"],
                committed=None if row["committed"] is None else float(row["committed"]),
            )
        self._logs = found
        return more
