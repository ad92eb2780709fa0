"""The wait for the publisher before a backfill removes events.

An event that was valid once counts as published. When later rules accept it again, the publisher
does not send it again. So a backfill removes an event only after the publisher has passed it.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from traffic_platform.errors import TransientError
from traffic_platform.postgres.connections import Connection
from traffic_platform.statements import statement

MAX_WAIT_SECONDS = 60.0
_ASK_AGAIN_SECONDS = 0.25


def await_publisher(connection: Connection, stop: Callable[[], bool]) -> None:
    """Wait until the events that will leave are published, or until `stop` returns True.

    Generations that were never published need no wait. Raises TransientError when the publisher
    has not passed the events after MAX_WAIT_SECONDS. Nothing of the date has changed then.
    """
    until = time.monotonic() + MAX_WAIT_SECONDS
    while (waiting := _not_published(connection)) and not stop():
        if time.monotonic() >= until:
            raise TransientError(
                f"{waiting:,} events that today's rules reject are not published yet. Run"
                " `traffic publish` and try again, or set TRAFFIC_PUBLISH=false."
            )
        time.sleep(_ASK_AGAIN_SECONDS)


def _not_published(connection: Connection) -> int:
    row = connection.execute(statement("reprocess/not_published")).fetchone()
    return int(row[0]) if row else 0
