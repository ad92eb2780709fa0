"""The system's Chromium, driven by Playwright."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, Page, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def find_chromium() -> str | None:
    """Return the path of the system's browser, or None if Playwright has fetched its own.

    Raises RuntimeError that names the package to install.
    """
    for name in NAMES:
        if path := shutil.which(name):
            return path
    fetch = (sys.executable, "-m", "playwright", "install", "--only-shell", "chromium")
    fetched = subprocess.run(fetch, capture_output=True, text=True, check=False)
    if fetched.returncode == 0:
        return None
    raise RuntimeError(
        f"Chromium was not found on PATH ({', '.join(NAMES)}) and could not be downloaded. The"
        " browser tests need it: `apt-get install chromium` on Debian and Ubuntu, `dnf install"
        f" chromium` on Fedora, `brew install --cask chromium` on macOS. {fetched.stderr[-500:]}"
    )


@contextmanager
def chromium() -> Iterator[Browser]:
    """Run a headless browser."""
    # Chromium has no sandbox for root.
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=arguments)
        try:
            yield browser
        finally:
            browser.close()


class Witness:
    """Record of a page's console errors and of its requests to other hosts."""

    def __init__(self, page: Page, origin: str) -> None:
        self.errors: list[str] = []
        self.foreign: list[str] = []
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("console", lambda message: self._listen(message.type, message.text))
        page.on("request", lambda request: self._watch(request.url, origin))

    def _listen(self, kind: str, text: str) -> None:
        if kind in ("error", "warning"):
            self.errors.append(text)

    def _watch(self, url: str, origin: str) -> None:
        own = (origin, origin.replace("http", "ws", 1), "data:", "blob:")
        if not url.startswith(own):
            self.foreign.append(url)
