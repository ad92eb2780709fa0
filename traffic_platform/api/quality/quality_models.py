"""What the route of quality answers with, as OpenAPI describes it."""

from __future__ import annotations

import datetime as dt
from uuid import UUID

from pydantic import BaseModel, Field


class Messages(BaseModel):
    """Messages that count at the date, by the audit."""

    messages: int = Field(description="Messages of Kafka.", examples=[12420])
    events: int = Field(description="Those that are events.")
    quarantined: int = Field(description="Those that went to quarantine.")


class Reason(BaseModel):
    """Messages in quarantine for one reason."""

    reason: str = Field(description="Code of the reason.", examples=["out_of_range"])
    messages: int = Field(description="Messages that went there.")
    unresolved: int = Field(description="Those that are there still.")


class Completeness(BaseModel):
    """What sensors delivered of what they should have."""

    sensors: int = Field(description="Sensors that reported.")
    sensors_known: int = Field(description="Sensors that the platform knows now.")
    readings: int = Field(description="Readings that are rolled up.")
    good: int = Field(description="Good ones: no flag, or an empty road.")
    completeness: float | None = Field(
        description="Readings / what the sensors that reported should have said (1 is all); null"
        " where no interval is known."
    )


class Scores(BaseModel):
    """Quality scores of the readings."""

    readings: int = Field(description="Readings of the date, exact.")
    looked_at: int = Field(
        description="Those that scores and flags are of: all, or of very many about 200,000 spread"
        " over the day."
    )
    mean_score: float | None = Field(description="Mean of their scores (0 to 1).")
    min_score: float | None = Field(description="Lowest of their scores (0 to 1).")


class Flag(BaseModel):
    """Readings that failed one plausibility test."""

    bit: int = Field(description="Bit in quality_flags.", examples=[4])
    test_failed: str = Field(description="What failed.", examples=["speed > 100 mph"])
    readings: int = Field(description="Readings that failed it, of those looked at.")


class Detector(BaseModel):
    """A detector that is not well."""

    sensor_id: UUID = Field(description="The sensor.")
    external_id: str = Field(description="The identifier that its feed uses.")
    name: str | None = Field(description="Name for people.")
    road: str | None = Field(description="Road that it is on.")
    direction: str | None = Field(description="Direction of travel.")
    milepost: float | None = Field(description="Position along the road (miles).")
    diagnosis: str = Field(description="Code of the diagnosis.", examples=["card_off"])
    seen: str = Field(description="What was seen, in words.")
    field: str = Field(description="What to look at in the field.")
    samples_percent: float | None = Field(description="Samples of those expected (percent).")


class Health(BaseModel):
    """Diagnoses of the detectors (docs/detector-health.md)."""

    computed_at: dt.datetime | None = Field(description="When (UTC); null: not yet.")
    diagnoses: dict[str, int] = Field(
        description="Sensors by diagnosis.", examples=[{"good": 40, "card_off": 2}]
    )
    detectors: list[Detector] = Field(description="Those that are not good, along the road.")


class Quality(BaseModel):
    """How good the data of a date is."""

    date: dt.date = Field(description="The date.", examples=["2025-10-04"])
    timezone: str = Field(description="The zone whose day it is.", examples=["UTC"])
    messages: Messages
    quarantine: list[Reason] = Field(description="By reason, the most frequent first.")
    completeness: Completeness
    scores: Scores
    flags: list[Flag] = Field(description="By test, each of one bit.")
    health: Health
