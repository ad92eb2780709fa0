"""Settings of retention."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, model_validator

from traffic_platform.settings.subject import SubjectSettings

Days = Annotated[int, Field(ge=0)]


class RetentionSettings(SubjectSettings):
    """Retention

    Age counts from the arrival of a message, not from the time of its event. Whole partitions are
    dropped. [Retention and maintenance](retention.md) explains the rest.
    """

    raw_days: Days = 30
    """Days that raw messages are kept after their arrival. 0: for ever."""
    processed_days: Days = 90
    """Days that events are kept after the newest arrival of their month. 0: for ever."""
    readings_days: Annotated[int, Field(ge=1)] | None = None
    """Days that readings are kept, at least as long as events. Not set: for ever."""
    archive: Path | None = None
    """Folder for Parquet files of raw days, written before the days are dropped. Not set: raw days
    are dropped without a copy."""

    @model_validator(mode="after")
    def _readings_outlive_their_events(self) -> Self:
        if self.readings_days is not None and not 0 < self.processed_days <= self.readings_days:
            raise ValueError(
                "TRAFFIC_READINGS_DAYS must be at least TRAFFIC_PROCESSED_DAYS, which must not be"
                " 0: readings are dropped after their events."
            )
        return self
