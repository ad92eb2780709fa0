"""A replay from end to end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import numpy as np
import psycopg

from traffic_platform.decoding_rules import rules_of
from traffic_platform.errors import translate
from traffic_platform.events.columns import Decoded
from traffic_platform.events.dates import local_days, to_date
from traffic_platform.monitoring.rejected_messages import QuarantineFilter, filter_parameters
from traffic_platform.postgres.connections import connect
from traffic_platform.postgres.identity import require_timezone
from traffic_platform.reprocess.retry_chunk import BEFORE_ALL, Chunk, decode_chunk, read_chunk
from traffic_platform.reprocess.retry_commit import Committer
from traffic_platform.reprocess.retry_outcome import Outcome
from traffic_platform.sensors.admission import StoredMessageDecoder
from traffic_platform.settings import Settings

Progress = Callable[[int], None]  # gets the number of messages just decoded


@dataclass
class ReprocessReport:
    """What a replay did, or of a dry run: would do.

    `examined` messages were decoded again; `replayed` of them are events now, by the reason that
    they were in quarantine for and by event date; the others remain, by the reason that holds now,
    `rejudged` of them for another one or with another detail than before. `inserted`, `updated`
    and `unchanged` say what the events did to readings, which only the tables can tell.
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
    replayed_by_reason: Counter[str] = field(default_factory=Counter[str])
    remaining_by_reason: Counter[str] = field(default_factory=Counter[str])
    dates: Counter[date] = field(default_factory=Counter[date])

    def add(self, chunk: Chunk, decoded: Decoded, timezone: str) -> None:
        """Count a chunk that was decoded."""
        passed: list[int] = decoded.processed.index.tolist()
        self.examined += len(chunk)
        self.replayed += len(passed)
        self.remaining += len(decoded.quarantined)
        self.rejudged += sum(
            (item.reason, item.detail) != (chunk.reasons[item.index], chunk.details[item.index])
            for item in decoded.quarantined
        )
        self.replayed_by_reason.update(chunk.reasons[row] for row in passed)
        self.remaining_by_reason.update(item.reason.value for item in decoded.quarantined)
        days, numbers = np.unique(
            local_days(decoded.processed.timestamp_us, timezone), return_counts=True
        )
        self.dates.update(
            {
                to_date(day): number
                for day, number in zip(days.tolist(), numbers.tolist(), strict=True)
            }
        )

    def add_stored(self, outcome: Outcome) -> None:
        """Count what a transaction did."""
        self.batches += bool(outcome.audits)
        for audit in outcome.audits:
            self.inserted += audit.inserted
            self.updated += audit.updated
            self.unchanged += audit.unchanged


def reprocess_rejected(
    settings: Settings,
    which: QuarantineFilter,
    *,
    dry_run: bool = False,
    stop: Callable[[], bool] = lambda: False,
    progress: Progress | None = None,
) -> ReprocessReport:
    """Decode the chosen messages again and let in what passes; `stop` is asked between chunks.

    Messages that arrive meanwhile are left to the next replay. What was done stays done whatever
    ends this, and to call it again goes on. Raises TransientError, PermanentError, and
    SettingsError when this database keeps its dates in another time zone.
    """
    endpoints = settings.endpoints()
    url = endpoints.read_url if dry_run else endpoints.ingest_url
    try:
        with connect(url, application_name="traffic-replay", autocommit=True) as connection:
            require_timezone(connection, settings.timezone)
            return _replay(connection, settings, which, dry_run, stop, progress)
    except Exception as error:
        raise translate(error) or error from error


def _replay(
    connection: psycopg.Connection[Any],
    settings: Settings,
    which: QuarantineFilter,
    dry_run: bool,
    stop: Callable[[], bool],
    progress: Progress | None,
) -> ReprocessReport:
    rules = rules_of(settings)
    decoder = StoredMessageDecoder.of(rules, connection)
    committer = None if dry_run else Committer(connection, rules, settings.raw_topic)
    report = ReprocessReport(dry_run, rules.version)
    filters = filter_parameters(settings, which) | {"last_batch_id": _last_batch_id(connection)}
    after = BEFORE_ALL
    while not stop():
        chunk = read_chunk(
            connection,
            filters,
            after,
            messages=settings.batch_messages,
            payload=settings.batch_bytes,
        )
        if len(chunk) == 0:
            break
        after = chunk.last
        if progress is not None:
            progress(len(chunk))
        if committer is None:
            report.add(chunk, decode_chunk(decoder, chunk), rules.timezone)
            continue
        chunk, decoded, outcome = committer.commit(chunk, decoder)
        report.add(chunk, decoded, rules.timezone)
        report.add_stored(outcome)
    return report


def _last_batch_id(connection: psycopg.Connection[Any]) -> int:
    """A bound, so that a feed that is quarantined as fast as it is replayed does not go on."""
    row = connection.execute(
        "select coalesce(max(batch_id), 0) from traffic.quarantined_events"
    ).fetchone()
    assert row is not None
    return int(row[0])
