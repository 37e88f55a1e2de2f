"""Acts on many rows: asked about with count and names, done to all of them or to none, and taken back as one."""

import datetime as dt
import re
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from fsms import clock, errors
from fsms.models import Student, User
from fsms.vocabulary import AccountStatus
from tests.browser import Page, PageClient
from tests.builders import EDITED_PAGES, Make, contents, key_of


def asked(client: PageClient, page: str, act: str, rows: list[Any], query: str = "") -> Page:
    """Tick rows on a list and press a button of the bar."""
    client.get(f"/admin/{page}/{query}")
    return client.submit("actions", rowid=[row if isinstance(row, int) else key_of(row) for row in rows], action=act)


def asked_about_all(client: PageClient, page: str, act: str, query: str = "") -> Page:
    """Choose all rows that match, beyond the page, and press a button of the bar."""
    client.get(f"/admin/{page}/{query}")
    return client.submit("actions", all="1", action=act)


def names_on(page: Page) -> list[str]:
    """The records that an act would be done to, so far as they are named."""
    (names,) = page.find("ul", "bulk-names")
    return [" ".join("".join(item.itertext()).split()) for item in names.iter("li")]


# ---- Deleting ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("page", EDITED_PAGES)
def test_ticked_rows_are_deleted_together(admin: PageClient, make: Make, session: Session, page: str) -> None:
    entity = type(make.one(page))
    numbers = [key_of(make.one(page)) for _ in range(2)]

    question = asked(admin, page, "delete", numbers)
    kept = [session.get(entity, number) is not None for number in numbers]
    after = admin.submit("bulk")

    assert question.title == "Delete: 2 records"
    assert len(names_on(question)) == 2
    assert kept == [True, True]
    assert "2 records deleted." in after.flashes
    session.expire_all()
    assert [session.get(entity, number) for number in numbers] == [None, None]


def test_what_still_needs_some_of_them_is_said_beforehand(admin: PageClient, make: Make, session: Session) -> None:
    free, held = make.student(), make.enrollment().student
    before = contents(session)

    question = asked(admin, "student", "delete", [free, held])

    assert "These cannot be deleted: 1 enrolment still need them." in question.text
    assert not [b for b in question.find("button", "btn-danger") if "Delete" in "".join(b.itertext())]
    assert contents(session) == before


def test_of_several_rows_all_are_deleted_or_none(admin: PageClient, make: Make, session: Session) -> None:
    free, held = make.student(), make.student()
    asked(admin, "student", "delete", [free, held])
    make.enrollment(student=held)
    before = contents(session)

    after = admin.submit("bulk")

    assert after.flashes == [errors.STILL_USED["Enrollment_studentId_fkey"]]
    assert contents(session) == before


@pytest.mark.parametrize("ids", [["99999"], ["abc"], ["-1"], ["\x00"], ["9" * 40], ["1,2"], []])
def test_a_row_that_is_gone_keeps_the_others(admin: PageClient, make: Make, session: Session, ids: list[str]) -> None:
    student = make.student()
    before = contents(session)
    rows = [str(student.student_id), *ids] if ids else []

    after = admin.post("/admin/student/action/", {"action": "delete", "rowid": rows, "agreed": "x"})

    assert after.flashes == ["Some of the selected records do not exist any more. Nothing was changed."]
    assert contents(session) == before


def test_the_same_row_ticked_twice_is_one_row(admin: PageClient, make: Make) -> None:
    student = make.student()

    question = admin.post("/admin/student/action/", {"action": "delete", "rowid": [str(student.student_id)] * 2})

    assert question.title == "Delete: 1 record"


# ---- All that match ------------------------------------------------------------------------------------------------


def test_an_act_reaches_all_that_match_beyond_the_page(admin: PageClient, make: Make, session: Session) -> None:
    for number in range(23):
        make.student(class_="7" if number else "8")

    listed = admin.get("/admin/student/?flt0_level=7")
    question = admin.submit("actions", all="1", action="status")
    after = admin.submit("bulk", choice="graduated")

    assert "Select all 22 that match" in listed.text
    assert question.title == "Set status: 22 records"
    assert names_on(question)[-1] == "and 12 more"
    assert after.flashes == ["22 records changed."]
    assert after.path == "/admin/student/?flt0_level=7"
    session.expire_all()
    statuses = dict(session.execute(select(Student.status, func.count()).group_by(Student.status)).all())
    assert statuses == {"graduated": 22, "active": 1}


def test_above_fifty_the_number_is_typed(admin: PageClient, make: Make, session: Session) -> None:
    _many(session, 51)

    question = asked_about_all(admin, "student", "status")
    wrong = admin.submit("bulk", {"choice": "graduated", "typed": "50"})
    done = admin.submit("bulk", {"choice": "graduated", "typed": "៥១"})

    assert question.control("typed").get("required") is not None
    assert "Type 51 to go on." in wrong.text
    assert wrong.chosen("choice") == "Graduated"
    assert done.flashes == ["51 records changed."]


def _many(session: Session, number: int) -> None:
    session.add_all(
        Student(last_name="Sok", first_name="Dara", gender="male", dob=dt.date(2014, 1, 1), class_="5")
        for _ in range(number)
    )
    session.commit()


def test_if_others_match_meanwhile_it_asks_again(admin: PageClient, make: Make, session: Session) -> None:
    make.student(class_="7")
    make.student(class_="7")
    asked_about_all(admin, "student", "status", "?flt0_level=7")
    make.student(class_="7")

    again = admin.submit("bulk", choice="graduated")
    session.expire_all()
    changed = session.scalar(select(func.count()).where(Student.status == "graduated"))
    done = admin.submit("bulk", choice="graduated")

    assert "The list has changed since you were asked." in again.text
    assert again.title == "Set status: 3 records"
    assert changed == 0
    assert done.flashes == ["3 records changed."]


def test_more_than_can_be_done_at_once_is_refused(
    admin: PageClient, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fsms.operations.bulk.MOST", 2)
    for _ in range(3):
        make.student()

    after = asked_about_all(admin, "student", "status")

    assert after.flashes == ["That is more than 2 records at once. Filter the list further."]


# ---- Choices, rights, undo -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("choice", ["", "asleep", "\x00", None])
def test_a_choice_that_is_none_changes_nothing(
    admin: PageClient, make: Make, session: Session, choice: str | None
) -> None:
    question = asked(admin, "student", "status", [make.student()])
    before = contents(session)

    again = admin.post(question.path, question.form("bulk").filled({"choice": choice}))

    assert "Choose one of the list." in again.text
    assert contents(session) == before


def test_a_need_is_set_for_many(admin: PageClient, make: Make, session: Session) -> None:
    pupils = [make.student(), make.student(needs_clothes=True)]
    numbers = [pupil.student_id for pupil in pupils]

    asked(admin, "student", "needs", pupils)
    admin.submit("bulk", choice="needs_transport=1")

    session.expire_all()
    assert [session.get_one(Student, number).needs_transport for number in numbers] == [True, True]
    assert session.get_one(Student, numbers[1]).needs_clothes


def test_an_act_on_many_is_one_deed_and_is_undone_as_one(admin: PageClient, make: Make, session: Session) -> None:
    first, second = make.student(status="active"), make.student(status="transferred")
    numbers = [first.student_id, second.student_id]
    asked(admin, "student", "status", [first, second])

    after = admin.submit("bulk", choice="graduated")
    log = admin.get("/admin/activitylog/")
    undo = next(re.finditer(r"/admin/activitylog/undo/\?batch=[0-9a-f-]+", after.source))[0]
    admin.get(undo)
    admin.submit("undo")

    assert "Changed 2 records at once" in log.text
    session.expire_all()
    assert [session.get_one(Student, number).status for number in numbers] == ["active", "transferred"]


def test_accounts_are_switched_off_and_on_again(admin: PageClient, make: Make, session: Session) -> None:
    colleagues = [make.user(), make.user()]
    numbers = [colleague.user_id for colleague in colleagues]

    asked(admin, "user", "deactivate", colleagues)
    admin.submit("bulk")

    session.expire_all()
    assert [session.get_one(User, number).status for number in numbers] == [AccountStatus.INACTIVE] * 2
    asked(admin, "user", "activate", numbers)
    admin.submit("bulk")
    session.expire_all()
    assert [session.get_one(User, number).status for number in numbers] == [AccountStatus.ACTIVE] * 2


def test_nobody_switches_off_the_own_account_among_others(admin: PageClient, make: Make, session: Session) -> None:
    colleague = make.user()
    before = contents(session)

    asked(admin, "user", "deactivate", [colleague, admin.user])
    after = admin.submit("bulk")

    assert after.flashes == ["You cannot switch off your own account. Ask another administrator."]
    assert contents(session) == before


def test_a_teacher_acts_on_own_rows_only(teacher: PageClient, make: Make, session: Session) -> None:
    place = make.enrollment(course=make.course(teacher=teacher.user))
    own = make.attendance(enrollment=place, attendance_date=clock.today())
    foreign = make.attendance()
    number = foreign.attendance_id

    mixed = teacher.post("/admin/attendance/action/", {"action": "delete", "rowid": [own.attendance_id, number]})
    asked_about_all(teacher, "attendance", "delete")
    after = teacher.submit("bulk")

    assert mixed.flashes == ["Some of the selected records do not exist any more. Nothing was changed."]
    assert after.flashes == ["1 record deleted."]
    assert session.get(type(foreign), number) is not None


def test_a_mark_of_a_dropped_pupil_keeps_the_others(teacher: PageClient, make: Make, session: Session) -> None:
    course = make.course(teacher=teacher.user)
    marks = [
        make.grade(enrollment=make.enrollment(course=course)),
        make.grade(enrollment=make.dropped(course=course, drop_date=dt.date(2025, 5, 1))),
    ]
    before = contents(session)["Grade"]

    asked(teacher, "grade", "delete", marks)
    after = teacher.submit("bulk")

    assert after.flashes == ["1 of these records are gone, or are not yours to change. Nothing was changed."]
    assert contents(session)["Grade"] == before


@pytest.mark.parametrize("act", ["status", "needs", "delete", "unheard", ""])
def test_a_teacher_does_nothing_to_pupils(teacher: PageClient, make: Make, session: Session, act: str) -> None:
    pupil = make.enrollment(course=make.course(teacher=teacher.user)).student

    answer = teacher.post("/admin/student/action/", {"action": act, "rowid": pupil.student_id, "choice": "graduated"})

    assert answer.status == 403
    assert not list(teacher.get("/admin/student/").find("form", "action-bar"))


@pytest.mark.parametrize("act", ["", "unheard", "__init__", "\x00"])
def test_an_unknown_act_is_said(admin: PageClient, make: Make, act: str) -> None:
    pupil = make.student()

    after = admin.post("/admin/student/action/", {"action": act, "rowid": pupil.student_id})

    assert after.flashes == ["There is no such act. Nothing was changed."]
