"""The machine's own Chromium, driven by Playwright."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Page, expect, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = (
    "--no-sandbox",  # root in a container has none
    "--disable-dev-shm-usage",  # /dev/shm is 64 MB there, a page is larger
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)


def executable() -> str:
    """Where the browser is. Without one the test is skipped; in CI, where it should be, it fails."""
    for name in NAMES:
        if path := shutil.which(name):
            return path
    notice = f"No Chromium on PATH ({', '.join(NAMES)}). Debian: apt-get install chromium"
    if os.environ.get("CI"):
        pytest.fail(notice)
    pytest.skip(notice)


@contextmanager
def open_page() -> Iterator[Page]:
    """A page in a fresh browser. An exception that no code of the page caught fails the test at its end."""
    uncaught: list[str] = []
    path = executable()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(FLAGS))
        page = browser.new_context(viewport={"width": 1280, "height": 900}, locale="en-GB").new_page()
        page.set_default_timeout(15_000)
        expect.set_options(timeout=15_000)  # a busy machine is slow, not wrong
        page.on("pageerror", lambda error: uncaught.append(str(error)))
        try:
            yield page
        finally:
            browser.close()
    assert not uncaught, f"uncaught in the page: {uncaught}"
