"""Forms in a browser: errors one is led to, a question where two people save, nothing lost by leaving, and undo."""

import re
from collections.abc import Iterator

import psycopg
import pytest
from playwright.sync_api import Browser, Dialog, Page, expect

from fsms import embedded
from tests.e2e.conftest import DESK, Visitor, _visitor
from tests.served import Served

pytestmark = pytest.mark.e2e

SCREENS = ["desk", "phone"]


@pytest.fixture
def visitor(request: pytest.FixtureRequest) -> Visitor:
    """Somebody at the screen that the test names, signed in."""
    somebody: Visitor = request.getfixturevalue(request.param)
    return somebody.sign_in("admin")


@pytest.fixture
def colleague(chromium: Browser, school: Served) -> Iterator[Visitor]:
    """Somebody at another computer."""
    for somebody in _visitor(chromium, school, viewport=DESK):
        yield somebody.sign_in("secretary")


def _save(page: Page) -> None:
    page.get_by_role("button", name="Save", exact=True).click()


def _new_subject(visitor: Visitor, name: str) -> str:
    page = visitor.open("/admin/subject/new/")
    page.get_by_label("Subject").fill(name)
    page.get_by_role("button", name="Save and stay here").click()
    expect(page.get_by_role("main").get_by_role("status").first).to_be_visible()
    return page.url.removeprefix(visitor.address)


@pytest.mark.parametrize("visitor", SCREENS, indirect=True)
def test_the_cursor_goes_to_the_first_error_and_the_summary_leads_to_each(visitor: Visitor) -> None:
    page = visitor.open("/admin/student/new/")
    page.get_by_label("First name").first.fill("ដារ៉ា")
    page.get_by_label("Date of birth").fill("2039-01-01")
    _save(page)

    expect(page.get_by_label("Last name").first).to_be_focused()
    expect(page.get_by_label("First name").first).to_have_value("ដារ៉ា")
    summary = page.locator(".error-summary")
    expect(summary.get_by_role("link")).to_have_text(["Last name", "Sex", "Date of birth", "Grade level"])
    summary.get_by_role("link", name="Date of birth").click()
    expect(page.get_by_label("Date of birth")).to_be_focused()
    page.wait_for_load_state()
    assert page.evaluate("document.documentElement.scrollWidth") <= page.viewport_size["width"]  # type: ignore[index]
    assert visitor.complaints == []


@pytest.mark.parametrize("visitor", SCREENS, indirect=True)
@pytest.mark.parametrize("keep", ["theirs", "mine"])
def test_where_two_people_save_both_versions_are_shown_and_one_is_chosen(
    visitor: Visitor, colleague: Visitor, keep: str
) -> None:
    screen = "phone" if (visitor.page.viewport_size or DESK)["width"] < 500 else "desk"
    path = _new_subject(visitor, f"Rhetoric {screen} {keep}")
    other = colleague.open(path)
    other.get_by_label("Subject").fill(f"Theirs {screen} {keep}")
    _save(other)
    expect(other.get_by_role("main").get_by_role("status").first).to_be_visible()

    page = visitor.page
    page.get_by_label("Subject").first.fill(f"Mine {screen} {keep}")
    _save(page)

    clash = page.locator(".clash")
    expect(clash).to_be_focused()
    expect(clash).to_contain_text(f"Theirs {screen} {keep}")
    expect(page.get_by_label("Subject").last).to_have_value(f"Mine {screen} {keep}")
    page.wait_for_load_state()
    assert page.evaluate("document.documentElement.scrollWidth") <= page.viewport_size["width"]  # type: ignore[index]
    clash.get_by_role("button", name="Keep all of these" if keep == "theirs" else "Keep all of yours").click()
    _save(page)
    expect(page.get_by_role("main").get_by_role("status").first).to_be_visible()

    wanted = {"theirs": "Theirs", "mine": "Mine"}[keep]
    page = visitor.open(path)
    expect(page.get_by_label("Subject")).to_have_value(f"{wanted} {screen} {keep}")
    assert visitor.complaints == []


@pytest.mark.parametrize("visitor", SCREENS, indirect=True)
def test_leaving_with_unsaved_changes_asks_and_without_does_not(visitor: Visitor) -> None:
    page = visitor.open("/admin/subject/new/")
    name = page.get_by_label("Subject")
    name.fill("Half")
    link = page.locator(".form-buttons").get_by_role("link", name="Cancel")
    link.click()

    question = page.get_by_role("dialog", name="Leave without saving?")
    question.get_by_role("button", name="Stay here").click()
    expect(name).to_have_value("Half")

    # What is taken back again is no change.
    name.fill("")
    link.click()
    expect(page).to_have_url(re.compile("/admin/subject/$"))

    visitor.open("/admin/subject/new/")
    page.get_by_label("Subject").fill("Half")
    link.click()
    question.get_by_role("button", name="Leave", exact=True).click()
    expect(page).to_have_url(re.compile("/admin/subject/$"))
    assert visitor.complaints == []


def test_closing_a_page_with_unsaved_changes_asks_the_browsers_way(desk: Visitor) -> None:
    page = desk.sign_in("admin").open("/admin/subject/new/")
    asked: list[str] = []

    def accept(dialog: Dialog) -> None:
        asked.append(dialog.type)
        dialog.accept()

    page.on("dialog", accept)
    page.reload()
    assert asked == []

    page.get_by_label("Subject").press_sequentially("Half")
    page.reload()

    assert asked == ["beforeunload"]


@pytest.mark.parametrize("visitor", SCREENS, indirect=True)
def test_a_deletion_is_counted_first_and_undone_after(visitor: Visitor, school: Served) -> None:
    with psycopg.connect(embedded.share(school.data_dir).url) as database:
        found = database.execute('SELECT "studentId" FROM "Grade" LIMIT 1').fetchone()
    assert found is not None
    page = visitor.open(f"/admin/student/?search={found[0]}")
    row = page.locator("main tbody tr").filter(has=page.locator(f"a.row-link[href$='id={found[0]}']"))
    row.get_by_role("link", name=re.compile("^Delete")).click()
    expect(page.locator("main")).to_contain_text("This cannot be deleted")
    page.wait_for_load_state()
    assert page.evaluate("document.documentElement.scrollWidth") <= page.viewport_size["width"]  # type: ignore[index]

    page = visitor.open("/admin/scholarship/")
    page.locator("main tbody tr").first.get_by_role("link", name=re.compile("^Delete")).click()
    expect(page.locator("main")).to_contain_text("This deletes 1 scholarship.")
    page.get_by_role("button", name="Delete").click()
    page.get_by_role("main").get_by_role("status").get_by_role("link", name="Undo").click()
    page.get_by_role("button", name="Undo").click()

    expect(page.get_by_role("main").get_by_role("status").first).to_contain_text("1 record is as it was before.")
    assert visitor.complaints == []
