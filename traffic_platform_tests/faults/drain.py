"""An ingest run or publisher as a process: `python -m traffic_platform_tests.faults.drain '{…}'`.

Settings come from the environment. The argument is JSON: `topics` (null: publish), `limits` (see
RunLimits), `run_id`, `writer`, `writers`, and `constants` of the platform to replace, by their
dotted names. SIGTERM ends the run after the current batch. It prints its totals as JSON.
"""

from __future__ import annotations

import faulthandler
import json
import logging
import pkgutil
import signal
import sys
import threading
from typing import Any

from traffic_platform.errors import IngestError
from traffic_platform.ingest.drain import RunLimits, run_ingest
from traffic_platform.publish.publisher import run_publisher
from traffic_platform.settings import load_settings


def main() -> int:
    """Run the ingest or publisher run of the command line; return 1 for an IngestError."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    wanted = json.loads(sys.argv[1])
    for name, value in wanted["constants"].items():
        owner, _, constant = name.rpartition(".")
        setattr(
            pkgutil.resolve_name(owner),
            constant,
            tuple(value) if isinstance(value, list) else value,
        )
    faulthandler.register(signal.SIGUSR1)  # a test that waits in vain prints our stack
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda number, frame: stop.set())
    try:
        done = _publish(wanted, stop) if wanted["topics"] is None else _drain(wanted, stop)
    except IngestError as error:
        json.dump({"error": type(error).__name__, "message": str(error)}, sys.stdout)
        return 1
    json.dump(done, sys.stdout)
    return 0


def _drain(wanted: dict[str, Any], stop: threading.Event) -> dict[str, int]:
    totals = run_ingest(
        load_settings(),
        wanted["topics"],
        limits=RunLimits(**wanted["limits"]),
        run_id=wanted["run_id"],
        stop=stop.is_set,
        writer=wanted["writer"],
        writers=wanted["writers"],
    )
    return {"batches": totals.batches, "raw": totals.raw, "lag": totals.lag}


def _publish(wanted: dict[str, Any], stop: threading.Event) -> dict[str, int]:
    totals = run_publisher(
        load_settings(),
        limits=RunLimits(**wanted["limits"]),
        run_id=wanted["run_id"],
        stop=stop.is_set,
    )
    return {"events": totals.events, "replays": totals.replays, "lag": totals.lag}


if __name__ == "__main__":
    sys.exit(main())
