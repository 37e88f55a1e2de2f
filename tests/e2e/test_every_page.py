"""Every page of the panel, as each role finds it by its links: for keyboards, fingers, screen readers, small screens.

A page that somebody adds is looked at as soon as another page links to it. What is found is told all at once.
"""

from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page
from werkzeug.routing import Map

from app import create_app
from fsms.config import Settings
from tests.e2e.conftest import DESK, PHONE, Visitor
from tests.e2e.looking import out_of_keyboards_reach, sideways, small_targets, too_many_options, violations
from tests.served import Served
from tests.walking import pages_of, walk

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(1500)]

# Pages to which no link leads: what they show must be made first, or there is nothing of theirs to do.
NOT_LINKED = {f"activitylog.{view}" for view in ("undo_view", "create_view", "edit_view", "deletion_view")} | {
    "gradebookfile.download",  # a workbook
    "roster.worker",  # a script
    "student.family_view",  # what a form asks while a known phone number is typed
}

Look = Callable[[Page], Iterator[str]]


@pytest.fixture(scope="session")
def routes(tmp_path_factory: pytest.TempPathFactory) -> Map:
    """The routes of the application; no database is asked for them."""
    folder = tmp_path_factory.mktemp("routes")
    return create_app(Settings("postgresql://nowhere/none", secret_key="for tests only", data_dir=folder)).url_map


@pytest.fixture(scope="module", params=["admin", "teacher1"])
def walker(request: pytest.FixtureRequest, chromium: Browser, school: Served) -> Iterator[Visitor]:
    """Somebody who opens everything: the administrator in English, the teacher in Khmer."""
    context = chromium.new_context(locale="en-GB", viewport=DESK, reduced_motion="reduce")  # type: ignore[arg-type]
    visitor = Visitor(context.new_page(), school.address).sign_in(request.param)
    if request.param == "teacher1":
        visitor.speak("km")
    yield visitor
    visitor.speak("en")  # the account remembers, and other tests speak English
    context.close()


@pytest.fixture(scope="module")
def addresses(walker: Visitor, routes: Map) -> dict[str, list[str]]:
    """All that the walker can find."""

    def opened(address: str) -> str | None:
        answer = walker.page.context.request.get(address)
        return answer.text() if answer.ok and "text/html" in answer.headers["content-type"] else None

    found = walk(routes, opened, walker.address + "/admin/")
    assert len(found) > 15, found
    return found


def _walk(visitor: Visitor, addresses: dict[str, list[str]], *looks: Look) -> list[str]:
    """Open every page and tell, page by page, what the looks find."""
    faults = []
    for address in [one for found in addresses.values() for one in found]:
        visitor.complaints.clear()
        visitor.page.goto(address)
        told = [fault for look in looks for fault in look(visitor.page)]
        here = urlsplit(address)
        where = f"{here.path}?{here.query}" if here.query else here.path
        faults += [f"{where}: {fault}" for fault in [*visitor.complaints, *told]]
    return faults


def _told(faults: list[str]) -> str:
    return f"{len(faults)} faults:\n" + "\n".join(faults[:60])


def _in_dark(page: Page) -> Iterator[str]:
    page.emulate_media(color_scheme="dark")
    yield from (f"in the dark, {fault}" for fault in violations(page, "color-contrast"))
    page.emulate_media(color_scheme="light")


def test_every_page_on_a_desk(walker: Visitor, addresses: dict[str, list[str]]) -> None:
    walker.page.set_viewport_size(DESK)  # type: ignore[arg-type]

    faults = _walk(walker, addresses, violations, _in_dark, too_many_options, out_of_keyboards_reach)

    assert not faults, _told(faults)


def test_every_page_on_a_phone(walker: Visitor, addresses: dict[str, list[str]]) -> None:
    walker.page.set_viewport_size(PHONE)  # type: ignore[arg-type]

    faults = _walk(walker, addresses, violations, _in_dark, sideways, small_targets)

    assert not faults, _told(faults)


def test_no_page_is_out_of_reach(walker: Visitor, addresses: dict[str, list[str]], routes: Map) -> None:
    if "teacher" in walker.username:
        return  # a teacher is not meant to reach everything

    assert pages_of(routes) - addresses.keys() - NOT_LINKED == set()


@pytest.mark.parametrize("screen", ["desk", "phone"])
def test_the_pages_before_the_door(request: pytest.FixtureRequest, screen: str) -> None:
    visitor: Visitor = request.getfixturevalue(screen)
    looks = [violations, _in_dark, out_of_keyboards_reach, sideways]
    faults = _walk(
        visitor, {"login": [visitor.address + "/login"]}, *looks, small_targets if screen == "phone" else _none
    )
    visitor.page.get_by_label("User name").fill("nobody")
    visitor.page.get_by_label("Password").fill("wrong")
    visitor.page.keyboard.press("Enter")
    visitor.page.get_by_role("alert").wait_for()

    assert [*faults, *violations(visitor.page)] == []


def _none(_page: Page) -> Iterator[str]:
    yield from ()
