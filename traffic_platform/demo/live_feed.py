"""The synthetic feed of `traffic up --demo live`.

    python -m traffic_platform.demo.live_feed

The feed imports its sensors, marked as synthetic. It sends the intervals of the last 24 hours, then
each interval when it ends, until SIGTERM. `$TRAFFIC_HOME/run` holds its position, from which a
restart continues. A message that is sent again after a crash has the same values.
"""

from __future__ import annotations

import json
import math
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from threading import Event

from traffic_platform.atomic_file import replace_file
from traffic_platform.demo.detectors import Corridor, Detector
from traffic_platform.demo.feed import MessageBatch, message_batches
from traffic_platform.demo.highway import LANE
from traffic_platform.demo.sender import Sender
from traffic_platform.errors import IngestError
from traffic_platform.events.sensor_ids import sensor_uuid
from traffic_platform.sensors.csv_formats import SensorRecord
from traffic_platform.sensors.sensor_import import store_sensors
from traffic_platform.settings import Settings, SettingsError, load_settings

SENSORS = 60
INTERVAL_S = 60
HISTORY_S = 24 * 3600

_TICK_SECONDS = 1.0
_SAVE_SECONDS = 30.0


def main() -> int:
    """Run until SIGTERM and return 0. Return 1, with a line on standard error, after an error."""
    stop = Event()

    def request_stop(_number: int, _frame: object) -> None:
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, request_stop)
    try:
        run(load_settings(), stop)
    except (IngestError, SettingsError) as error:
        sys.stderr.write(f"{' '.join(str(error).split())}\n")
        return 1
    return 0


def run(
    settings: Settings,
    stop: Event,
    *,
    sensors: int = SENSORS,
    interval_s: int = INTERVAL_S,
    history_s: int = HISTORY_S,
) -> None:
    """Send the feed until `stop`. Raises TransientError when messages do not arrive."""
    corridor = Corridor("live", sensors, interval_s=interval_s, timezone=settings.timezone)
    store_sensors(settings, sensor_records(corridor.detectors, interval_s))
    file = settings.home / "run" / "corridor.json"
    with Sender(settings, settings.raw_topic) as sender:
        feed = _Feed(corridor, sender, file, history_s)
        while not stop.is_set():
            feed.send_due(time.time(), stop)
            stop.wait(_TICK_SECONDS)
        feed.save()


def sensor_records(detectors: Sequence[Detector], interval_s: int) -> list[SensorRecord]:
    """Return the detectors as rows to import. Name and road contain the word synthetic."""
    common = {"lanes": 1, "interval_s": interval_s, "free_flow_mph": LANE.free_flow_mph}
    records: list[SensorRecord] = []
    for detector in detectors:
        values = asdict(detector)
        external_id = values.pop("external_id")
        records.append(SensorRecord(sensor_uuid(external_id), external_id, values | common))
    return records


class _Feed:
    """Numbered messages: interval n of detector k of K is message n K + k.

    Message n K + k is due k/K of an interval after the end of its interval, as if a controller
    polled the detectors in turn. So the feed is a stream, not a burst each minute.
    """

    def __init__(self, corridor: Corridor, sender: Sender, file: Path, history_s: int) -> None:
        self._corridor = corridor
        self._sender = sender
        self._file = file
        self._target = {"cluster_id": sender.cluster_id, "topic": sender.topic}
        self._saved_at = -math.inf  # the position is saved as soon as the history is sent
        oldest = self._due(time.time() - history_s)
        self._sent = max(oldest, self._read_position())

    def send_due(self, now: float, stop: Event) -> None:
        """Send the messages that are due and not sent yet."""
        due = self._due(now)
        for batch in _messages(self._corridor, self._sent, due):
            self._sender.send(batch.keys, batch.values)
            self._sent += len(batch)
            if stop.is_set():
                break
        if time.monotonic() - self._saved_at >= _SAVE_SECONDS:
            self.save()

    def save(self) -> None:
        """Store the position when all messages before it have arrived."""
        self._sender.finish()
        self._sender.require_delivery()
        self._file.parent.mkdir(parents=True, exist_ok=True)
        replace_file(self._file, json.dumps({**self._target, "sent": self._sent}))
        self._saved_at = time.monotonic()

    def _due(self, now: float) -> int:
        periods = now * 1_000_000 / self._corridor.period_us - 1
        return int(periods * len(self._corridor.detectors))

    def _read_position(self) -> int:
        """Return the saved position, 0 when there is none or it is of another cluster or topic."""
        try:
            saved = json.loads(self._file.read_text())
            sent = int(saved.pop("sent"))
        except (OSError, ValueError, TypeError, KeyError, AttributeError):
            return 0
        return sent if saved == self._target else 0


def _messages(corridor: Corridor, first: int, end: int) -> Iterator[MessageBatch]:
    """Yield the messages from number `first` to before number `end`."""
    sensors = len(corridor.detectors)
    first_step, skip = divmod(first, sensors)
    steps = -(-end // sensors) - first_step
    left = end - first
    for batch in message_batches(corridor, first_step, steps=steps):
        part = batch.part(skip, skip + left)
        yield part
        left -= len(part)
        skip = 0


if __name__ == "__main__":
    sys.exit(main())
