"""What the API answers with, as OpenAPI describes it. Answers are not validated against these."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, Field

_ID = ["5a1c7b66-38a5-f3a9-2b3c-0f7f3a9d8a11"]
_SENSOR = ["0b8f6f8e-58a0-5a9f-9a38-3d2b8f1f0c55"]


class Reading(BaseModel):
    """What one sensor measured over one interval."""

    id: UUID = Field(description="Identity, made from sensor and time.", examples=_ID)
    sensor_id: UUID = Field(description="The sensor.", examples=_SENSOR)
    timestamp: datetime = Field(
        description="Start of the interval that the measures cover, UTC, ending in Z.",
        examples=["2025-10-04T12:00:00Z"],
    )
    speed: float | None = Field(
        description="Speed (miles per hour); null where it is not known.", examples=[54.2]
    )
    volume: int | None = Field(
        description="Rate of flow (vehicles per hour); null where it is not known.", examples=[1260]
    )
    occupancy: float | None = Field(
        description="Share of the time that a vehicle was over the detector (percent); null where"
        " it is not known.",
        examples=[8.1],
    )
    quality_score: float = Field(
        description="Share of the plausibility tests passed, 0 to 1.", examples=[1.0]
    )


class ReadingPage(BaseModel):
    """A page of readings."""

    items: list[Reading] = Field(description="The readings of the page, by time and sensor.")
    total: int = Field(description="Readings on all pages, exact.", examples=[10])
    page: int = Field(description="The page, from 1.", examples=[1])
    pages: int = Field(description="Number of pages; 0 without readings.", examples=[1])


class Sensor(BaseModel):
    """A detector."""

    sensor_id: UUID = Field(description="Identity.", examples=_SENSOR)
    external_id: str = Field(description="The identifier that its feed uses.", examples=["det-7"])
    name: str | None = Field(description="Name for people.")
    road: str | None = Field(description="Road that it is on.", examples=["I-205"])
    direction: str | None = Field(description="Direction of travel.", examples=["NORTH"])
    lanes: int | None = Field(description="Lanes that it covers.", examples=[1])
    milepost: float | None = Field(description="Position along the road (miles).")
    length_mi: float | None = Field(description="Length of road that it stands for (miles).")
    latitude: float | None = Field(description="Latitude (degrees, WGS 84).")
    longitude: float | None = Field(description="Longitude (degrees, WGS 84).")
    station_id: str | None = Field(description="Station that groups detectors of one place.")
    interval_s: int | None = Field(
        description="Time that a reading covers (seconds), imported or inferred.", examples=[20]
    )
    free_flow_mph: float | None = Field(
        description="Free-flow speed (miles per hour), imported or inferred."
    )
    rural: bool | None = Field(description="Whether an empty road is usual there.")
    origin: str = Field(description="imported, or seen in the stream.", examples=["imported"])
    registered_at: datetime = Field(description="When the platform first knew of it (UTC).")


class SensorWithReading(Sensor):
    """A detector and what it said last."""

    newest_reading: Reading | None = Field(description="Its newest reading, of whatever age.")


class SensorPage(BaseModel):
    """A page of sensors."""

    items: list[Sensor] = Field(description="Sensors by road, direction and milepost.")
    total: int = Field(description="Sensors on all pages.", examples=[42])
    page: int = Field(description="The page, from 1.", examples=[1])
    pages: int = Field(description="Number of pages; 0 without sensors.", examples=[1])


class RolledUp(BaseModel):
    """Readings of 5 minutes, an hour or a local day; docs/roll-ups.md has the formulas."""

    timestamp: datetime = Field(description="Start, UTC, ending in Z.")
    samples: int = Field(description="Readings.")
    completeness: float | None = Field(description="samples / expected (1 is all).")
    vehicles: float | None = Field(description="Vehicles counted.")
    flow: float | None = Field(description="Mean flow (vehicles per hour).")
    speed: float | None = Field(description="Flow-weighted speed (miles per hour).")
    min_speed: float | None = Field(description="Lowest speed (miles per hour).")
    max_speed: float | None = Field(description="Highest speed (miles per hour).")
    occupancy: float | None = Field(description="Mean occupancy (percent).")
    good_share: float = Field(description="Share of good readings (1 is all).")
    vmt: float | None = Field(description="Vehicle miles travelled.")
    vht: float | None = Field(description="Vehicle hours travelled.")
    delay_h: float | None = Field(description="Vehicle hours lost against free flow.")
    travel_time_index: float | None = Field(description="Travel time / that at free flow.")


class SensorReadings(BaseModel):
    """Readings of a sensor."""

    sensor_id: UUID = Field(description="The sensor.", examples=_SENSOR)
    resolution: str = Field(description="raw, 5min, hour or day.", examples=["hour"])
    begin: datetime = Field(alias="from", description="First moment (UTC).")
    end: datetime = Field(alias="to", description="The moment before which readings are (UTC).")
    items: list[Reading] | list[RolledUp] = Field(
        description="Readings with resolution raw, else rolled-up rows; by time."
    )
