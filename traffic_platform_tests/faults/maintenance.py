"""Maintenance in a process of its own: `python -m traffic_platform_tests.faults.maintenance`.

Settings come from the environment. What it did is printed as JSON.
"""

from __future__ import annotations

import json
import sys

from traffic_platform.maintenance import maintain_tables
from traffic_platform.settings import load_settings

if __name__ == "__main__":
    report = maintain_tables(load_settings())
    json.dump({"folded": report.compacted.rows, "dropped": len(report.retired.dropped)}, sys.stdout)
