"""`traffic keys` against a real database."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

import pytest

from traffic_platform.api.security.secret import hash_of, new_key
from traffic_platform_tests.cli.conftest import Traffic

KEY = re.compile(r"traffickey_[0-9A-Za-z]{49}")


def test_a_key_is_shown_once_listed_and_revoked(traffic: Traffic) -> None:
    assert traffic("keys", "list").out.startswith("No key exists.")
    made = traffic("keys", "create", "control room", "--scope", "read", "--scope", "export")
    key = made.out.strip()
    assert KEY.fullmatch(key)
    assert "control room" in made.err
    assert key not in made.err
    again = traffic("keys", "create", "control room")
    assert (again.code, again.out) == (1, "")
    assert again.err == (
        "A key named 'control room' exists already. Revoke it first, or choose another name.\n"
    )
    for listed in (traffic("keys", "list").out, traffic("keys", "list", "--json").out):
        assert "control room" in listed
        assert key not in listed
        assert key[-49:] not in listed
    assert "was revoked at" in traffic("keys", "revoke", "control room").out
    other = traffic("keys", "create", "control room", "--expires", "12h", "--json").json
    assert (other["scopes"], other["state"]) == (["read"], "valid")
    ends, begins = (datetime.fromisoformat(other[name]) for name in ("expires_at", "created_at"))
    assert timedelta(hours=11, minutes=59) < ends - begins <= timedelta(hours=12)
    number = traffic("keys", "list", "--json").json[0]["key_id"]
    first, second = (traffic("keys", "revoke", number, "--json").json for _ in range(2))
    assert first == second
    assert [item["state"] for item in traffic("keys", "list", "--json").json] == [
        "revoked",
        "valid",
    ]


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("create", "x", "--expires", "1y"), 2, "12h, 90d"),
        (("create", "x", "--expires", "2020-01-01"), 1, "in the future"),
        (("create", "x", "--scope", "write"), 2, "--scope"),
        (("create", "7"), 1, "not only digits"),
        (("create", ""), 1, "1 to 100 characters"),
        (("create", "a\nb"), 1, "control character"),
        (("revoke", "nobody"), 1, "Unknown key 'nobody'"),
    ],
)
def test_invalid_arguments_are_rejected_in_a_line(
    traffic: Traffic, arguments: tuple[str, ...], code: int, words: str
) -> None:
    refused = traffic("keys", *arguments)
    assert (refused.code, refused.out) == (code, "")
    assert words in refused.err


def test_keys_differ_and_a_typo_is_found_without_the_database() -> None:
    keys = {new_key() for _ in range(1000)}
    assert len({hash_of(key) for key in keys} - {None}) == 1000
    key = keys.pop()
    for position in range(len(key)):
        other = "a" if key[position] != "a" else "b"
        assert hash_of(key[:position] + other + key[position + 1 :]) is None
