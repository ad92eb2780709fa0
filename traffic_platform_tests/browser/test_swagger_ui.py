"""Swagger UI at /docs in a browser, of a server that requires keys."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from traffic_platform.api.security import key_store
from traffic_platform.settings import Settings
from traffic_platform_tests.browser import world
from traffic_platform_tests.browser.chromium import Witness
from traffic_platform_tests.browser.served import served

EXPORT = "/api/traffic/export/{date}.csv"


@pytest.fixture
def url(page_settings: Settings, tmp_path: Path) -> Iterator[str]:
    """Serve an application that requires a key for every request."""
    with served(page_settings, tmp_path, TRAFFIC_API_KEYS_REQUIRED="always") as url:
        yield url.replace("127.0.0.1", "localhost")


def new_key(settings: Settings, *scopes: key_store.Scope) -> str:
    return key_store.create(settings, f"swagger {uuid.uuid4().hex}", scopes, None)[1]


def execute(page: Page, path: str, **values: str) -> int:
    """Send a request with "Try it out" and return the status that Swagger UI shows."""
    block = page.locator(".opblock", has=page.locator(f'[data-path="{path}"]'))
    if "is-open" not in (block.get_attribute("class") or ""):
        block.locator(".opblock-summary-control").click()
    for name, value in values.items():
        block.locator(f'tr[data-param-name="{name}"] input').fill(value)
    with page.expect_response(lambda response: "/api/" in response.url) as answered:
        block.get_by_role("button", name="Execute").click()
    shown = block.locator(
        "table.live-responses-table td.response-col_status:not(.col_header)"
    ).first
    expect(shown).to_contain_text(str(answered.value.status))
    return answered.value.status


def test_try_it_out_sends_the_key_that_was_entered(
    browser: Browser, page_settings: Settings, url: str
) -> None:
    reader = new_key(page_settings, "read")
    context = browser.new_context(http_credentials={"username": "any", "password": reader})
    page = context.new_page()
    witness = Witness(page, url)
    page.goto(f"{url}/docs")
    page.get_by_role("button", name="Authorize").wait_for()
    assert (witness.errors, witness.foreign) == ([], [])

    assert execute(page, "/api/traffic/historical/{date}", date=str(world.a_day_ago())) == 200
    # The browser's own credentials do not allow exports; the entered key does.
    assert execute(page, EXPORT, date=str(world.a_day_ago())) == 403
    page.get_by_role("button", name="Authorize").first.click()
    bearer = page.locator(".auth-container", has_text="bearer")
    bearer.locator("input").fill(new_key(page_settings, "read", "export"))
    bearer.get_by_role("button", name="Apply credentials").click()
    page.locator(".modal-ux .close-modal").click()
    assert execute(page, EXPORT, date=str(world.a_day_ago())) == 200
    assert witness.foreign == []
    assert [error for error in witness.errors if "403" not in error] == []
    context.close()
