"""A session that ends while somebody types: signing in again in place loses nothing."""

import re

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import PASSWORD, Visitor

pytestmark = pytest.mark.e2e


@pytest.mark.parametrize("screen", ["desk", "phone"])
def test_a_half_filled_form_outlives_its_session(request: pytest.FixtureRequest, screen: str) -> None:
    visitor: Visitor = request.getfixturevalue(screen)
    visitor.sign_in("secretary")
    page = visitor.open("/admin/subject/new/")
    page.get_by_label(re.compile("^Subject")).fill(f"Astronomy {screen}")

    page.context.clear_cookies()
    page.get_by_role("button", name="Save", exact=True).click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Password").fill(PASSWORD)
    dialog.get_by_role("button", name="Sign in").click()

    # The form is sent as soon as its sender is known again.
    expect(page.get_by_role("main").get_by_role("status").first).to_contain_text("successfully created")


def test_a_wrong_password_keeps_the_page_closed(desk: Visitor) -> None:
    desk.sign_in("secretary")
    page = desk.open("/admin/subject/new/")
    page.get_by_label(re.compile("^Subject")).fill("Kept")

    page.context.clear_cookies()
    page.get_by_role("button", name="Save", exact=True).click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Password").fill("not the password")
    dialog.get_by_role("button", name="Sign in").click()

    expect(dialog).to_contain_text("User name or password is wrong")
    expect(page.get_by_label(re.compile("^Subject"))).to_have_value("Kept")
