"""What the sheet tells in a browser: averages and ranks as they change, why they are so, and the class opened last."""

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.e2e.conftest import Visitor
from tests.e2e.sheets import MakeSheet, Sheet, opened, put, saved

pytestmark = pytest.mark.e2e


def figure(page: Page, sheet: Sheet, row: int, kind: str) -> Locator:
    return page.locator(f"tr[data-pupil='{sheet.pupils[row]}'] td[data-figure={kind}]")


def test_averages_ranks_and_the_mean_of_the_class_follow_a_save(desk: Visitor, make_sheet: MakeSheet) -> None:
    sheet = make_sheet(pupils=3)
    page = opened(desk.sign_in("teacher1"), sheet)
    for row, mark in enumerate(("6", "9", "9")):
        put(page, sheet.cell(page, row), mark)
    saved(page)

    expect(figure(page, sheet, 0, "average")).to_have_text("6.00")
    assert [figure(page, sheet, row, "rank").inner_text() for row in range(3)] == ["3", "1", "1"]
    expect(page.locator("[data-mean]")).to_have_text("8.00")

    put(page, sheet.cell(page, 0), "10")
    expect(figure(page, sheet, 0, "average")).to_have_text("10.00")
    assert [figure(page, sheet, row, "rank").inner_text() for row in range(3)] == ["1", "2", "2"]
    page.locator(sheet.cell(page, 1)).focus()
    page.keyboard.press("Delete")
    page.keyboard.press("Enter")
    expect(figure(page, sheet, 1, "average")).to_have_text("–")
    expect(figure(page, sheet, 1, "missing")).to_have_text("1")
    expect(figure(page, sheet, 2, "rank")).to_have_text("2")
    assert desk.complaints == []


def test_why_an_average_and_a_rank_are_so_is_asked_by_keyboard_and_read(desk: Visitor, make_sheet: MakeSheet) -> None:
    sheet = make_sheet(pupils=3, subjects=2)
    page = opened(desk.sign_in("teacher1"), sheet)
    for row, marks in enumerate((("8", "7"), ("9", "10"), ("6", "6"))):
        for column, mark in enumerate(marks):
            put(page, sheet.cell(page, row, column), mark)
    saved(page)
    expect(figure(page, sheet, 0, "average")).to_have_text("7.50")
    dialog = page.get_by_role("dialog", name="Why 7.50?")

    # Beyond the last cell of a row stand its figures, and Enter asks.
    page.locator(sheet.cell(page, 0, 1)).focus()
    page.keyboard.press("ArrowRight")
    expect(figure(page, sheet, 0, "average").locator("a")).to_be_focused()
    page.keyboard.press("Enter")
    expect(dialog).to_contain_text("(8 + 7) ÷ 2 = 7.5")
    expect(dialog).to_contain_text("The mean of 2: their sum over 2, each counting the same.")
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    expect(figure(page, sheet, 0, "average").locator("a")).to_be_focused()

    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog", name="Why rank 2?")
    expect(dialog).to_contain_text("1 pupil has a higher average, so this is place 2 of 3.")
    expect(dialog).to_contain_text("Exact averages are compared, not the rounded ones that are shown.")
    page.keyboard.press("Escape")
    expect(figure(page, sheet, 0, "rank").locator("a")).to_be_focused()
    assert desk.complaints == []


def test_the_class_that_was_open_last_opens_again(desk: Visitor, make_sheet: MakeSheet) -> None:
    first, last = make_sheet(pupils=2), make_sheet(pupils=2)
    opened(desk.sign_in("teacher2"), first)
    opened(desk, last)

    page = desk.open("/admin/gradebook/")

    expect(page.locator(last.cell(page, 0))).to_be_visible()
    expect(page.get_by_label("Course", exact=True)).to_have_value(str(last.course))
