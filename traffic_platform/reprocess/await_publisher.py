"""What a date loses has been published before.

What was an event once is taken to be in the clean stream, and is not published again when later
rules let it in again. So none is taken away that the publisher has not come to yet.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import psycopg

from traffic_platform.errors import TransientError
from traffic_platform.statements import statement

PATIENCE_SECONDS = 60.0
_LOOK_SECONDS = 0.25


def await_publisher(connection: psycopg.Connection[Any], stop: Callable[[], bool]) -> None:
    """Wait until what the comparison found to leave has been published, or `stop` says so.

    Where nothing was ever published, nothing is waited for. Raises TransientError when the
    publisher has not come so far in PATIENCE_SECONDS; nothing of the date has changed then.
    """
    until = time.monotonic() + PATIENCE_SECONDS
    while (waiting := _not_published(connection)) and not stop():
        if time.monotonic() >= until:
            raise TransientError(
                f"{waiting:,} events that today's rules take away have not been published yet: "
                "run `traffic publish --once`, then try again, "
                "or set TRAFFIC_PUBLISH=false"
            )
        time.sleep(_LOOK_SECONDS)


def _not_published(connection: psycopg.Connection[Any]) -> int:
    row = connection.execute(statement("reprocess/not_published")).fetchone()
    return int(row[0]) if row else 0
