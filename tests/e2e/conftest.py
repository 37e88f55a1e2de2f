"""A browser before a served school. Only `make e2e` runs these; they need Debian's Chromium."""

import shutil
from collections.abc import Iterator
from functools import partial

import psycopg
import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from fsms import embedded
from tests.e2e.sheets import MakeSheet, sheet_of_a_new_class
from tests.served import Served

PASSWORD = "friendship of the mountains"

# A busy machine answers late, and that is no failure of a page.
expect.set_options(timeout=15_000)

DESK = {"width": 1280, "height": 900}
PHONE = {"width": 360, "height": 740}

# Chromium looks for its maker's hosts at every start; here there is no network to find them in.
QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="session")
def school(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The demo school, served."""
    served = Served(tmp_path_factory.mktemp("school"), FSMS_DEMO_PASSWORD=PASSWORD)
    try:
        served.wait_until_it_answers()
        yield served
    finally:
        served.stop()


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """One browser for the run."""
    found = next(
        (path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None
    )
    if found is None:
        pytest.fail("No Chromium is installed. On Debian: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=QUIET)
        yield browser
        browser.close()


class Visitor:
    """Somebody at a screen: opens pages of the school, and remembers what the browser complained of."""

    def __init__(self, page: Page, address: str) -> None:
        self.page, self.address = page, address
        self.username = ""
        self.complaints: list[str] = []
        page.set_default_timeout(10_000)
        page.on("console", lambda said: self.complaints.append(said.text) if said.type == "error" else None)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def open(self, path: str) -> Page:
        self.page.goto(self.address + path)
        return self.page

    def speak(self, language: str) -> "Visitor":
        """Choose the language of the panel."""
        self.open("/account")
        self.page.locator(f"#screen-form [name=language][value={language}]").check()
        with self.page.expect_navigation():
            self.page.locator("#screen-form button").click()
        expect(self.page.locator(f"html[lang={language}]")).to_have_count(1)
        return self

    def sign_in(self, username: str) -> "Visitor":
        self.username = username
        self.open("/login")
        self.page.get_by_label("User name").fill(username)
        self.page.get_by_label("Password").fill(PASSWORD)
        self.page.get_by_role("button", name="Sign in").click()
        expect(self.page).to_have_url(self.address + "/admin/")
        self.page.wait_for_load_state()  # an address is there before its styles are
        return self


def _visitor(chromium: Browser, school: Served, **screen: object) -> Iterator[Visitor]:
    context = chromium.new_context(locale="en-GB", **screen)  # type: ignore[arg-type]
    try:
        yield Visitor(context.new_page(), school.address)
    finally:
        context.close()


@pytest.fixture
def desk(chromium: Browser, school: Served) -> Iterator[Visitor]:
    """Somebody at a desk."""
    yield from _visitor(chromium, school, viewport=DESK)


@pytest.fixture
def phone(chromium: Browser, school: Served) -> Iterator[Visitor]:
    """Somebody with a phone."""
    yield from _visitor(chromium, school, viewport=PHONE, has_touch=True, is_mobile=True)


@pytest.fixture
def second(chromium: Browser, school: Served) -> Iterator[Visitor]:
    """Somebody at another desk."""
    yield from _visitor(chromium, school, viewport=DESK)


@pytest.fixture
def make_sheet(school: Served) -> Iterator[MakeSheet]:
    """Make classes of their own for tests of the gradebook."""
    share = embedded.share(school.data_dir)
    with psycopg.connect(share.url, autocommit=True) as database:
        yield partial(sheet_of_a_new_class, database)
