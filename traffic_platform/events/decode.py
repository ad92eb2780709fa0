"""A batch of messages to events as columns.

The steps are: read the messages (`formats`), resolve sensors and times, reject values that are out
of range (`domain`), and assess the quality (`quality_tests`). The result of a message depends on
the message, the rules and its arrival only, not on its batch.
"""

from __future__ import annotations

from functools import partial
from zoneinfo import ZoneInfo

import numpy as np

from traffic_platform.events import quality_tests
from traffic_platform.events.columns import Candidates, Decoded, Processed, Quarantined
from traffic_platform.events.domain import find_rejections, time_window
from traffic_platform.events.formats import compile_reader
from traffic_platform.events.formats.base import SentEvents, SentSensor, SentTime, Values
from traffic_platform.events.measures import MEASURES, Measures
from traffic_platform.events.memory import Memory
from traffic_platform.events.reasons import Rejection
from traffic_platform.events.rules import Rules
from traffic_platform.events.sensor_ids import (
    canonical_external_id,
    is_canonical_uuid,
    read_external_id,
    sensor_uuid,
)
from traffic_platform.events.timestamps import to_microseconds


class Decoder:
    """Decodes batches by one set of rules, and remembers sensors and times.

    Sensors need not be registered: `sensors.admission` rejects events of unknown sensors. Raises
    ZoneInfoNotFoundError when the rules name an unknown zone. Not for use by two threads at once.
    """

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        naive_zone = ZoneInfo(rules.naive_timezone) if rules.naive_timezone else None
        self._read = compile_reader(naive_zone)
        self._sensors: Memory[SentSensor, bytes] = Memory(_uuid_bytes)
        self._times: Memory[SentTime, int] = Memory(partial(to_microseconds, naive_zone=naive_zone))

    def decode(self, values: Values, ingested_at_us: int) -> Decoded:
        """Return the events and rejected messages of a batch that arrived at `ingested_at_us`.

        Every position of `values` is in one of the two, whatever its bytes.
        """
        sent, rejected = self._read(values)
        candidates = self._resolve(sent, rejected)
        outside = find_rejections(candidates, time_window(self._rules, ingested_at_us))
        if outside:
            rejected += _quarantine(candidates, outside)
            candidates = candidates.take(np.delete(np.arange(len(candidates)), list(outside)))
        return Decoded(
            processed=_assess(candidates),
            sent_sensors=candidates.sensors,
            quarantined=sorted(rejected, key=lambda item: item.index),
            sensors=self._names(candidates),
        )

    def _resolve(self, sent: SentEvents, rejected: list[Quarantined]) -> Candidates:
        """Look up the UUIDs and times; add events without a valid one to `rejected`."""
        no_sensors = self._sensors.learn(set(sent.sensors))
        no_times = self._times.learn(set(sent.times))
        if no_sensors or no_times:
            sent = self._without_invalid(sent, no_sensors, no_times, rejected)
        count = len(sent.sensors)
        ids = b"".join(map(self._sensors.known.__getitem__, sent.sensors))
        return Candidates(
            index=sent.index,
            sensors=sent.sensors,
            sensor_id=np.frombuffer(ids, np.uint8).reshape(count, 16),
            timestamp_us=np.fromiter(
                map(self._times.known.__getitem__, sent.times), np.int64, count
            ),
            measures=sent.measures,
            reported=sent.reported,
            format=sent.format,
        )

    def _without_invalid(
        self,
        sent: SentEvents,
        no_sensors: dict[SentSensor, Rejection],
        no_times: dict[SentTime, Rejection],
        rejected: list[Quarantined],
    ) -> SentEvents:
        kept: list[int] = []
        for row, (sensor, time) in enumerate(zip(sent.sensors, sent.times, strict=True)):
            rejection = no_sensors.get(sensor)
            if rejection is not None:
                rejection.timestamp_us = self._times.known.get(time)
            else:
                rejection = no_times.get(time)
            if rejection is None:
                kept.append(row)
            else:
                rejected.append(Quarantined.of(int(sent.index[row]), rejection))
        return sent.take(np.array(kept, dtype=np.int64))

    def _names(self, events: Candidates) -> dict[bytes, str]:
        """Return external ids by the bytes of their UUIDs."""
        names: dict[bytes, str] = {}
        for sent in set(events.sensors):
            key, name = self._sensors.known[sent], canonical_external_id(str(sent))
            # One feed may send the UUID that another feed's name maps to: the name tells more.
            if key not in names or not is_canonical_uuid(name):
                names[key] = name
        return names


def _quarantine(events: Candidates, outside: dict[int, Rejection]) -> list[Quarantined]:
    return [Quarantined.of(int(events.index[row]), why) for row, why in outside.items()]


def _assess(events: Candidates) -> Processed:
    """Round the measures, and test their quality."""
    columns = zip(MEASURES, events.measures, strict=True)
    # Adding 0 turns the negative zeros of some feeds into zeros.
    measures = Measures(
        *(
            (column if measure.decimals is None else np.round(column, measure.decimals)) + 0.0
            for measure, column in columns
        )
    )
    flags = quality_tests.flags(measures)
    return Processed(
        index=events.index,
        sensor_id=events.sensor_id,
        timestamp_us=events.timestamp_us,
        measures=measures,
        quality_score=quality_tests.score(measures, flags, events.reported + 0.0),
        quality_flags=flags,
        format=events.format,
    )


def _uuid_bytes(sent: SentSensor) -> bytes:
    return sensor_uuid(read_external_id(sent)).bytes
