"""The Kafka topics, as assets that live outside Dagster: where lineage begins."""

from __future__ import annotations

from dagster import AssetKey, AssetSpec

from traffic_platform.orchestration.columns import record_schema
from traffic_platform.orchestration.keys import EVENTS_TOPIC, OWNER, RAW_TOPIC, TOPICS_GROUP
from traffic_platform.settings import Settings


def topic_specs(settings: Settings) -> list[AssetSpec]:
    """One external asset for each topic."""
    return [
        _topic(
            RAW_TOPIC,
            settings.raw_topic,
            "What detectors publish: flat and nested JSON events, as they come.",
        ),
        _topic(
            EVENTS_TOPIC,
            settings.events_topic,
            "The clean stream: flat events, for other consumers.",
        ),
    ]


def _topic(key: AssetKey, topic: str, description: str) -> AssetSpec:
    return AssetSpec(
        key=key,
        description=description,
        group_name=TOPICS_GROUP,
        kinds={"kafka"},
        owners=[OWNER],
        tags={"layer": "stream"},
        metadata={"topic": topic, "dagster/column_schema": record_schema()},
    )
