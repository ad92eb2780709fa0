"""NiceGUI's log without what people ask: it names addresses that are none with their query.

A query may hold a key that somebody put there by mistake, and logs are kept and shown around.
"""

from __future__ import annotations

import logging
import re

_QUERY = re.compile(r"(\w+://[^\s?]*)\?\S*")


def leave_out_queries() -> None:
    """Let NiceGUI's logger leave queries out of addresses. Again, it changes nothing."""
    logging.getLogger("nicegui").addFilter(_without_query)


def _without_query(record: logging.LogRecord) -> bool:
    message = record.getMessage()
    short = _QUERY.sub(r"\1", message)
    if short != message:
        record.msg, record.args = short, ()
    return True
