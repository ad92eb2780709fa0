"""The transaction of a chunk: all of it or nothing, and no message twice."""

from __future__ import annotations

import psycopg

from traffic_platform.event_tables.retries import Retries
from traffic_platform.event_tables.write import (
    REBUILD_LOCK,
    Cursor,
    Tables,
    copy_rows,
    count_readings,
    to_moment,
    upsert_readings,
    write_audit,
)
from traffic_platform.events.columns import Decoded
from traffic_platform.events.rules import Rules
from traffic_platform.faults import fault_points
from traffic_platform.ledger.offsets import Connection
from traffic_platform.reprocess.retry_chunk import Chunk, decode_chunk
from traffic_platform.reprocess.retry_outcome import Outcome, build_outcome
from traffic_platform.sensors.admission import StoredMessageDecoder
from traffic_platform.statements import statement


class Committer:
    """Commits chunks over one connection in autocommit."""

    def __init__(self, connection: Connection, rules: Rules, raw_topic: str) -> None:
        self._connection = connection
        self._rules = rules
        self._raw_topic = raw_topic
        self._tables = Tables(connection, rules.unknown_sensors)
        self._passed = fault_points()

    def commit(self, chunk: Chunk, decoder: StoredMessageDecoder) -> tuple[Chunk, Decoded, Outcome]:
        """Let in what passes now; what was done, without what another replay was faster with.

        Raises what the driver raises; then nothing of the chunk is done, unless it was the COMMIT
        whose answer was lost: what it resolved is not found again.
        """
        decoded = decode_chunk(decoder, chunk)
        outcome = self._build(chunk, decoded)
        retries = Retries(self._tables, "a chunk of quarantine")
        while not outcome.changes_nothing:
            try:
                self._tables.prepare_events(outcome.months, outcome.sensors)
                with self._connection.transaction():
                    self._write(chunk, outcome)
                    self._passed("before_replay_commit")
            except _OvertakenError as overtaken:
                chunk = chunk.take(overtaken.left)
                decoded = decode_chunk(decoder, chunk)
                outcome = self._build(chunk, decoded)
            except psycopg.Error as error:
                retries.after(error)
            else:
                self._passed("after_replay_commit")
                break
        return chunk, decoded, outcome

    def _build(self, chunk: Chunk, decoded: Decoded) -> Outcome:
        # By the server's clock: two replays, or a replay and its machine's clock, agree on it.
        row = self._connection.execute(
            "select (extract(epoch from clock_timestamp()) * 1000000)::bigint"
        ).fetchone()
        assert row is not None
        return build_outcome(
            chunk,
            decoded,
            timezone=self._rules.timezone,
            batch_id=self._tables.reserve_batch_ids(1)[0],
            moment_us=int(row[0]),
        )

    def _write(self, chunk: Chunk, outcome: Outcome) -> None:
        cursor = self._connection.cursor()
        cursor.execute("select pg_advisory_xact_lock(%s)", (REBUILD_LOCK,))
        self._require_unresolved(cursor, chunk)
        for step in (self._let_in, self._rejudge):
            step(cursor, chunk, outcome)

    def _require_unresolved(self, cursor: Cursor, chunk: Chunk) -> None:
        """Nobody else may have worked off a message since it was read."""
        everything = chunk.keys(list(range(len(chunk))))
        rows = cursor.execute(statement("reprocess/still_unresolved"), everything).fetchall()
        if len(rows) < len(chunk):
            raise _OvertakenError([int(number) - 1 for (number,) in rows])

    def _let_in(self, cursor: Cursor, chunk: Chunk, outcome: Outcome) -> None:
        if len(outcome.passed) == 0:
            return
        moment = to_moment(outcome.moment_us)
        copy_rows(cursor, "event_tables/copy_processed", outcome.processed)
        upserted = upsert_readings(cursor, [outcome.readings], outcome.moment_us)
        copy_rows(cursor, "event_tables/copy_dirty_buckets", outcome.dirty)
        keys = chunk.keys(outcome.passed)
        cursor.execute(statement("reprocess/resolve_rejected"), keys | {"moment": moment})
        cursor.execute(
            statement("reprocess/number_reprocessed"),
            keys | {"batch_id": outcome.batch_id, "raw_topic": self._raw_topic},
        )
        count_readings(outcome.audits, upserted, copied=False)
        write_audit(
            cursor,
            outcome.audits,
            outcome.batch_id,
            None,
            self._rules.version,
            kind="replay",
            committed_at=moment,
        )

    def _rejudge(self, cursor: Cursor, chunk: Chunk, outcome: Outcome) -> None:
        if not outcome.rejudged:
            return
        cursor.execute(
            statement("reprocess/rejudge_rejected"),
            chunk.keys([item.row for item in outcome.rejudged])
            | {
                "reason": [item.reason for item in outcome.rejudged],
                "detail": [item.detail for item in outcome.rejudged],
                "rules_version": self._rules.version,
            },
        )


class _OvertakenError(Exception):
    """Another replay has resolved some of the messages; `left` are the positions of the others."""

    def __init__(self, left: list[int]) -> None:
        super().__init__("another replay was faster")
        self.left = left
