"""The page of a pupil: everything on one page, warnings on top, and for a teacher only what a teacher may see."""

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from fsms import clock
from fsms.admin_views import by_role
from fsms.models import Enrollment, Student
from fsms.vocabulary import AttendanceSession
from tests.browser import Page, PageClient, Queries, SameQueries
from tests.builders import Make

_BEGAN = clock.today().year - (clock.today().month < 9)
YEAR, LAST = f"{_BEGAN}-{_BEGAN + 1}", f"{_BEGAN - 1}-{_BEGAN}"


def open_page(client: PageClient, student: Student, **arguments: Any) -> Page:
    """Open the page of a pupil."""
    asked = "".join(f"&{name}={value}" for name, value in arguments.items())
    return client.get(f"/admin/student/details/?id={student.student_id}{asked}")


def warnings(page: Page) -> list[str]:
    """What stands at the top of the page."""
    return [" ".join("".join(li.itertext()).split()) for ul in page.find("ul", "warnings") for li in ul.iter("li")]


def table(page: Page, number: int) -> list[list[str]]:
    """The cells of one of the tables, line by line."""
    found = list(page.find("table", "figures"))[number]
    return [[" ".join("".join(cell.itertext()).split()) for cell in row] for row in found.iter("tr")]


@pytest.fixture
def this_year(make: Make) -> Any:
    """The present school year."""
    return make.school_year(school_year_code=YEAR)


@pytest.fixture
def place(make: Make, this_year: Any) -> Enrollment:
    """A pupil who can be reached, in a class of the present year."""
    found = make.enrollment(
        student=make.student(last_name="សុខ", first_name="ដារ៉ា"),
        course=make.course(level=7, section="A", school_year=this_year),
    )
    make.guardian(student=found.student, phone="012 345 678", last_name="កែវ", first_name="ធីតា")
    return found


# ---- What stands there --------------------------------------------------------------------------------------------


def test_name_number_class_status_and_age_stand_at_the_top(admin: PageClient, place: Enrollment) -> None:
    page = open_page(admin, place.student)

    assert page.title == f"សុខ ដារ៉ា · {place.student_id}"
    line = next(page.find("p", "pupil-line"))
    told = " ".join("".join(line.itertext()).split())
    born = place.student.dob
    today = clock.today()
    years = today.year - born.year - ((today.month, today.day) < (born.month, born.day))
    assert told == f"7A · {YEAR} Studying Female {years} years old"


def test_guardians_are_called_by_a_tap(admin: PageClient, place: Enrollment) -> None:
    page = open_page(admin, place.student)

    (call,) = (a for a in page.find("a", "call"))
    assert call.get("href") == "tel:012345678"
    assert "កែវ ធីតា" in page.text
    assert "Mother" in page.text


@pytest.mark.parametrize(
    ("typed", "dialled"), [("០១២ ៣៤៥ ៦៧៨", "tel:012345678"), ("+855 12 345 678", "tel:+85512345678")]
)
def test_a_number_is_dialled_however_it_was_typed(admin: PageClient, make: Make, typed: str, dialled: str) -> None:
    guardian = make.guardian(phone=typed)

    page = open_page(admin, guardian.student)

    assert [a.get("href") for a in page.find("a", "call")] == [dialled]


def test_the_years_are_listed_with_drops_and_reasons(admin: PageClient, make: Make, place: Enrollment) -> None:
    old = make.course(level=6, section="B", school_year=make.school_year(school_year_code=LAST))
    make.dropped(student=place.student, course=old, drop_date=dt.date(2025, 2, 1), drop_reason="ផ្លាស់ទីលំនៅ")

    page = open_page(admin, place.student)

    (places,) = page.find("ol", "places")
    lines = [" ".join("".join(li.itertext()).split()) for li in places]
    assert lines == [f"7A · {YEAR}", f"6B · {LAST} dropped on 01/02/2025 ផ្លាស់ទីលំនៅ"]


def test_marks_stand_by_semester_with_averages_and_rank(admin: PageClient, make: Make, place: Enrollment) -> None:
    semester = make.semester(semester="First Semester", school_year=place.course.school_year)
    subject = make.subject(subject_name="គណិតវិទ្យា")
    other = make.enrollment(course=place.course)
    for enrolled, grades in ((place, ("7.5", "8.5")), (other, ("9", "9"))):
        for month, grade in zip(("2024-11", "2024-12"), grades, strict=True):
            make.grade(enrollment=enrolled, subject=subject, semester=semester, grade_date=month, grade=Decimal(grade))

    page = open_page(admin, place.student)

    assert table(page, 0) == [
        ["Subject", "11/2024", "12/2024", "Average"],
        ["គណិតវិទ្យា", "7.5", "8.5", "8.00"],
        ["Average of the semester", "8.00 · rank: 2 of 2"],
    ]


def test_the_marks_of_an_earlier_year_are_a_link_away(admin: PageClient, make: Make, place: Enrollment) -> None:
    old = make.enrollment(
        student=place.student, course=make.course(school_year=make.school_year(school_year_code=LAST))
    )
    make.grade(enrollment=old, grade=Decimal("3.25"))

    assert "3.25" not in open_page(admin, place.student).text
    assert "3.25" in open_page(admin, place.student, course=old.course_id).text
    # A class the pupil never was in is no class of the pupil's.
    for number in ("999999", "abc", "-1", "9" * 30, "%00"):
        assert open_page(admin, place.student, course=number).status == 200


def test_attendance_is_summed_up_with_its_fraction(admin: PageClient, make: Make, place: Enrollment) -> None:
    semester = make.semester(semester_code="S1-now", school_year=place.course.school_year)
    for number, status in enumerate(("Present", "Present", "Absent", "Excused", "Late"), 2):
        make.attendance(
            enrollment=place, attendance_date=dt.date(2025, 3, number), semester=semester, status=status,
            session=AttendanceSession.AM,
        )  # fmt: skip

    page = open_page(admin, place.student)

    year = next(row for row in table(page, 0) if row[0] == YEAR)
    assert year[:5] == [YEAR, "3 / 5 = 60.0 %", "1", "1", "1"]


def test_family_and_scholarships_are_on_the_page(admin: PageClient, make: Make, place: Enrollment) -> None:
    make.family(student=place.student, living_condition="poor", help_amount=Decimal(15000))
    make.scholarship(student=place.student, type="តម្រូវការ", sponsor="World Vision")

    page = open_page(admin, place.student)

    assert page.facts["Living standard"] == "Poor"
    assert page.facts["Contribution (riel)"] == "15,000"
    assert "តម្រូវការ · World Vision" in page.text


def test_a_scholarship_that_was_ended_is_told_with_its_days(admin: PageClient, make: Make, place: Enrollment) -> None:
    promise = make.scholarship(student=place.student, type="តម្រូវការ", sponsor="World Vision")
    admin.get(f"/admin/scholarship/deletion/?id={promise.scholarship_id}")
    admin.submit("delete")

    page = open_page(admin, place.student)

    today = f"{clock.today():%d/%m/%Y}"
    assert f"តម្រូវការ · World Vision from {today} to {today} ended 40,000 riel" in page.text


def test_the_history_is_on_the_same_page(admin: PageClient, make: Make, place: Enrollment) -> None:
    admin.get(f"/admin/student/edit/?id={place.student_id}")
    admin.submit(typed={"health": "ហឺត"})

    page = open_page(admin, place.student)

    assert f"Changed pupil “សុខ ដារ៉ា · {place.student_id}”" in page.text


def test_a_pupil_of_whom_nothing_is_known_has_a_page_too(admin: PageClient, make: Make) -> None:
    page = open_page(admin, make.student())

    assert page.status == 200
    for sentence in ("No guardian is on record.", "Never enrolled in a class.", "There are no marks yet.",
                     "No attendance was taken yet.", "There is no family record."):  # fmt: skip
        assert sentence in page.text


# ---- What is not to be overlooked ---------------------------------------------------------------------------------


def test_who_is_well_has_no_warning(admin: PageClient, place: Enrollment) -> None:
    assert warnings(open_page(admin, place.student)) == []


def _absent(make: Make, place: Enrollment, times: int) -> None:
    semester = make.semester(semester_code="S1-now", school_year=place.course.school_year)
    for number in range(times):
        day = dt.date(2025, 1, 1) + dt.timedelta(days=number)
        make.attendance(enrollment=place, attendance_date=day, semester=semester, status="Absent")


CASES: list[tuple[str, Callable[[Make, Enrollment], object], list[str]]] = [
    (
        "no phone",
        lambda make, place: setattr(place.student.guardians[0], "phone", "  "),
        ["No guardian can be reached by phone. Ask for a number."],
    ),
    ("health", lambda make, place: setattr(place.student, "health", "ហឺត"), ["Health: ហឺត"]),
    ("often absent", lambda make, place: _absent(make, place, 3), ["Absent in 3 of 3 sessions this year."]),
    (
        "near the limit",
        lambda make, place: _absent(make, place, 20),
        ["20 absences this year, excused ones half: the limit is 30. Call the family."],
    ),
    (
        "over the limit",
        lambda make, place: _absent(make, place, 30),
        ["30 absences this year, excused ones half: at 30 the pupil may be dismissed."],
    ),
    ("not enrolled", lambda make, place: make.session.delete(place), [f"Not in a class of {YEAR} yet."]),
]


@pytest.mark.parametrize(("change", "told"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_what_is_not_to_be_overlooked_stands_at_the_top(
    admin: PageClient, make: Make, place: Enrollment, change: Callable[[Make, Enrollment], object], told: list[str]
) -> None:
    student = place.student
    change(make, place)
    make.session.commit()

    assert warnings(open_page(admin, student)) == told


def test_a_drop_of_this_year_is_told_with_its_reason(admin: PageClient, make: Make, place: Enrollment) -> None:
    place.drop_semester = make.semester()
    place.drop, place.drop_date, place.drop_reason = True, dt.date(2025, 2, 1), "ផ្លាស់ទីលំនៅ"
    make.session.commit()

    assert warnings(open_page(admin, place.student)) == [f"Dropped from 7A · {YEAR} on 01/02/2025: ផ្លាស់ទីលំនៅ"]


def test_the_gravest_warning_comes_first(admin: PageClient, make: Make, this_year: Any) -> None:
    student = make.student(health="ហឺត")

    assert warnings(open_page(admin, student)) == [
        "No guardian can be reached by phone. Ask for a number.",
        f"Not in a class of {YEAR} yet.",
        "Health: ហឺត",
    ]


# ---- Who sees what ------------------------------------------------------------------------------------------------


def test_a_teacher_sees_of_an_own_pupil_what_the_class_needs(
    teacher: PageClient, make: Make, place: Enrollment
) -> None:
    place.course.teacher1 = teacher.user
    elsewhere = make.enrollment(student=place.student, course=make.course(section="Canary"))
    make.grade(enrollment=elsewhere, grade_comment="Canary", grade=Decimal("1.25"))
    make.family(student=place.student, living_with="Canary")
    make.scholarship(student=place.student, sponsor="Canary")
    place.student.guardians[0].occupation = "Canary"
    place.student.religion = "hinduism"
    make.session.commit()

    page = open_page(teacher, place.student)

    assert page.status == 200
    for hidden in ("Canary", "1.25", "Hindu", "Family", "Scholarships", "Edit"):
        assert hidden not in page.text.split("Guardians", 1)[1], hidden
    assert "012 345 678" in page.text
    assert warnings(page) == []


def test_a_teacher_is_not_told_that_a_former_pupil_is_in_no_class(
    teacher: PageClient, make: Make, this_year: Any
) -> None:
    old = make.enrollment(course=make.course(teacher=teacher.user))
    make.guardian(student=old.student, phone="012 345 678")

    assert warnings(open_page(teacher, old.student)) == []


@pytest.mark.parametrize("order", [("admin", "teacher", "admin"), ("teacher", "admin", "teacher")])
def test_what_is_confidential_of_a_pupil_is_read_for_the_office_only_whoever_came_first(
    admin: PageClient, teacher: PageClient, place: Enrollment, queries: Queries, order: tuple[str, ...]
) -> None:
    place.course.teacher1 = teacher.user
    by_role._question.cache_clear()
    readers = {"admin": admin, "teacher": teacher}

    for role in order:
        with queries() as asked:
            assert open_page(readers[role], place.student).status == 200
        (read,) = (one for one in asked if '"Student"."studentId" = %(key)s' in one)
        assert ('"Student".religion' in read) == (role == "admin"), role


# ---- How much it asks ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", ["admin", "teacher"])
def test_the_page_asks_as_often_for_a_longer_school_life(
    request: pytest.FixtureRequest, make: Make, same_queries: SameQueries, place: Enrollment, role: str
) -> None:
    client: PageClient = request.getfixturevalue(role)
    place.course.teacher1 = client.user

    def more() -> None:
        for _ in range(3):
            old = make.enrollment(student=place.student, course=make.course(teacher=client.user))
            for enrolled in (old, place):
                make.grade(enrollment=enrolled)
                make.attendance(enrollment=enrolled, attendance_date=next(days))
            make.guardian(student=place.student, phone="012 999 999")
            make.scholarship(student=place.student)

    days = (dt.date(2025, 1, 1) + dt.timedelta(days=n) for n in range(100))
    make.family(student=place.student)
    more()

    same_queries(lambda: open_page(client, place.student), more)
