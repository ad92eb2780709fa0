"""Feeds: the sensors that one producer sends, as far as their names tell.

No event names its producer. Sensors of one feed are mostly numbered alike, so a feed is what is
left of a sensor's name without its number: `north-12` and `north-13` are of `north`. Checks judge
each sensor by itself where they can, and use feeds to say it in fewer words.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from traffic_platform.events.sensor_ids import is_canonical_uuid
from traffic_platform.quality.outcome import named

NUMBERED = "(numbers)"
IDENTIFIED = "(UUIDs)"

MOST_FEEDS = 10  # that are named in a sentence

_NUMBER = re.compile(r"[\W_]*\d[\d\W_]*$")


def feed_of(name: str) -> str:
    """The feed of the sensor with this external id."""
    if is_canonical_uuid(name):
        return IDENTIFIED
    return _NUMBER.sub("", name) or NUMBERED


def by_feed(sensors: Iterable[tuple[str, str]]) -> str:
    """Pairs of feed and sensor in a sentence: each feed with its sensors, `north (north-1)`.

    Of many feeds the MOST_FEEDS with most sensors, and how many others there are.
    """
    feeds: dict[str, list[str]] = {}
    for feed, name in sensors:
        feeds.setdefault(feed, []).append(name)
    shown = sorted(feeds, key=lambda feed: (-len(feeds[feed]), feed))[:MOST_FEEDS]
    said = [f"{feed} ({named(feeds[feed])})" for feed in sorted(shown)]
    others = len(feeds) - len(shown)
    return "; ".join([*said, f"and {others} more feeds"] if others else said)
