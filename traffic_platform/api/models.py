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
