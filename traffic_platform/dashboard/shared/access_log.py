"""NiceGUI's log without query strings of unknown URLs.

A query string may hold a key that somebody put there by mistake, and people share logs.
"""

from __future__ import annotations

import logging
import re

_QUERY = re.compile(r"(\w+://[^\s?]*)\?\S*")


def leave_out_queries() -> None:
    """Remove query strings from URLs in NiceGUI's log. A second call changes nothing."""
    logging.getLogger("nicegui").addFilter(_without_query)


def _without_query(record: logging.LogRecord) -> bool:
    message = record.getMessage()
    short = _QUERY.sub(r"\1", message)
    if short != message:
        record.msg, record.args = short, ()
    return True
