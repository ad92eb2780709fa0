"""Settings that decide how events are read."""

from __future__ import annotations

import zoneinfo
from datetime import date
from typing import Annotated, Literal

from pydantic import AfterValidator

from traffic_platform.settings.subject import SubjectSettings


def _require_zone(name: str) -> str:
    if name not in zoneinfo.available_timezones():
        raise ValueError(f"{name!r} is not an IANA time zone; an example is 'America/Los_Angeles'")
    return name


TimeZone = Annotated[str, AfterValidator(_require_zone)]


class EventSettings(SubjectSettings):
    """Events, dates and sensors

    A change applies to new messages. `traffic quarantine reprocess` applies it to rejected
    messages, and `traffic backfill` to stored dates.
    """

    timezone: TimeZone = "UTC"
    """IANA time zone whose days are the dates of events, checks and roll-ups. The first migration
    freezes it in the database; later another zone is refused."""
    naive_timezone: TimeZone | None = None
    """IANA time zone of timestamps without an offset. Not set: their events are rejected."""
    first_date: date = date(2010, 1, 1)
    """Events before this date are rejected."""
    unknown_sensors: Literal["register", "quarantine"] = "register"
    """Treatment of events of a sensor that the platform does not know. `register` adds the sensor.
    `quarantine` rejects the events; reprocess them after you have imported the sensor."""
