"""One centre for all tests that only look and add; those that break it start their own."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Page, StorageState, sync_playwright

from tests.support.centre import RunningCentre, running_centre
from tests.support.log_writer import LogWriter
from tests.support.mqtt_station import MqttStation

CHROMIUM = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="session")
def centre(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningCentre]:
    with running_centre(tmp_path_factory.mktemp("centre")) as running:
        yield running


@pytest.fixture
def station(centre: RunningCentre) -> Iterator[Callable[..., MqttStation]]:
    """Connects stations to the shared centre; each name is used by one test."""
    open_ones: list[MqttStation] = []

    def connect(name: str, port: int = 0) -> MqttStation:
        one = MqttStation(port or centre.mqtt_port, LogWriter(name))
        open_ones.append(one)
        return one

    yield connect
    for one in open_ones:
        one.close()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=CHROMIUM)
        yield chromium
        chromium.close()


def log_in(page: Page, centre: RunningCentre) -> None:
    page.goto(f"{centre.console_url}/login")
    page.fill("#account", "admin")
    page.fill("#password", centre.admin_password)
    page.click("button.primary")
    page.wait_for_url(f"{centre.console_url}/")


@pytest.fixture(scope="session")
def staff(browser: Browser, centre: RunningCentre) -> StorageState:
    """Cookies of one log-in, for all pages that need no log-in of their own."""
    context = browser.new_context()
    log_in(context.new_page(), centre)
    state = context.storage_state()
    context.close()
    return state


@pytest.fixture
def page(browser: Browser, centre: RunningCentre, staff: StorageState) -> Iterator[Page]:
    """A logged-in page at the desk's size, showing the board."""
    context = browser.new_context(viewport={"width": 1440, "height": 900}, storage_state=staff)
    opened = context.new_page()
    opened.goto(centre.console_url)
    yield opened
    context.close()
