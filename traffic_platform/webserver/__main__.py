"""`python -m traffic_platform.webserver`: serve Dagster's UI until SIGTERM.

It takes the place of `dagster-webserver`, whose command has no way to add a middleware. The
instance is that of DAGSTER_HOME.
"""

from __future__ import annotations

import argparse
import sys

import uvicorn
from dagster import DagsterInstance
from dagster._core.workspace.context import WorkspaceProcessContext
from dagster._core.workspace.load_target import WorkspaceFileTarget
from dagster_webserver.version import __version__
from dagster_webserver.webserver import DagsterWebserver

from traffic_platform.settings import SettingsError, load_settings
from traffic_platform.webserver.request_guard import RequestGuard

# The values of `dagster-webserver`, for what one request may take from the database.
_STATEMENT_MS, _POOL_RECYCLE_SECONDS, _MORE_CONNECTIONS = 15_000, 3600, 20
_POLL_MS = 2000
# Shorter than the stack and systemd wait before they kill a process.
_FINISH_SECONDS = 2


def main() -> None:
    """Serve at the address of the arguments."""
    parser = argparse.ArgumentParser(description="Serve Dagster's UI to pages of its own only.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--workspace", required=True, metavar="FILE")
    parser.add_argument("--read-only", action="store_true", help="refuse every mutation")
    options = parser.parse_args()
    settings = load_settings()
    with DagsterInstance.get() as instance:
        instance.optimize_for_webserver(_STATEMENT_MS, _POOL_RECYCLE_SECONDS, _MORE_CONNECTIONS)
        target = WorkspaceFileTarget([options.workspace])
        with WorkspaceProcessContext(
            instance, target, version=__version__, read_only=options.read_only
        ) as context:
            app = DagsterWebserver(context, live_data_poll_rate=_POLL_MS).create_asgi_app()
            uvicorn.run(
                RequestGuard(app, settings),
                host=options.host,
                port=options.port,
                log_level="warning",
                server_header=False,
                timeout_graceful_shutdown=_FINISH_SECONDS,
            )


if __name__ == "__main__":
    try:
        main()
    except SettingsError as error:
        sys.exit(str(error))
