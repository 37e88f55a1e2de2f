"""The forms of the entities: adding, changing and deleting rows, what fields understand, two people at one record."""

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from fsms import errors
from fsms.models import Base, Course, Enrollment, Grade
from tests.browser import Page, PageClient
from tests.builders import EDITED_PAGES, Make, contents, key_of
from tests.pages.typed import CHANGED, GOOD, Typed

# ---- Adding, changing, deleting -----------------------------------------------------------------------------------


@pytest.mark.parametrize("page", EDITED_PAGES)
def test_a_row_can_be_added(admin: PageClient, make: Make, session: Session, page: str) -> None:
    typed = GOOD[page](make)
    before = contents(session)

    admin.get(f"/admin/{page}/new/")
    after = admin.submit(typed=typed)

    assert "Record was successfully created." in after.flashes, after.errors
    grown = [table for table, rows in contents(session).items() if len(rows) > len(before[table])]
    assert [table.lower() for table in grown if table != "ActivityLog"] == [page]


@pytest.mark.parametrize("page", EDITED_PAGES)
def test_a_row_can_be_changed(admin: PageClient, make: Make, page: str) -> None:
    number = key_of(make.one(page))
    typed, told = CHANGED[page]

    admin.get(f"/admin/{page}/edit/?id={number}")
    after = admin.submit(typed=typed)

    assert "Record was successfully saved." in after.flashes, after.errors
    facts = admin.get(f"/admin/{page}/details/?id={number}").facts
    assert {label: facts[label] for label in told} == told


@pytest.mark.parametrize("page", EDITED_PAGES)
def test_a_form_saved_as_it_stands_changes_nothing(admin: PageClient, make: Make, session: Session, page: str) -> None:
    row = make.one(page)
    before = _stored(session, row)

    admin.get(f"/admin/{page}/edit/?id={key_of(row)}")
    after = admin.submit()

    assert "Record was successfully saved." in after.flashes, after.errors
    told = {"updatedAt", "version", "lastEdit", "userId", "recordedBy"}
    assert {k: v for k, v in _stored(session, row).items() if k not in told or page == "user"} == {
        k: v for k, v in before.items() if k not in told or page == "user"
    }


@pytest.mark.parametrize("page", EDITED_PAGES)
def test_a_row_can_be_deleted(admin: PageClient, make: Make, session: Session, page: str) -> None:
    row = make.one(page)
    entity, number = type(row), key_of(row)

    admin.get(f"/admin/{page}/deletion/?id={number}")
    after = admin.submit("delete")

    assert "Record was successfully deleted." in after.flashes
    assert after.path.startswith(f"/admin/{page}/")
    assert session.get(entity, number) is None
    assert admin.get(f"/admin/{page}/details/?id={number}").status == 404


@pytest.mark.parametrize(
    ("button", "leads_to"),
    [("_add_another", "/admin/subject/new/"), ("_continue_editing", "/admin/subject/edit/")],
)
def test_saving_leads_where_the_button_says(admin: PageClient, button: str, leads_to: str) -> None:
    admin.get("/admin/subject/new/")

    after = admin.submit(typed={"subject_name": "គណិតវិទ្យា", button: "1"})

    assert after.path.startswith(leads_to)
    assert "Record was successfully created." in after.flashes


def test_the_log_cannot_be_written_by_form(admin: PageClient, make: Make, session: Session) -> None:
    number = key_of(make.log_entry(action="login"))

    listed = admin.get("/admin/activitylog/")
    assert not [a for a in listed.find("a") if "/edit/" in (a.get("href") or "") or "/new/" in (a.get("href") or "")]
    assert not list(listed.find("form", "action-bar"))
    for address, form in (
        ("new/", {"action": "forged"}),
        (f"edit/?id={number}", {"action": "forged"}),
        ("delete/", {"id": number}),
        ("action/", {"action": "delete", "rowid": number}),
        ("ajax/update/", {"list_form_pk": number, "action": "forged"}),
    ):
        answer = admin.post(f"/admin/activitylog/{address}", form)
        assert answer.status < 500, address
        assert not list(answer.find("form", "admin-form")), address

    (entry,) = (row for row in contents(session)["ActivityLog"] if row[0] == number)
    assert "login" in entry
    assert not [row for row in contents(session)["ActivityLog"] if "forged" in row]


# ---- What the fields understand -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "mark"),
    [
        ("7.5", "7.5"),
        ("7,5", "7.5"),
        ("៧.៥", "7.5"),
        ("៧,៥", "7.5"),
        (" 10 ", "10"),
        ("០", "0"),
        ("7.50", "7.5"),
        ("\u200b8\u200b", "8"),
    ],
)
def test_a_mark_is_read_as_people_write_it(
    admin: PageClient, make: Make, session: Session, typed: str, mark: str
) -> None:
    row = make.grade(grade=Decimal("3.33"))

    saved = _edit(admin, row, {"grade": typed})

    assert "Record was successfully saved." in saved.flashes, saved.errors
    assert row.grade == Decimal(mark)


def test_a_pupil_can_be_excused_from_a_mark(admin: PageClient, make: Make, session: Session) -> None:
    row = make.grade()

    _edit(admin, row, {"grade": "", "excused": True})

    assert (row.grade, row.excused) == (None, True)
    assert admin.get("/admin/grade/").column("Mark") == ["Excused"]
    assert "Excused" in admin.get("/admin/grade/export/csv/").source


@pytest.mark.parametrize(
    ("typed", "period"),
    [("2025-03", "2025-03"), ("03/25", "2025-03"), ("14/03/2025", "2025-03-14"), ("១៤/០៣/២០២៥", "2025-03-14")],
)
def test_a_month_is_read_as_people_write_it(admin: PageClient, make: Make, typed: str, period: str) -> None:
    row = make.grade(grade_date="2024-12")

    _edit(admin, row, {"grade_date": typed})

    assert row.grade_date == period


@pytest.mark.parametrize("typed", ["2013-05-31", "31/05/2013", "៣១/០៥/២០១៣", " 31/05/2013 "])
def test_a_day_is_read_as_people_write_it(admin: PageClient, make: Make, typed: str) -> None:
    row = make.student()

    _edit(admin, row, {"dob": typed})

    assert row.dob == dt.date(2013, 5, 31)


def test_a_day_is_written_the_same_way_in_every_browser(admin: PageClient, make: Make) -> None:
    student = make.student(dob=dt.date(2014, 5, 31))

    page = admin.get(f"/admin/student/edit/?id={student.student_id}")

    assert page.control("dob").get("type") == "text"
    assert page.control("dob").get("value") == "31/05/2014"
    assert "31/05/2014" in admin.get(f"/admin/student/details/?id={student.student_id}").facts["Date of birth"]


def test_choices_are_offered_in_words(admin: PageClient, make: Make) -> None:
    student = make.student()

    page = admin.get(f"/admin/student/edit/?id={student.student_id}")

    assert page.options("gender") == ["Male", "Female"]
    assert page.options("class_")[:2] == ["Grade 1", "Grade 2"]
    assert page.options("religion")[:2] == ["—", "Buddhism"]
    assert page.chosen("status") == "Studying"


def test_a_foreign_key_shows_what_it_points_at_and_nothing_else(admin: PageClient, make: Make) -> None:
    course = make.course(level=7, section="A", school_year=make.school_year(school_year_code="2024-2025"))
    make.course()
    student = make.student(last_name="សុខ", first_name="ដារ៉ា")
    place = make.enrollment(course=course, student=student)

    page = admin.get(f"/admin/enrollment/edit/?id={place.enrollment_id}")

    assert page.options("course") == ["", "7A · 2024-2025"]
    assert page.chosen("student") == f"សុខ ដារ៉ា · {student.student_id}"


def test_text_is_stored_in_one_form(admin: PageClient, make: Make) -> None:
    row = make.student()

    _edit(admin, row, {"last_name": "  សុ\u200bខ   ", "phone": "\u200b", "first_name": "Da\x07ra"})

    assert (row.last_name, row.first_name, row.phone) == ("សុខ", "Dara", None)


def test_a_course_without_a_name_is_named_after_its_class(admin: PageClient, make: Make, session: Session) -> None:
    admin.get("/admin/course/new/")

    saved = admin.submit(typed=GOOD["course"](make) | {"course_name": ""})

    assert "Record was successfully created." in saved.flashes, saved.errors
    assert session.query(Course).one().course_name == "ថ្នាក់ទី 7A"


def test_a_course_has_up_to_three_teachers(admin: PageClient, make: Make, session: Session) -> None:
    teachers = [make.user() for _ in range(3)]
    chosen = {f"teacher{n}": teacher.user_id for n, teacher in enumerate(teachers, 1)}

    admin.get("/admin/course/new/")
    admin.submit(typed=GOOD["course"](make) | chosen)

    course = session.query(Course).one()
    assert [course.teacher1, course.teacher2, course.teacher3] == teachers


def test_a_teacher_can_be_taken_out_of_a_course(admin: PageClient, make: Make) -> None:
    course = make.course(teacher=make.user())

    _edit(admin, course, {"teacher1": ""})

    assert course.teacher1 is None


def test_a_mark_says_who_entered_it(admin: PageClient, make: Make, session: Session) -> None:
    admin.get("/admin/grade/new/")

    admin.submit(typed=GOOD["grade"](make))

    assert session.query(Grade).one().user_id == admin.user.user_id


def test_everything_that_is_wrong_is_said_at_once(admin: PageClient, make: Make) -> None:
    student = make.student()

    refused = _edit(admin, student, {"last_name": "", "dob": "2999-01-01", "first_name": "x"})

    assert list(refused.errors) == ["last_name", "first_name", "dob"]
    summary = next(refused.find("div", "error-summary"))
    assert [a.get("href") for a in summary.iter("a")] == ["#last_name", "#first_name", "#dob"]
    for name in refused.errors:
        control = refused.control(name)
        assert control.get("aria-invalid") == "true"
        assert f"{name}-error" in (control.get("aria-describedby") or "").split()


# ---- What a form may not do ------------------------------------------------------------------------------------------


def test_a_record_deleted_meanwhile_is_not_found(admin: PageClient, make: Make, session: Session) -> None:
    subject = make.subject()
    admin.get(f"/admin/subject/edit/?id={subject.subject_id}")
    session.delete(subject)
    session.commit()

    assert admin.submit(subject_name="គីមីវិទ្យា").status == 404


def test_a_form_without_a_version_saves_nothing(admin: PageClient, make: Make, session: Session) -> None:
    subject = make.subject()
    before = contents(session)

    admin.post(f"/admin/subject/edit/?id={subject.subject_id}", {"subject_name": "គីមីវិទ្យា"})

    assert contents(session) == before


@pytest.mark.parametrize(
    "forged", [{"password": "$2b$04$x"}, {"user_id": "1"}, {"created_at": "2000-01-01"}, {"enrollments": "1"}]
)
def test_a_field_that_the_form_has_not_is_not_written(
    admin: PageClient, make: Make, session: Session, forged: Typed
) -> None:
    user = make.user()
    before = _stored(session, user)

    admin.get(f"/admin/user/edit/?id={user.user_id}")
    admin.post(f"/admin/user/edit/?id={user.user_id}", {**admin.page.form().values, **forged})

    after = _stored(session, user)
    assert {name for name in after if after[name] != before[name]} <= {"updatedAt", "version"}


# ---- What others still need ---------------------------------------------------------------------------------------


HELD: list[tuple[str, Callable[[Make], Base], str]] = [
    ("student", lambda m: m.enrollment().student, "Enrollment_studentId_fkey"),
    ("course", lambda m: m.enrollment().course, "Enrollment_courseId_fkey"),
    ("enrollment", lambda m: _place_of(m.grade(), m), "Grade_studentId_courseId_fkey"),
    ("enrollment", lambda m: _place_of(m.attendance(), m), "Attendance_studentId_courseId_fkey"),
    ("subject", lambda m: m.grade().subject, "Grade_subjectId_fkey"),
    ("semester", lambda m: m.grade().semester, "Grade_semesterId_fkey"),
    ("semester", lambda m: m.dropped().drop_semester or m.semester(), "Enrollment_dropSemesterId_fkey"),
    ("schoolyear", lambda m: m.course().school_year, "Course_schoolYearId_fkey"),
    ("user", lambda m: m.log_entry(user=m.user()).user or m.user(), "ActivityLog_userId_fkey"),
]


@pytest.mark.parametrize(("page", "build", "constraint"), HELD, ids=[f"{page} {why}" for page, _, why in HELD])
def test_what_others_still_need_stays_and_says_why(
    admin: PageClient, make: Make, session: Session, page: str, build: Callable[[Make], Base], constraint: str
) -> None:
    number = key_of(build(make))
    before = contents(session)

    shown = admin.get(f"/admin/{page}/deletion/?id={number}")
    after = admin.post(f"/admin/{page}/delete/", {"id": number})

    assert errors.STILL_USED[constraint] in shown.text
    assert after.flashes == [errors.STILL_USED[constraint]]
    assert contents(session) == before


@pytest.mark.parametrize("number", ["", "abc", "-1", "0", "999999", "9" * 30, "1,2", "\x00"])
def test_deleting_what_is_not_there_is_not_found(admin: PageClient, make: Make, session: Session, number: str) -> None:
    make.subject()
    before = contents(session)

    after = admin.post("/admin/subject/delete/", {"id": number})

    assert after.status in {200, 404}
    assert contents(session) == before


# ---- At the form --------------------------------------------------------------------------------------------------


def _edit(client: PageClient, row: Base, typed: Typed) -> Page:
    client.get(f"/admin/{type(row).__name__.lower()}/edit/?id={key_of(row)}")
    return client.submit(typed=typed)


def _stored(session: Session, row: Base) -> dict[str, Any]:
    """What the row holds, by column; the keys that the database works out follow from it."""
    session.refresh(row)
    stored = {attribute.columns[0].name: getattr(row, attribute.key) for attribute in row.__mapper__.column_attrs}
    session.commit()
    return stored


def _place_of(row: Any, make: Make) -> Enrollment:
    return make.session.query(Enrollment).filter_by(student_id=row.student_id, course_id=row.course_id).one()


# ---- Fields that are made once -------------------------------------------------------------------------------------


def test_what_is_changed_in_a_field_of_one_form_is_seen_in_no_other(app: Flask) -> None:
    (page,) = (view for view in app.extensions["admin"][0]._views if view.endpoint == "student")
    with app.test_request_context("/admin/student/new/"):
        before, changed = page.get_create_form()(), page.get_create_form()()
        changed.last_name.label.text, changed.last_name.flags.required = "Otherwise", None
        changed.last_name.data, changed.last_name.errors, changed.gender.choices = "សុខ", ["Wrong"], []
        changed.guardians.append_entry({"phone": "012 345 678"})
        after = page.get_create_form()()

    for form in (before, after):
        assert form.last_name.label.text != "Otherwise"
        assert form.last_name.flags.required
        assert (form.last_name.data, [*form.last_name.errors]) == (None, [])
        assert form.gender.choices
        assert (len(form.guardians), form.guardians.waiting or []) == (0, [])
        assert form.guardians.meta is form.last_name.meta is form.meta
