"""Measure the dashboard: `python -m traffic_platform_tests.browser.measure` starts its own servers.

Opening: from the request to 5,000 drawn sensors, in a new window without a cache. Change: from
sending a message to its value on the page, through Kafka and a running ingest run.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page

from traffic_platform.ingest.drain import RunLimits, run_ingest
from traffic_platform.settings import Settings
from traffic_platform_tests.browser.chromium import chromium
from traffic_platform_tests.browser.screenshots import stage
from traffic_platform_tests.browser.world import event, send

SENSORS = 5000
OPENINGS = 7
CHANGES = 20


@contextmanager
def ingest_run(settings: Settings) -> Iterator[None]:
    """Run an ingest run until the block ends."""
    stop = threading.Event()
    limits = RunLimits(seconds=600, idle_seconds=600)
    arguments = {"limits": limits, "run_id": None, "stop": stop.is_set}
    thread = threading.Thread(
        target=run_ingest, args=(settings, [settings.raw_topic]), kwargs=arguments
    )
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def open_cold(browser: Browser, url: str) -> float:
    """Return the seconds until all sensors are drawn, in a window without a cache."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    started = time.perf_counter()
    page.goto(url, wait_until="commit")
    page.locator(".sensor-map[data-sensors]").first.wait_for()
    seconds = time.perf_counter() - started
    context.close()
    return seconds


def change(settings: Settings, page: Page, number: int) -> float:
    """Return the seconds from sending a message to its speed in the newest readings."""
    speed = 20 + number / 10
    started = time.perf_counter()
    send(settings, [event("measured", speed)])
    page.wait_for_function(
        "speed => document.querySelector('#feed')?.textContent.includes(speed)",
        arg=f"{speed:.1f}",
        polling="raf",
    )
    return time.perf_counter() - started


def describe(name: str, seconds: list[float]) -> str:
    """Return a line with median and worst."""
    return f"{name}: median {statistics.median(seconds):.2f} s, worst {max(seconds):.2f} s\n"


def main() -> None:
    """Measure opening and change."""
    with (
        tempfile.TemporaryDirectory() as folder,
        stage(Path(folder), SENSORS) as (settings, url),
        chromium() as browser,
    ):
        openings = [open_cold(browser, url) for _ in range(OPENINGS)]
        sys.stdout.write(describe(f"{SENSORS} sensors open, first of the process", openings[:1]))
        sys.stdout.write(describe(f"{SENSORS} sensors open, later", openings[1:]))
        page = browser.new_page()
        page.goto(url)
        page.locator("#feed").wait_for()
        with ingest_run(settings):
            change(settings, page, 0)
            changes = [change(settings, page, number) for number in range(1, CHANGES + 1)]
        sys.stdout.write(describe("message to pixel", changes))


if __name__ == "__main__":
    main()
