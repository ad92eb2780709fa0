"""One dataset and one dashboard for all browser tests; each test opens its own windows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page
from psycopg import sql

from traffic_platform.settings import Settings
from traffic_platform_tests.browser import short_minutes, world
from traffic_platform_tests.browser.chromium import Witness, chromium
from traffic_platform_tests.browser.served import served
from traffic_platform_tests.conftest import TEMPLATE, KafkaServer, PostgresServer

Open = Callable[..., Page]


def settings_of(postgres: PostgresServer, kafka: KafkaServer, name: str, home: Path) -> Settings:
    """Return the settings of a new database with dates in world.ZONE."""
    with postgres.superuser() as connection:
        postgres.service.create_database(connection, name, "traffic_owner", template=TEMPLATE)
    import psycopg

    with psycopg.connect(postgres.service.url("traffic_owner", name), autocommit=True) as owner:
        owner.execute("update traffic.platform set timezone = %s", (world.ZONE,))
    return Settings(
        _env_file=None,  # pyright: ignore[reportCallIssue]
        home=home,
        kafka_bootstrap_servers=kafka.bootstrap_servers,
        database_url=postgres.service.url("traffic_owner", name),  # pyright: ignore[reportArgumentType]
        ingest_database_url=postgres.service.url("traffic_ingest", name),  # pyright: ignore[reportArgumentType]
        read_database_url=postgres.service.url("traffic_read", name),  # pyright: ignore[reportArgumentType]
        raw_topic=f"{name}-raw",
        events_topic=f"{name}-events",
        consumer_group=f"{name}-group",
        timezone=world.ZONE,
    )


@pytest.fixture(scope="session")
def page_settings(
    postgres: PostgresServer, kafka: KafkaServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Settings]:
    """Settings of the dataset that the dashboard shows."""
    name = "browser_world"
    settings = settings_of(postgres, kafka, name, tmp_path_factory.mktemp("home"))
    world.build(settings)
    yield settings
    with postgres.superuser() as connection:
        connection.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))


@pytest.fixture(scope="session")
def page_url(page_settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """URL of the dashboard, whose minutes last a second."""
    folder = tmp_path_factory.mktemp("page")
    dagster = "http://dagster.test:3000"
    with served(page_settings, folder, short_minutes.__name__, TRAFFIC_DAGSTER_URL=dagster) as url:
        yield url


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """The system's Chromium.

    It ends with the module, because Playwright keeps an event loop in this thread, and other tests
    could not start their own.
    """
    with chromium() as running:
        yield running


@pytest.fixture
def open_page(browser: Browser, page_url: str) -> Iterator[Open]:
    """open_page(path, width=1280, scheme="light"): open a window and check it for errors later."""
    seen: list[Witness] = []

    def open_one(path: str, width: int = 1280, scheme: str = "light") -> Page:
        context = browser.new_context(
            viewport={"width": width, "height": 900},
            color_scheme=scheme,  # pyright: ignore[reportArgumentType]
            base_url=page_url,
        )
        page = context.new_page()
        seen.append(Witness(page, page_url))
        page.goto(path)
        return page

    yield open_one
    for context in browser.contexts:
        context.close()
    for witness in seen:
        assert witness.errors == []
        assert witness.foreign == []
