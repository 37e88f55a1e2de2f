"""A drop as the office does it, at the desk and on a phone: the effect, the act, undo, back again, another class."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import Visitor

pytestmark = pytest.mark.e2e


def open_a_class(visitor: Visitor) -> Page:
    """Open the newest class that has pupils."""
    page = visitor.open("/admin/drops/enrol/")
    page.locator(".class-picks a").first.click()
    page.wait_for_url("**/enrol/?course=*")
    return visitor.open("/admin/course/details/?id=" + re.findall(r"course=(\d+)", page.url)[0])


@pytest.mark.parametrize("screen", ["desk", "phone"])
def test_a_drop_is_seen_first_done_undone_and_a_pupil_moves(request: pytest.FixtureRequest, screen: str) -> None:
    visitor: Visitor = request.getfixturevalue(screen)
    visitor.sign_in("admin")
    page = open_a_class(visitor)
    in_class = page.locator(".class-list tbody tr")
    before = in_class.count()
    name = in_class.first.locator("th").inner_text().strip()

    page.get_by_role("link", name=f"Drop {name}", exact=True).first.click()
    expect(page.get_by_role("heading", name="What this does")).to_be_visible()
    expect(page.locator(".effect")).to_contain_text("kept, read-only")
    page.get_by_label("Reason").select_option("Illness")
    page.get_by_role("button", name="Drop the pupil").click()
    expect(page.get_by_role("main").get_by_role("status")).to_contain_text("is dropped.")
    expect(in_class).to_have_count(before - 1)
    expect(page.locator(".dropped-list")).to_contain_text(name)

    page.get_by_role("link", name="Undo").click()
    page.get_by_role("button", name="Undo").click()
    expect(in_class).to_have_count(before)

    page.get_by_role("link", name=f"Drop {name}", exact=True).first.click()
    page.get_by_label("Reason").select_option("Illness")
    page.get_by_role("button", name="Drop the pupil").click()
    page.get_by_role("button", name=f"Re-enrol {name}", exact=True).click()
    expect(page.get_by_role("main").get_by_role("status")).to_contain_text("is back in")
    expect(in_class).to_have_count(before)

    page.get_by_role("link", name=f"Move {name}", exact=True).first.click()
    page.get_by_role("combobox", name="New class").select_option(index=1)
    expect(page.get_by_role("heading", name="What fits the new class, and what does not")).to_be_visible()
    page.get_by_role("button", name="Move the pupil").click()
    expect(page.get_by_role("main").get_by_role("status")).to_contain_text("now.")
    expect(in_class).to_have_count(before - 1)
    page.get_by_role("link", name="Undo").click()
    page.get_by_role("button", name="Undo").click()
    expect(in_class).to_have_count(before)
    page.wait_for_load_state()
    assert page.evaluate("document.documentElement.scrollWidth") <= page.viewport_size["width"]  # type: ignore[index]
    assert visitor.complaints == []
