"""The first page at a desk and on a phone: it fits, it is drawn, and the day's work is one tap away."""

import re

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import Visitor
from tests.e2e.looking import violations

pytestmark = pytest.mark.e2e


def test_the_office_sees_the_day_at_a_desk(desk: Visitor) -> None:
    page = desk.sign_in("admin").page

    assert list(violations(page)) == []
    for words in ("Attendance today", "Absent today", "Pupils by grade", "Marks missing this month"):
        expect(page.get_by_role("heading", name=re.compile(words))).to_be_visible()
    page.get_by_text("The numbers as a table").click()
    expect(page.locator("#grades-table tbody tr")).not_to_have_count(0)
    drawn = page.locator("#grades-chart").evaluate("canvas => canvas.toDataURL().length")
    assert drawn > 3000
    assert desk.complaints == []

    page.get_by_role("link", name=re.compile("Pupils this year")).click()
    expect(page).to_have_url(re.compile("/admin/enrollment/"))


@pytest.mark.parametrize("username", ["admin", "teacher1"])
def test_the_first_page_fits_a_phone(phone: Visitor, username: str) -> None:
    page = phone.sign_in(username).page

    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    low = page.eval_on_selector_all(
        "main a", "links => links.filter(a => a.offsetHeight && a.offsetHeight < 44).map(a => a.textContent.trim())"
    )
    assert low == []
    assert list(violations(page)) == []
    assert phone.complaints == []


def test_a_teacher_begins_with_one_tap(phone: Visitor) -> None:
    page = phone.sign_in("teacher1").page

    page.get_by_role("link", name=re.compile("^Take attendance")).first.tap()

    expect(page).to_have_url(re.compile(r"/admin/(roster/\?course|course/details/\?id)="))
    assert phone.complaints == []
