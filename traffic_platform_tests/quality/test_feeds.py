"""Feeds by the names of their sensors."""

from __future__ import annotations

import pytest

from traffic_platform.quality.feeds import by_feed, feed_of


@pytest.mark.parametrize(
    ("name", "feed"),
    [
        ("det-7", "det"),
        ("synthetic-feed-0012", "synthetic-feed"),
        ("I205N/MP14.32/lane", "I205N/MP14.32/lane"),
        ("I205N/MP14.32", "I205N/MP"),
        ("1345", "(numbers)"),
        ("6f7d4f0e-3d0b-5f0c-9a39-6c2d6b1f5a11", "(UUIDs)"),
        ("boulevard", "boulevard"),
    ],
)
def test_a_feed_is_a_sensors_name_without_its_number(name: str, feed: str) -> None:
    assert feed_of(name) == feed


def test_many_sensors_of_a_feed_become_some_names_and_a_number() -> None:
    pairs = [("north", f"north-{number}") for number in range(1, 8)] + [("south", "south-1")]
    assert by_feed(pairs) == (
        "north (north-1, north-2, north-3, north-4, north-5 and 2 more); south (south-1)"
    )


def test_of_many_feeds_those_with_most_sensors_are_named() -> None:
    pairs = [(f"feed-{letter}", f"feed-{letter}-1") for letter in "abcdefghijklm"]
    text = by_feed([*pairs, ("feed-m", "feed-m-2")])
    assert text.startswith("feed-a (feed-a-1); feed-b (")
    assert text.endswith("; feed-i (feed-i-1); feed-m (feed-m-1, feed-m-2); and 3 more feeds")
