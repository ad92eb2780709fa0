"""Messages of the feed: formats, repeats, broken messages."""

from __future__ import annotations

import json
import time
from collections import Counter
from datetime import UTC, datetime

import numpy as np
import pytest

from traffic_platform.demo.detectors import Corridor
from traffic_platform.demo.feed import (
    BROKEN,
    MIXED,
    REPEAT,
    MessageBatch,
    broken,
    message_batches,
)
from traffic_platform.events.decode import Decoder
from traffic_platform.events.formats import FORMATS
from traffic_platform.events.rules import Rules
from traffic_platform.events.texts import show_time

START_US = round(datetime(2025, 10, 6, 7, tzinfo=UTC).timestamp() * 1_000_000)
NOW_US = START_US + 86_400 * 1_000_000


@pytest.fixture
def decoder() -> Decoder:
    first = datetime(2010, 1, 1, tzinfo=UTC).date()
    return Decoder(Rules(first_date=first, naive_timezone="Europe/Berlin", timezone="UTC"))


def one_batch(**options: object) -> MessageBatch:
    corridor = Corridor("test", 60)
    return next(message_batches(corridor, corridor.step_at_or_after(START_US), **options))  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize("feed_format", [*(form.name for form in FORMATS), MIXED])
def test_every_regular_message_is_processed(feed_format: str, decoder: Decoder) -> None:
    batch = one_batch(feed_format=feed_format)
    decoded = decoder.decode(batch.values, NOW_US)
    assert decoded.quarantined == []
    assert len(decoded.processed) == len(batch)
    assert np.array_equal(decoded.processed.timestamp_us, batch.times_us)
    formats = {form.number for form in FORMATS if feed_format in (form.name, MIXED)}
    assert set(decoded.processed.format.tolist()) == formats


def test_every_broken_message_is_rejected_under_all_settings(decoder: Decoder) -> None:
    values = [broken(kind, "s1", "2025-10-06T07:00:00Z") for kind in range(10)]
    decoded = decoder.decode(values, NOW_US)
    assert [row.index for row in decoded.quarantined] == list(range(10))
    assert len({row.reason for row in decoded.quarantined}) >= 7


def test_repeats_and_broken_messages_have_their_shares() -> None:
    corridor = Corridor("test", 60)
    batches = message_batches(
        corridor, corridor.step_at_or_after(START_US), repeat_share=0.01, broken_share=0.001
    )
    kinds: Counter[int] = Counter()
    while kinds.total() < 100_000:
        kinds.update(next(batches).kinds.tolist())
    assert kinds[REPEAT] / kinds.total() == pytest.approx(0.01, rel=0.1)
    assert kinds[BROKEN] / kinds.total() == pytest.approx(0.001, rel=0.2)


def test_a_repeat_comes_after_its_original_under_the_same_key() -> None:
    batch = one_batch(repeat_share=0.05, feed_format="flat")
    seen: set[tuple[bytes, int]] = set()
    values = dict[tuple[bytes, int], bytes | None]()
    exact = corrected = 0
    for key, value, kind, time_us in zip(
        batch.keys, batch.values, batch.kinds.tolist(), batch.times_us.tolist(), strict=True
    ):
        if kind == REPEAT:
            assert (key, time_us) in seen
            exact += value == values[key, time_us]
            corrected += value != values[key, time_us]
        else:
            seen.add((key, time_us))
            values[key, time_us] = value
        assert json.loads(value or b"")["timestamp"] == show_time(time_us)
    assert exact > 100
    assert corrected > 100


def test_the_same_steps_give_the_same_messages() -> None:
    assert one_batch(repeat_share=0.1).values == one_batch(repeat_share=0.1).values


def test_a_limited_feed_ends_with_its_last_interval() -> None:
    corridor = Corridor("test", 7)
    first = corridor.step_at_or_after(START_US)
    batches = list(message_batches(corridor, first, steps=3_000))
    assert sum(map(len, batches)) == 21_000
    assert int(batches[-1].times_us[-1]) == (first + 2_999) * corridor.period_us


def test_generating_costs_less_than_ten_microseconds_an_event() -> None:
    corridor = Corridor("test", 600)
    batches = message_batches(corridor, corridor.step_at_or_after(START_US), repeat_share=0.01)
    next(batches)  # the simulated day is paid for once
    before = time.process_time()
    events = sum(len(next(batches)) for _ in range(10))
    assert (time.process_time() - before) / events < 10e-6
