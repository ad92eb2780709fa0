"""The Kafka topics, as assets that exist outside Dagster: where lineage begins."""

from __future__ import annotations

from dagster import AssetKey, AssetSpec, MetadataValue

from traffic_platform.settings import Settings

OWNERS = ["team:traffic-data"]
RAW_TOPIC = AssetKey(["kafka", "traffic_raw"])
EVENTS_TOPIC = AssetKey(["kafka", "traffic_events"])


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
            "The clean stream: flat events for other consumers.",
        ),
    ]


def _topic(key: AssetKey, topic: str, description: str) -> AssetSpec:
    return AssetSpec(
        key=key,
        description=description,
        group_name="stream",
        kinds={"kafka"},
        owners=OWNERS,
        tags={"layer": "stream"},
        metadata={"topic": MetadataValue.text(topic)},
    )
