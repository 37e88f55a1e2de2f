"""A locked semester in a browser: who locked it and why, who may still write, and opening it for a while."""

import datetime as dt
import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from fsms import clock
from tests.e2e.conftest import Visitor
from tests.e2e.sheets import MakeSheet, Sheet, opened, put, saved

pytestmark = pytest.mark.e2e


@pytest.fixture
def sheet(make_sheet: MakeSheet) -> Iterator[Sheet]:
    """A class whose semester belongs to its school year, so that it stands among those to lock."""
    made = make_sheet(pupils=3)
    join = 'UPDATE "Semester" SET "schoolYearId" = %s WHERE "semesterId" = %s'
    (year,) = made.database.execute(
        'SELECT "schoolYearId" FROM "Course" WHERE "courseId" = %s', [made.course]
    ).fetchone() or (0,)
    made.database.execute(join, [year, made.semester])
    yield made
    made.database.execute('DELETE FROM "TermLock" WHERE "semesterId" = %s', [made.semester])
    made.database.execute(join, [None, made.semester])


def locks_of(visitor: Visitor, sheet: Sheet) -> Page:
    (year,) = sheet.database.execute(
        'SELECT "schoolYearId" FROM "Course" WHERE "courseId" = %s', [sheet.course]
    ).fetchone() or (0,)
    return visitor.open(f"/admin/locks/?year={year}")


def test_a_locked_semester_refuses_teachers_with_who_and_why_until_it_is_opened_for_a_while(
    desk: Visitor, second: Visitor, sheet: Sheet
) -> None:
    teacher = opened(desk.sign_in("teacher1"), sheet)
    put(teacher, sheet.cell(teacher, 0), "7")
    saved(teacher)
    office = locks_of(second.sign_in("admin"), sheet)
    lock = office.locator(f"#lock-{sheet.semester}")
    office.locator("details", has=lock).locator("summary").click()
    lock.get_by_label("Reason, for whoever finds it locked").fill("Reports are printed")
    lock.get_by_role("button", name="Lock the marks").click()
    expect(office.get_by_text("“Reports are printed”").first).to_be_visible()

    # The sheet was open before: its cells look as ever, and the server refuses.
    put(teacher, sheet.cell(teacher, 1), "8")
    refused = re.compile(r"The marks of T-\d+ are locked since \d\d/\d\d/\d{4} by .+: “Reports are printed”")
    expect(teacher.get_by_role("alert").filter(has_text=refused)).to_be_visible()
    expect(teacher.locator(sheet.cell(teacher, 1))).to_have_attribute("aria-invalid", "true")
    assert sheet.marks() == ["7.00"]
    teacher.locator(sheet.cell(teacher, 1)).focus()
    teacher.keyboard.press("Escape")
    teacher.reload()
    expect(teacher.get_by_role("status").filter(has_text="Reports are printed")).to_be_visible()

    office = opened(second, sheet)
    expect(office.get_by_text("As an administrator you can still change them.")).to_be_visible()
    put(office, sheet.cell(office, 2), "9")
    saved(office)
    assert sheet.marks() == ["7.00", "9.00"]

    office = locks_of(second, sheet)
    opening = office.locator(f"#open-{sheet.semester}-all")
    office.locator("details", has=opening).locator("summary").first.click()
    until = clock.now().astimezone(clock.SCHOOL_ZONE) + dt.timedelta(days=1)
    opening.get_by_label("Until; then it is locked again by itself").fill(f"{until:%Y-%m-%dT%H:%M}")
    opening.get_by_label("Reason").fill("A recount")
    opening.get_by_role("button", name="Open").click()
    expect(office.get_by_text("Open until").first).to_be_visible()
    expect(office.get_by_text("“A recount”").first).to_be_visible()

    teacher = opened(desk, sheet)
    put(teacher, sheet.cell(teacher, 1), "8")
    saved(teacher)
    assert sheet.marks() == ["7.00", "8.00", "9.00"]
    told = sheet.database.execute(
        'SELECT action FROM "ActivityLog" WHERE entity = \'Semester\' AND "entityId" = %s '
        "AND action IN ('lock_marks', 'open_marks') ORDER BY id",
        [sheet.semester],
    )
    assert [action for (action,) in told] == ["lock_marks", "open_marks"]
    assert desk.complaints == second.complaints == []
