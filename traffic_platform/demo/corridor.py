"""The synthetic feed of `traffic up --demo live`; `python -m traffic_platform.demo.corridor`.

It imports its sensors, marked as synthetic, sends the intervals of the last 24 hours, then each
interval as it ends, until SIGTERM. Where it has got to is kept in `$TRAFFIC_HOME/run`, so that a
restart goes on from there; what a crash makes it send twice has the same values.
"""

from __future__ import annotations

import json
import math
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from threading import Event

from traffic_platform.demo.detectors import Corridor, Detector
from traffic_platform.demo.feed import MessageBatch, message_batches
from traffic_platform.demo.highway import LANE
from traffic_platform.demo.sending import Sender
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


@dataclass(frozen=True)
class Position:
    """Everything up to message number `sent` has arrived, in this log."""

    cluster_id: str
    topic: str
    sent: int


def main() -> int:
    """Run until SIGTERM; 0 then, 1 with a line on standard error when a server is away."""
    stop = Event()

    def ask(_number: int, _frame: object) -> None:
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, ask)
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
    """The synthetic detectors as rows to import; name and road say that they are synthetic."""
    return [
        SensorRecord(
            sensor_uuid(detector.external_id),
            detector.external_id,
            {
                "name": detector.name,
                "road": detector.road,
                "direction": detector.direction,
                "lanes": 1,
                "milepost": detector.milepost,
                "length_mi": detector.length_mi,
                "station_id": detector.station,
                "interval_s": interval_s,
                "free_flow_mph": LANE.free_flow_mph,
            },
        )
        for detector in detectors
    ]


class _Feed:
    """Messages numbered through: interval n of detector k of K is message n K + k.

    Detectors are polled in turn, as a controller on one line does: message n K + k is due k/K of
    an interval after its interval has ended, so the feed is a stream and not a burst a minute.
    """

    def __init__(self, corridor: Corridor, sender: Sender, file: Path, history_s: int) -> None:
        self._corridor = corridor
        self._sender = sender
        self._file = file
        self._saved_at = -math.inf  # the history is saved as soon as it is sent
        oldest = self._due(time.time() - history_s)
        self._sent = max(oldest, self._read_position())

    def send_due(self, now: float, stop: Event) -> None:
        """Send what is due and has not been sent."""
        due = self._due(now)
        for batch in _messages(self._corridor, self._sent, due):
            self._sender.send(batch.keys, batch.values)
            self._sent += len(batch)
            if stop.is_set():
                break
        if time.monotonic() - self._saved_at >= _SAVE_SECONDS:
            self.save()

    def save(self) -> None:
        """Remember the position once everything before it has arrived."""
        self._sender.finish()
        self._sender.require_delivery()
        position = Position(self._sender.cluster_id, self._sender.topic, self._sent)
        self._file.parent.mkdir(parents=True, exist_ok=True)
        new = self._file.with_suffix(".new")
        new.write_text(json.dumps(asdict(position)))
        new.replace(self._file)
        self._saved_at = time.monotonic()

    def _due(self, now: float) -> int:
        periods = now * 1_000_000 / self._corridor.period_us - 1
        return int(periods * len(self._corridor.detectors))

    def _read_position(self) -> int:
        """The saved position; 0 when there is none, or it is of another log."""
        try:
            position = Position(**json.loads(self._file.read_text()))
        except (OSError, ValueError, TypeError):
            return 0
        here = (self._sender.cluster_id, self._sender.topic)
        return position.sent if (position.cluster_id, position.topic) == here else 0


def _messages(corridor: Corridor, first: int, end: int) -> Iterator[MessageBatch]:
    """Messages number `first` to before `end`."""
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
