"""The search box by keyboard at a desk, and by thumb on a phone."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import Visitor
from tests.e2e.looking import violations

pytestmark = pytest.mark.e2e


def _chosen(page: Page) -> str:
    """The answer that the box points at, as a screen reader follows it."""
    named = page.get_by_role("combobox", name="Search everything").get_attribute("aria-activedescendant")
    return page.locator(f"#{named}").inner_text()


def test_a_pupil_is_found_and_opened_without_a_mouse(desk: Visitor) -> None:
    desk.sign_in("admin")
    page = desk.open("/admin/subject/")
    page.keyboard.press("Control+k")
    box = page.get_by_role("combobox", name="Search everything")
    expect(box).to_be_focused()

    page.keyboard.type("sok")
    expect(page.get_by_role("option").first).to_contain_text("#")
    first = _chosen(page)
    page.keyboard.press("ArrowDown")
    second = _chosen(page)
    page.keyboard.press("End")
    last = _chosen(page)
    page.keyboard.press("ArrowDown")
    assert len({first, second, last}) == 3
    assert _chosen(page) == first
    page.keyboard.press("ArrowUp")
    assert _chosen(page) == last
    page.keyboard.press("Home")
    page.keyboard.press("Enter")

    expect(page).to_have_url(re.compile("/admin/student/details/"))
    page.wait_for_load_state()  # A key pressed before the scripts ran reaches nobody.
    page.keyboard.press("/")
    expect(page.get_by_role("group", name="Opened last").get_by_role("option")).to_have_count(1)
    page.keyboard.press("Escape")
    expect(page.locator("#command")).not_to_be_visible()
    assert desk.complaints == []


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_open_box_has_no_fault_for_those_who_do_not_see_it(desk: Visitor, theme: str) -> None:
    desk.sign_in("admin")
    page = desk.open("/admin/subject/")
    page.emulate_media(color_scheme="dark" if theme == "dark" else "light")
    page.keyboard.press("Control+k")
    page.keyboard.type("sok")
    expect(page.get_by_role("option").first).to_contain_text("#")

    assert list(violations(page)) == []


def test_a_slash_in_a_field_is_a_slash(desk: Visitor) -> None:
    desk.sign_in("admin")
    page = desk.open("/admin/subject/new/")
    page.get_by_label("Subject").press("/")

    expect(page.locator("#command")).not_to_be_visible()
    expect(page.get_by_label("Subject")).to_have_value("/")


def test_a_page_is_found_on_a_phone(phone: Visitor) -> None:
    phone.sign_in("teacher1")
    page = phone.page
    page.get_by_role("link", name="Search").tap()
    page.keyboard.type("take att")
    page.get_by_role("option", name="Take attendance").tap()

    expect(page).to_have_url(re.compile("/admin/(roster|attendance)/"))
    page.wait_for_load_state()
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    assert phone.complaints == []
