"""Addresses of pages, and the values that come from them."""

from __future__ import annotations

from datetime import date
from urllib.parse import urlencode

FIRST_YEAR, LAST_YEAR = 1900, 2199  # as in api/local_dates.py: other years have no zone rules


def link(path: str, **query: object) -> str:
    """Return a path with query parameters, without those that are None."""
    given = {name: str(value) for name, value in query.items() if value is not None}
    return f"{path}?{urlencode(given)}" if given else path


def parse_date(value: str | None) -> date | None:
    """Return the date of a query parameter; None if it is missing or invalid."""
    try:
        day = date.fromisoformat(value) if value else None
    except ValueError:
        return None
    return day if day and FIRST_YEAR <= day.year <= LAST_YEAR else None


def clean_text(value: str) -> str:
    """Return text that PostgreSQL can hold: NUL becomes U+FFFD, lone surrogates become `?`."""
    return value.encode("utf-8", "replace").decode().replace("\0", "\ufffd")
