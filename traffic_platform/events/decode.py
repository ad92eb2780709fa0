"""A batch of messages to columns.

The fast way reads all messages with one typed decoder; what that cannot read goes through
`examine`, one by one. Both read alike, so that what a message turns into depends on nothing but
the message, the rules and its arrival: not on the batch that it came in.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Container, Sequence
from functools import partial
from itertools import compress
from typing import Generic, NamedTuple, TypeVar
from zoneinfo import ZoneInfo

import msgspec
import numpy as np
import numpy.typing as npt

from traffic_platform.events import quality_tests
from traffic_platform.events.columns import (
    FLAT,
    NESTED,
    Candidates,
    Decoded,
    Processed,
    Quarantined,
)
from traffic_platform.events.domain import find_rejections, time_window
from traffic_platform.events.examine import examine
from traffic_platform.events.measures import Measures
from traffic_platform.events.messages import Event
from traffic_platform.events.prefilter import screen
from traffic_platform.events.reasons import Reason, Rejection
from traffic_platform.events.rules import Rules
from traffic_platform.events.sensor_ids import (
    canonical_external_id,
    is_canonical_uuid,
    read_external_id,
    sensor_uuid,
)
from traffic_platform.events.texts import LONGEST_DETAIL, quote, shorten
from traffic_platform.events.timestamps import to_microseconds

Values = Sequence[bytes | None]
SentSensor = str | int
SentTime = str | int | float
FindUnknown = Callable[[Collection[bytes]], Collection[bytes]]
"""Those of some sensors (the bytes of their UUIDs) that are not registered."""
K = TypeVar("K")
V = TypeVar("V")

_MOST_REMEMBERED = 65_536  # sensors, and as many times: 15 MB each
_UNREADABLE = (msgspec.DecodeError, ValueError, RecursionError)
_PLACEHOLDER = Event("", 0)


class Decoder:
    """Decodes batches by one set of rules; remembers the sensors and times that it has met.

    With `find_unknown`, events of sensors that it names are refused; it is asked once a batch.
    Raises ZoneInfoNotFoundError when the rules name a zone that is none. Not for use by two
    threads at once.
    """

    def __init__(self, rules: Rules, find_unknown: FindUnknown | None = None) -> None:
        self._rules = rules
        self._find_unknown = find_unknown
        self._naive_zone = ZoneInfo(rules.naive_timezone) if rules.naive_timezone else None
        self._decode_event = msgspec.json.Decoder(Event).decode
        self._sensors: _Memory[SentSensor, bytes] = _Memory(_uuid_bytes)
        self._times: _Memory[SentTime, int] = _Memory(
            partial(to_microseconds, naive_zone=self._naive_zone)
        )

    def decode(self, values: Values, ingested_at_us: int) -> Decoded:
        """Events and quarantined messages of a batch that arrived at `ingested_at_us`.

        Every position of `values` is in exactly one of the two, whatever bytes are in it.
        """
        refused: dict[int, Quarantined] = {}
        rows = self._read(values, refused)
        rows = self._resolve(rows, refused)
        candidates = self._columns(rows)
        outside = find_rejections(candidates, time_window(self._rules, ingested_at_us))
        candidates = _without(candidates, outside, refused)
        candidates = _without(candidates, self._refuse_unknown(candidates), refused)
        return Decoded(
            processed=_assess(candidates),
            quarantined=[refused[position] for position in sorted(refused)],
            sensors=self._names(candidates),
        )

    def _read(self, values: Values, refused: dict[int, Quarantined]) -> _Rows:
        """The messages that have the structure of an event; adds the others to `refused`."""
        events: list[Event] = []
        unread: list[int] = []
        decode = self._decode_event
        for value in screen(values):
            try:
                events.append(decode(value))
            except _UNREADABLE:
                unread.append(len(events))
                events.append(_PLACEHOLDER)
        for position in unread:
            try:
                events[position] = examine(values[position], self._naive_zone)
            except Rejection as refusal:
                refused[position] = _quarantine(position, refusal, refusal.timestamp_us)
        return _Rows(range(len(events)), events).without(refused)

    def _resolve(self, rows: _Rows, refused: dict[int, Quarantined]) -> _Rows:
        """Learn the sensors and times; adds events with one that is none to `refused`."""
        no_sensors = self._sensors.learn({event.sensor_id for event in rows.events})
        no_times = self._times.learn({event.timestamp for event in rows.events})
        if not (no_sensors or no_times):
            return rows
        for position, event in zip(rows.positions, rows.events, strict=True):
            if event.sensor_id in no_sensors:
                time = None if event.timestamp in no_times else self._times.known[event.timestamp]
                refused[position] = _quarantine(position, no_sensors[event.sensor_id], time)
            elif event.timestamp in no_times:
                refused[position] = _quarantine(position, no_times[event.timestamp], None)
        return rows.without(refused)

    def _columns(self, rows: _Rows) -> Candidates:
        events, count = rows.events, len(rows.events)
        data = [event.traffic_data for event in events]
        sources = [nested or flat for nested, flat in zip(data, events, strict=True)]
        sensors = [event.sensor_id for event in events]
        ids = b"".join(map(self._sensors.known.__getitem__, sensors))
        times = map(self._times.known.__getitem__, [event.timestamp for event in events])
        return Candidates(
            index=np.fromiter(rows.positions, np.int64, count),
            sensors=sensors,
            sensor_id=np.frombuffer(ids, np.uint8).reshape(count, 16),
            timestamp_us=np.fromiter(times, np.int64, count),
            speed=_floats([source.speed for source in sources]),
            volume=_floats([source.volume for source in sources]),
            occupancy=_floats([source.occupancy for source in sources]),
            reported=_floats([event.quality_score for event in events]),
            format=np.fromiter([NESTED if nested else FLAT for nested in data], np.int16, count),
        )

    def _refuse_unknown(self, events: Candidates) -> dict[int, Rejection]:
        """Rows of sensors that may not report."""
        if self._find_unknown is None:
            return {}
        ids = {sent: self._sensors.known[sent] for sent in set(events.sensors)}
        unknown = set(self._find_unknown(set(ids.values())))
        if not unknown:
            return {}
        return {
            row: _refuse_sensor(sent, int(events.timestamp_us[row]))
            for row, sent in enumerate(events.sensors)
            if ids[sent] in unknown
        }

    def _names(self, events: Candidates) -> dict[bytes, str]:
        """External ids by the bytes of their UUIDs."""
        names: dict[bytes, str] = {}
        for sent in set(events.sensors):
            key, name = self._sensors.known[sent], canonical_external_id(str(sent))
            # A feed may say the UUID that another feed's name maps to: the name tells more.
            if key not in names or not is_canonical_uuid(name):
                names[key] = name
        return names


class _Rows(NamedTuple):
    """Events and their positions in the batch."""

    positions: Sequence[int]
    events: list[Event]

    def without(self, refused: Container[int]) -> _Rows:
        """The rows whose positions are not refused."""
        kept = [position not in refused for position in self.positions]
        return _Rows(list(compress(self.positions, kept)), list(compress(self.events, kept)))


class _Memory(Generic[K, V]):
    """Results of a function of what messages say, over batches; bounded."""

    def __init__(self, compute: Callable[[K], V]) -> None:
        self._compute = compute
        self.known: dict[K, V] = {}

    def learn(self, keys: set[K]) -> dict[K, Rejection]:
        """Make sure that all keys are known, but those that the function refuses."""
        new = keys.difference(self.known)
        if len(self.known) + len(new) > _MOST_REMEMBERED:
            self.known.clear()
            new = keys
        refused: dict[K, Rejection] = {}
        for key in new:
            try:
                self.known[key] = self._compute(key)
            except Rejection as refusal:
                refused[key] = refusal
        return refused


def _without(
    events: Candidates, outside: dict[int, Rejection], refused: dict[int, Quarantined]
) -> Candidates:
    """The rows that are not `outside`; adds the others to `refused`."""
    if not outside:
        return events
    for row, refusal in outside.items():
        position = int(events.index[row])
        refused[position] = _quarantine(position, refusal, refusal.timestamp_us)
    return events.take(np.delete(np.arange(len(events)), list(outside)))


def _refuse_sensor(sent: SentSensor, timestamp_us: int) -> Rejection:
    detail = f"sensor_id {quote(str(sent))} is not in traffic.sensors"
    return Rejection(Reason.UNKNOWN_SENSOR, detail, timestamp_us)


def _assess(events: Candidates) -> Processed:
    # Adding 0 turns the negative zeros of some feeds into zeros.
    measures = Measures(events.speed + 0.0, np.rint(events.volume) + 0.0, events.occupancy + 0.0)
    flags = quality_tests.flags(measures)
    return Processed(
        index=events.index,
        sensor_id=events.sensor_id,
        timestamp_us=events.timestamp_us,
        speed=measures.speed,
        volume=measures.volume,
        occupancy=measures.occupancy,
        quality_score=quality_tests.score(measures, flags, events.reported + 0.0),
        quality_flags=flags,
        format=events.format,
    )


def _floats(values: list[float | None]) -> npt.NDArray[np.float64]:
    """Null is NaN."""
    return np.fromiter(values, np.float64, len(values))


def _quarantine(position: int, refusal: Rejection, timestamp_us: int | None) -> Quarantined:
    # The exception ends here: with its traceback it would keep the message alive.
    return Quarantined(
        position, refusal.reason, shorten(refusal.detail, LONGEST_DETAIL), timestamp_us
    )


def _uuid_bytes(sent: SentSensor) -> bytes:
    return sensor_uuid(read_external_id(sent)).bytes
