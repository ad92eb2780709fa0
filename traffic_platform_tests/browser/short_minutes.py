"""Serve the dashboard with minutes of a second.

python -m traffic_platform_tests.browser.short_minutes
"""

from __future__ import annotations

from traffic_platform.dashboard.__main__ import main
from traffic_platform.dashboard.reader import state_updates

if __name__ == "__main__":
    state_updates.MINUTE_S = 1.0
    main()
