"""Feeds: groups of sensors that one producer sends, guessed from their names.

No event names its producer. Sensors of one feed mostly have numbered names, so the feed is the name
without its number: `north-12` and `north-13` belong to `north`. Checks judge each sensor by itself
where they can, and use feeds for shorter summaries.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from traffic_platform.events.sensor_ids import is_canonical_uuid
from traffic_platform.quality.outcome import named

NUMBERED = "(numbers)"
IDENTIFIED = "(UUIDs)"

MOST_FEEDS = 10  # named in a sentence

_NUMBER = re.compile(r"[\W_]*\d[\d\W_]*$")


def feed_of(name: str) -> str:
    """Return the feed of the sensor with this external id."""
    if is_canonical_uuid(name):
        return IDENTIFIED
    return _NUMBER.sub("", name) or NUMBERED


def by_feed(sensors: Iterable[tuple[str, str]]) -> str:
    """Format pairs of feed and sensor for a sentence: `north (north-1, north-2)`.

    Of many feeds it names the MOST_FEEDS with most sensors, and counts the others.
    """
    feeds: dict[str, list[str]] = {}
    for feed, name in sensors:
        feeds.setdefault(feed, []).append(name)
    shown = sorted(feeds, key=lambda feed: (-len(feeds[feed]), feed))[:MOST_FEEDS]
    texts = [f"{feed} ({named(feeds[feed])})" for feed in sorted(shown)]
    others = len(feeds) - len(shown)
    return "; ".join([*texts, f"and {others} more feeds"] if others else texts)
