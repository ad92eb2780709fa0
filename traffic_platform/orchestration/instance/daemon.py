"""`python -m traffic_platform.orchestration.instance.daemon --workspace FILE`: Dagster's daemon.

It takes the place of `dagster-daemon run`, and differs in three points:

- It starts the process that runs are forked from before it imports Dagster. Both import side by
  side, so the first run after a start comes seconds earlier.
- It may start together with the code server, and waits until that serves. Dagster's daemon would
  ask a missing one again only after a minute.
- Its log has no colors and no line for each poll that found nothing.
"""

from __future__ import annotations

import argparse
import contextlib
import logging
import socket
import sys
import time
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from traffic_platform.orchestration.instance.fork_server import warm_up
from traffic_platform.orchestration.instance.log_lines import write_log

if TYPE_CHECKING:
    from dagster._core.remote_origin import CodeLocationOrigin

# Without an answer for this long, the daemon starts and shows that the code server is missing.
_CODE_SERVER_SECONDS = 120.0
_ASK_AGAIN_SECONDS = 0.2
# Messages of polls. With an ingest run in progress there are about a thousand of them an hour.
_OF_POLLS = (
    "Checking for new runs for sensor",
    "Checking run ",
    "Collected ",
    "No run requests returned",
    "Sensor ",  # … skipped, with the reason that its tick shows too
    "Priority sorting and checking tag concurrency limits",
)


def main() -> None:
    """Run the daemon until SIGTERM."""
    parser = argparse.ArgumentParser(description="Run Dagster's daemon.")
    parser.add_argument("--workspace", required=True, metavar="FILE")
    workspace = parser.parse_args().workspace
    warm_up()
    write_log("daemon", is_worth_a_line)
    with contextlib.suppress(KeyboardInterrupt):
        _run(workspace)


def _run(workspace: str) -> None:
    from dagster import DagsterInstance
    from dagster._core.workspace.context import WorkspaceProcessContext
    from dagster._core.workspace.load_target import WorkspaceFileTarget
    from dagster._daemon.controller import DagsterDaemonController, create_daemons_from_instance
    from dagster._utils.interrupts import capture_interrupts, setup_interrupt_handlers

    logging.getLogger("dagster").setLevel(logging.INFO)
    setup_interrupt_handlers()
    target = WorkspaceFileTarget([workspace])
    _wait_for_code_servers(target.create_origins())
    with contextlib.ExitStack() as stack:
        stack.enter_context(capture_interrupts())
        instance = stack.enter_context(DagsterInstance.get())
        daemons = [stack.enter_context(one) for one in create_daemons_from_instance(instance)]
        context = stack.enter_context(WorkspaceProcessContext(instance, target))
        stack.enter_context(DagsterDaemonController(context, daemons)).check_daemon_loop()


def _wait_for_code_servers(origins: Iterable[CodeLocationOrigin]) -> None:
    deadline = time.monotonic() + _CODE_SERVER_SECONDS
    for origin in origins:
        server: Any = origin
        address = (getattr(server, "host", None), getattr(server, "port", None))
        while None not in address and time.monotonic() < deadline and not _listens(address):
            time.sleep(_ASK_AGAIN_SECONDS)


def _listens(address: tuple[Any, Any]) -> bool:
    try:
        socket.create_connection(address, timeout=1).close()
    except OSError:
        return False
    return True


def is_worth_a_line(record: logging.LogRecord) -> bool:
    """Return whether a record tells more than that a poll found nothing, or that Dagster ends."""
    if record.levelno == logging.INFO:
        return not record.getMessage().startswith(_OF_POLLS)
    # A thread may ask its pool for a last task after the pool was closed. Nothing is lost by that.
    error = record.exc_info[1] if record.exc_info else None
    return not (isinstance(error, RuntimeError) and "cannot schedule new futures" in str(error))


if __name__ == "__main__":
    sys.exit(main())
