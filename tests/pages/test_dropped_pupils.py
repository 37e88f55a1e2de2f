"""A dropped pupil, on every screen that lists pupils: out from the day of the drop on, and still in the history."""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from fsms import clock
from fsms.grading import PLAIN
from fsms.models import Attendance, Course, Enrollment, Grade, Semester
from fsms.reports import marks
from tests.browser import Page, PageClient
from tests.builders import Make

TODAY = clock.today()
DROPPED = TODAY - dt.timedelta(days=7)
GONE, STAYS = "Gonepupil", "Stayspupil"


@dataclass
class Class:
    """A class of the teacher with a pupil who stays and one who was dropped a week ago."""

    course: Course
    semester: Semester
    stays: Enrollment
    gone: Enrollment


@pytest.fixture
def taught(make: Make, teacher: PageClient, session: Session) -> Class:
    begins = TODAY.year if TODAY.month >= 9 else TODAY.year - 1
    year = make.school_year(school_year_code=f"{begins}-{begins + 1}")
    halves = [
        make.semester(semester_code=f"S{number}-{begins}", school_year=year, start_date=first, end_date=last)
        for number, first, last in (
            (1, dt.date(begins, 9, 1), dt.date(begins, 12, 31)),
            (2, dt.date(begins + 1, 1, 1), dt.date(begins + 1, 8, 31)),
        )
    ]
    semester = next(
        half for half in halves if half.start_date and half.end_date and half.start_date <= TODAY <= half.end_date
    )
    course, subject = make.course(level=7, section="A", teacher=teacher.user, school_year=year), make.subject()
    places = []
    for name, mark in ((STAYS, 6), (GONE, 9)):
        place = make.enrollment(student=make.student(last_name="Sok", first_name=name), course=course)
        month = f"{DROPPED:%Y-%m}"
        make.grade(enrollment=place, subject=subject, semester=semester, grade_date=month, grade=Decimal(mark))
        for ago in (8, 9, 10):
            make.attendance(enrollment=place, attendance_date=TODAY - dt.timedelta(ago), status="Absent")
        places.append(place)
    stays, gone = places
    gone.drop, gone.drop_date, gone.drop_semester, gone.drop_reason = True, DROPPED, semester, "Moved house"
    session.commit()
    return Class(course, semester, stays, gone)


Address = Callable[[Class], str]

# Where pupils are listed to be marked, to be looked for in the yard, or to be counted.
ENTRY: dict[str, Address] = {
    "the roster of today": lambda c: f"/admin/roster/?course={c.course.course_id}&day={TODAY}&session=AM",
    "the name list": lambda c: f"/admin/course/names/?id={c.course.course_id}",
    "the photo sheet": lambda c: f"/admin/course/names/?id={c.course.course_id}&photos=1",
    "the home page": lambda c: "/admin/",
}
# Where the pupil is still found.
HISTORY: dict[str, Address] = {
    "the pupil's page": lambda c: f"/admin/student/details/?id={c.gone.student_id}",
    "the list of pupils": lambda c: f"/admin/student/?search={GONE}",
    "the enrolments": lambda c: f"/admin/enrollment/?search={GONE}",
    "the marks": lambda c: f"/admin/grade/?search={GONE}",
    "the attendance": lambda c: f"/admin/attendance/?search={GONE}",
    "the page of the class": lambda c: f"/admin/course/details/?id={c.course.course_id}",
}


@pytest.mark.parametrize("page", ["grade", "attendance"])
def test_forms_offer_only_who_can_still_be_marked(
    page: str, admin: PageClient, teacher: PageClient, taught: Class, make: Make
) -> None:
    other = make.enrollment(student=make.student(last_name="Sok", first_name="Otherpupil"))
    nowhere = make.student(last_name="Sok", first_name="Nowherepupil")
    look_up = f"/admin/{page}/ajax/lookup/?name=student&query=Sok"

    def offered(reader: PageClient, more: str = "") -> list[int]:
        return [number for number, _label in reader.get(look_up + more).json]

    assert offered(admin) == [other.student_id, taught.stays.student_id]
    assert offered(admin, f"&course={taught.course.course_id}") == [taught.stays.student_id]
    assert offered(admin, f"&course={other.course_id}") == [other.student_id]
    assert offered(admin, "&course=x") == []
    assert offered(teacher) == [taught.stays.student_id]
    assert offered(teacher, f"&course={other.course_id}") == []
    assert nowhere.student_id not in offered(admin)


@pytest.mark.parametrize("page", ["grade", "attendance"])
def test_the_form_of_an_old_record_still_shows_and_keeps_its_pupil(
    page: str, admin: PageClient, taught: Class, session: Session
) -> None:
    kind: type[Grade] | type[Attendance] = Grade if page == "grade" else Attendance
    row: Any = session.scalars(select(kind).where(kind.student_id == taught.gone.student_id)).first()
    assert row
    number = row.__mapper__.primary_key_from_instance(row)[0]

    form = admin.get(f"/admin/{page}/edit/?id={number}")
    assert GONE in form.chosen("student")
    assert form.control("student").get("data-lookup-with") == "course"
    saved = admin.submit(typed={"grade_comment": "corrected"} if page == "grade" else {"reason": "ill"})

    assert "is-invalid" not in saved.source
    session.refresh(row)
    assert row.student_id == taught.gone.student_id
    assert getattr(row, "grade_comment" if page == "grade" else "reason") in {"corrected", "ill"}


@pytest.mark.parametrize("screen", ENTRY)
def test_who_was_dropped_is_not_on(screen: str, admin: PageClient, teacher: PageClient, taught: Class) -> None:
    for reader in (admin, teacher):
        page = reader.get(ENTRY[screen](taught))
        assert page.status == 200
        assert GONE not in page.source
        assert STAYS in page.source or screen == "the home page"


@pytest.mark.parametrize("screen", HISTORY)
def test_who_was_dropped_is_still_on(screen: str, admin: PageClient, teacher: PageClient, taught: Class) -> None:
    for reader in (admin, teacher):
        page = reader.get(HISTORY[screen](taught))
        assert page.status == 200
        assert GONE in page.source


def test_the_roster_of_a_day_before_the_drop_still_has_the_pupil(admin: PageClient, taught: Class) -> None:
    day = DROPPED - dt.timedelta(days=1)

    page = admin.get(f"/admin/roster/?course={taught.course.course_id}&day={day}&session=AM")

    assert GONE in page.source


def test_who_came_back_is_on_the_roster_again_but_not_on_those_of_the_days_between(
    admin: PageClient, taught: Class
) -> None:
    admin.get("/admin/drops/")
    admin.submit("/admin/drops/back/", enrollment=taught.gone.enrollment_id)

    def on_roster(day: dt.date) -> bool:
        return GONE in admin.get(f"/admin/roster/?course={taught.course.course_id}&day={day}&session=AM").source

    one = dt.timedelta(days=1)
    days = (DROPPED - one, DROPPED, DROPPED + one, TODAY - one, TODAY)
    assert [on_roster(day) for day in days] == [True, False, False, False, True]


def test_the_gradebook_takes_no_mark_for_who_was_dropped(admin: PageClient, teacher: PageClient, taught: Class) -> None:
    for reader in (admin, teacher):
        page = reader.get(f"/admin/gradebook/?course={taught.course.course_id}&semester={taught.semester.semester_id}")
        assert page.status == 200
        assert STAYS in page.source
        assert _fields_of(page, taught.stays.student_id)
        assert not _fields_of(page, taught.gone.student_id)


def _fields_of(page: Page, student_id: int) -> list[str]:
    """Name the fields of the sheet in which a mark of the pupil could be typed."""
    typed_into = (box for box in page.find("input") if box.get("type") not in {"hidden", "checkbox", "radio"})
    return [name for box in typed_into if str(student_id) in (name := box.get("name") or box.get("id") or "")]


def test_on_the_page_of_the_class_the_dropped_stand_apart(teacher: PageClient, taught: Class) -> None:
    page = teacher.get(f"/admin/course/details/?id={taught.course.course_id}")

    assert [("No." in row, row["Pupil"].split()[-1]) for row in page.rows] == [(True, STAYS), (False, GONE)]


def test_means_and_ranks_leave_out_who_was_dropped(session: Session, taught: Class) -> None:
    sheet = marks.semester(session, PLAIN, taught.course.course_id, taught.semester.semester_id)

    assert sheet
    assert [line.student_id for line in sheet.lines] == [taught.stays.student_id]
    assert [line.student_id for line in sheet.dropped] == [taught.gone.student_id]
    assert sheet.standings.mean.value == 6
    rank = sheet.lines[0].standing.rank
    assert rank
    assert (rank.place, rank.of) == (1, 1)
    assert sheet.dropped[0].standing.rank is None
