"""Pydantic models of the quality route, for the OpenAPI document."""

from __future__ import annotations

import datetime as dt
from uuid import UUID

from pydantic import BaseModel, Field


class Messages(BaseModel):
    """Messages of the date, as the audit counts them."""

    messages: int = Field(description="Kafka messages.", examples=[12420])
    events: int = Field(description="Messages that became events.")
    quarantined: int = Field(description="Messages that went to quarantine.")


class Reason(BaseModel):
    """Rejected messages with one reason."""

    reason: str = Field(description="Code of the reason.", examples=["out_of_range"])
    messages: int = Field(description="Messages rejected for this reason.")
    unresolved: int = Field(description="Messages that are still in quarantine.")


class Completeness(BaseModel):
    """Received readings, compared with the expected ones."""

    sensors: int = Field(description="Sensors that reported.")
    sensors_known: int = Field(description="Sensors that are registered now.")
    readings: int = Field(description="Readings in the roll-ups.")
    good: int = Field(description="Good readings: no flag, or an empty road.")
    completeness: float | None = Field(
        description="Readings / expected readings of the sensors that reported (1 is complete);"
        " null if no interval is known."
    )


class Scores(BaseModel):
    """Quality scores of the readings."""

    readings: int = Field(description="Readings of the date, exact.")
    looked_at: int = Field(
        description="Readings from which scores and flags are computed: all, or a sample of about"
        " 200,000 spread over the day."
    )
    mean_score: float | None = Field(description="Mean score (0 to 1).")
    min_score: float | None = Field(description="Lowest score (0 to 1).")


class Flag(BaseModel):
    """Readings that failed one quality test."""

    bit: int = Field(description="Bit of the test in quality_flags.", examples=[4])
    test_failed: str = Field(description="The failed test.", examples=["speed > 100 mph"])
    readings: int = Field(description="Readings in the sample that failed it.")


class Detector(BaseModel):
    """A detector whose diagnosis is not good."""

    sensor_id: UUID = Field(description="UUID of the sensor.")
    external_id: str = Field(description="Identifier that its feed uses.")
    name: str | None = Field(description="Name for people.")
    road: str | None = Field(description="Road of the detector.")
    direction: str | None = Field(description="Direction of travel.")
    milepost: float | None = Field(description="Position along the road (miles).")
    diagnosis: str = Field(description="Code of the diagnosis.", examples=["card_off"])
    seen: str = Field(description="The finding in one sentence.")
    field: str = Field(description="The inspection to make at the roadside.")
    samples_percent: float | None = Field(
        description="Received samples as a share of the expected ones (percent)."
    )


class DetectorHealth(BaseModel):
    """Diagnoses of the detectors (docs/detector-health.md)."""

    computed_at: dt.datetime | None = Field(
        description="Time of the diagnosis (UTC); null before the first one."
    )
    diagnoses: dict[str, int] = Field(
        description="Sensors by diagnosis.", examples=[{"good": 40, "card_off": 2}]
    )
    detectors: list[Detector] = Field(
        description="Detectors whose diagnosis is not good, along the road."
    )


class Quality(BaseModel):
    """Data quality of a date."""

    date: dt.date = Field(description="The date.", examples=["2025-10-04"])
    timezone: str = Field(description="Time zone of the date.", examples=["UTC"])
    messages: Messages
    quarantine: list[Reason] = Field(description="By reason, the most frequent first.")
    completeness: Completeness
    scores: Scores
    flags: list[Flag] = Field(description="By quality test.")
    health: DetectorHealth
