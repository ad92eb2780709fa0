"""Message bytes to columns, a batch at a time. No bytes make it raise."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec
import numpy as np

from traffic_platform.events.columns import FLAT, NESTED, Decoded, Processed, Quarantined
from traffic_platform.events.diagnose import MAX_BYTES, diagnose
from traffic_platform.events.message import Message
from traffic_platform.events.quality import flags, score
from traffic_platform.events.reasons import Reason
from traffic_platform.events.rules import Rules
from traffic_platform.events.sensors import canonical_external_id, is_valid, sensor_uuid
from traffic_platform.events.timestamps import BadTime, parse_timestamp, shorten

FUTURE_TOLERANCE_US = 5 * 60 * 1_000_000
"""An event may be this much later than its arrival: clocks of roadside devices drift."""

DOMAINS = {"speed": 300.0, "volume": 100_000.0, "occupancy": 100.0, "quality_score": 1.0}
"""Largest value of each measure (mph, vehicles per hour, percent, share); the smallest is 0."""

_CACHE_LIMIT = 100_000  # entries; a feed with more distinct values starts the cache anew

Event = tuple[int, Message, bytes, int]  # position, message, sensor's UUID, microseconds


class Decoder:
    """Decodes batches under one set of rules. Remembers sensors and timestamps it has seen.

    Repeated keys of a JSON object count with their last value, as in PostgreSQL's jsonb; unknown
    fields are ignored; an event with `traffic_data` is nested whatever else it has.
    """

    def __init__(self, rules: Rules) -> None:
        self._decode = msgspec.json.Decoder(Message).decode
        self._naive_zone = ZoneInfo(rules.naive_timezone) if rules.naive_timezone else None
        first = datetime.combine(rules.first_date, datetime.min.time(), ZoneInfo(rules.timezone))
        epoch = datetime(1970, 1, 1, tzinfo=UTC)
        self._first_us = (first - epoch) // timedelta(microseconds=1)
        self._sensors: dict[str | int, bytes | None] = {}
        self._external_ids: dict[bytes, str] = {}
        self._times: dict[str | float, int | BadTime] = {}

    def decode(self, values: Sequence[bytes | None], ingested_at_us: int) -> Decoded:
        """Turn messages into events; `ingested_at_us` is their arrival in microseconds since 1970.

        Each position of `values` ends in exactly one of `processed` and `quarantined`.
        """
        self._bound_caches()
        quarantined: list[Quarantined] = []
        events = self._resolve(self._parse(values, quarantined), quarantined)
        processed = self._select(events, ingested_at_us, quarantined)
        quarantined.sort(key=lambda item: item.index)
        sensors = {key: self._external_ids[key] for key in {event[2] for event in events}}
        if len(processed) < len(events):
            kept = {row.tobytes() for row in processed.sensor_id}
            sensors = {key: name for key, name in sensors.items() if key in kept}
        return Decoded(processed, quarantined, sensors)

    def _parse(
        self, values: Sequence[bytes | None], quarantined: list[Quarantined]
    ) -> list[tuple[int, Message]]:
        """Bytes to typed messages; what is none is diagnosed."""
        decode = self._decode
        parsed: list[tuple[int, Message]] = []
        for index, value in enumerate(values):
            try:
                if value is None or len(value) > MAX_BYTES:
                    raise ValueError
                message = decode(value)
                if not value.isascii():
                    value.decode()  # msgspec skips over fields that it does not want
                parsed.append((index, message))
            except Exception as error:
                reason, detail = diagnose(value, error)
                quarantined.append(Quarantined(index, reason, detail))
        return parsed

    def _resolve(
        self, parsed: list[tuple[int, Message]], quarantined: list[Quarantined]
    ) -> list[Event]:
        """Sensor and time of each message; what lacks one goes to quarantine."""
        events: list[Event] = []
        sensors, times = self._sensors, self._times
        for index, message in parsed:
            sensor_id, timestamp = message.sensor_id, message.timestamp
            sensor = sensors.get(sensor_id) if sensor_id is not None else None
            if sensor is None:
                sensor = self._sensor(index, sensor_id, timestamp, quarantined)
                if sensor is None:
                    continue
            time = times.get(timestamp) if timestamp is not None else None
            if time is None:
                time = self._time(timestamp)
            if isinstance(time, BadTime):
                quarantined.append(Quarantined(index, time.reason, time.detail))
            else:
                events.append((index, message, sensor, time))
        return events

    def _sensor(
        self,
        index: int,
        sensor_id: str | int | None,
        timestamp: str | float | None,
        quarantined: list[Quarantined],
    ) -> bytes | None:
        known = self._time(timestamp)
        time = None if isinstance(known, BadTime) else known
        if sensor_id is None:
            detail = "sensor_id is absent or null"
            quarantined.append(Quarantined(index, Reason.MISSING_SENSOR_ID, detail, time))
            return None
        text = _decimal(sensor_id) if isinstance(sensor_id, int) else sensor_id
        if not is_valid(text):
            detail = f"sensor_id {shorten(sensor_id)} is not 1 to 255 characters without NUL"
            quarantined.append(Quarantined(index, Reason.INVALID_SENSOR_ID, detail, time))
            return None
        key = sensor_uuid(text).bytes
        self._sensors[sensor_id] = key
        self._external_ids[key] = canonical_external_id(text)
        return key

    def _time(self, timestamp: str | float | None) -> int | BadTime:
        if timestamp is None:
            return BadTime(Reason.MISSING_TIMESTAMP, "timestamp is absent or null")
        time = parse_timestamp(timestamp, self._naive_zone)
        self._times[timestamp] = time
        return time

    def _select(
        self, events: list[Event], ingested_at_us: int, quarantined: list[Quarantined]
    ) -> Processed:
        """Columns of the events that pass; the others go to quarantine."""
        columns = _columns(events)
        bad: dict[int, tuple[Reason, str]] = {}
        for row in np.flatnonzero(_no_measures(columns)):
            bad[int(row)] = (Reason.NO_MEASURES, "speed, volume and occupancy are absent or null")
        self._judge_times(columns.timestamp_us, ingested_at_us, bad)
        _judge_ranges(columns, bad)
        if not bad:
            return _tested(columns)
        for row, (reason, detail) in bad.items():
            quarantined.append(Quarantined(events[row][0], reason, detail, events[row][3]))
        keep = np.ones(len(events), dtype=np.bool_)
        keep[list(bad)] = False
        return _tested(_take(columns, keep))

    def _judge_times(
        self, timestamp_us: np.ndarray, ingested_at_us: int, bad: dict[int, tuple[Reason, str]]
    ) -> None:
        for row in np.flatnonzero(timestamp_us > ingested_at_us + FUTURE_TOLERANCE_US):
            detail = f"timestamp {_iso(timestamp_us[row])} is more than 5 minutes after its arrival"
            bad.setdefault(int(row), (Reason.TIMESTAMP_IN_FUTURE, detail))
        for row in np.flatnonzero(timestamp_us < self._first_us):
            detail = f"timestamp {_iso(timestamp_us[row])} is before TRAFFIC_FIRST_DATE"
            bad.setdefault(int(row), (Reason.TIMESTAMP_TOO_EARLY, detail))

    def _bound_caches(self) -> None:
        if len(self._sensors) > _CACHE_LIMIT:
            self._sensors.clear()
            self._external_ids.clear()
        if len(self._times) > _CACHE_LIMIT:
            self._times.clear()


def _columns(events: list[Event]) -> Processed:
    """All events as columns, untested: score holds what the event reports."""
    count = len(events)
    messages = [event[1] for event in events]
    nested = [message.traffic_data for message in messages]
    pairs = list(zip(messages, nested, strict=True))
    sensor_ids = b"".join([event[2] for event in events])
    return Processed(
        index=np.fromiter((event[0] for event in events), np.int64, count),
        sensor_id=np.frombuffer(sensor_ids, np.uint8).reshape(-1, 16),
        timestamp_us=np.fromiter((event[3] for event in events), np.int64, count),
        speed=_floats([m.speed if n is None else n.speed_mph for m, n in pairs]),
        volume=_floats([m.volume if n is None else n.volume_vehicles_per_hour for m, n in pairs]),
        occupancy=_floats([m.occupancy if n is None else n.occupancy_percent for m, n in pairs]),
        quality_score=_floats([message.quality_score for message in messages]),
        quality_flags=np.zeros(count, np.int16),
        format=np.array([FLAT if n is None else NESTED for n in nested], np.int16),
    )


def _floats(values: list[float | None]) -> np.ndarray:
    return np.array(values, dtype=np.float64)  # None becomes NaN


def _no_measures(columns: Processed) -> np.ndarray:
    return np.isnan(columns.speed) & np.isnan(columns.volume) & np.isnan(columns.occupancy)


def _judge_ranges(columns: Processed, bad: dict[int, tuple[Reason, str]]) -> None:
    for name, largest in DOMAINS.items():
        values: np.ndarray = getattr(columns, name)
        for row in np.flatnonzero((values < 0) | (values > largest)):
            detail = f"{name} {values[row]:g} is outside 0 to {largest:g}"
            bad.setdefault(int(row), (Reason.OUT_OF_RANGE, detail))


def _take(columns: Processed, keep: np.ndarray) -> Processed:
    return Processed(**{name: value[keep] for name, value in vars(columns).items()})


def _tested(columns: Processed) -> Processed:
    """Volume rounded to whole vehicles (half to even), then flags and score."""
    volume = np.rint(columns.volume)
    failed = flags(columns.speed, volume, columns.occupancy)
    own = score(columns.speed, volume, columns.occupancy, failed, columns.quality_score)
    return Processed(
        index=columns.index,
        sensor_id=columns.sensor_id,
        timestamp_us=columns.timestamp_us,
        speed=columns.speed,
        volume=volume,
        occupancy=columns.occupancy,
        quality_score=own,
        quality_flags=failed,
        format=columns.format,
    )


def _decimal(number: int) -> str:
    try:
        return str(number)
    except ValueError:  # more digits than Python converts; too long for a sensor id anyway
        return ""


def _iso(microseconds: int) -> str:
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=int(microseconds))
    return moment.isoformat()
