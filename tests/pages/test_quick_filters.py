"""The chips above the lists: what each is for, how they join, and that their counts are true for every reader."""

import datetime as dt
import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from fsms import clock
from fsms.models import Course, User
from tests.browser import Page, PageClient, Queries, SameQueries
from tests.builders import PAGES, Make

TEACHERS_PAGES = [page for page in PAGES if page not in {"familyinfo", "scholarship", "user"}]

# Groups of so many chips that a small school has nothing for some; and a few that need a school of their own.
OF_MANY = {"level", "relation", "class", "subject"}
RARE = {("attendance", "half", "FULL"), ("schoolyear", "empty", "1")}


def year_of(day: dt.date) -> str:
    """The code of the school year that began last."""
    first = day.year if day.month >= 9 else day.year - 1
    return f"{first}-{first + 1}"


@pytest.fixture
def busy_school(make: Make, admin: PageClient, teacher: PageClient) -> dict[str, Any]:
    """A school in which every chip finds something, most of it somebody else's."""
    today = clock.today()
    year = make.school_year(school_year_code=year_of(today))
    earlier = make.school_year()
    semester = make.semester(
        school_year=year, start_date=today - dt.timedelta(days=3), end_date=today + dt.timedelta(days=3)
    )
    own = make.course(level=7, section="A", school_year=year, teacher=teacher.user, teacher2=admin.user)
    foreign = make.course(level=8, section="B", school_year=year)
    make.course(level=9, section="C", school_year=year)
    past = make.course(level=6, section="A", school_year=earlier, teacher=teacher.user)
    for course in (own, foreign, past):
        _fill(make, course, semester, today)
    return {"own": own, "foreign": foreign, "past": past, "semester": semester, "year": year}


def _fill(make: Make, course: Course, semester: Any, today: dt.date) -> None:
    statuses = ("active", "inactive", "graduated", "transferred")
    needs = ("needs_clothes", "needs_materials", "needs_transport")
    for number, status in enumerate(statuses):
        pupil = make.student(status=status, class_=course.grade, **{needs[number % 3]: True})
        place = make.enrollment(student=pupil, course=course)
        relation = ("Father", "Mother", "Guardian", "Aunt")[number]
        make.guardian(student=pupil, phone="012 345 678" if number else None, relation=relation)
        living, card = ("good", "medium", "poor", None)[number], ("yes", "no")[number % 2]
        make.family(student=pupil, living_condition=living, poverty_card=card, can_help_school=not number)
        make.scholarship(student=pupil, sponsor="Own sponsor" if number else None)
        month = today.replace(day=1) - dt.timedelta(days=number % 2)
        make.grade(enrollment=place, semester=semester, grade_date=f"{month:%Y-%m}", grade=Decimal(number + 3))
        seen = ("Present", "Absent", "Excused", "Late")[number]
        make.attendance(enrollment=place, attendance_date=today, session=("AM", "PM")[number % 2], status=seen)
    make.dropped(course=course, semester=semester, drop_date=today)


# ---- Counts --------------------------------------------------------------------------------------------------------


def _counted(client: PageClient, address: str) -> int:
    """How many rows a list has, by the figure beside its heading or, where it has none, by its rows."""
    client.before_each()
    source = client.web.get(f"{address}&page_size=100").get_data(as_text=True)  # many pages; others read them closely
    figure = re.search(r'<span class="count">([\d,]+)</span>', source)
    return source.count('class="row-link"') if figure is None else int(figure[1].replace(",", ""))


def _chips(client: PageClient, page: str, more: str = "") -> Iterator[tuple[str, str, int]]:
    for group, counts in client.get(f"/admin/{page}/counts/?{more}").json.items():
        for value, number in counts.items():
            yield group, value, number


@pytest.mark.parametrize("page", PAGES)
def test_each_chip_counts_what_its_list_shows_an_administrator(
    admin: PageClient, make: Make, busy_school: dict[str, Any], page: str
) -> None:
    _something_rare(make, admin.user)
    chips = list(_chips(admin, page))

    found = {(g, v): _counted(admin, f"/admin/{page}/?flt0_{g}={v}") for g, v, _number in chips}

    assert {(g, v): number for g, v, number in chips} == found
    assert {(page, g, v) for (g, v), number in found.items() if not number and g not in OF_MANY} <= RARE


def _something_rare(make: Make, admin: User) -> None:
    make.user(status="inactive", account_locked_until=clock.now() + dt.timedelta(hours=1))
    make.subject()
    for action in ("login", "refused", "delete_student", "export_student"):
        make.log_entry(action=action, user=admin, details={"outside": True})
    for table in ("Student", "Grade", "Attendance", "Enrollment", "User"):
        make.log_entry(action="update", entity=table, entity_id=1, user=admin)
    make.semester()


@pytest.mark.parametrize("page", TEACHERS_PAGES)
def test_each_chip_counts_what_its_list_shows_a_teacher(
    teacher: PageClient, busy_school: dict[str, Any], page: str
) -> None:
    chips = list(_chips(teacher, page))

    found = {(g, v): _counted(teacher, f"/admin/{page}/?flt0_{g}={v}") for g, v, _number in chips}

    assert chips
    assert {(g, v): number for g, v, number in chips} == found


@pytest.mark.parametrize("page", ["student", "attendance", "enrollment", "grade"])
def test_a_count_says_what_is_left_beside_search_and_other_groups(
    admin: PageClient, busy_school: dict[str, Any], page: str
) -> None:
    asked = "flt0_year=1&flt1_level=7,6&search=ក"
    for group, value, number in _chips(admin, page, asked):
        if group in {"year", "level"}:
            continue
        assert number == _counted(admin, f"/admin/{page}/?{asked}&flt2_{group}={value}"), (group, value)


def test_the_counts_of_a_group_do_not_narrow_each_other(admin: PageClient, busy_school: dict[str, Any]) -> None:
    alone = admin.get("/admin/student/counts/").json["status"]
    with_one_on = admin.get("/admin/student/counts/?flt0_status=active").json["status"]

    assert alone == with_one_on
    assert all(alone.values())


def test_counts_are_asked_as_often_for_twice_the_rows(
    admin: PageClient, make: Make, busy_school: dict[str, Any], same_queries: SameQueries
) -> None:
    def more() -> None:
        _fill(make, busy_school["own"], busy_school["semester"], clock.today())

    same_queries(lambda: admin.get("/admin/attendance/counts/"), more)


# ---- How chips join ------------------------------------------------------------------------------------------------


def test_chips_of_one_group_are_joined_by_or_and_groups_by_and(admin: PageClient, make: Make) -> None:
    for level, status in (("7", "active"), ("8", "active"), ("9", "active"), ("7", "graduated")):
        make.student(class_=level, status=status)

    either = admin.get("/admin/student/?flt0_level=7,8")
    both = admin.get("/admin/student/?flt0_level=7,8&flt1_status=active")

    assert sorted(either.column("Grade level")) == ["Grade 7", "Grade 7", "Grade 8"]
    assert sorted(both.column("Grade level")) == ["Grade 7", "Grade 8"]


def test_each_click_adds_a_chip_or_takes_it_away(admin: PageClient, make: Make) -> None:
    make.student(class_="7")
    page = admin.get("/admin/student/?search=ក&sort=dob")

    page = admin.get(_chip(page, "Grade 8"))
    page = admin.get(_chip(page, "Grade 7"))
    page = admin.get(_chip(page, "Studying"))

    assert page.path.endswith("?search=%E1%9E%80&flt0_level=7,8&flt1_status=active&sort=dob")
    page = admin.get(_chip(page, "Grade 8"))
    page = admin.get(_chip(page, "Grade 7"))
    assert page.path.endswith("?search=%E1%9E%80&flt0_status=active&sort=dob")


def _chip(page: Page, label: str) -> str:
    links = [a for a in page.find("a") if {"quick-chip", "menu-item"} & set((a.get("class") or "").split())]
    return next(a.get("href") or "" for a in links if "".join(a.itertext()).strip() == label)


def test_the_present_years_classes_are_offered_in_order(admin: PageClient, make: Make) -> None:
    year = make.school_year(school_year_code=year_of(clock.today()))
    for level, section in ((10, "A"), (2, "B"), (2, "A")):
        make.course(level=level, section=section, school_year=year)
    past = make.course(level=5, section="Z")
    place = make.enrollment(course=past)

    closed = admin.get("/admin/student/")
    chosen = admin.get(f"/admin/student/?flt0_class={past.course_id}")

    assert _items(_menu(admin.get("/admin/student/?menu=class"), "class")) == ["2A", "2B", "10A"]
    assert _items(_menu(closed, "class")) == ["Show what can be chosen"]
    assert chosen.column("Pupil number") == [str(place.student_id)]
    assert _items(_menu(chosen, "class")) == ["5Z", "Show what can be chosen"]
    opened = admin.get(f"/admin/student/?flt0_class={past.course_id}&menu=class")
    assert _items(_menu(opened, "class")) == ["2A", "2B", "5Z", "10A"]


def _menu(page: Page, group: str) -> Any:
    return next(e for e in page.find("details", "quick-menu") if e.get("data-group") == group)


def _items(part: Any) -> list[str]:
    return ["".join(item.itertext()).strip() for item in part.iter("li")]


def test_a_menu_of_records_reads_them_when_it_is_opened(
    admin: PageClient, busy_school: dict[str, Any], queries: Queries
) -> None:
    admin.get("/admin/attendance/")
    with queries() as asked:
        closed = _menu(admin.get("/admin/attendance/?search=ក&flt0_seen=late"), "class")
    assert not [statement for statement in asked if 'FROM "Course"' in statement]

    link = next(closed.iter("a")).get("href")
    opened = _menu(admin.get(link or ""), "class")

    assert "open" in opened.attrib
    assert "open" not in closed.attrib
    assert _items(opened) == ["7A", "8B", "9C"]
    leads_to = next(opened.iter("a")).get("href", "")
    assert leads_to.endswith(f"?search=%E1%9E%80&flt0_seen=late&flt1_class={busy_school['own'].course_id}")


def test_a_teachers_menu_offers_own_classes(teacher: PageClient, busy_school: dict[str, Any]) -> None:
    assert _items(_menu(teacher.get("/admin/attendance/?menu=class"), "class")) == ["7A"]


def test_a_menu_without_records_says_so(admin: PageClient) -> None:
    assert _items(_menu(admin.get("/admin/student/?menu=class"), "class")) == ["There is nothing to choose from yet."]


@pytest.mark.parametrize("group", ["status", "nothing", "", "\x00", "class,class"])
def test_what_is_no_menu_of_records_opens_none(admin: PageClient, make: Make, group: str) -> None:
    make.student()

    page = admin.get("/admin/student/", query_string={"menu": group})

    assert len(page.rows) == 1
    assert not [menu for menu in page.find("details", "quick-menu") if "open" in menu.attrib]


# ---- What whom is shown --------------------------------------------------------------------------------------------


def test_a_teacher_is_not_offered_what_is_confidential(
    teacher: PageClient, admin: PageClient, busy_school: dict[str, Any]
) -> None:
    for label in ("Scholarship", "Poverty card"):
        assert label in _labels(admin.get("/admin/student/"))
        assert label not in _labels(teacher.get("/admin/student/"))
    assert not {"scholarship", "card"} & teacher.get("/admin/student/counts/").json.keys()


def _labels(page: Page) -> list[str]:
    return ["".join(a.itertext()).strip() for a in page.find("a", "quick-chip")]


def test_a_filtered_address_shows_each_role_its_own_rows(
    teacher: PageClient, admin: PageClient, busy_school: dict[str, Any]
) -> None:
    address = "/admin/attendance/?flt0_day=today&flt1_seen=absent,late"

    assert len(admin.get(address).rows) == 6
    assert {row["Course"] for row in teacher.get(address).rows} == {
        str(busy_school["own"]),
        str(busy_school["past"]),
    }


def test_a_confidential_filter_in_a_teachers_address_is_left_out_and_said(
    teacher: PageClient, busy_school: dict[str, Any]
) -> None:
    everything = teacher.get("/admin/student/").rows

    page = teacher.get("/admin/student/?flt0_scholarship=1")

    assert page.rows == everything
    assert page.flashes == ["A filter in this address is for administrators only. It was left out."]


@pytest.mark.parametrize("value", ["", ",", "0", "13", "7;8", "១", "abc", "\x00", "7," + "9" * 40])
def test_a_wrong_chip_is_said_and_not_applied(admin: PageClient, make: Make, value: str) -> None:
    make.student()

    page = admin.get("/admin/student/", query_string={"flt0_level": value})

    assert len(page.rows) == 1
    assert len(page.flashes) == 1
    assert admin.get("/admin/student/counts/", query_string={"flt0_level": value}).status == 200


def test_ticked_rows_can_be_shown_alone(admin: PageClient, make: Make) -> None:
    first, second = make.student(), make.student()
    make.student()

    page = admin.get(f"/admin/student/?flt0_rows={first.student_id},{second.student_id}")

    assert len(page.rows) == 2
    assert "2 chosen records" in _labels(page)
    assert len(admin.get(_chip(page, "2 chosen records")).rows) == 3
