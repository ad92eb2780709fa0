"""Replay of recorded measures as events, at once or at the recorded speed."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from threading import Event

import numpy as np
from numpy.typing import NDArray

from traffic_platform.demo.feed import encode
from traffic_platform.demo.recording import Recording, VolumeUnit, read_recording
from traffic_platform.demo.sender import Sender
from traffic_platform.events.formats import FORMATS
from traffic_platform.events.texts import show_time
from traffic_platform.settings import Settings

_BATCH_EVENTS = 10_000
_SHORTEST_WAIT = 0.005  # seconds


@dataclass(frozen=True)
class ReplayReport:
    """Counts of a replay. `first_us` and `last_us` are the times of the first and last event.

    `empty` counts events without any measure. They are in the recording, so they are sent, and
    ingest rejects them.
    """

    topic: str
    sensors: int
    delivered: int
    failed: int
    error: str | None
    formats: dict[str, int]  # events by the name of their format
    empty: int
    interval_s: float | None
    first_us: int
    last_us: int
    seconds: float
    complete: bool


def replay(
    settings: Settings,
    path: Path,
    *,
    topic: str | None = None,
    speed: float = 0.0,
    shift_to_now: bool = False,
    timezone: str | None = None,
    interval_s: float | None = None,
    volume_unit: VolumeUnit = "count",
    headers: Mapping[str, str] | None = None,
    stop: Event | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> ReplayReport:
    """Send the records of a CSV file (see read_recording), oldest first, in all formats in turn.

    `speed` 1 is real time, 2 twice as fast, 0 as fast as possible. `shift_to_now` moves all times,
    so that the newest record has the time at which it is sent. `progress` gets the numbers of new
    and of all messages.
    Raises TableError, TransientError when no broker answers, PermanentError for a missing topic.
    Messages that did not arrive are counted, not raised.
    """
    recording = read_recording(
        path, timezone=timezone, interval_s=interval_s, volume_unit=volume_unit, headers=headers
    )
    stop = stop or Event()
    with Sender(settings, topic or settings.raw_topic) as sender:
        started = time.monotonic()
        shift_us = _shift(recording.times_us, speed, time.time()) if shift_to_now else 0
        sent = 0
        for first, end in _paced(recording.times_us, speed, stop):
            keys, values = _messages(recording, shift_us, first, end)
            sender.send(keys, values)
            sent = end
            if progress:
                progress(end - first, len(recording))
    return _report(recording, sender, shift_us, sent, time.monotonic() - started)


def _messages(
    recording: Recording, shift_us: int, first: int, end: int
) -> tuple[list[bytes], list[bytes]]:
    """Return keys and values of the records from number `first` to before number `end`."""
    cut = slice(first, end)
    names = recording.sensors[cut]
    values = encode(
        [_format_of(number) for number in range(first, end)],
        [json.dumps(name)[1:-1].encode() for name in names],
        [show_time(t).encode() for t in (recording.times_us[cut] + shift_us).tolist()],
        speed=recording.speed[cut],
        volume=recording.volume[cut],
        occupancy=recording.occupancy[cut],
    )
    return [name.encode() for name in names], values


def _format_of(number: int) -> int:
    """Return the position of a record's format in FORMATS: the last one first, then in turn."""
    return len(FORMATS) - 1 - number % len(FORMATS)


def _paced(times_us: NDArray[np.int64], speed: float, stop: Event) -> Iterator[tuple[int, int]]:
    """Yield ranges of records (first, end), each when it is due."""
    started = time.monotonic()
    sent = 0
    while sent < len(times_us) and not stop.is_set():
        end = len(times_us)
        if speed:
            reached = times_us[0] + (time.monotonic() - started) * speed * 1_000_000
            end = int(np.searchsorted(times_us, reached, side="right"))
        if end > sent:
            end = min(end, sent + _BATCH_EVENTS)
            yield sent, end
            sent = end
        elif speed:
            next_at = started + (times_us[sent] - times_us[0]) / 1_000_000 / speed
            stop.wait(max(_SHORTEST_WAIT, next_at - time.monotonic()))


def _shift(times_us: NDArray[np.int64], speed: float, now: float) -> int:
    """Return the microseconds to add, so that no record is later than the time of sending."""
    first, last = int(times_us[0]), int(times_us[-1])
    start_us = int(now) * 1_000_000
    takes_us = round((last - first) / speed) if speed else 0
    return min(start_us + takes_us - last, start_us - first) if speed else start_us - last


def _report(
    recording: Recording, sender: Sender, shift_us: int, sent: int, seconds: float
) -> ReplayReport:
    measures = np.vstack([recording.speed, recording.volume, recording.occupancy])[:, :sent]
    times = recording.times_us
    return ReplayReport(
        topic=sender.topic,
        sensors=len(set(recording.sensors[:sent])),
        delivered=sender.delivered,
        failed=sender.failed,
        error=sender.first_error,
        formats={
            form.name: len(range(turn, sent, len(FORMATS)))
            for turn, form in enumerate(reversed(FORMATS))
        },
        empty=int(np.isnan(measures).all(axis=0).sum()),
        interval_s=recording.interval_s,
        first_us=int(times[0]) + shift_us,
        last_us=int(times[max(sent, 1) - 1]) + shift_us,
        seconds=seconds,
        complete=sent == len(recording),
    )
