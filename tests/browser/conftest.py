"""What the browser tests share: a browser, one Prefect server with both of its UIs, one sandbox."""

import os
from collections.abc import Generator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from globe_sms.deployments.sandbox.demo_lists import demo_lists
from globe_sms.deployments.sandbox.sandbox import Sandbox
from tests.browser.prefect_with_ui import PrefectSite
from tests.waiting import LONGEST_WAIT

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

# V2 counts its users at the first, whatever PREFECT_SERVER_ANALYTICS_ENABLED says; logos of Prefect's own blocks are at
# the second.
_OF_PREFECT = (".amplitude.com/", "//raw.githubusercontent.com/PrefectHQ/prefect/")


@pytest.fixture(scope="session")
def sandbox() -> Generator[Sandbox]:
    """An account with 4 calls a second of 50 numbers, and a messy list in its bucket."""
    with Sandbox(calls_per_second=4, numbers_per_call=50) as running:
        body = demo_lists(1_500).csv
        running.s3.client().put_object(Bucket=running.bucket, Key="lists/customers.csv", Body=body)
        yield running


@pytest.fixture(scope="session")
def site(sandbox: Sandbox) -> Generator[PrefectSite]:
    """Prefect's server with its UIs, and the shipped deployments; `manual` asks before it sends."""
    with PrefectSite(sandbox.environment, f"s3://{sandbox.bucket}/campaigns", calls_per_second=2) as running:
        yield running


@pytest.fixture(scope="module")
def browser() -> Generator["Browser"]:
    """Chromium without a screen; Playwright's loop, in which nothing else may run, ends with the file."""
    from playwright.sync_api import expect, sync_playwright

    from tests.browser.chromium import start_chromium

    expect.set_options(timeout=LONGEST_WAIT * 1_000)
    with sync_playwright() as started:
        browser = start_chromium(started)
        yield browser
        browser.close()


@pytest.fixture
def page(browser: "Browser") -> Generator["Page"]:
    """A window of its own; whatever it asks of other hosts than this one is a failure."""
    page = browser.new_page(viewport={"width": 1_200, "height": 900})
    page.set_default_timeout(LONGEST_WAIT * 1_000)
    elsewhere: list[str] = []
    page.on("request", lambda request: None if "//127.0.0.1:" in request.url else elsewhere.append(request.url))
    yield page
    known = ("data:", "blob:", *_OF_PREFECT)
    assert [url for url in elsewhere if not any(part in url for part in known)] == []
    page.close()


def picture(page: "Page", name: str, *, height: int = 900) -> None:
    """Keep a screenshot, if GLOBE_SMS_PICTURES names a folder for them."""
    folder = os.environ.get("GLOBE_SMS_PICTURES")
    if folder:
        page.set_viewport_size({"width": 1_200, "height": height})
        page.mouse.move(0, 0)
        page.wait_for_timeout(500)  # for the eye: transitions
        page.screenshot(path=Path(folder) / f"{name}.png")
