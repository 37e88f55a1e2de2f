"""The page of the locks, and what a teacher meets at every door of a locked semester."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from fsms import clock
from fsms.models import Grade
from fsms.office import TermLock
from tests.browser import Page, PageClient
from tests.builders import Make, contents


class Locked:
    """A teacher's class with one mark, in a semester that the principal has locked."""

    def __init__(self, make: Make, admin: PageClient, teacher: PageClient) -> None:
        self.year = make.school_year()
        self.semester = make.semester(semester_code="S1-1", school_year=self.year)
        self.other = make.semester(semester_code="S2-1", school_year=self.year)
        self.course = make.course(level=7, section="A", teacher=teacher.user, school_year=self.year)
        self.place = make.enrollment(course=self.course)
        self.subject = make.subject()
        self.mark = make.grade(enrollment=self.place, semester=self.semester, subject=self.subject, user=teacher.user)
        self.admin = admin
        self.address = f"/admin/locks/?year={self.year.school_year_id}"
        admin.get(self.address)
        admin.submit(f"lock-{self.semester.semester_id}", reason="Reports are printed")

    @property
    def form(self) -> dict[str, Any]:
        """A further mark as the form sends it."""
        return {
            "student": self.place.student_id,
            "course": self.course.course_id,
            "subject": self.subject.subject_id,
            "semester": self.semester.semester_id,
            "grade_date": "2025-04",
            "grade": "9",
        }

    def reopen(self, **typed: Any) -> None:
        self.admin.get(self.address)
        until = clock.now().astimezone(clock.SCHOOL_ZONE) + dt.timedelta(hours=3)
        given = {"until": f"{until:%Y-%m-%dT%H:%M}", "reason": "A recount"} | typed
        self.admin.submit(f"open-{self.semester.semester_id}-all", given)


@pytest.fixture
def locked(make: Make, admin: PageClient, teacher: PageClient) -> Locked:
    return Locked(make, admin, teacher)


def without_log(session: Session) -> dict[str, list[Any]]:
    return {table: rows for table, rows in contents(session).items() if table != "ActivityLog"}


def _agreed(client: PageClient, key: int) -> Page:
    client.post("/admin/grade/action/", {"action": "delete", "rowid": key})
    return client.submit("bulk")


def test_a_teacher_is_refused_at_every_door_with_the_reason(
    teacher: PageClient, locked: Locked, session: Session
) -> None:
    key, before = locked.mark.grade_id, without_log(session)
    doors: dict[str, Callable[[], Page]] = {
        "new": lambda: teacher.post("/admin/grade/new/", locked.form),
        "edit page": lambda: teacher.get(f"/admin/grade/edit/?id={key}"),
        "edit": lambda: teacher.post(f"/admin/grade/edit/?id={key}", locked.form | {"version": "1"}),
        "delete": lambda: teacher.post("/admin/grade/delete/", {"id": key}),
        "delete several": lambda: _agreed(teacher, key),
    }

    for door, knock in doors.items():
        answer = knock()
        assert "Reports are printed" in answer.text, door
        assert answer.status in {200, 403}, door
    teacher.post("/admin/grade/ajax/update/", {"list_form_pk": key, "grade": "1"})
    assert without_log(session) == before


def test_in_the_gradebook_each_cell_is_refused_and_the_sheet_says_why(
    teacher: PageClient, admin: PageClient, locked: Locked, session: Session
) -> None:
    before = without_log(session)
    sheet = f"/admin/gradebook/?course={locked.course.course_id}&semester={locked.semester.semester_id}&month=2025-03"
    here = {"course": locked.course.course_id, "semester": locked.semester.semester_id}
    place = [locked.place.student_id, locked.subject.subject_id, "2025-04"]
    cell = dict(zip(("student", "subject", "period"), place, strict=True)) | {"typed": "9"}

    page = teacher.get(sheet)
    typed = teacher.submit("sheet-form", {f"m.{place[0]}.{place[1]}.2025-03": "9"})
    teacher.get(sheet)
    token = {"X-CSRFToken": teacher.csrf_token, "Accept": "application/json"}
    saved = teacher.web.post("/admin/gradebook/cells/", json=here | {"cells": [cell]}, headers=token).get_json()
    pasted = {"copied": "9\t9\n", "pupils": place[:1], "columns": [place[1:]]}
    preview = teacher.web.post("/admin/gradebook/preview/", json=here | pasted, headers=token).get_json()

    assert "Reports are printed" in page.text
    assert "Reports are printed" in typed.text
    assert saved["cells"][0]["outcome"] == "refused"
    assert "Reports are printed" in str(saved)
    assert "Reports are printed" in str(preview)
    assert without_log(session) == before
    assert "As an administrator you can still change them." in admin.get(sheet).text


def test_the_other_semester_is_open(teacher: PageClient, locked: Locked, session: Session) -> None:
    teacher.get("/admin/grade/new/")
    teacher.submit(typed=locked.form | {"semester": locked.other.semester_id})

    assert len(session.scalars(select(Grade)).all()) == 2


def test_an_administrator_still_writes(admin: PageClient, locked: Locked, session: Session) -> None:
    admin.get(f"/admin/grade/edit/?id={locked.mark.grade_id}")
    admin.submit(grade="3")

    session.refresh(locked.mark)
    assert locked.mark.grade == 3


def test_the_page_says_who_locked_and_why(admin: PageClient, locked: Locked) -> None:
    page = admin.get(locked.address)

    assert "Locked by" in page.text
    assert "“Reports are printed”" in page.text
    assert "Locked the marks of S1-1 in all classes: “Reports are printed”" in page.text
    assert "Open for marks" in page.text, "the other semester"


def test_opened_for_a_while_a_teacher_writes_and_the_page_says_until_when(
    admin: PageClient, teacher: PageClient, locked: Locked, session: Session
) -> None:
    locked.reopen()

    assert "Open until" in admin.get(locked.address).text
    assert "Opened the marks of S1-1 in all classes until" in admin.page.text
    teacher.get(f"/admin/grade/edit/?id={locked.mark.grade_id}")
    assert "Record was successfully saved." in teacher.submit(grade="3").flashes
    admin.get(locked.address)
    admin.submit(f"again-{locked.semester.semester_id}-0")
    assert session.scalars(select(TermLock)).one().open_until is None
    assert teacher.get(f"/admin/grade/edit/?id={locked.mark.grade_id}").status == 403


def test_a_single_class_can_be_locked_and_opened(admin: PageClient, locked: Locked, session: Session) -> None:
    admin.get(locked.address)
    admin.submit(f"lock-{locked.other.semester_id}", reason="Moved", course=locked.course.course_id)
    until = clock.now().astimezone(clock.SCHOOL_ZONE) + dt.timedelta(days=1)
    admin.submit(
        f"open-{locked.semester.semester_id}-class",
        course=locked.course.course_id,
        reason="A recount",
        until=f"{until:%Y-%m-%dT%H:%M}",
    )

    held = session.scalars(select(TermLock).order_by(TermLock.term_lock_id)).all()
    assert [(lock.course_id is None, lock.open_until is None) for lock in held] == [
        (True, True),
        (False, True),
        (False, False),
    ]
    assert "7A" in admin.page.text


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"reason": " "}, "Say why"),
        ({"until": "2020-01-01T08:00"}, "Choose an end that is still to come"),
        ({"until": "9999-12-31T23:59"}, "Choose an end that is still to come"),
        ({"until": "soon"}, "Choose the day and the hour"),
        ({"until": ""}, "Choose the day and the hour"),
    ],
)
def test_a_bad_opening_is_told_in_its_form_and_what_was_typed_stays(
    admin: PageClient, locked: Locked, session: Session, typed: dict[str, str], said: str
) -> None:
    locked.reopen(**typed)

    assert said in " ".join(admin.page.errors.values())
    assert session.scalars(select(TermLock)).one().open_until is None
    name, value = next(iter(typed.items()))
    assert admin.page.form(f"open-{locked.semester.semester_id}-all").values[name] == value


def test_teachers_do_not_lock(teacher: PageClient, locked: Locked, session: Session) -> None:
    refused = teacher.post("/admin/locks/", {"act": "reopen", "semester": locked.semester.semester_id})

    assert refused.status == 403
    assert "/admin/locks/" not in teacher.get("/admin/").source


@pytest.mark.parametrize("sent", [{"semester": "x"}, {"semester": "99999"}, {"semester": ""}, {"course": "99999"}])
def test_what_does_not_exist_is_not_locked(admin: PageClient, locked: Locked, sent: dict[str, str]) -> None:
    form = {"act": "lock", "semester": locked.semester.semester_id, "reason": "Because"} | sent

    assert admin.post("/admin/locks/", form).status == 404
