"""Data of `traffic up --demo`: Portland's recorded hour, and waits until it is stored."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import psycopg

import traffic_platform
from traffic_platform.demo.replay import replay
from traffic_platform.ingest.drain import RunLimits, run_ingest
from traffic_platform.monitoring.lag import LagReader
from traffic_platform.sensors.sensor_import import import_sensors
from traffic_platform.settings import Settings
from traffic_platform.stack.errors import StackError
from traffic_platform.statements import statement

# The recording has 12,420 messages, 13 of them without a measure.
_SAMPLE_HOUR = {
    "first": datetime(2011, 9, 15, 7, tzinfo=UTC),
    "next": datetime(2011, 9, 15, 8, tzinfo=UTC),
}
_SAMPLE_READINGS = 12_407

_ASK_AGAIN_SECONDS = 0.2
_NO_PROGRESS_SECONDS = 120.0
_REPORT_SECONDS = 2.0


@dataclass(frozen=True)
class Counts:
    """Numbers of stored rows. Readings are distinct pairs of sensor and timestamp."""

    raw: int
    processed: int
    quarantined: int
    readings: int


def send_sample(settings: Settings, progress: Callable[[str], None]) -> dict[int, int]:
    """Import Portland's detectors and replay the recorded hour.

    Returns the end of each partition afterwards, nothing when the hour is stored already.
    Raises StackError when the recording is missing, and the errors of import and replay.
    """
    folder = _sample_folder()
    if _sample_is_stored(settings):
        progress("Portland's hour is stored already")
        return {}
    import_sensors(settings, folder)
    progress("Portland's detectors are imported")
    report = replay(settings, folder / "freeway_loopdata_OneHour.csv")
    if report.failed:
        raise StackError(f"{report.failed} events did not reach Kafka: {report.error}")
    progress(f"Portland's hour is sent: {report.delivered:,} events")
    with closing(LagReader(settings)) as reader:
        return {part.partition: part.end for part in reader.read([settings.raw_topic])}


def store_here(settings: Settings) -> None:
    """Store the messages in Kafka, for a stack without Dagster."""
    limits = RunLimits(seconds=3600, idle_seconds=60, until_caught_up=True)
    topics = settings.ingest_topics
    run_ingest(settings, topics, limits=limits, run_id=None, stop=lambda: False)


def wait_until_stored(
    settings: Settings, ends: Mapping[int, int], progress: Callable[[str], None]
) -> None:
    """Wait until the ledger has reached `ends`, an offset for each partition of the raw topic.

    Raises StackError when nothing is stored for two minutes.
    """
    waiting = _ProgressWait(progress)
    with closing(LagReader(settings)) as reader:
        while (left := _left(reader, settings.raw_topic, ends)) > 0:
            waiting.wait(left, left, settings)


def wait_for_feed(settings: Settings, progress: Callable[[str], None]) -> None:
    """Wait until readings of the last minutes are stored, after all earlier events.

    Raises StackError when nothing is stored for two minutes.
    """
    waiting = _ProgressWait(progress)
    url = settings.endpoints().read_url
    with (
        closing(LagReader(settings)) as reader,
        psycopg.connect(url, autocommit=True) as connection,
    ):
        while not _is_fresh(connection):
            parts = reader.read([settings.raw_topic])
            stored = sum(part.next_offset or 0 for part in parts)
            waiting.wait(stored, sum(part.lag for part in parts), settings)


class _ProgressWait:
    """Wait that lasts as long as rows are stored, and reports the number of events left."""

    def __init__(self, progress: Callable[[str], None]) -> None:
        self._progress = progress
        self._position = -1
        self._moved_at = time.monotonic()
        self._reported_at = float("-inf")

    def wait(self, position: int, left: int, settings: Settings) -> None:
        """Wait briefly. Raises StackError when `position` has not changed for two minutes."""
        now = time.monotonic()
        if position != self._position:
            self._position, self._moved_at = position, now
        elif now - self._moved_at > _NO_PROGRESS_SECONDS:
            raise StackError(
                f"{left:,} events wait in Kafka, and none was stored for"
                f" {_NO_PROGRESS_SECONDS:.0f} s. See {settings.logs} and docs/troubleshooting.md."
            )
        if left and now - self._reported_at > _REPORT_SECONDS:
            self._reported_at = now
            self._progress(f"{left:,} events are waiting to be stored")
        time.sleep(_ASK_AGAIN_SECONDS)


def sample_date(timezone: str) -> date:
    """Return the date of the recorded hour in a zone."""
    return _SAMPLE_HOUR["first"].astimezone(ZoneInfo(timezone)).date()


def read_counts(settings: Settings) -> Counts:
    """Return the numbers of rows stored so far."""
    with psycopg.connect(settings.endpoints().read_url) as connection:
        row = connection.execute(statement("demo/counts")).fetchone()
    return Counts(*row) if row else Counts(0, 0, 0, 0)


def _sample_folder() -> Path:
    folder = Path(traffic_platform.__file__).parent.parent / "examples" / "portland_i205"
    if not folder.is_dir():
        raise StackError(f"{folder} is missing. Clone the repository, which contains the sample.")
    return folder


def _sample_is_stored(settings: Settings) -> bool:
    with psycopg.connect(settings.endpoints().read_url) as connection:
        row = connection.execute(statement("demo/sample_readings"), _SAMPLE_HOUR).fetchone()
    return bool(row) and row[0] >= _SAMPLE_READINGS


def _is_fresh(connection: psycopg.Connection) -> bool:
    row = connection.execute(statement("demo/newest_reading")).fetchone()
    return bool(row and row[0])


def _left(reader: LagReader, topic: str, ends: Mapping[int, int]) -> int:
    left = 0
    for part in reader.read([topic]):
        position = part.start if part.next_offset is None else part.next_offset
        left += max(0, ends.get(part.partition, 0) - position)
    return left
