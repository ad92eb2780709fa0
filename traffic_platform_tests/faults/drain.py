"""A window in a process of its own: `python -m traffic_platform_tests.faults.drain '{…}'`.

Settings come from the environment. The argument is JSON: `topics`, `limits` (see WindowLimits) and
`run_id`. SIGTERM ends the window after the batch in hand. What it did is printed as JSON.
"""

from __future__ import annotations

import faulthandler
import json
import logging
import signal
import sys
import threading

from traffic_platform.ingest.errors import IngestError
from traffic_platform.ingest.window import WindowLimits, run_window
from traffic_platform.settings import load_settings


def main() -> int:
    """Run the window that the command line asks for; 1 when it fails on purpose."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    wanted = json.loads(sys.argv[1])
    faulthandler.register(signal.SIGUSR1)  # a test that waits in vain asks where we are
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda number, frame: stop.set())
    try:
        totals = run_window(
            load_settings(),
            wanted["topics"],
            limits=WindowLimits(**wanted["limits"]),
            run_id=wanted["run_id"],
            stop=stop.is_set,
            writer=wanted["writer"],
            writers=wanted["writers"],
        )
    except IngestError as error:
        json.dump({"error": type(error).__name__, "message": str(error)}, sys.stdout)
        return 1
    json.dump({"batches": totals.batches, "raw": totals.raw, "lag": totals.lag}, sys.stdout)
    return 0


if __name__ == "__main__":
    sys.exit(main())
