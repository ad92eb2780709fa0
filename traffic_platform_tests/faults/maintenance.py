"""Maintenance in its own process: `python -m traffic_platform_tests.faults.maintenance`.

Settings come from the environment. It prints its figures as JSON.
"""

from __future__ import annotations

import json
import sys

from traffic_platform.maintenance import maintain_tables
from traffic_platform.settings import load_settings

if __name__ == "__main__":
    report = maintain_tables(load_settings())
    figures = {"compacted": report.compacted.rows, "dropped": len(report.retired.dropped)}
    json.dump(figures, sys.stdout)
