"""The gradebook in a browser: by keyboard alone, pasted, offline, signed out, two at one cell, on a phone."""

import re
import sys
import time

import pytest
from playwright.sync_api import Browser, Dialog, Page, Route, expect

from tests.e2e.conftest import DESK, PASSWORD, Visitor
from tests.e2e.sheets import MONTH, MakeSheet, opened, put, saved
from tests.served import Served

pytestmark = pytest.mark.e2e

CELLS = re.compile(r"/admin/gradebook/cells/")


def sign_out(page: Page) -> None:
    page.locator(".user-button").click()
    page.get_by_role("button", name="Sign out").click()
    expect(page).to_have_url(re.compile("/login"))


def paste(page: Page, selector: str, copied: str) -> None:
    page.locator(selector).evaluate(
        """(cell, copied) => {
            const clipboardData = new DataTransfer();
            clipboardData.setData("text/plain", copied);
            cell.focus();
            cell.dispatchEvent(new ClipboardEvent("paste", { clipboardData, bubbles: true, cancelable: true }));
        }""",
        copied,
    )


# ---- Typing --------------------------------------------------------------------------------------------------------


def test_forty_marks_are_entered_by_keyboard_alone(desk: Visitor, make_sheet: MakeSheet) -> None:
    sheet = make_sheet(pupils=40)
    page = opened(desk.sign_in("teacher1"), sheet)
    page.evaluate(
        "for (const kind of ['pointerdown', 'mousemove', 'click']) "
        "addEventListener(kind, (event) => event.detail === 0 || (window.mouse = kind), true)"
    )

    began = time.monotonic()
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.closest('#sheet') !== null"):
            break
    for row in range(40):
        page.keyboard.type(f"{row % 10},5")
        page.keyboard.press("Enter")
    saved(page)
    sys.stdout.write(f"\n40 marks typed and saved in {time.monotonic() - began:.1f} s\n")

    assert page.evaluate("window.mouse ?? null") is None
    assert sheet.marks(sheet.subjects[0]).count("3.50") == 4
    assert len(sheet.marks()) == 40
    assert sheet.told()["create_grade"] == 40
    assert desk.complaints == []


def test_the_keys_do_what_a_spreadsheet_does(desk: Visitor, make_sheet: MakeSheet) -> None:
    sheet = make_sheet(pupils=3, subjects=3)
    page = opened(desk.sign_in("teacher1"), sheet)

    def here(row: int, column: int) -> None:
        expect(page.locator(sheet.cell(page, row, column))).to_be_focused()

    page.locator(sheet.cell(page, 0)).focus()
    page.keyboard.press("ArrowDown")
    here(1, 0)
    page.keyboard.press("ArrowRight")
    here(1, 1)
    page.keyboard.press("Tab")
    here(1, 2)
    page.keyboard.press("Enter")
    here(2, 1)
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Shift+Tab")
    here(1, 0)
    page.keyboard.press("End")
    page.keyboard.press("Tab")
    expect(page.get_by_label("Comment for the chosen mark")).to_be_focused()
    page.keyboard.press("Shift+Tab")
    here(1, 2)
    page.keyboard.press("Home")
    here(1, 0)
    page.keyboard.press("Control+End")
    here(2, 2)
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowLeft")
    here(2, 2)
    page.keyboard.type("7")
    page.keyboard.press("Escape")
    expect(page.locator(sheet.cell(page, 2, 2))).to_have_value("")
    page.keyboard.type("75")
    page.keyboard.press("F2")
    page.keyboard.press("ArrowLeft")
    page.keyboard.type(".")
    page.keyboard.press("Shift+Enter")
    here(1, 2)
    page.keyboard.press("Shift+F2")
    expect(page.get_by_label("Comment for the chosen mark")).to_be_focused()
    page.keyboard.press("Escape")
    here(1, 2)
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_contain_text("Keys of the sheet")
    page.keyboard.press("Escape")
    saved(page)
    expect(page.locator(sheet.cell(page, 2, 2))).to_have_value("7.5")

    page.locator(sheet.cell(page, 0)).focus()
    page.keyboard.press("Control+z")
    expect(page.locator(sheet.cell(page, 2, 2))).to_have_value("")
    assert desk.complaints == []


def test_a_refused_mark_stays_in_red_with_its_reason_until_it_is_put_back(desk: Visitor, make_sheet: MakeSheet) -> None:
    sheet = make_sheet()
    page = opened(desk.sign_in("teacher1"), sheet)
    put(page, sheet.cell(page, 0), "11")
    cell = page.locator(sheet.cell(page, 0))

    expect(cell).to_have_attribute("aria-invalid", "true")
    expect(cell).to_have_value("11")
    expect(page.get_by_role("alert").filter(has_text="11 does not")).to_be_visible()
    assert sheet.marks() == []

    cell.focus()
    page.keyboard.press("Escape")
    expect(cell).to_have_value("")
    expect(cell).not_to_have_attribute("aria-invalid", "true")


def test_nothing_zero_and_excused_look_different_and_a_comment_has_its_corner(
    desk: Visitor, make_sheet: MakeSheet
) -> None:
    sheet = make_sheet()
    page = opened(desk.sign_in("teacher1"), sheet)
    put(page, sheet.cell(page, 0), "0")
    put(page, sheet.cell(page, 1), "e")
    put(page, sheet.cell(page, 2), "8")
    page.locator(sheet.cell(page, 2)).focus()
    page.keyboard.press("Shift+F2")
    page.keyboard.type("Helps others")
    page.keyboard.press("Enter")
    saved(page)
    page.reload()

    classes = [page.locator(sheet.cell(page, row)).locator("..").get_attribute("class") for row in range(4)]

    assert [(kind or "").split()[1:] for kind in classes] == [["is-zero"], ["is-excused"], ["has-comment"], []]
    assert sheet.marks() == ["0.00", None, "8.00"]  # excused is no number


# ---- Pasting -------------------------------------------------------------------------------------------------------


def test_a_block_of_forty_by_ten_is_shown_applied_and_undone(desk: Visitor, make_sheet: MakeSheet) -> None:
    sheet = make_sheet(pupils=40, subjects=10)
    page = opened(desk.sign_in("teacher1"), sheet)
    put(page, sheet.cell(page, 0, 0), "6")
    put(page, sheet.cell(page, 1, 0), "8")
    saved(page)
    block = [[f"{(row + column) % 11}" for column in range(10)] for row in range(40)]
    block[0][0], block[1][0], block[6][3] = "7", "5", "abs"

    paste(page, sheet.cell(page, 0), "\r\n".join("\t".join(line) for line in block) + "\r\n")

    strip = page.get_by_role("region", name="What will change")
    expect(strip).to_contain_text("397 new, 2 changed (6 → 7, 8 → 5), 1 refused (row 7: “abs”)")
    assert sorted(sheet.marks()) == ["6.00", "8.00"]
    expect(strip.get_by_role("button", name="Apply")).to_be_focused()
    page.keyboard.press("Enter")
    saved(page)
    assert len(sheet.marks()) == 399

    page.get_by_role("button", name="Undo", exact=True).click()
    expect(page.locator("#save-said")).to_contain_text("399 marks are as they were before.")
    assert sorted(sheet.marks()) == ["6.00", "8.00"]
    expect(page.locator(sheet.cell(page, 0))).to_have_value("6")
    assert desk.complaints == []


def test_escape_lets_a_block_go(desk: Visitor, make_sheet: MakeSheet) -> None:
    sheet = make_sheet()
    page = opened(desk.sign_in("teacher1"), sheet)
    paste(page, sheet.cell(page, 1), "8\n9")
    expect(page.get_by_role("region", name="What will change")).to_contain_text("2 new")

    page.keyboard.press("Escape")

    expect(page.get_by_role("region", name="What will change")).to_have_count(0)
    expect(page.locator(sheet.cell(page, 1))).to_be_focused()
    assert sheet.marks() == []


def test_empty_cells_are_set_and_filled_ones_left(desk: Visitor, make_sheet: MakeSheet) -> None:
    sheet = make_sheet(pupils=4)
    page = opened(desk.sign_in("teacher1"), sheet)
    put(page, sheet.cell(page, 1), "9")
    saved(page)

    page.get_by_role("button", name="Set empty cells").click()
    page.get_by_label("Mark for every empty cell of this column").fill("5")
    page.get_by_role("button", name="Show what will change").click()
    page.get_by_role("button", name="Apply").click()

    expect(page.locator(sheet.cell(page, 3))).to_have_value("5")
    saved(page)
    assert sorted(sheet.marks()) == ["5.00", "5.00", "5.00", "9.00"]


# ---- A bad network -------------------------------------------------------------------------------------------------


def test_what_is_typed_while_the_network_is_gone_is_saved_once_when_it_is_back(
    desk: Visitor, make_sheet: MakeSheet
) -> None:
    sheet = make_sheet(pupils=12)
    page = opened(desk.sign_in("teacher1"), sheet)
    for row in range(12):
        if row == 4:
            page.context.set_offline(True)
        put(page, sheet.cell(page, row), "7")
    expect(page.locator("#save-state")).to_contain_text("Waiting for the network")

    page.context.set_offline(False)

    saved(page)
    assert sheet.marks() == ["7.00"] * 12
    assert sheet.told()["create_grade"] == 12


def test_an_answer_that_got_lost_is_asked_for_again_and_nothing_is_written_twice(
    desk: Visitor, make_sheet: MakeSheet
) -> None:
    sheet = make_sheet()
    page = opened(desk.sign_in("teacher1"), sheet)
    lost: list[str] = []

    def lose(route: Route) -> None:
        if len(lost) < 2:
            lost.append(route.request.post_data or "")
            route.fetch()
            route.abort()
        else:
            route.continue_()

    page.route(CELLS, lose)
    put(page, sheet.cell(page, 0), "7")
    expect(page.locator("#save-state")).to_contain_text("Waiting")
    put(page, sheet.cell(page, 0), "8")

    saved(page)
    assert lost[0] == lost[1]
    assert sheet.marks() == ["8.00"]
    assert sheet.told() == {"create_grade": 1, "update_grade": 1}


def test_waiting_marks_outlive_a_reload_and_leaving_asks_first(desk: Visitor, make_sheet: MakeSheet) -> None:
    sheet = make_sheet()
    page = opened(desk.sign_in("teacher1"), sheet)
    asked: list[str] = []

    def leave(dialog: Dialog) -> None:
        asked.append(dialog.type)
        dialog.accept()

    page.on("dialog", leave)
    page.route(CELLS, lambda route: route.abort())
    put(page, sheet.cell(page, 2), "6")
    expect(page.locator("#save-state")).to_contain_text("Waiting")

    page.reload()

    assert asked == ["beforeunload"]
    expect(page.locator(sheet.cell(page, 2))).to_have_value("6")
    page.unroute(CELLS)
    saved(page)
    assert sheet.marks() == ["6.00"]


def test_a_session_that_ends_in_the_middle_loses_nothing(desk: Visitor, make_sheet: MakeSheet) -> None:
    sheet = make_sheet()
    page = opened(desk.sign_in("teacher1"), sheet)
    put(page, sheet.cell(page, 0), "7")
    saved(page)
    page.context.clear_cookies()
    put(page, sheet.cell(page, 1), "8")

    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Password").fill(PASSWORD)
    dialog.get_by_role("button", name="Sign in").click()

    saved(page)
    assert sheet.marks() == ["7.00", "8.00"]


def test_one_persons_waiting_marks_are_sent_in_no_other_name(desk: Visitor, make_sheet: MakeSheet) -> None:
    sheet = make_sheet()
    page = opened(desk.sign_in("teacher1"), sheet)
    page.on("dialog", lambda dialog: dialog.accept())
    page.context.route(CELLS, lambda route: route.abort())
    put(page, sheet.cell(page, 0), "7")
    expect(page.locator("#save-state")).to_contain_text("Waiting")
    sign_out(page)
    page.context.unroute(CELLS)

    opened(desk.sign_in("teacher2"), sheet)
    expect(page.locator(sheet.cell(page, 0))).to_have_value("")
    page.wait_for_timeout(1_500)
    assert sheet.marks() == []

    sign_out(page)
    opened(desk.sign_in("teacher1"), sheet)
    saved(page)
    assert sheet.marks() == ["7.00"]


# ---- Two at one cell -----------------------------------------------------------------------------------------------


def test_of_two_at_one_cell_the_second_is_shown_both_and_chooses(
    desk: Visitor, second: Visitor, make_sheet: MakeSheet
) -> None:
    sheet = make_sheet()
    theirs = opened(second.sign_in("teacher2"), sheet)
    mine = opened(desk.sign_in("teacher1"), sheet)
    for row in (0, 1):
        put(theirs, sheet.cell(theirs, row), "7")
    saved(theirs)

    for row in (0, 1):
        put(mine, sheet.cell(mine, row), "8")

    cards = mine.get_by_role("region", name="Two marks for one cell").get_by_role("article")
    expect(cards).to_have_count(2)
    expect(cards.first).to_contain_text(re.compile(r"You typed 8\. .+ saved 7 at \d\d:\d\d\."))
    assert sheet.marks() == ["7.00", "7.00"]

    cards.first.get_by_role("button", name="Keep mine: 8").click()
    expect(cards).to_have_count(1)
    cards.first.get_by_role("button", name="Take theirs: 7").click()
    expect(cards).to_have_count(0)

    saved(mine)
    expect(mine.locator(sheet.cell(mine, 1))).to_have_value("7")
    assert sheet.marks() == ["8.00", "7.00"]
    told = sheet.told()
    assert (told["create_grade"], told["update_grade"]) == (2, 1)
    assert told["give_way"] >= 1


# ---- Other ways in -------------------------------------------------------------------------------------------------


def test_without_scripts_the_sheet_is_a_form(chromium: Browser, school: Served, make_sheet: MakeSheet) -> None:
    sheet = make_sheet()
    context = chromium.new_context(locale="en-GB", viewport=DESK, java_script_enabled=False)  # type: ignore[arg-type]
    page = opened(Visitor(context.new_page(), school.address).sign_in("teacher1"), sheet)
    page.locator(sheet.cell(page, 0)).fill("៧,៥")
    page.locator(sheet.cell(page, 1)).fill("12")
    page.get_by_role("button", name="Save", exact=True).click()

    expect(page.locator(sheet.cell(page, 1))).to_have_value("12")
    expect(page.get_by_role("alert").first).to_contain_text("12 does not")
    assert sheet.marks() == ["7.50"]
    context.close()


def test_on_a_phone_one_pupil_at_a_time_is_marked_with_a_thumb(phone: Visitor, make_sheet: MakeSheet) -> None:
    sheet = make_sheet(pupils=3)
    page = opened(phone.sign_in("teacher1"), sheet)
    page.wait_for_load_state()
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    page.get_by_role("button", name="One pupil at a time").tap()
    pad = page.get_by_role("dialog")

    sizes = [box for key in pad.get_by_role("button").all() if (box := key.bounding_box())]
    assert all(box["width"] >= 44 and box["height"] >= 44 for box in sizes)
    for keys in (["8", ".", "5"], ["10"], ["9", "Delete the last digit", "7"]):
        for key in keys:
            pad.get_by_role("button", name=key, exact=True).tap()
        pad.get_by_role("button", name="Next", exact=True).tap()

    expect(pad).to_contain_text("3 of 3")
    pad.get_by_role("button", name="Close").tap()
    saved(page)
    assert sheet.marks() == ["8.50", "10.00", "7.00"]
    assert phone.complaints == []


def test_a_swipe_goes_to_the_next_pupil_and_back(phone: Visitor, make_sheet: MakeSheet) -> None:
    sheet = make_sheet(pupils=3)
    page = opened(phone.sign_in("teacher1"), sheet)
    page.get_by_role("button", name="One pupil at a time").tap()
    pad = page.get_by_role("dialog")
    finger = page.context.new_cdp_session(page)

    def swipe(x: int, y: int, to_x: int, to_y: int) -> None:
        finger.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [{"x": x, "y": y}]})
        finger.send("Input.dispatchTouchEvent", {"type": "touchMove", "touchPoints": [{"x": to_x, "y": to_y}]})
        finger.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
        page.wait_for_timeout(700)  # A browser takes a tap right behind a swipe for the end of the swipe.

    pad.get_by_role("button", name="8", exact=True).tap()
    expect(pad.locator(".pad-mark")).to_have_text("8")
    swipe(300, 140, 60, 150)
    expect(pad).to_contain_text("2 of 3")
    # Where the finger still counts as swiping, the browser swallows a tap: somebody who sees no figure taps again.
    for _ in range(3):
        pad.get_by_role("button", name="9", exact=True).tap()
        page.wait_for_timeout(300)
        if pad.locator(".pad-mark").inner_text() == "9":
            break
    expect(pad.locator(".pad-mark")).to_have_text("9")
    swipe(300, 140, 60, 150)
    expect(pad).to_contain_text("3 of 3")
    swipe(60, 150, 300, 140)
    expect(pad).to_contain_text("2 of 3")
    expect(pad.locator(".pad-mark")).to_have_text("9")
    swipe(200, 120, 180, 320)  # up and down is no turning of pages
    expect(pad).to_contain_text("2 of 3")
    pad.get_by_role("button", name="Close").tap()

    saved(page)
    assert sheet.marks() == ["8.00", "9.00"]
    assert phone.complaints == []


def test_a_dropped_pupil_stands_apart_and_takes_no_marks(desk: Visitor, make_sheet: MakeSheet) -> None:
    sheet = make_sheet(pupils=3)
    sheet.database.execute(
        'update "Enrollment" set "drop" = true, "dropDate" = \'2020-03-01\', "dropSemesterId" = %s '
        'where "courseId" = %s and "studentId" = %s',
        [sheet.semester, sheet.course, sheet.pupils[1]],
    )

    page = opened(desk.sign_in("teacher1"), sheet)

    expect(page.locator(sheet.cell(page, 1))).to_have_count(0)
    expect(page.locator("tbody.dropped")).to_contain_text(str(sheet.pupils[1]))
    expect(page.locator("tbody.dropped")).to_contain_text("dropped 01/03/2020")


def test_a_month_before_a_pupil_came_takes_no_mark_and_says_why(desk: Visitor, make_sheet: MakeSheet) -> None:
    sheet = make_sheet(pupils=3)
    sheet.database.execute(
        'update "Enrollment" set "enrolledOn" = %s where "courseId" = %s and "studentId" = %s',
        [f"{int(MONTH[:4]) + 1}-01-10", sheet.course, sheet.pupils[1]],
    )
    page = opened(desk.sign_in("teacher1"), sheet)

    put(page, sheet.cell(page, 1), "9")
    expect(page.locator(sheet.cell(page, 2))).to_be_focused()
    expect(page.locator(sheet.cell(page, 1))).to_have_value("")
    page.locator(sheet.cell(page, 1)).focus()
    expect(page.locator("#cell-bar")).to_contain_text("so there are no marks for the time before")
    paste(page, sheet.cell(page, 0), "7\n8\n9\n")
    expect(page.get_by_role("region", name="What will change")).to_contain_text("2 new, 1 refused")
    page.get_by_role("button", name="Apply").click()
    saved(page)

    assert sheet.marks() == ["7.00", "9.00"]
