"""A reprocessing run in its own process: `python -m traffic_platform_tests.faults.reprocess`.

Settings come from the environment. It prints its figures as JSON.
"""

from __future__ import annotations

import json
import logging
import sys

from traffic_platform.monitoring.rejected_messages import QuarantineFilter
from traffic_platform.reprocess import reprocess_rejected
from traffic_platform.settings import load_settings

if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO)
    report = reprocess_rejected(load_settings(), QuarantineFilter())
    json.dump({"reprocessed": report.replayed, "remaining": report.remaining}, sys.stdout)
