"""URLs of databases: accepted and rejected ones, read alike by libpq and SQLAlchemy."""

from __future__ import annotations

import pytest
from psycopg.conninfo import conninfo_to_dict
from sqlalchemy.engine import make_url

from traffic_platform.database_url import (
    build_url,
    check_url,
    same_server,
    url_parts,
    with_suffix,
    without_secrets,
)

SECRET = "pw-7 @/?:%+&"
QUOTED = "pw-7%20%40%2F%3F%3A%25%2B%26"

ACCEPTED = [
    "postgresql://u:p@host/db",
    "postgres://u:p@host:5433/db",
    f"postgresql://u:{QUOTED}@host/db",
    "postgresql://u:p@[::1]:5432/db",
    "postgresql:///db?host=/tmp&port=5433&user=u",
    "postgresql://u@%2Fvar%2Frun/db",
    "postgresql://u:p@host/db?sslmode=require&options=-c%20work_mem%3D8MB&application_name=a+b",
    "postgresql://host/d%20b",
]


@pytest.mark.parametrize("url", ACCEPTED)
def test_an_accepted_url_means_the_same_to_libpq_and_sqlalchemy(url: str) -> None:
    check_url(url)
    built = build_url(url_parts(url))
    assert conninfo_to_dict(built) == conninfo_to_dict(url)
    parts, other = url_parts(url), make_url(built)
    query = {**other.translate_connect_args(username="user", database="dbname"), **other.query}
    assert {key: str(value) for key, value in query.items()} == parts


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("host=h dbname=d password=pw-7", "not a URI"),
        ("mysql://u:pw-7@h/d", "not a URI"),
        ("postgresql://u:pw-7%zz@h/d", "%25"),
        ("postgresql://u:pw-7 x@h/d", "%20"),
        ("postgresql://u:pw-7@x@h/d", "%40"),
        ("postgresql://u:pw-7@h:5432", "name of the database"),
        ("postgresql://u:pw-7@h:5432/", "name of the database"),
        ("postgresql://u:pw-7@/d", "host is missing"),
        ("postgresql://u:pw-7@a:1,b:2/d", "more than one host"),
        ("postgresql://u:pw-7@h:pw-7/d", "port"),
    ],
)
def test_a_rejected_url_is_reported_with_the_reason_and_without_the_secret(
    url: str, why: str
) -> None:
    with pytest.raises(ValueError, match=why) as refused:
        check_url(url)
    assert "pw-7" not in str(refused.value)
    assert refused.value.__cause__ is None


@pytest.mark.parametrize(
    "url",
    [
        f"postgresql://u:{QUOTED}@h/d",
        f"postgresql://u@h/d?password={QUOTED}",
        f"postgresql://u:{QUOTED}@h/d?sslpassword={QUOTED}&sslkey=k",
    ],
)
def test_a_shown_url_contains_no_secret_wherever_it_was(url: str) -> None:
    shown = without_secrets(url)
    assert QUOTED not in shown
    assert SECRET not in shown
    assert shown.startswith("postgresql://u@h/d")


def test_another_database_of_the_server_keeps_everything_else() -> None:
    url = "postgresql://u:p%40@h:1/traffic?sslmode=require"
    assert with_suffix(url, "_dagster") == "postgresql://u:p%40@h:1/traffic_dagster?sslmode=require"


def test_a_server_is_an_address_and_a_port() -> None:
    assert same_server("postgresql://a:b@h/x", "postgresql://c@h:5432/y")
    assert not same_server("postgresql://a@h/x", "postgresql://a@h:5433/x")
