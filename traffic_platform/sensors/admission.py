"""The step after decoding: reject events of unknown sensors where only known ones may report."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import numpy as np
import numpy.typing as npt
import psycopg

from traffic_platform.events.columns import Decoded, Quarantined
from traffic_platform.events.decode import Decoder
from traffic_platform.events.decode_by_arrival import decode_by_arrival
from traffic_platform.events.formats.base import Values
from traffic_platform.events.reasons import Reason, Rejection
from traffic_platform.events.rules import Rules
from traffic_platform.events.texts import quote
from traffic_platform.sensors.known_sensors import KnownSensors, LookUp, registered


class Admission:
    """Admits events by the rules. `look_up` returns the registered ones of some sensors."""

    def __init__(self, rules: Rules, look_up: LookUp) -> None:
        self._known = KnownSensors(look_up) if rules.unknown_sensors == "quarantine" else None

    def admit(self, decoded: Decoded) -> Decoded:
        """Return a batch without the events of sensors that may not report."""
        if self._known is None:
            return decoded
        return reject_sensors(decoded, self._known.unknown(decoded.sensors))


class StoredMessageDecoder:
    """Decodes stored messages by today's rules, each by its own arrival, and admits the events."""

    def __init__(self, rules: Rules, look_up: LookUp) -> None:
        self._decoder = Decoder(rules)
        self._admission = Admission(rules, look_up)

    @classmethod
    def of(cls, rules: Rules, connection: psycopg.Connection[Any]) -> StoredMessageDecoder:
        """Return a decoder that looks sensors up over a connection."""
        return cls(rules, lambda sensors: registered(connection, sensors))

    def decode(self, values: Values, arrival_us: npt.NDArray[np.int64]) -> Decoded:
        """Return the events and rejected messages of messages that arrived at `arrival_us`."""
        return self._admission.admit(decode_by_arrival(self._decoder, values, arrival_us))


def reject_sensors(decoded: Decoded, unknown: Collection[bytes]) -> Decoded:
    """Return a batch whose events of some sensors (the bytes of their UUIDs) are rejected."""
    if not unknown:
        return decoded
    events = decoded.processed
    data = events.sensor_id.tobytes()
    is_unknown = np.fromiter(
        (data[start : start + 16] in unknown for start in range(0, len(data), 16)), np.bool_
    )
    rejected = [
        Quarantined.of(int(events.index[row]), _rejection(decoded, row))
        for row in np.flatnonzero(is_unknown).tolist()
    ]
    kept = np.flatnonzero(~is_unknown)
    return Decoded(
        processed=events.take(kept),
        sent_sensors=[decoded.sent_sensors[row] for row in kept.tolist()],
        quarantined=sorted([*decoded.quarantined, *rejected], key=lambda item: item.index),
        sensors={key: name for key, name in decoded.sensors.items() if key not in unknown},
    )


def _rejection(decoded: Decoded, row: int) -> Rejection:
    detail = f"sensor_id {quote(str(decoded.sent_sensors[row]))} is not in traffic.sensors"
    return Rejection(Reason.UNKNOWN_SENSOR, detail, int(decoded.processed.timestamp_us[row]))
