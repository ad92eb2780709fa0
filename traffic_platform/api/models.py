"""Pydantic models for the OpenAPI document. Responses are not validated against them."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, Field

_ID = ["5a1c7b66-38a5-f3a9-2b3c-0f7f3a9d8a11"]
_SENSOR = ["0b8f6f8e-58a0-5a9f-9a38-3d2b8f1f0c55"]


class Reading(BaseModel):
    """Measures of one sensor over one interval."""

    id: UUID = Field(description="UUID, derived from sensor and time.", examples=_ID)
    sensor_id: UUID = Field(description="UUID of the sensor.", examples=_SENSOR)
    timestamp: datetime = Field(
        description="Start of the interval that the measures cover (UTC, ending in Z).",
        examples=["2025-10-04T12:00:00Z"],
    )
    speed: float | None = Field(
        description="Speed (miles per hour); null if unknown.", examples=[54.2]
    )
    volume: int | None = Field(
        description="Flow (vehicles per hour); null if unknown.", examples=[1260]
    )
    occupancy: float | None = Field(
        description="Share of the time that a vehicle was over the detector (percent); null if"
        " unknown.",
        examples=[8.1],
    )
    quality_score: float = Field(
        description="Share of quality tests passed (0 to 1).", examples=[1.0]
    )


class ReadingPage(BaseModel):
    """A page of readings."""

    items: list[Reading] = Field(description="Readings of the page, by time and sensor.")
    total: int = Field(description="Exact number of readings on all pages.", examples=[10])
    page: int = Field(description="Number of the page, from 1.", examples=[1])
    pages: int = Field(description="Number of pages; 0 without readings.", examples=[1])


class Sensor(BaseModel):
    """A detector."""

    sensor_id: UUID = Field(description="UUID of the sensor.", examples=_SENSOR)
    external_id: str = Field(description="Identifier that its feed uses.", examples=["det-7"])
    name: str | None = Field(description="Name for people.")
    road: str | None = Field(description="Road of the detector.", examples=["I-205"])
    direction: str | None = Field(description="Direction of travel.", examples=["NORTH"])
    lanes: int | None = Field(description="Lanes that it covers.", examples=[1])
    milepost: float | None = Field(description="Position along the road (miles).")
    length_mi: float | None = Field(description="Length of road that it represents (miles).")
    latitude: float | None = Field(description="Latitude (degrees, WGS 84).")
    longitude: float | None = Field(description="Longitude (degrees, WGS 84).")
    station_id: str | None = Field(description="Station that groups the detectors of a location.")
    interval_s: float | None = Field(
        description="Interval of a reading (seconds), imported or inferred.", examples=[20]
    )
    free_flow_mph: float | None = Field(
        description="Free-flow speed (miles per hour), imported or inferred."
    )
    rural: bool | None = Field(description="True where an empty road is usual.")
    retired: bool = Field(description="True where it is no longer expected to report.")
    valid_from: datetime | None = Field(
        description="Time since which interval, length, lanes, free-flow speed, `rural` and"
        " `retired` apply (UTC); null: since the beginning."
    )
    origin: str = Field(description="`imported`, or `seen` in the stream.", examples=["imported"])
    registered_at: datetime = Field(description="Time of registration (UTC).")


class Period(BaseModel):
    """A time in which values of a detector apply."""

    valid_from: datetime | None = Field(description="Start (UTC); null: the beginning.")
    interval_s: float | None = Field(
        description="Interval of a reading (seconds), imported or inferred.", examples=[20]
    )
    length_mi: float | None = Field(description="Length of road that it represents (miles).")
    lanes: int | None = Field(description="Lanes that it covers.", examples=[1])
    free_flow_mph: float | None = Field(
        description="Free-flow speed (miles per hour), imported or inferred."
    )
    rural: bool = Field(description="True where an empty road is usual.")
    retired: bool = Field(description="True where it is no longer expected to report.")
    source: str = Field(description="Cause of the period: `registered`, `imported` or `inferred`.")


class SensorWithReading(Sensor):
    """A detector, its periods and its newest reading."""

    periods: list[Period] = Field(description="Its periods; each ends where the next begins.")
    newest_reading: Reading | None = Field(description="Its newest reading, of any age.")


class SensorPage(BaseModel):
    """A page of sensors."""

    items: list[Sensor] = Field(description="Sensors by road, direction and milepost.")
    total: int = Field(description="Number of sensors on all pages.", examples=[42])
    page: int = Field(description="Number of the page, from 1.", examples=[1])
    pages: int = Field(description="Number of pages; 0 without sensors.", examples=[1])


class RolledUp(BaseModel):
    """A roll-up of 5 minutes, an hour or a local day (formulas: docs/roll-ups.md)."""

    timestamp: datetime = Field(description="Start (UTC, ending in Z).")
    samples: int = Field(description="Number of readings.")
    completeness: float | None = Field(description="Samples / expected samples (1 is complete).")
    vehicles: float | None = Field(description="Number of vehicles.")
    flow: float | None = Field(description="Mean flow (vehicles per hour).")
    speed: float | None = Field(description="Flow-weighted speed (miles per hour).")
    min_speed: float | None = Field(description="Lowest speed (miles per hour).")
    max_speed: float | None = Field(description="Highest speed (miles per hour).")
    occupancy: float | None = Field(description="Mean occupancy (percent).")
    good_share: float = Field(description="Share of good readings (0 to 1).")
    vmt: float | None = Field(description="Vehicle miles travelled.")
    vht: float | None = Field(description="Vehicle hours travelled.")
    delay_h: float | None = Field(description="Vehicle hours lost against free flow.")
    travel_time_index: float | None = Field(description="Travel time / travel time at free flow.")


class SensorReadings(BaseModel):
    """Readings or roll-ups of a sensor."""

    sensor_id: UUID = Field(description="UUID of the sensor.", examples=_SENSOR)
    resolution: str = Field(description="`raw`, `5min`, `hour` or `day`.", examples=["hour"])
    begin: datetime = Field(alias="from", description="Start of the range (UTC).")
    end: datetime = Field(alias="to", description="End of the range, exclusive (UTC).")
    items: list[Reading] | list[RolledUp] = Field(
        description="Readings (resolution raw) or roll-ups, by time."
    )
