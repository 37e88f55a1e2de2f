"""The sheet as an Excel file in a browser: taken away, changed, brought back, looked at, applied and undone."""

from pathlib import Path

import pytest
from openpyxl import load_workbook
from playwright.sync_api import expect

from tests.e2e.conftest import Visitor
from tests.e2e.sheets import MakeSheet, opened, put, saved

pytestmark = pytest.mark.e2e


def test_a_sheet_goes_into_a_file_and_comes_back(desk: Visitor, make_sheet: MakeSheet, tmp_path: Path) -> None:
    sheet = make_sheet(pupils=4)
    page = opened(desk.sign_in("teacher1"), sheet)
    put(page, sheet.cell(page, 0), "6")
    saved(page)
    page.get_by_role("link", name="Excel file").click()
    with page.expect_download() as download:
        page.get_by_role("link", name="Download as Excel").click()
    kept = tmp_path / "marks.xlsx"
    download.value.save_as(kept)
    book = load_workbook(kept)
    leaf = book[book.sheetnames[0]]
    rows = {leaf.cell(row, 1).value: row for row in range(3, leaf.max_row + 1)}
    for pupil, mark in zip(sheet.pupils, (7, "៩,៥", "abs", None), strict=True):
        leaf.cell(rows[str(pupil)], 3).value = mark
    book.save(kept)

    page.get_by_label("The Excel file").set_input_files(kept)
    page.get_by_role("button", name="Show what will change").click()

    preview = page.get_by_role("region", name="What will change")
    expect(preview).to_contain_text("1 new, 1 changed (6 → 7), 1 refused")
    expect(preview).to_contain_text(f"Row {rows[str(sheet.pupils[2])]}: “abs” is not a mark.")
    assert sheet.marks() == ["6.00"]

    preview.get_by_role("button", name="Apply").click()
    expect(page.get_by_text("2 marks saved.")).to_be_visible()
    expect(page.locator(sheet.cell(page, 1))).to_have_value("9.5")
    assert sheet.marks() == ["7.00", "9.50"]

    page.get_by_role("link", name="Undo").click()
    page.get_by_role("main").get_by_role("button", name="Undo").click()
    expect(page.get_by_role("main").get_by_role("status").first).to_contain_text("before")
    page.wait_for_load_state()
    opened(desk, sheet)
    expect(page.locator(sheet.cell(page, 0))).to_have_value("6")
    assert sheet.marks() == ["6.00"]
    assert desk.complaints == []
