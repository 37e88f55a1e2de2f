"""The first page: the day of the whole school for the office, the own classes for a teacher."""

import datetime as dt
import re

import pytest

from fsms import clock
from fsms.models import Course, Enrollment, SchoolYear, Semester
from fsms.vocabulary import AttendanceSession, AttendanceStatus, Gender
from tests.browser import Page, PageClient, SameQueries
from tests.builders import Make

# A Wednesday in the first semester.
NOW = dt.datetime(2025, 1, 15, 9, 30, tzinfo=clock.SCHOOL_ZONE)
TODAY = NOW.date()


@pytest.fixture(autouse=True)
def _a_wednesday_morning(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "now", lambda: NOW)
    monkeypatch.setattr(clock, "today", lambda: TODAY)


@pytest.fixture
def year(make: Make) -> SchoolYear:
    """The school year of that day, with its first semester."""
    year = make.school_year(school_year_code="2024-2025")
    make.semester(school_year=year, start_date=dt.date(2024, 11, 1), end_date=dt.date(2025, 3, 31))
    return year


@pytest.fixture
def semester(make: Make, year: SchoolYear) -> Semester:
    return make.session.query(Semester).filter_by(school_year_id=year.school_year_id).one()


def figures(page: Page) -> dict[str, tuple[str, str]]:
    """Each number of the strip by its words, with where it leads."""
    found = {}
    for link in page.find("a", "figure"):
        number, words = (part for part in " ".join(link.itertext()).split(maxsplit=1))
        found[" ".join(words.split())] = (number, link.get("href") or "")
    return found


def _count_of(page: Page) -> int:
    """How many rows a list says it has."""
    (count,) = (element for element in page.find("span", "count"))
    return int(re.sub(r"\D", "", "".join(count.itertext())))


def _class_of(make: Make, year: SchoolYear, level: int, *pupils: str, **given: object) -> Course:
    course = make.course(level=level, section="A", school_year=year, **given)  # type: ignore[arg-type]
    for gender in pupils:
        make.enrollment(student=make.student(gender=gender), course=course)
    return course


def _places(make: Make, course: Course) -> list[Enrollment]:
    return list(make.session.query(Enrollment).filter_by(course_id=course.course_id))


# ---- The office -----------------------------------------------------------------------------------------------------


def test_every_number_is_that_of_the_list_behind_it(admin: PageClient, make: Make, year: SchoolYear) -> None:
    girl, boy = Gender.FEMALE.value, Gender.MALE.value
    course = _class_of(make, year, 2, girl, girl, boy)
    _class_of(make, year, 10, boy)
    _class_of(make, make.school_year(), 10, boy)
    make.dropped(course=course, drop_date=TODAY)
    make.dropped(course=course, drop_date=dt.date(2024, 12, 1))

    home = admin.get("/admin/")

    shown = figures(home)
    assert shown["Pupils this year"][0] == "4"
    assert shown["Dropped this month"][0] == "1"
    for words in ("Pupils this year", "Dropped this month", "Enrolled this month"):
        number, behind = shown[words]
        assert _count_of(admin.get(behind)) == int(number), words
    (table,) = [table for table in home.find("table") if table.get("id") == "grades-table"]
    rows = [[" ".join("".join(cell.itertext()).split()) for cell in row] for row in table.iter("tr")]
    assert rows == [["Grade level", "Girls", "Boys", "Together"], ["2", "2", "1", "3"], ["10", "0", "1", "1"]]
    for link, total in zip(table.iter("a"), (3, 1), strict=True):
        assert _count_of(admin.get(link.get("href") or "")) == total


def test_who_is_absent_is_there_with_the_phones_to_call(
    admin: PageClient, make: Make, year: SchoolYear, semester: Semester
) -> None:
    pupil = make.student(last_name="សុខ", first_name="ដារ៉ា")
    place = make.enrollment(student=pupil, course=make.course(level=7, section="A", school_year=year))
    make.guardian(student=pupil, phone="012 345 678", last_name="ហេង", first_name="ធីតា")
    for half in (AttendanceSession.AM, AttendanceSession.PM):
        make.attendance(
            enrollment=place,
            attendance_date=TODAY,
            session=half,
            status=AttendanceStatus.ABSENT.value,
            semester=semester,
            school_year=year,
        )

    home = admin.get("/admin/")

    assert figures(home)["Absent today"][0] == "1"
    (call,) = home.find("a", "call")
    assert call.get("href") == "tel:012345678"
    assert "សុខ ដារ៉ា 7A" in home.text


def test_a_class_that_nobody_took_stands_out(
    admin: PageClient, make: Make, year: SchoolYear, semester: Semester
) -> None:
    taken, missing = (_class_of(make, year, level, Gender.FEMALE.value) for level in (1, 2))
    for course, days in ((taken, (0, 1)), (missing, (1,))):
        (place,) = _places(make, course)
        for back in days:
            make.attendance(
                enrollment=place, attendance_date=TODAY - dt.timedelta(days=back), semester=semester, school_year=year
            )

    home = admin.get("/admin/")

    assert figures(home)["Classes not taken"][0] == "1"
    (row,) = home.find("li", "has-missing")
    assert "2A" in "".join(row.itertext())


def test_what_was_done_last_is_told_in_sentences(admin: PageClient, make: Make, year: SchoolYear) -> None:
    _class_of(make, year, 1, Gender.FEMALE.value)
    admin.get("/admin/subject/new/")
    admin.submit(subject_name="ភាសាបារាំង")

    home = admin.get("/admin/")

    assert "Added subject “ភាសាបារាំង”" in home.text


def test_locked_accounts_are_told_of_with_the_list_behind_them(admin: PageClient, make: Make, year: SchoolYear) -> None:
    make.user(account_locked_until=NOW + dt.timedelta(minutes=10))
    make.user(account_locked_until=NOW - dt.timedelta(minutes=10))

    home = admin.get("/admin/")

    (link,) = [a for a in home.find("a") if "locked" in (a.get("href") or "")]
    assert "".join(link.itertext()) == "1 account is locked after wrong passwords"
    assert _count_of(admin.get(link.get("href") or "")) == 1


def test_a_new_school_is_told_where_to_begin(admin: PageClient, make: Make) -> None:
    assert "Begin with a school year" in admin.get("/admin/").text

    make.school_year(school_year_code="2024-2025")

    assert "Add the classes of the year" in admin.get("/admin/").text


def test_a_sunday_is_said_to_have_no_lessons(
    admin: PageClient, make: Make, year: SchoolYear, monkeypatch: pytest.MonkeyPatch
) -> None:
    _class_of(make, year, 1, Gender.FEMALE.value)
    monkeypatch.setattr(clock, "today", lambda: TODAY + dt.timedelta(days=4))

    home = admin.get("/admin/")

    assert "There are no lessons today." in home.text
    assert figures(home)["Classes not taken"][0] == "0"


@pytest.mark.parametrize("role", ["admin", "teacher"])
def test_twice_the_rows_take_no_more_queries(
    request: pytest.FixtureRequest,
    make: Make,
    year: SchoolYear,
    semester: Semester,
    same_queries: SameQueries,
    role: str,
) -> None:
    client: PageClient = request.getfixturevalue(role)
    levels = iter(range(1, 13))

    def more() -> None:
        for _ in range(2):
            course = _class_of(make, year, next(levels), *[Gender.MALE.value] * 2, teacher=client.user)
            for place in _places(make, course):
                make.guardian(student=place.student, phone="012 345 678")
                make.grade(enrollment=place, semester=semester, grade_date="2024-12")
                make.attendance(
                    enrollment=place,
                    attendance_date=TODAY,
                    status=AttendanceStatus.ABSENT.value,
                    semester=semester,
                    school_year=year,
                )

    more()
    same_queries(lambda: client.get("/admin/"), more)


# ---- A teacher ------------------------------------------------------------------------------------------------------


def test_a_teacher_sees_the_own_classes_and_what_is_missing_in_each(
    teacher: PageClient, make: Make, year: SchoolYear, semester: Semester
) -> None:
    mine = _class_of(make, year, 7, *[Gender.MALE.value] * 3, teacher=teacher.user)
    other = _class_of(make, year, 8, Gender.MALE.value)
    maths = make.subject(subject_name="គណិតវិទ្យា")
    first, second, _third = _places(make, mine)
    for place, month in ((first, "2024-12"), (first, "2025-01"), (second, "2024-12")):
        make.grade(enrollment=place, subject=maths, semester=semester, grade_date=month)
    number, foreign = mine.course_id, other.course_id

    home = teacher.get("/admin/")

    assert "7A 3 pupils" in home.text
    assert "2 marks missing this month" in home.text
    assert "គណិតវិទ្យា 2 of 3" in home.text
    links = [a.get("href") or "" for a in home.find("a", "btn")]
    assert len([link for link in links if link.endswith(f"={number}")]) == 2
    assert not [link for link in links if link.endswith(f"={foreign}")]


def test_a_teacher_without_classes_is_told_so(teacher: PageClient, year: SchoolYear) -> None:
    assert "You have no class this school year." in teacher.get("/admin/").text
