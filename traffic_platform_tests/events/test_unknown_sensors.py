"""A decoder that is told which sensors may report."""

from __future__ import annotations

import json
from collections.abc import Collection
from datetime import date

from traffic_platform.events.decode import Decoder
from traffic_platform.events.reasons import Reason
from traffic_platform.events.rules import Rules
from traffic_platform.events.sensor_ids import sensor_uuid

RULES = Rules(date(2010, 1, 1), None, "UTC", "quarantine")
NOON_US = 1_759_579_200_000_000


def event(sensor: str | int, **fields: object) -> bytes:
    """An event of 2025-10-04, 12:00 UTC."""
    body = {"sensor_id": sensor, "timestamp": NOON_US // 1_000_000, "speed": 50} | fields
    return json.dumps(body).encode()


def knows(*names: str) -> Decoder:
    """A decoder to which these sensors are known."""
    known = {sensor_uuid(name).bytes for name in names}

    def find_unknown(sensors: Collection[bytes]) -> set[bytes]:
        return set(sensors) - known

    return Decoder(RULES, find_unknown)


def test_an_event_of_an_unknown_sensor_is_refused_with_its_name_and_time() -> None:
    decoded = knows("a").decode([event("a"), event("b"), event("a")], NOON_US)
    assert decoded.processed.index.tolist() == [0, 2]
    assert set(decoded.sensors.values()) == {"a"}
    (item,) = decoded.quarantined
    assert (item.index, item.reason, item.timestamp_us) == (1, Reason.UNKNOWN_SENSOR, NOON_US)
    assert item.detail == "sensor_id 'b' is not in traffic.sensors"


def test_the_detail_says_what_the_message_says_whatever_else_is_in_its_batch() -> None:
    uuid = str(sensor_uuid("b")).upper()
    decoded = knows().decode([event("b"), event(uuid), event(7)], NOON_US)
    assert [item.detail.split("'")[1] for item in decoded.quarantined] == ["b", uuid, "7"]


def test_every_other_reason_comes_first() -> None:
    decoded = knows().decode([event("b", speed=900), b"{", event("b", speed=None)], NOON_US)
    assert [item.reason for item in decoded.quarantined] == [
        Reason.OUT_OF_RANGE,
        Reason.MALFORMED_JSON,
        Reason.NO_MEASURES,
    ]


def test_all_may_report_where_nobody_is_asked() -> None:
    assert len(Decoder(RULES).decode([event("b")], NOON_US).processed) == 1
