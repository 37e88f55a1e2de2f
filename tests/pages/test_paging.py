"""Pages of long lists: every row once, from either end, with a count that says whether it is exact."""

import datetime as dt
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Engine, event

from fsms.admin_views import counting, paging
from fsms.admin_views.lists import Lists
from fsms.models import Enrollment
from tests.browser import Page, PageClient, Queries
from tests.builders import Make

ORDERS = {
    "": "as usual",
    "sort=student": "two columns of another table",
    "sort=drop_date": "a column that is often empty",
    "sort=drop_date&desc=1": "the same, the latest first",
    "sort=drop": "two values only",
    "sort=course&desc=1": "what is worked out from a column of another table",
}


@pytest.fixture
def _long(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make a list of a few rows a long one: counted about, and begun behind a row from the second page on."""
    monkeypatch.setattr(counting, "EXACT_UP_TO", 3)
    monkeypatch.setattr(paging, "WALKED", 2)
    monkeypatch.setattr(counting, "_guesses", {})
    monkeypatch.setattr(Lists, "page_size_options", (2, 20, 50))


@pytest.fixture
def class_of_eleven(make: Make, teacher: PageClient) -> list[Enrollment]:
    """Eleven pupils of the teacher, some with the same name, some dropped, some on the same day."""
    course = make.course(teacher=teacher.user)
    semester = make.semester()
    made = []
    for number in range(11):
        pupil = make.student(last_name="សុខ" if number % 3 else "ចាន់", first_name="ដារ៉ា")
        if number % 2:
            made.append(make.enrollment(student=pupil, course=course))
        else:
            day = dt.date(2025, 2, 3 + number % 3)
            made.append(make.dropped(student=pupil, course=course, semester=semester, drop_date=day))
    return made


def keys(page: Page) -> list[str]:
    """The keys of the rows on a page, from the top."""
    return [box.get("value") or "" for box in page.find("input") if box.get("name") == "rowid"] or [
        (link.get("href") or "").rpartition("id=")[2] for link in page.find("a", "row-link")
    ]


def turned(client: PageClient, address: str, way: str) -> Iterator[Page]:
    """Turn page after page by the pager until it offers no further one."""
    page = client.get(address)
    while page:
        assert page.status == 200
        yield page
        link = next((a.get("href") for a in page.find("a", "btn-icon") if a.get("aria-label") == way), None)
        page = client.get(link) if link else None  # type: ignore[assignment]


@pytest.mark.usefixtures("_long", "class_of_eleven")
@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("role", ["admin", "teacher"])
def test_a_long_list_is_turned_by_rows_and_not_by_passing_over_them(
    admin: PageClient, teacher: PageClient, role: str, order: str
) -> None:
    client = {"admin": admin, "teacher": teacher}[role]
    address = f"/admin/enrollment/?{order}"
    whole = keys(client.get(f"{address}&page_size=50"))

    forth = [*turned(client, f"{address}&page_size=2", "Next page")]
    back = [*turned(client, f"{address}&page_size=2&page=-1", "Previous page")]

    assert [key for page in forth for key in keys(page)] == whole
    assert [key for page in reversed(back) for key in keys(page)] == whole
    assert all("after=" in page.path for page in forth[2:])
    assert all("before=" in page.path for page in back[2:])
    returned = [*turned(client, forth[-1].path, "Previous page")]
    assert [key for page in reversed(returned) for key in keys(page)] == whole


@pytest.mark.usefixtures("class_of_eleven")
@pytest.mark.parametrize("narrowed", ["", "flt0_place=kept,dropped&", "search=សុខ&"])
@pytest.mark.parametrize("order", ORDERS)
def test_a_list_that_is_counted_ends_with_its_last_page(
    admin: PageClient, monkeypatch: pytest.MonkeyPatch, order: str, narrowed: str
) -> None:
    monkeypatch.setattr(Lists, "page_size_options", (2, 20, 50))
    address = f"/admin/enrollment/?{narrowed}{order}"
    whole = keys(admin.get(f"{address}&page_size=50"))
    assert len(whole) > 4

    forth = [*turned(admin, f"{address}&page_size=2", "Next page")]

    assert [key for page in forth for key in keys(page)] == whole
    assert all(keys(page) for page in forth)


@pytest.mark.parametrize("length", ["few", "too many to be counted"])
@pytest.mark.parametrize("order", ["", "sort=attendance_date", "sort=status&desc=1"])
@pytest.mark.parametrize("chip", ["year", "mine", "class"])
def test_the_rows_of_some_classes_are_turned_like_any_list(
    admin: PageClient, make: Make, monkeypatch: pytest.MonkeyPatch, chip: str, order: str, length: str
) -> None:
    monkeypatch.setattr(Lists, "page_size_options", (3, 20, 50))
    if length != "few":
        monkeypatch.setattr(counting, "EXACT_UP_TO", 3)
        monkeypatch.setattr(counting, "_guesses", {})
        monkeypatch.setattr(paging, "WALKED", 3)
    present, past = make.school_year(school_year_code="2024-2025"), make.school_year(school_year_code="2020-2021")
    wanted, classes = set(), set()
    for year, section in ((present, "A"), (past, "A"), (present, "B"), (past, "B")):
        course = make.course(school_year=year, section=section, teacher1=admin.user if year is present else None)
        student = make.enrollment(course=course).student
        for day in range(1, 6):
            row = make.attendance(
                student=student, course=course, attendance_date=dt.date(int(year.school_year_code[:4]), 12, day)
            )
            if year is present:
                wanted.add(str(row.attendance_id))
                classes.add(str(course.course_id))
    address = f"/admin/attendance/?flt0_{chip}={','.join(sorted(classes)) if chip == 'class' else 1}&{order}"

    whole = keys(admin.get(f"{address}&page_size=50"))
    forth = [*turned(admin, f"{address}&page_size=3", "Next page")]
    back = [*turned(admin, f"{address}&page_size=3&page=-1", "Previous page")]

    assert set(whole) == wanted
    assert counted(forth[0]) == ("10" if length == "few" else "about 10")
    assert [key for page in forth for key in keys(page)] == whole
    assert [key for page in reversed(back) for key in keys(page)] == whole


@pytest.mark.usefixtures("class_of_eleven")
@pytest.mark.parametrize("length", ["few", "too many to be found at once"])
@pytest.mark.parametrize("order", ORDERS)
def test_what_is_searched_for_is_turned_like_any_list(
    admin: PageClient, monkeypatch: pytest.MonkeyPatch, order: str, length: str
) -> None:
    monkeypatch.setattr(Lists, "page_size_options", (2, 20, 50))
    if length != "few":
        monkeypatch.setattr(counting, "EXACT_UP_TO", 3)
        monkeypatch.setattr(counting, "_guesses", {})
    address = f"/admin/enrollment/?search=សុខ&{order}"
    whole = keys(admin.get(f"{address}&page_size=50"))
    assert len(whole) == 7

    forth = [*turned(admin, f"{address}&page_size=2", "Next page")]
    back = [*turned(admin, forth[-1].path, "Previous page")]

    assert [key for page in forth for key in keys(page)] == whole
    assert [key for page in reversed(back) for key in keys(page)] == whole
    assert [counted(page) for page in forth] == ["7"] * 4 or length != "few"
    assert "The list is shorter than that now" in admin.get(f"{address}&page_size=2&page=9").text


@pytest.mark.usefixtures("class_of_eleven")
def test_what_is_searched_for_is_found_and_counted_by_one_statement(admin: PageClient, queries: Queries) -> None:
    with queries() as asked:
        page = admin.get("/admin/enrollment/?search=សុខ")

    assert counted(page) == "7"
    assert sum("nameKey" in statement for statement in asked) == 1


# ---- Counts --------------------------------------------------------------------------------------------------------


def counted(page: Page) -> str:
    """What the head of a list says of its length."""
    return "".join(next(page.find("span", "count")).itertext())


@pytest.mark.usefixtures("class_of_eleven")
def test_a_short_list_is_counted_exactly(admin: PageClient) -> None:
    page = admin.get("/admin/enrollment/")

    assert counted(page) == "11"
    assert "1–11 of 11" in page.text
    assert "about" not in page.text


@pytest.mark.usefixtures("_long", "class_of_eleven")
def test_a_long_list_says_about_until_it_is_asked(admin: PageClient) -> None:
    page = admin.get("/admin/enrollment/?flt0_drop-is=0,1&page_size=2&page=1")
    assert counted(page).startswith("about ")
    assert "3–4 of about" in page.text

    link = next(a.get("href") for a in page.find("a") if "".join(a.itertext()) == "Count exactly")
    exact = admin.get(link or "")

    assert counted(exact) == "11"
    assert "3–4 of 11" in exact.text
    assert "Page 2 of 6" in exact.text
    assert keys(exact) == keys(page)
    onwards = next(a.get("href") for a in exact.find("a", "btn-icon") if a.get("aria-label") == "Next page")
    assert counted(admin.get(onwards or "")) == "11"


@pytest.mark.usefixtures("_long", "class_of_eleven")
def test_a_page_that_shows_the_end_knows_the_number(admin: PageClient) -> None:
    assert counted(admin.get("/admin/enrollment/?page_size=20")) == "11"
    assert "the last 2 of about" in admin.get("/admin/enrollment/?page_size=2&page=-1").text


@pytest.mark.usefixtures("class_of_eleven")
def test_a_page_behind_the_end_says_so_and_leads_back(admin: PageClient) -> None:
    page = admin.get("/admin/enrollment/?page=9")

    assert "This page is empty" in page.text
    assert any(a.get("href") == "/admin/enrollment/" for a in page.find("a", "btn"))


@pytest.mark.usefixtures("_long", "class_of_eleven")
@pytest.mark.parametrize(
    "odd",
    ["after=0", "after=999999", "before=-1", "after=x", "after=%00", "before=" + "9" * 30, "count=maybe", "page=-77"],
)
def test_an_address_that_names_no_row_still_shows_a_page(admin: PageClient, odd: str) -> None:
    assert admin.get(f"/admin/enrollment/?page_size=2&page=2&{odd}").status == 200


# ---- Cost ----------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("_long", "class_of_eleven")
def test_a_page_asks_once_for_its_rows_wherever_it_is(admin: PageClient, queries: Queries) -> None:
    pages = [*turned(admin, "/admin/enrollment/?page_size=2", "Next page")]

    for address in (pages[0].path, pages[1].path, pages[-1].path, "/admin/enrollment/?page_size=2&page=-1"):
        with queries() as asked:
            admin.get(address)
        about_rows = [sql for sql in asked if 'FROM "Enrollment"' in sql]
        assert len([sql for sql in about_rows if "LIMIT" in sql and "count" not in sql]) == 1
        assert len([sql for sql in about_rows if "count(*)" in sql or "EXPLAIN" in sql]) <= 2
        assert len(about_rows) <= 3 + ("after=" in address)


def test_the_rows_of_one_class_are_found_by_a_plan_that_serves_every_class(admin: PageClient, make: Make) -> None:
    course = make.attendance().course_id
    kept: dict[str, bool] = {}

    def note(_connection: Any, _cursor: Any, statement: str, _values: Any, context: Any, _many: bool) -> None:
        if 'FROM "Attendance"' in statement:
            kept[path] = bool(context.execution_options.get("one_plan"))

    event.listen(Engine, "before_cursor_execute", note)
    try:
        for asked in (f"flt0_class={course}", f"flt0_class={course}&flt1_status-is=Late", "flt0_seen=late"):
            path = asked
            assert admin.get(f"/admin/attendance/?{asked}").status == 200
    finally:
        event.remove(Engine, "before_cursor_execute", note)

    assert list(kept.values()) == [True, True, False]  # of a rare status there are few rows, of a common one a million
