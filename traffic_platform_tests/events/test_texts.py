"""Values are shown short and printable."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from traffic_platform.events.texts import (
    LONGEST_VALUE,
    Unbounded,
    describe,
    printable,
    quote,
    shorten,
    show_time,
)


@settings(deadline=None)
@given(st.text(st.characters(codec=None)))
def test_any_text_is_quoted_in_printable_characters_that_utf_8_can_say(text: str) -> None:
    shown = quote(text)
    assert len(shown) <= LONGEST_VALUE
    assert shown.isprintable()
    shown.encode()


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "null"),
        (True, "true"),
        (False, "false"),
        (5, "the number 5"),
        (5.5, "the number 5.5"),
        ("x", "the text 'x'"),
        ("\0\ud800", r"the text '\x00\ud800'"),
        ([1], "an array"),
        ({"a": 1}, "an object"),
        (Unbounded("-1e400"), "the number -1e400"),
    ],
)
def test_a_value_is_described_as_json_calls_it(value: object, text: str) -> None:
    assert describe(value) == text


def test_unbounded_numbers_are_infinities_that_keep_their_text() -> None:
    assert (Unbounded("1e400"), Unbounded("-1e400")) == (float("inf"), float("-inf"))
    wholes = [Unbounded(text).is_integer_text for text in ("9" * 400, "-9", "1e400", "1.5")]
    assert wholes == [True, True, False, False]


def test_long_texts_end_in_an_ellipsis() -> None:
    assert shorten("abcdef", 6) == "abcdef"
    assert shorten("abcdefg", 6) == "abcde…"
    assert quote("x" * 1000).endswith("…")


def test_times_are_shown_in_utc() -> None:
    assert show_time(1_759_579_200_000_000) == "2025-10-04T12:00:00Z"
    assert show_time(-1) == "1969-12-31T23:59:59.999999Z"


def test_bytes_are_shown_with_escapes_for_unprintable_characters() -> None:
    assert printable(b"<b>\x00\xff\x1b[31m\n") == "<b>\\x00\\xff\\x1b[31m\\n"
    assert printable("a\u202eb".encode()) == "a\\u202eb"
