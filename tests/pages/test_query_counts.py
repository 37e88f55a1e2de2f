"""More rows must not mean more queries: each page asks the database as often for many rows as for few."""

import pytest

from fsms.models import Student
from tests.browser import PageClient, Queries, SameQueries
from tests.builders import EDITED_PAGES, PAGES, Make, key_of

ROWS = 5


@pytest.mark.parametrize("page", PAGES)
def test_a_list_asks_as_often_for_twice_the_rows(
    admin: PageClient, make: Make, same_queries: SameQueries, page: str
) -> None:
    def more() -> None:
        for _ in range(ROWS):
            make.one(page)

    more()

    same_queries(lambda: admin.get(f"/admin/{page}/?page_size=100"), more)

    assert len(admin.page.rows) >= 2 * ROWS


@pytest.mark.parametrize("page", ["course", "grade", "attendance", "enrollment"])
def test_a_list_of_a_teacher_asks_as_often_for_twice_the_rows(
    teacher: PageClient, make: Make, same_queries: SameQueries, page: str
) -> None:
    def more() -> None:
        for _ in range(ROWS):
            place = make.enrollment(course=make.course(teacher=teacher.user))
            make.grade(enrollment=place)
            make.attendance(enrollment=place)

    more()

    same_queries(lambda: teacher.get(f"/admin/{page}/?page_size=100"), more)

    assert len(teacher.page.rows) == 2 * ROWS


@pytest.mark.parametrize("address", ["details/", "edit/"])
def test_a_pupils_page_asks_as_often_for_twice_the_family(
    admin: PageClient, make: Make, same_queries: SameQueries, address: str
) -> None:
    student = make.student()

    def more() -> None:
        for _ in range(ROWS):
            make.guardian(student=student)
            make.scholarship(student=student)

    make.family(student=student)
    more()

    same_queries(lambda: admin.get(f"/admin/student/{address}?id={student.student_id}"), more)


@pytest.mark.parametrize("page", EDITED_PAGES)
@pytest.mark.parametrize("address", ["details/", "edit/"])
def test_a_record_asks_as_often_in_a_fuller_school(
    admin: PageClient, make: Make, same_queries: SameQueries, page: str, address: str
) -> None:
    number = key_of(make.one(page))

    def more() -> None:
        for _ in range(ROWS):
            make.one(page)

    same_queries(lambda: admin.get(f"/admin/{page}/{address}?id={number}"), more)


def test_a_look_up_asks_as_often_for_twice_the_rows(admin: PageClient, make: Make, same_queries: SameQueries) -> None:
    def more() -> None:
        for _ in range(ROWS):
            make.course()

    more()

    same_queries(lambda: admin.get("/admin/enrollment/ajax/lookup/?name=course&query=&limit=50"), more)


def test_a_list_reads_and_counts_its_rows_in_one_statement(admin: PageClient, make: Make, queries: Queries) -> None:
    make.student()
    admin.get("/admin/student/")

    with queries() as asked:
        admin.get("/admin/student/")

    assert len([statement for statement in asked if f'FROM "{Student.__tablename__}"' in statement]) == 1
