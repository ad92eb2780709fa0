"""Events of unknown sensors, where only known ones may report."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date

from traffic_platform.events.columns import Decoded
from traffic_platform.events.decode import Decoder
from traffic_platform.events.reasons import Reason
from traffic_platform.events.rules import Rules
from traffic_platform.events.sensor_ids import sensor_uuid
from traffic_platform.sensors.admission import Admission

RULES = Rules(date(2010, 1, 1), None, "UTC", "quarantine")
NOON_US = 1_759_579_200_000_000


def event(sensor: str | int, **fields: object) -> bytes:
    """An event of 2025-10-04, 12:00 UTC."""
    body = {"sensor_id": sensor, "timestamp": NOON_US // 1_000_000, "speed": 50} | fields
    return json.dumps(body).encode()


def admitted(*values: bytes, known: str = "") -> Decoded:
    """Decode messages where these sensors are registered."""
    sensors = {sensor_uuid(name).bytes for name in known}
    admission = Admission(RULES, lambda asked: sensors & set(asked))
    return admission.admit(Decoder(RULES).decode(values, NOON_US))


def test_an_event_of_an_unknown_sensor_is_refused_with_its_name_and_time() -> None:
    decoded = admitted(event("a"), event("b"), event("a"), known="a")
    assert decoded.processed.index.tolist() == [0, 2]
    assert set(decoded.sensors.values()) == {"a"}
    (item,) = decoded.quarantined
    assert (item.index, item.reason, item.timestamp_us) == (1, Reason.UNKNOWN_SENSOR, NOON_US)
    assert item.detail == "sensor_id 'b' is not in traffic.sensors"


def test_the_detail_says_what_the_message_says_whatever_else_is_in_its_batch() -> None:
    uuid = str(sensor_uuid("b")).upper()
    decoded = admitted(event("b"), event(uuid), event(7))
    assert [item.detail.split("'")[1] for item in decoded.quarantined] == ["b", uuid, "7"]


def test_every_other_reason_comes_first() -> None:
    decoded = admitted(event("b", speed=900), b"{", event("b", speed=None))
    assert [item.reason for item in decoded.quarantined] == [
        Reason.OUT_OF_RANGE,
        Reason.MALFORMED_JSON,
        Reason.NO_MEASURES,
    ]


def test_rejected_events_stand_in_the_order_of_messages() -> None:
    decoded = admitted(event("b"), b"{", event("a"), event("b"), known="a")
    assert [item.index for item in decoded.quarantined] == [0, 1, 3]
    assert decoded.sent_sensors == ["a"]


def test_every_sensor_may_report_where_the_rules_register_it() -> None:
    rules = replace(RULES, unknown_sensors="register")
    decoded = Decoder(rules).decode([event("b")], NOON_US)
    assert Admission(rules, lambda _: set()).admit(decoded) is decoded
