"""An outage of the database while a page is open."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Page, expect

from traffic_platform.settings import Settings
from traffic_platform_tests.browser.world import event, send, store
from traffic_platform_tests.conftest import PostgresServer

Open = Callable[..., Page]


def test_a_page_reports_an_outage_of_the_database_and_recovers(
    open_page: Open, page_settings: Settings, postgres: PostgresServer
) -> None:
    page = open_page("/")
    expect(page.locator("#feed")).to_be_visible()
    page.evaluate("window.sameDocument = true")
    postgres.process.kill()
    expect(page.get_by_role("alert")).to_contain_text("The database is unavailable", timeout=20_000)
    late = open_page("/day")
    expect(late.get_by_role("alert").first).to_contain_text(
        "The database is unavailable", timeout=20_000
    )
    postgres.process.start()
    expect(page.get_by_role("alert")).to_have_count(0, timeout=20_000)
    expect(late.get_by_role("heading", name="Roads")).to_be_visible(timeout=20_000)
    send(page_settings, [event("live-1", 33.3)])
    store(page_settings)
    expect(page.locator("#feed tbody tr").first).to_contain_text("33.3")
    assert page.evaluate("window.sameDocument") is True
