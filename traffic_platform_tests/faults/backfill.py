"""A backfill in its own process: `python -m traffic_platform_tests.faults.backfill DATE …`.

Settings come from the environment. It prints the figures of each date as JSON.
"""

from __future__ import annotations

import json
import logging
import sys
from datetime import date

from traffic_platform.reprocess import backfill_dates
from traffic_platform.settings import load_settings

if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO)
    report = backfill_dates(load_settings(), [date.fromisoformat(day) for day in sys.argv[1:]])
    json.dump([day.figures() for day in report.dates], sys.stdout)
