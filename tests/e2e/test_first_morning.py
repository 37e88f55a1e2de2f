"""The first morning with the panel: sign in, look at every list, write, correct, read and delete a record."""

import re

import pytest
from playwright.sync_api import Page, expect

from fsms import models
from tests.e2e.conftest import Visitor

pytestmark = pytest.mark.e2e

ENTITIES = [entity.__name__.lower() for entity in models.ENTITIES]


@pytest.mark.parametrize("entity", ENTITIES)
def test_every_list_opens_with_rows_and_without_complaint(desk: Visitor, entity: str) -> None:
    desk.sign_in("admin")

    page = desk.open(f"/admin/{entity}/")

    expect(page.locator("main tbody tr").first).to_be_visible()
    assert desk.complaints == []


def _choose(page: Page, label: str, typed: str) -> None:
    """Type into a look-up and take the first answer."""
    field = page.get_by_label(re.compile(f"^{label}")).first
    field.click()
    page.keyboard.type(typed)
    page.locator(".ts-dropdown .option").first.click()


def _save(page: Page) -> None:
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_role("main").get_by_role("status")).to_be_visible()


def test_a_subject_is_written_corrected_read_and_deleted(desk: Visitor) -> None:
    desk.sign_in("admin")
    page = desk.open("/admin/subject/new/")
    page.get_by_label("Subject").fill("ភាសាបារាំង")
    _save(page)

    page.get_by_placeholder("Subject").fill("ភាសាបារាំង")
    page.keyboard.press("Enter")
    page.get_by_role("link", name=re.compile("Edit")).first.click()
    page.get_by_label("Subject").fill("បារាំង")
    _save(page)

    page.get_by_placeholder("Subject").fill("បារាំង")
    page.keyboard.press("Enter")
    expect(page.locator("main tbody tr")).to_have_count(1)
    page.get_by_role("link", name=re.compile("Delete")).first.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("បារាំង")
    page.get_by_role("button", name="Delete").click()
    expect(page.get_by_role("main").get_by_role("status")).to_be_visible()

    page = desk.open("/admin/subject/?search=បារាំង")
    expect(page.locator("main tbody tr")).to_have_count(0)
    assert desk.complaints == []


def test_a_family_is_registered_in_one_form(desk: Visitor) -> None:
    desk.sign_in("secretary")
    page = desk.open("/admin/student/new/")
    page.get_by_label("Last name").first.fill("ជា")
    page.get_by_label("First name").first.fill("មករា")
    page.get_by_label("Sex").select_option("male")
    page.get_by_label("Date of birth").fill("2015-04-13")
    page.get_by_label("Grade level").select_option("5")
    page.get_by_role("button", name="Add a row: Guardians").click()
    guardian = page.locator("[name='guardians-0-relation']")
    guardian.select_option("Mother")
    page.locator("[name='guardians-0-phone']").fill("012 000 111")
    _save(page)

    page = desk.open("/admin/guardian/?search=មករា 012 000 111")

    expect(page.locator("main tbody tr")).to_have_count(1)
    expect(page.locator("main tbody tr")).to_contain_text("012 000 111")
    assert desk.complaints == []


def test_a_mark_is_entered_by_look_ups(desk: Visitor) -> None:
    desk.sign_in("admin")
    page = desk.open("/admin/grade/new/")
    _choose(page, "Subject", "គណិត")
    page.get_by_label(re.compile("^Mark")).fill("១១")
    page.get_by_role("button", name="Save", exact=True).click()

    expect(page.get_by_role("alert").first).to_be_visible()
    expect(page.get_by_label(re.compile("^Mark"))).to_have_value("១១")
    expect(page.locator(".ts-control .item")).to_contain_text("គណិតវិទ្យា")


def test_what_is_typed_at_once_with_the_first_click_is_looked_up(desk: Visitor) -> None:
    page = desk.sign_in("admin").open("/admin/grade/new/")

    page.evaluate(
        """() => {
          const lookUp = document.querySelector("select[name=subject]").tomselect, box = lookUp.control_input;
          lookUp.focus(); // as its click does; what follows happens before that is through
          box.value = "គណិត";
          box.dispatchEvent(new Event("input", { bubbles: true }));
        }"""
    )

    expect(page.locator(".ts-dropdown .option")).to_have_text(["គណិតវិទ្យា"])
    assert desk.complaints == []


def test_a_list_reads_well_on_a_phone(phone: Visitor) -> None:
    phone.sign_in("admin")

    page = phone.open("/admin/attendance/")

    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    expect(page.get_by_role("navigation", name="Shortcuts")).to_be_visible()
    assert phone.complaints == []


def test_three_pupils_are_in_sight_on_a_phone(phone: Visitor) -> None:
    page = phone.sign_in("admin").open("/admin/student/")

    whole = page.locator(".list tbody tr").evaluate_all(
        """rows => {
          const bar = document.querySelector(".bottom-bar").getBoundingClientRect().top;
          return rows.filter((row) => row.getBoundingClientRect().bottom <= bar).length;
        }"""
    )

    assert whole >= 3


def test_a_signed_out_browser_sees_nothing_more(desk: Visitor) -> None:
    desk.sign_in("admin")
    page = desk.open("/admin/student/")
    page.locator(".user-button").click()
    page.get_by_role("button", name="Sign out").click()
    expect(page).to_have_url(re.compile("/login"))

    desk.open("/admin/student/")

    expect(page).to_have_url(re.compile("/login"))


@pytest.mark.parametrize("entity", ENTITIES)
def test_every_page_keeps_to_the_content_security_policy(desk: Visitor, entity: str) -> None:
    desk.sign_in("admin")
    page = desk.open(f"/admin/{entity}/")
    opened = page.locator("main tbody tr a.row-link").first.get_attribute("href")

    assert opened
    paths = [opened, *([] if entity == "activitylog" else [f"/admin/{entity}/new/", opened.replace("details", "edit")])]
    for path in paths:
        desk.open(path)
        expect(page.locator("h1")).to_be_visible()

    assert desk.complaints == []


def test_a_bulk_deletion_asks_first_and_says_what_it_is_about(desk: Visitor) -> None:
    desk.sign_in("admin")
    page = desk.open("/admin/scholarship/")
    before = page.locator("main tbody tr").count()
    page.locator("main tbody input[type=checkbox]").nth(0).check()
    page.locator("main tbody input[type=checkbox]").nth(1).check()
    page.locator("#actions").get_by_role("button", name="Delete").click()

    expect(page.get_by_role("heading", name="Delete: 2 records")).to_be_visible()
    expect(page.locator(".bulk-names li")).to_have_count(2)
    page.get_by_role("link", name="Cancel").click()

    expect(page.locator("main tbody tr")).to_have_count(before)
    assert desk.complaints == []
