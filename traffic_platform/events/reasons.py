"""Reasons why a message is rejected: a closed set."""

from __future__ import annotations

from enum import StrEnum


class Reason(StrEnum):
    """Codes of `quarantined_events.reason`.

    A message gets the first reason that applies, in the order of this list: bytes, structure,
    sensor, timestamp, missing measures, time out of range, measures out of range. The last reason,
    an unknown sensor, applies only where unknown sensors may not report.
    """

    TOMBSTONE = "tombstone"
    EMPTY = "empty"
    TOO_LARGE = "too_large"
    CONFLUENT_WIRE_FORMAT = "confluent_wire_format"
    INVALID_UTF8 = "invalid_utf8"
    TOO_DEEP = "too_deep"
    MALFORMED_JSON = "malformed_json"
    NOT_AN_OBJECT = "not_an_object"
    WRONG_TYPE = "wrong_type"
    MISSING_SENSOR_ID = "missing_sensor_id"
    INVALID_SENSOR_ID = "invalid_sensor_id"
    MISSING_TIMESTAMP = "missing_timestamp"
    INVALID_TIMESTAMP = "invalid_timestamp"
    TIMESTAMP_WITHOUT_ZONE = "timestamp_without_zone"
    AMBIGUOUS_LOCAL_TIME = "ambiguous_local_time"
    NONEXISTENT_LOCAL_TIME = "nonexistent_local_time"
    NO_MEASURES = "no_measures"
    TIMESTAMP_IN_FUTURE = "timestamp_in_future"
    TIMESTAMP_TOO_EARLY = "timestamp_too_early"
    OUT_OF_RANGE = "out_of_range"
    UNKNOWN_SENSOR = "unknown_sensor"


class Rejection(Exception):
    """A rejected message. It becomes a `Quarantined` inside the package.

    `detail` names field and value for people; `timestamp_us` is the event time where it is known.
    """

    def __init__(self, reason: Reason, detail: str, timestamp_us: int | None = None) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail
        self.timestamp_us = timestamp_us
