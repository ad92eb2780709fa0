"""Log lines of Dagster's daemon and of runs."""

from __future__ import annotations

import logging
import re
import subprocess
import sys

import pytest

from traffic_platform.orchestration.instance.daemon import is_worth_a_line

LINE = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z "
SCRIPT = """
import logging
from traffic_platform.orchestration.instance.log_lines import write_log
write_log("run 01234567")
logging.warning("of Dagster's storage, which adds a handler to a root logger without one")
logging.getLogger("traffic_platform.run_clock").warning("PostgreSQL does not answer")
"""


def test_a_warning_of_a_run_is_one_line_with_time_run_and_level() -> None:
    written = subprocess.run(
        [sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True
    ).stderr.splitlines()
    assert len(written) == 2
    line = rf"{LINE}run 01234567 WARNING traffic_platform.run_clock: PostgreSQL does not answer"
    assert re.fullmatch(line, written[1])


@pytest.mark.parametrize(
    ("level", "message", "error", "kept"),
    [
        (logging.INFO, "Checking run 0123", None, False),
        (logging.INFO, "Collected 3 runs for monitoring", None, False),
        (logging.INFO, "Sensor kafka_offsets skipped: 0 messages behind.", None, False),
        (logging.INFO, "Launched 1 runs.", None, True),
        (logging.WARNING, "Checking run 0123 failed", None, True),
        (logging.ERROR, "Caught error", RuntimeError("cannot schedule new futures"), False),
        (logging.ERROR, "Caught error", RuntimeError("another one"), True),
    ],
)
def test_polls_that_found_nothing_and_the_end_of_a_pool_are_not_logged(
    level: int, message: str, error: Exception | None, kept: bool
) -> None:
    info = (type(error), error, None) if error else None
    record = logging.LogRecord("dagster.daemon.A", level, __file__, 1, message, (), info)
    assert is_worth_a_line(record) == kept
