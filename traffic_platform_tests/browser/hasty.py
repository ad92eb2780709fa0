"""`python -m traffic_platform_tests.browser.hasty`: the page, with a second for each minute."""

from __future__ import annotations

from traffic_platform.dashboard.__main__ import main
from traffic_platform.dashboard.shared import reader

if __name__ == "__main__":
    reader.MINUTE_S = 1.0
    main()
