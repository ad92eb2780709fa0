"""Settings of Kafka's topics and of publishing."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, model_validator

from traffic_platform.settings.subject import SubjectSettings


class TopicSettings(SubjectSettings):
    """Topics and publishing

    The three topics must have different names.
    """

    raw_topic: str = "traffic-raw"
    """Topic that detectors publish to."""
    events_topic: str = "traffic-events"
    """Topic of the clean stream. The platform publishes to it, and ingests the events that others
    publish there."""
    publish: bool = True
    """Publish each event of the raw topic to the clean stream, once. `false`: no event is
    published."""
    quarantine_topic: str | None = None
    """Topic that rejected messages are published to, with the reason in their headers. Not set:
    they are not published."""
    topic_partitions: Annotated[int, Field(ge=1, le=1000)] = 6
    """Partitions of a topic that `traffic up` creates. Existing topics keep theirs."""
    consumer_group: str = "backend-db-writer"
    """Kafka group that stored offsets are committed to, so that Kafka's tools show the lag. The
    ledger in PostgreSQL decides where ingest continues."""

    @model_validator(mode="after")
    def _topics_differ(self) -> Self:
        topics = [self.raw_topic, self.events_topic, self.quarantine_topic]
        if len(set(topics)) < len(topics):
            raise ValueError(
                "TRAFFIC_RAW_TOPIC, TRAFFIC_EVENTS_TOPIC and TRAFFIC_QUARANTINE_TOPIC must name"
                " different topics."
            )
        return self

    @property
    def ingest_topics(self) -> list[str]:
        """The topics that are ingested: others may publish to the clean stream, too."""
        return [self.raw_topic, self.events_topic]
