"""Take the screenshots of docs/images: `python -m traffic_platform_tests.browser.screenshots`."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from playwright.sync_api import Browser

from traffic_platform.events.sensor_ids import sensor_uuid
from traffic_platform.postgres.migrate import migrate
from traffic_platform.settings import Settings
from traffic_platform.stack.ports import Ports
from traffic_platform.stack.standalone import Standalone, standalone_kafka, standalone_postgres
from traffic_platform_tests.browser import world
from traffic_platform_tests.browser.chromium import chromium
from traffic_platform_tests.browser.served import served

IMAGES = Path(__file__).parents[2] / "docs" / "images"
# The last weekday: the synthetic corridor has no rush hour on weekends.
WEEKDAY = next(
    day
    for days_before in range(3)
    if (day := world.a_day_ago() - timedelta(days=days_before)).weekday() < 5
)
CORRIDOR = f"/corridor?road=Synthetic+demo+1&direction=SOUTH&date={WEEKDAY}"
SENSOR = f"/sensor/{sensor_uuid('synthetic-demo-1S04-1')}?date={WEEKDAY}"
# File: path, width, height, colour scheme, selector of an element that must be there.
SHOTS = {
    "now-light": ("/", 1280, 1060, "light", ".sensor-map.lines[data-sensors]"),
    "now-dark": ("/", 1280, 1060, "dark", ".sensor-map.lines[data-sensors]"),
    "corridor-light": (CORRIDOR, 1280, 720, "light", ".chart[data-drawn]"),
    "corridor-dark": (CORRIDOR, 1280, 720, "dark", ".chart[data-drawn]"),
    "sensor-light": (SENSOR, 1280, 860, "light", ".chart[data-drawn=scatter]"),
    "phone-dark": ("/", 390, 844, "dark", ".sensor-map.lines[data-sensors]"),
}


@contextmanager
def stage(folder: Path, sensors: int | None = None) -> Iterator[tuple[Settings, str]]:
    """Start servers and the dashboard over a dataset, or over a corridor of `sensors` detectors."""
    ports = Ports(folder / "ports.json")
    postgres = standalone_postgres(folder, ports, first_port=25432)
    kafka = standalone_kafka(folder, ports, first_port=29092)
    servers = [Standalone(service, folder / "logs") for service in (postgres, kafka)]
    try:
        for server in servers:
            server.start()
        postgres.provision()
        migrate(postgres.url("traffic_owner", "traffic"), world.ZONE)
        settings = Settings(
            _env_file=None,  # pyright: ignore[reportCallIssue]
            home=folder / "home",
            kafka_bootstrap_servers=kafka.bootstrap_servers,
            database_url=postgres.url("traffic_owner", "traffic"),  # pyright: ignore[reportArgumentType]
            ingest_database_url=postgres.url("traffic_ingest", "traffic"),  # pyright: ignore[reportArgumentType]
            read_database_url=postgres.url("traffic_read", "traffic"),  # pyright: ignore[reportArgumentType]
            timezone=world.ZONE,
        )
        if sensors is None:
            world.build(settings, harm=False, first=WEEKDAY)
        else:
            world.make_topics(settings)
            world.send_corridor(settings, sensors, datetime.now(UTC) - timedelta(minutes=21))
            world.store(settings)
        with served(settings, folder) as url:
            yield settings, url
    finally:
        for server in reversed(servers):
            server.stop()
        ports.close()


def shoot(browser: Browser, url: str, name: str) -> Path:
    """Take one screenshot."""
    path, width, height, scheme, drawn = SHOTS[name]
    context = browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme=scheme,  # pyright: ignore[reportArgumentType]
        reduced_motion="reduce",
    )
    page = context.new_page()
    page.goto(url + path)
    page.locator(drawn).first.wait_for()
    # The overview shows the last hour's health last.
    if path == "/":
        page.get_by_text("are the same").first.wait_for()
    file = IMAGES / f"{name}.png"
    page.screenshot(path=file)
    context.close()
    return file


def main() -> None:
    """Take all screenshots."""
    IMAGES.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as folder,
        stage(Path(folder)) as (_, url),
        chromium() as browser,
    ):
        for name in SHOTS:
            file = shoot(browser, url, name)
            sys.stdout.write(f"{file.name}: {file.stat().st_size / 1000:.0f} kB\n")


if __name__ == "__main__":
    main()
