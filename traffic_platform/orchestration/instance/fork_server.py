"""The process that runs are forked from, which has only imported the libraries.

This module imports no part of Dagster, so that the process starts to import at the same time as
the one that starts it.
"""

from __future__ import annotations

import multiprocessing
import os
from multiprocessing import forkserver

# The libraries that a run needs. A process that forks must not have threads, and none of these
# starts one when imported; `warm_up` keeps numpy's linear algebra from doing so.
PRELOADED = (
    "dagster",
    "dagster._cli.api",
    "dagster._grpc.impl",
    "dagster_postgres",
    "confluent_kafka.admin",
    "msgspec",
    "numpy",
    "psycopg",
    "pydantic_settings",
)


def warm_up() -> None:
    """Start the process that runs are forked from, and return while it imports.

    It has the environment of this process, also when it restarts after a crash.
    """
    os.environ["OPENBLAS_NUM_THREADS"] = "1"
    multiprocessing.set_forkserver_preload(list(PRELOADED))
    forkserver.ensure_running()
