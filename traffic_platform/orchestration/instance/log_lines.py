"""Log lines of Dagster's processes: with time, process and level, without colors, each once."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Callable


def write_log(
    process: str, wanted: Callable[[logging.LogRecord], bool] = lambda _record: True
) -> None:
    """Write the records of this process to standard error, from WARNING on, in one format.

    `process` stands in each line, such as the start of a run's id. The root logger needs a handler
    of ours: Dagster's own storage calls `logging.warning`, which otherwise adds one, and from then
    on every line comes twice.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.addFilter(wanted)
    form = logging.Formatter(
        f"%(asctime)s.%(msecs)03dZ {process} %(levelname)s %(name)s: %(message)s",
        "%Y-%m-%dT%H:%M:%S",
    )
    form.converter = time.gmtime
    handler.setFormatter(form)
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
