"""Lists and details: what an admin sees of every entity, in which words and order, and how rows are found."""

import datetime as dt
import json
from decimal import Decimal

import pytest
from sqlalchemy.orm import Session

from fsms.models import Student
from tests.browser import Page, PageClient, Queries
from tests.builders import PAGES, Make, key_of

HASH = "$2b$"  # how every bcrypt hash begins


# ---- Every entity -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("page", PAGES)
def test_every_list_shows_a_row_and_leads_to_its_details(admin: PageClient, make: Make, page: str) -> None:
    number = key_of(make.one(page))

    listed = admin.get(f"/admin/{page}/")

    assert listed.status == 200
    assert listed.rows
    link = next(a for a in listed.find("a", "row-link") if f"id={number}" in (a.get("href") or "").split("&"))
    details = admin.get(link.get("href") or "")
    assert details.status == 200
    assert f"id={number}" in details.path


@pytest.mark.parametrize("page", PAGES)
def test_an_empty_list_says_so(admin: PageClient, page: str) -> None:
    listed = admin.get(f"/admin/{page}/?search=nobodyandnothing")

    assert listed.status == 200
    assert "Nothing matches" in listed.text


@pytest.mark.parametrize("page", PAGES)
def test_no_page_shows_a_password_hash(admin: PageClient, make: Make, page: str) -> None:
    number = key_of(make.one(page))

    addresses = [f"/admin/{page}/{rest}" for rest in ("", f"details/?id={number}", f"edit/?id={number}", "new/")]
    seen = [admin.get(address).source for address in addresses]

    assert not [source for source in seen if HASH in source]


def test_a_password_hash_cannot_be_found_by_searching(admin: PageClient) -> None:
    assert admin.get("/admin/user/?search=principal").rows
    assert not admin.get("/admin/user/?search=$2b$04").rows


# ---- Words and figures --------------------------------------------------------------------------------------------


def test_a_pupil_is_listed_in_words(admin: PageClient, make: Make) -> None:
    make.student(last_name="សុខ", first_name="ដារ៉ា", gender="male", dob=dt.date(2014, 5, 31), class_="10")

    (row,) = admin.get("/admin/student/").rows

    assert row["Name"] == "សុខ ដារ៉ា"
    assert (row["Sex"], row["Date of birth"], row["Grade level"], row["Status"]) == (
        "Male",
        "31/05/2014",
        "Grade 10",
        "Studying",
    )


def test_details_say_yes_and_no_and_what_belongs_to_the_pupil(admin: PageClient, make: Make) -> None:
    student = make.student(vaccinated=True, needs_clothes=False, religion="buddhism", health="ឈឺ\nបេះដូង")
    make.guardian(student=student, last_name="កែវ", first_name="ធីតា")
    make.family(student=student)

    facts = admin.get(f"/admin/student/details/?id={student.student_id}").facts

    assert (facts["Vaccinated"], facts["Lacks clothes"], facts["Religion"]) == ("Yes", "No", "Buddhism")


def test_attendance_and_enrolment_are_listed_in_words(admin: PageClient, make: Make) -> None:
    course = make.course(level=7, section="A", school_year=make.school_year(school_year_code="2024-2025"))
    student = make.student(last_name="សុខ", first_name="ដារ៉ា")
    place = make.dropped(student=student, course=course, drop_date=dt.date(2025, 2, 1))
    make.attendance(enrollment=place, attendance_date=dt.date(2025, 1, 6), session="PM", status="Excused")

    (seen,) = admin.get("/admin/attendance/").rows
    (enrolled,) = admin.get("/admin/enrollment/").rows

    assert (seen["Date"], seen["Session"], seen["Status"]) == ("06/01/2025", "Afternoon", "Excused")
    assert enrolled["Pupil"] == f"សុខ ដារ៉ា · {student.student_id}"
    assert (enrolled["Course"], enrolled["Dropped"], enrolled["Dropped on"]) == ("7A · 2024-2025", "Yes", "01/02/2025")


def test_moments_are_shown_by_the_clock_of_the_school(admin: PageClient, make: Make) -> None:
    make.log_entry(timestamp=dt.datetime(2025, 3, 14, 20, 30, tzinfo=dt.UTC))

    assert "15/03/2025 03:30" in admin.get("/admin/activitylog/").column("When")


def test_money_and_marks_are_shown_without_idle_zeros(admin: PageClient, make: Make) -> None:
    make.scholarship(amount=Decimal("1200000.00"))
    make.grade(grade=Decimal("7.50"))

    assert admin.get("/admin/scholarship/").column("Amount (riel)") == ["1,200,000"]
    assert admin.get("/admin/grade/").column("Mark") == ["7.5"]


def test_markup_in_a_name_is_text(admin: PageClient, make: Make) -> None:
    student = make.student(first_name="<img src=x onerror=alert(1)>")

    for address in ("/admin/student/", *(f"/admin/student/{p}/?id={student.student_id}" for p in ("details", "edit"))):
        assert "<img" not in admin.get(address).source


# ---- Order --------------------------------------------------------------------------------------------------------


def test_grade_levels_sort_as_numbers(admin: PageClient, make: Make) -> None:
    for level in (10, 2, 1):
        make.course(level=level)

    assert sorted_by(admin.get("/admin/course/"), admin, "Grade level") == ["Grade 1", "Grade 2", "Grade 10"]


def test_khmer_names_sort_as_in_a_dictionary(admin: PageClient, make: Make) -> None:
    for family_name in ("ហេង", "កែវ", "ខៀវ", "ចាន់", "ម៉ៅ", "អ៊ុំ", "គឹម"):
        make.student(last_name=family_name, first_name="ដារ៉ា")

    names = sorted_by(admin.get("/admin/student/"), admin, "Name")

    assert [name.split()[0] for name in names] == ["កែវ", "ខៀវ", "គឹម", "ចាន់", "ម៉ៅ", "ហេង", "អ៊ុំ"]


def test_texts_are_sorted_alike_on_every_server(admin: PageClient, make: Make, queries: Queries) -> None:
    make.student()

    with queries() as asked:
        admin.get("/admin/student/?sort=full_name")

    assert any(
        'ORDER BY "Student"."lastName" COLLATE "C" ASC, "Student"."firstName" COLLATE "C" ASC' in sql for sql in asked
    )


def test_pupils_sort_by_grade_level_as_numbers(admin: PageClient, make: Make) -> None:
    for level in ("10", "2", "12", "1"):
        make.student(class_=level)

    assert admin.get("/admin/student/?sort=class_").column("Grade level") == [f"Grade {n}" for n in (1, 2, 10, 12)]


def test_rows_alike_keep_one_order_over_the_pages(admin: PageClient, make: Make) -> None:
    for _ in range(45):
        make.student(last_name="សុខ", first_name="ដារ៉ា")
    page = admin.get("/admin/student/")
    address = heading_link(page, "Name")

    numbers = [n for part in range(3) for n in admin.get(f"{address}&page={part}").column("Pupil number")]

    assert len(numbers) == len(set(numbers)) == 45


def test_a_page_past_the_end_is_empty_and_not_an_error(admin: PageClient, make: Make) -> None:
    make.student()

    assert admin.get("/admin/student/?page=7").status == 200


# ---- Search and filters -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("សុខ ដារ៉ា", ["SOK Dara", "សុខ ដារ៉ា"]),
        ("ដារ៉ា សុខ", ["SOK Dara", "សុខ ដារ៉ា"]),
        ("សុ\u200bខ", ["SOK Dara", "សុខ ដារ៉ា"]),
        ("dara", ["SOK Dara", "សុខ ដារ៉ា"]),
        ("%", []),
        ("_", []),
        ("' OR 1=1 --", []),
        ("012 345", ["SOK Dara"]),
    ],
)
def test_a_pupil_is_found_by_any_words(admin: PageClient, make: Make, typed: str, found: list[str]) -> None:
    make.student(last_name="សុខ", first_name="ដារ៉ា")
    make.student(last_name="SOK", first_name="Dara", phone="012 345 678")

    assert admin.get("/admin/student/", query_string={"search": typed}).column("Name") == found


def test_a_pupil_is_found_by_number(admin: PageClient, make: Make) -> None:
    make.student()
    student = make.student(first_name="ពេជ្រ")

    assert admin.get(f"/admin/student/?search={student.student_id}").column("Pupil number") == [str(student.student_id)]


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({"flt0_status-is": "active"}, 2),
        ({"flt0_status-is": "graduated"}, 1),
        ({"flt0_dob-from": "2014-06-01"}, 1),
        ({"flt0_dob-until": "2014-05-31"}, 2),
        ({"flt0_dob-from": "២០១៤-០៦-០១"}, 1),
        ({"flt0_dob-between": "2014-05-31 to 2014-05-31"}, 2),
        ({"flt0_dob-between": "2014-06-01 to 2014-07-01"}, 1),
        ({"flt0_dob-between": "2014-07-01 to 2014-06-01"}, 0),
        ({"flt0_dob-between": "2014-07-01"}, 3),
        ({"flt0_vaccinated-is": "1"}, 1),
        ({"flt0_vaccinated-is": "0"}, 2),
        ({"flt0_student_village-contains": "ព្រែក"}, 1),
        ({"flt0_student_village-empty": "1"}, 2),
        ({"flt0_status-is": "active", "flt1_vaccinated-is": "1"}, 0),
        ({"flt0_status-is": "asleep"}, 3),
    ],
)
def test_filters_narrow_the_list(admin: PageClient, make: Make, asked: dict[str, str], found: int) -> None:
    make.student(dob=dt.date(2014, 5, 31), student_village="ព្រែកលាប")
    make.student(dob=dt.date(2014, 5, 31), vaccinated=True, status="graduated")
    make.student(dob=dt.date(2014, 6, 1))

    listed = admin.get("/admin/student/", query_string=asked)

    assert len(listed.rows) == found


def test_filters_reach_through_other_tables(admin: PageClient, make: Make) -> None:
    dara, pich = make.user(last_name="DARA"), make.user(last_name="PICH")
    make.course(level=7, teacher=dara, teacher2=pich)
    make.course(level=8, teacher=pich, teacher2=dara)

    by_first = admin.get("/admin/course/?flt0_teacher1.last_name-contains=pich")
    by_second = admin.get("/admin/course/?flt0_teacher2.last_name-contains=pich")

    assert by_first.column("Grade level") == ["Grade 8"]
    assert by_second.column("Grade level") == ["Grade 7"]


def test_a_wrong_filter_value_is_said_and_not_applied(admin: PageClient, make: Make) -> None:
    make.student()

    listed = admin.get("/admin/student/?flt0_dob-from=yesterday")

    assert len(listed.rows) == 1
    assert listed.flashes == ["Invalid Filter Value: yesterday"]


# ---- Look-ups -----------------------------------------------------------------------------------------------------


def test_a_course_is_looked_up_by_class_and_year(admin: PageClient, make: Make) -> None:
    year = make.school_year(school_year_code="2024-2025")
    course = make.course(level=7, section="A", school_year=year)
    make.course(level=7, section="B", school_year=year)

    for typed in ("7a", "7A 2024", "2024-2025 7A"):
        assert looked_up(admin, "enrollment", "course", typed) == [[course.course_id, "7A · 2024-2025"]]


def test_a_pupil_is_looked_up_by_name_or_number(admin: PageClient, make: Make) -> None:
    student = make.student(last_name="សុខ", first_name="ដារ៉ា")
    number = student.student_id
    make.student(last_name="កែវ", first_name="ធីតា")

    for typed in ("ដារ៉ា", "សុខ ដារ", str(number)):
        assert looked_up(admin, "guardian", "student", typed) == [[number, f"សុខ ដារ៉ា · {number}"]]


def test_a_look_up_answers_a_page_at_most(admin: PageClient, make: Make, session: Session) -> None:
    session.add_all(
        Student(last_name="Sok", first_name="Dara", gender="male", dob=dt.date(2014, 1, 1), class_="5")
        for _ in range(60)
    )
    session.commit()

    for limit, answers in (("", 10), ("3", 3), ("100000", 50), ("-1", 1), ("0", 10), ("abc", 10), (str(10**30), 50)):
        found = looked_up(admin, "guardian", "student", "sok", limit=limit)
        assert len(found) == answers, limit


@pytest.mark.parametrize("name", ["", "teacher9", "password", "user", "enrollments", "\x00"])
def test_an_unknown_look_up_is_not_found(admin: PageClient, name: str) -> None:
    assert admin.get("/admin/course/ajax/lookup/", query_string={"name": name, "query": "a"}).status == 404


@pytest.mark.parametrize("offset", ["-1", "abc", str(10**30), "\x00"])
def test_a_look_up_reads_any_offset(admin: PageClient, make: Make, offset: str) -> None:
    make.student()

    assert isinstance(looked_up(admin, "guardian", "student", "", offset=offset), list)


# ---- Reading a list -----------------------------------------------------------------------------------------------


def looked_up(client: PageClient, page: str, name: str, typed: str, **more: str) -> list[list[object]]:
    """What the look-up of a field answers."""
    asked = {"name": name, "query": typed, **more}
    answer = client.get(f"/admin/{page}/ajax/lookup/", query_string=asked)
    assert answer.status == 200
    found: list[list[object]] = json.loads(answer.source)
    return found


def heading_link(page: Page, heading: str) -> str:
    """The address behind the heading of a column."""
    cells = [cell for cell in page.find("th") if "".join(cell.itertext()).strip() == heading]
    return next(a.get("href") or "" for cell in cells for a in cell.iter("a"))


def sorted_by(page: Page, client: PageClient, heading: str) -> list[str]:
    """The column after a click on its heading."""
    return client.get(heading_link(page, heading)).column(heading)
