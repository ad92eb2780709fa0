"""Data to look at: Portland's recorded hour, and a synthetic feed that goes on."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import psycopg

import traffic_platform
from traffic_platform.ingest.plan import LagReader
from traffic_platform.ingest.sensor_import import import_sensors
from traffic_platform.settings import Settings
from traffic_platform.stack.errors import StackError
from traffic_platform.stack.replay import replay
from traffic_platform.statements import statement

# What the recording holds: 12,420 messages, 13 of them without a measure.
_SAMPLE_HOUR = {
    "first": datetime(2011, 9, 15, 7, tzinfo=UTC),
    "next": datetime(2011, 9, 15, 8, tzinfo=UTC),
}
_SAMPLE_READINGS = 12_407

_ASK_AGAIN_SECONDS = 0.2
_NO_PROGRESS_SECONDS = 120.0
_FEED_SECONDS = 90.0


@dataclass(frozen=True)
class Counts:
    """Rows that have been stored. Readings: distinct (sensor, timestamp)."""

    raw: int
    processed: int
    quarantined: int
    readings: int


def load_sample(settings: Settings, *, ingest_here: bool, progress: Callable[[str], None]) -> None:
    """Import Portland's detectors, replay the recorded hour, and wait until it is stored.

    Does nothing when the hour is there already. `ingest_here`: no Dagster is there to do it.
    Raises StackError when the recording is not there or nothing is stored for two minutes, and
    what import and replay raise.
    """
    folder = _sample_folder()
    if _sample_is_there(settings):
        progress("Portland's hour is there already")
        return
    progress("importing Portland's detectors")
    import_sensors(settings, folder)
    progress("replaying Portland's hour")
    report = replay(settings, folder / "freeway_loopdata_OneHour.csv")
    if report.failed:
        raise StackError(f"{report.failed} events did not reach Kafka: {report.error}")
    if ingest_here:
        _ingest(settings)
    _wait_until_stored(settings, progress)


def wait_for_feed(settings: Settings) -> None:
    """Wait until readings of the last minutes are stored. Raises StackError when none comes."""
    deadline = time.monotonic() + _FEED_SECONDS
    with psycopg.connect(settings.endpoints().read_url, autocommit=True) as connection:
        while True:
            row = connection.execute(statement("stack/newest_reading")).fetchone()
            if row and row[0]:
                return
            if time.monotonic() > deadline:
                raise StackError(
                    "No reading of the synthetic feed has arrived;"
                    f" see {settings.logs / 'feed.log'} and docs/troubleshooting.md."
                )
            time.sleep(_ASK_AGAIN_SECONDS)


def read_counts(settings: Settings) -> Counts:
    """What has been stored so far."""
    with psycopg.connect(settings.endpoints().read_url) as connection:
        row = connection.execute(statement("stack/counts")).fetchone()
    return Counts(*row) if row else Counts(0, 0, 0, 0)


def _sample_folder() -> Path:
    folder = Path(traffic_platform.__file__).parent.parent / "examples" / "portland_i205"
    if not folder.is_dir():
        raise StackError(f"{folder} is not there: the sample comes with a clone of the repository.")
    return folder


def _sample_is_there(settings: Settings) -> bool:
    with psycopg.connect(settings.endpoints().read_url) as connection:
        row = connection.execute(statement("stack/sample_readings"), _SAMPLE_HOUR).fetchone()
    return bool(row) and row[0] >= _SAMPLE_READINGS


def _ingest(settings: Settings) -> None:
    from traffic_platform.ingest.window import WindowLimits, run_window  # noqa: PLC0415

    limits = WindowLimits(seconds=3600, idle_seconds=60, until_caught_up=True)
    topics = [settings.raw_topic]
    run_window(settings, topics, limits=limits, run_id=None, stop=lambda: False)


def _wait_until_stored(settings: Settings, progress: Callable[[str], None]) -> None:
    """Wait until the ledger has passed what is in Kafka now."""
    reader = LagReader(settings)
    try:
        targets = {part.partition: part.end for part in reader.read([settings.raw_topic])}
        left_before, moved_at = sum(targets.values()) + 1, time.monotonic()
        while True:
            positions = {part.partition: part for part in reader.read([settings.raw_topic])}
            left = sum(
                max(0, end - (positions[number].next_offset or positions[number].start))
                for number, end in targets.items()
            )
            if left == 0:
                return
            if left < left_before:
                left_before, moved_at = left, time.monotonic()
                progress(f"storing: {left} events to go")
            elif time.monotonic() - moved_at > _NO_PROGRESS_SECONDS:
                raise StackError(
                    f"{left} events wait in Kafka and nothing stores them;"
                    f" see {settings.logs} and docs/troubleshooting.md."
                )
            time.sleep(_ASK_AGAIN_SECONDS)
    finally:
        reader.close()
