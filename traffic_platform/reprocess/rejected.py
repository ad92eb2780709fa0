"""Reprocess rejected messages: those that are valid under today's rules leave quarantine."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date

from traffic_platform.decoding_rules import rules_of
from traffic_platform.errors import translate
from traffic_platform.event_tables.audit import PartitionAudit
from traffic_platform.events.rules import Rules
from traffic_platform.monitoring.rejected_messages import QuarantineFilter, filter_parameters
from traffic_platform.postgres.connections import Connection, connect
from traffic_platform.postgres.identity import require_timezone
from traffic_platform.reprocess.apply import Correction, Corrector, audits_of
from traffic_platform.reprocess.outcomes import Stage
from traffic_platform.reprocess.stored_messages import Messages, fetch_messages
from traffic_platform.sensors.admission import StoredMessageDecoder
from traffic_platform.settings import Settings
from traffic_platform.statements import statement

Progress = Callable[[int], None]
"""Gets the number of messages that are decoded next."""

_BEFORE_ALL = {"after_topic_no": -1, "after_partition": -1, "after_offset": -1}
_NO_DATE: dict[str, object] = {"day": None}  # a backfill uses the same statements with a date


@dataclass
class ReprocessReport:
    """Numbers of a reprocessing, or of its dry run.

    `examined` messages were decoded. `replayed` of them are events now, counted by the reason of
    their rejection and by event date. The others remain, counted by the reason that holds now;
    `rejudged` of them had another reason or detail before. `inserted`, `updated`, `unchanged` and
    `superseded` count the effect of the new events on readings. A dry run leaves these 0.
    """

    dry_run: bool
    rules_version: str
    examined: int = 0
    replayed: int = 0
    remaining: int = 0
    rejudged: int = 0
    batches: int = 0
    inserted: int = 0
    updated: int = 0
    unchanged: int = 0
    superseded: int = 0
    replayed_by_reason: Counter[str] = field(default_factory=Counter[str])
    remaining_by_reason: Counter[str] = field(default_factory=Counter[str])
    dates: Counter[date] = field(default_factory=Counter[date])

    def add(self, chunk: _Chunk) -> None:
        """Count a chunk."""
        for was, now, day, number, rejudged in chunk.outcomes:
            self.examined += number
            self.rejudged += rejudged
            if now is None:
                self.replayed += number
                self.replayed_by_reason[was] += number
                self.dates[day] += number
            else:
                self.remaining += number
                self.remaining_by_reason[now] += number
        self.batches += bool(chunk.audits)
        for audit in chunk.audits:
            self.inserted += audit.inserted
            self.updated += audit.updated
            self.unchanged += audit.unchanged
            self.superseded += audit.superseded


@dataclass
class _Chunk:
    """Outcomes of a chunk: (reason before, reason now, event date, messages, rejudged)."""

    outcomes: list[tuple[str, str | None, date, int, int]]
    audits: list[PartitionAudit] = field(default_factory=list[PartitionAudit])


def reprocess_rejected(
    settings: Settings,
    which: QuarantineFilter,
    *,
    dry_run: bool = False,
    stop: Callable[[], bool] = lambda: False,
    progress: Progress = lambda _number: None,
) -> ReprocessReport:
    """Decode the chosen rejected messages again, and store those that are events now.

    `stop` is called between chunks. Messages that arrive meanwhile wait for the next call. Each
    chunk is a transaction of its own; a call after an error continues with the rest. Raises
    TransientError, PermanentError, and SettingsError when this database keeps its dates in another
    time zone.
    """
    try:
        with connect(
            settings.endpoints().ingest_url, application_name="traffic-reprocess", autocommit=True
        ) as connection:
            require_timezone(connection, settings.timezone)
            return _reprocess(connection, settings, which, dry_run, stop, progress)
    except Exception as error:
        raise translate(error) or error from error


def _reprocess(
    connection: Connection,
    settings: Settings,
    which: QuarantineFilter,
    dry_run: bool,
    stop: Callable[[], bool],
    progress: Progress,
) -> ReprocessReport:
    rules = rules_of(settings)
    report = ReprocessReport(dry_run, rules.version)
    decoder = StoredMessageDecoder.of(rules, connection)
    chunks = _Chunks(connection, rules, decoder, settings.raw_topic)
    filters = filter_parameters(settings, which) | {
        "last_batch_id": _last_batch_id(connection),
        "messages": settings.batch_messages,
        "payload": settings.batch_bytes,
    }
    after: dict[str, int] = _BEFORE_ALL
    while not stop():
        messages = fetch_messages(connection, "reprocess/rejected_chunk", filters | after)
        if len(messages) == 0:
            break
        after = {
            "after_topic_no": int(messages.topic_no[-1]),
            "after_partition": int(messages.partition[-1]),
            "after_offset": int(messages.offset[-1]),
        }
        progress(len(messages))
        report.add(chunks.preview(messages) if dry_run else chunks.correct(messages))
    return report


def _last_batch_id(connection: Connection) -> int:
    """Return an upper bound, so that the call ends although new messages are rejected meanwhile."""
    row = connection.execute(
        "select coalesce(max(batch_id), 0) from traffic.quarantined_events"
    ).fetchone()
    assert row is not None
    return int(row[0])


class _Chunks:
    """Decodes and corrects rejected messages, a chunk at a time."""

    def __init__(
        self, connection: Connection, rules: Rules, decoder: StoredMessageDecoder, raw_topic: str
    ) -> None:
        self._connection = connection
        self._stage = Stage(connection, decoder, rules.timezone)
        self._corrector = Corrector(connection, rules, "reprocess", raw_topic=raw_topic)

    def preview(self, messages: Messages) -> _Chunk:
        """Return the outcomes of messages without writing them."""
        self._stage.fill_rejected(messages)
        return _Chunk(self._connection.execute(statement("reprocess/count_retried")).fetchall())

    def correct(self, messages: Messages) -> _Chunk:
        """Store the messages that are events now; return the outcomes of those still rejected."""
        found = self.preview(messages)
        if not any(now is None or rejudged for _, now, _, _, rejudged in found.outcomes):
            return found
        return self._corrector.commit(
            "a chunk of rejected messages",
            lambda tables: tables.prepare_events(self._stage.months, self._stage.sensors),
            self._write,
            _NO_DATE,
        )

    def _write(self, correction: Correction) -> _Chunk:
        """Compare again under the lock: another reprocessing may have stored some events."""
        cursor = correction.cursor
        cursor.execute("truncate pg_temp.event_changes, pg_temp.reading_changes")
        outcomes = correction.run("reprocess/count_retried").fetchall()
        correction.run("reprocess/find_retried_events")
        cursor.execute("analyze pg_temp.event_changes")
        correction.run("reprocess/find_retried_readings")
        correction.write_events()
        readings = correction.write_readings()
        records = correction.run("reprocess/retried").fetchall()
        audits = audits_of(records, readings.inserted, readings.updated, readings.unchanged)
        correction.write_audit(audits)
        return _Chunk(outcomes, audits)
