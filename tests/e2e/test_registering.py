"""A family comes to the office: registered and enrolled in one save, the brother with the family taken over."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import Visitor

pytestmark = pytest.mark.e2e


@pytest.fixture(params=["desk", "phone"])
def visitor(request: pytest.FixtureRequest) -> Visitor:
    """The secretary, at a desk and with a phone."""
    somebody: Visitor = request.getfixturevalue(request.param)
    return somebody.sign_in("secretary")


def _fits(page: Page) -> bool:
    page.wait_for_load_state()
    width: int = page.evaluate("document.documentElement.scrollWidth")
    return width <= (page.viewport_size or {"width": 0})["width"]


def _name(page: Page, last: str, first: str, born: str) -> None:
    page.get_by_label("Last name").first.fill(last)
    page.get_by_label("First name").first.fill(first)
    page.get_by_label("Sex").select_option("female")
    page.get_by_label("Date of birth").fill(born)


def _save(page: Page) -> None:
    page.get_by_role("button", name="Save", exact=True).click()


def test_a_family_registers_two_children(visitor: Visitor) -> None:
    on_desk = (visitor.page.viewport_size or {"width": 0})["width"] > 500
    phone, family = ("011 222 333", "ប្រាក់") if on_desk else ("011 222 334", "ម៉ៅ")
    page = visitor.open("/admin/student/new/")
    _name(page, family, "មុន្នី", "2016-04-13")
    page.locator("#course").select_option(index=2)
    page.get_by_role("button", name="Add a row: Guardians").click()
    page.locator("[name='guardians-0-relation']").select_option("Mother")
    page.locator("[name='guardians-0-last_name']").fill(family)
    page.locator("[name='guardians-0-phone']").fill(phone)
    page.get_by_role("button", name="Add a row: Family").click()
    page.locator("[name='family-0-living_condition']").select_option("poor")
    assert _fits(page)
    _save(page)

    # One save: the pupil's page shows class, guardian and family.
    expect(page.get_by_role("heading", level=1)).to_contain_text(f"{family} មុន្នី")
    expect(page.locator(".pupil-line a")).to_be_visible()
    expect(page.locator("a.call")).to_have_attribute("href", "tel:" + phone.replace(" ", ""))
    box = page.locator("a.call").bounding_box()
    assert box
    assert box["height"] >= (32 if on_desk else 44)
    expect(page.get_by_role("heading", name="Family", exact=True)).to_be_visible()
    assert _fits(page)

    # The sister: the mother's number is known.
    page = visitor.open("/admin/student/new/")
    _name(page, family, "បុប្ផា", "2018-01-02")
    page.locator("#course").select_option(index=1)
    page.get_by_role("button", name="Add a row: Guardians").click()
    page.locator("[name='guardians-0-phone']").press_sequentially(phone.replace(" ", ""))
    page.locator("[name='guardians-0-phone']").blur()
    expect(page.locator(".family-hint")).to_contain_text(re.compile("has 1 child here"))
    page.get_by_role("button", name="Take over family and guardians").click()
    expect(page.locator("[name='guardians-0-relation']")).to_have_value("Mother")
    expect(page.locator("[name='family-0-living_condition']")).to_have_value("poor")
    _save(page)
    expect(page.get_by_role("heading", name="Brothers and sisters")).to_be_visible()
    expect(page.locator("section", has=page.locator("#siblings"))).to_contain_text(f"{family} មុន្នី")

    # The same child once more is noticed.
    page = visitor.open("/admin/student/new/")
    _name(page, family, "បុប្ផា", "2018-01-02")
    page.locator("#course").select_option(index=1)
    _save(page)
    expect(page.locator(".alike")).to_be_focused()
    assert _fits(page)
    page.get_by_label("It is another pupil, because").fill("កូនភ្លោះ")
    page.get_by_role("button", name="Save all the same").click()
    expect(page.get_by_role("main").get_by_role("status").first).to_contain_text("successfully created")
    page.get_by_role("main").get_by_role("status").get_by_role("link", name="Undo").click()
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_role("main").get_by_role("status").first).to_contain_text("as they were before")
    assert visitor.complaints == []
