"""The dashboard for remote users: an API key as password opens it and its websocket."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Error

from traffic_platform.api.security import key_store
from traffic_platform.settings import Settings
from traffic_platform_tests.browser.chromium import Witness
from traffic_platform_tests.browser.served import served

CONNECTED = "window.socket?.connected === true"


@pytest.fixture
def key() -> str:
    """A unique name for a key."""
    return f"browser {uuid.uuid4().hex}"


@pytest.fixture
def url(page_settings: Settings, tmp_path: Path) -> Iterator[str]:
    """URL of a dashboard that requires keys from every host."""
    with served(page_settings, tmp_path, TRAFFIC_API_KEYS_REQUIRED="always") as url:
        yield url.replace("127.0.0.1", "localhost")


def test_a_key_opens_the_page_and_its_websocket_until_it_is_revoked(
    browser: Browser, page_settings: Settings, url: str, key: str
) -> None:
    made, secret = key_store.create(page_settings, key, ["read"], None)
    stranger = browser.new_context().new_page()
    with pytest.raises(Error, match="INVALID_AUTH_CREDENTIALS"):
        stranger.goto(url)
    stranger.context.close()

    context = browser.new_context(http_credentials={"username": "anybody", "password": secret})
    page = context.new_page()
    witness = Witness(page, url)
    sockets: list[str] = []
    page.on("websocket", lambda socket: sockets.append(socket.url))
    opened = page.goto(url)
    assert opened is not None
    assert opened.status == 200
    page.wait_for_function(CONNECTED)
    assert sockets
    assert witness.foreign == []
    assert witness.errors == []
    key_store.revoke(page_settings, str(made.key_id))
    page.wait_for_function(f"!({CONNECTED})", timeout=60_000)
    again = page.goto(url)
    assert again is not None
    assert again.status == 401
    context.close()
