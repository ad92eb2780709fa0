"""Synthetic feeds of a given size or rate, for `traffic produce`."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from threading import Event

import numpy as np

from traffic_platform.demo.detectors import Corridor
from traffic_platform.demo.feed import KINDS, MIXED, MessageBatch, message_batches
from traffic_platform.demo.sender import Sender
from traffic_platform.errors import PermanentError
from traffic_platform.settings import Settings

_SHORTEST_WAIT = 0.005  # seconds; shorter waits take more time than they smooth


@dataclass(frozen=True)
class FeedRequest:
    """Size, rate, format and times of a feed.

    `rate` is in messages per second; None means as fast as possible. A `count` of None sends until
    it is stopped, and needs a rate. With a rate and without a `start`, events have the current
    time, and each sensor reports every sensors / rate seconds. Otherwise events are `interval_s`
    apart, from `start`, or so that the newest interval has just ended.
    """

    count: int | None = None
    rate: float | None = None
    feed_format: str = MIXED
    sensors: int = 60
    repeat_share: float = 0.0
    broken_share: float = 0.0
    start: datetime | None = None
    interval_s: float = 20.0


@dataclass
class FeedReport:
    """Counts of a sent feed. Times are the starts of the oldest and the newest interval."""

    topic: str
    sensors: int
    delivered: int = 0
    failed: int = 0
    error: str | None = None
    seconds: float = 0.0
    complete: bool = False
    first_us: int | None = None
    last_us: int | None = None
    kinds: dict[str, int] = field(default_factory=lambda: dict.fromkeys(KINDS, 0))

    def add(self, batch: MessageBatch) -> None:
        """Count the messages of a batch."""
        for number, kind in enumerate(KINDS):
            self.kinds[kind] += int(np.count_nonzero(batch.kinds == number))
        first, last = int(batch.times_us.min()), int(batch.times_us.max())
        self.first_us = first if self.first_us is None else min(first, self.first_us)
        self.last_us = last if self.last_us is None else max(last, self.last_us)


def produce(
    settings: Settings,
    request: FeedRequest,
    *,
    topic: str | None = None,
    stop: Event | None = None,
    progress: Callable[[int], None] | None = None,
) -> FeedReport:
    """Send the feed to `topic` (default: the raw topic). `progress` gets numbers of new messages.

    Raises TransientError when no broker answers, PermanentError for a missing topic or a feed that
    ends in the future. Messages that did not arrive are counted, not raised.
    """
    stop = stop or Event()
    corridor, first_step = _corridor(settings, request)
    report = FeedReport(topic=topic or settings.raw_topic, sensors=request.sensors)
    batches = message_batches(
        corridor,
        first_step,
        feed_format=request.feed_format,
        repeat_share=request.repeat_share,
        broken_share=request.broken_share,
    )
    with Sender(settings, report.topic) as sender:
        started = time.monotonic()
        left = request.count
        while left != 0 and not stop.is_set():
            batch = next(batches) if left is None else next(batches).head(left)
            for part in _paced(batch, request.rate, started, sum(report.kinds.values()), stop):
                sender.send(part.keys, part.values)
                report.add(part)
                if progress:
                    progress(len(part))
                left = None if left is None else left - len(part)
    report.complete = left in (0, None)
    report.delivered, report.failed = sender.delivered, sender.failed
    report.error = sender.first_error
    report.seconds = time.monotonic() - started
    return report


def _paced(
    batch: MessageBatch, rate: float | None, started: float, before: int, stop: Event
) -> Iterator[MessageBatch]:
    """Yield parts of a batch at `rate`, until `stop`.

    `before` is the number of messages sent since `started`.
    """
    if rate is None:
        yield batch
        return
    sent = 0
    while sent < len(batch) and not stop.is_set():
        due = min(len(batch), int((time.monotonic() - started) * rate) + 1 - before)
        if due > sent:
            yield batch.part(sent, due)
            sent = due
        next_at = started + (before + sent) / rate
        stop.wait(max(_SHORTEST_WAIT, next_at - time.monotonic()))


def _corridor(settings: Settings, request: FeedRequest) -> tuple[Corridor, int]:
    """Return the detectors and the number of the first interval."""
    now_us = round(time.time() * 1_000_000)
    if request.rate is not None and request.start is None:
        period_us = max(1, round(request.sensors / request.rate * 1_000_000))
        corridor = _make_corridor(settings, request, period_us)
        return corridor, corridor.step_at_or_after(now_us)
    corridor = _make_corridor(settings, request, None)
    regular = (request.count or 0) * (1 - request.repeat_share - request.broken_share)
    steps = int(regular // request.sensors) + 1
    if request.start is None:
        return corridor, corridor.step_at_or_after(now_us) - 1 - steps
    first = corridor.step_at_or_after(round(request.start.timestamp() * 1_000_000))
    if (first + steps) * corridor.period_us > now_us:
        last = datetime.fromtimestamp((first + steps) * corridor.period_us / 1_000_000, UTC)
        raise PermanentError(
            f"The feed would end at {last:%Y-%m-%dT%H:%M:%SZ}, in the future, and ingest rejects"
            " such events. Start earlier, or send fewer events, or use more sensors."
        )
    return corridor, first


def _make_corridor(settings: Settings, request: FeedRequest, period_us: int | None) -> Corridor:
    return Corridor(
        "feed",
        request.sensors,
        interval_s=request.interval_s,
        period_us=period_us,
        timezone=settings.timezone,
    )
