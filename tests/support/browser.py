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


POLICY = "Content Security Policy"
# What a policy forbids is gone without an error that a page could catch.
WATCH = """addEventListener('securitypolicyviolation', event => refusedByPolicy(
  `${event.effectiveDirective} ${event.blockedURI} by ${event.sourceFile}:${event.lineNumber} on ${location}`
))"""


@contextmanager
def open_page() -> Iterator[Page]:
    """A page in a fresh browser. An exception that no code of the page caught fails the test at its end, and so does
    what the content security policy refused, in whichever tab."""
    uncaught: list[str] = []
    refused: list[str] = []
    path = executable()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(FLAGS))
        context = browser.new_context(viewport={"width": 1280, "height": 900}, locale="en-GB")
        context.expose_function("refusedByPolicy", lambda what: refused.append(what))  # noqa: PLW0108  (it is given attributes)
        context.add_init_script(WATCH)
        # A script that is refused before the page's own code runs is told of only here.
        context.on(
            "console", lambda said: refused.append(said.text) if "Content Security Policy" in said.text else None
        )
        page = context.new_page()
        page.set_default_timeout(15_000)
        expect.set_options(timeout=15_000)  # a busy machine is slow, not wrong
        page.on("pageerror", lambda error: uncaught.append(str(error)))
        try:
            yield page
        finally:
            browser.close()
    assert not uncaught, f"uncaught in the page: {uncaught}"
    assert not refused, "refused by the content security policy:\n" + "\n".join(sorted(set(refused)))
