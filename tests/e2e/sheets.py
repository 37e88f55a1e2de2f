"""A class of its own for a test of the gradebook, what the database holds of it, and the moves of every test."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING

import psycopg
from playwright.sync_api import Page, expect

if TYPE_CHECKING:
    from tests.e2e.conftest import Visitor

MONTH = "2020-02"

_sections = count(1)


@dataclass
class Sheet:
    """A class of its own for a test, and what the database holds of it."""

    database: psycopg.Connection
    course: int
    semester: int
    pupils: list[int]
    subjects: list[int]

    @property
    def path(self) -> str:
        return f"/admin/gradebook/?course={self.course}&semester={self.semester}&month={MONTH}"

    def name(self, row: int, column: int = 0) -> str:
        return f"m.{self.pupils[row]}.{self.subjects[column]}.{MONTH}"

    def cell(self, page: Page, row: int, column: int = 0) -> str:
        return f"[name='{self.name(row, column)}']"

    def marks(self, subject: int | None = None) -> list[str]:
        """The marks of a column, or of all, by pupil."""
        found = self.database.execute(
            'select grade::text from "Grade" where "courseId" = %s and "gradeDate" = %s '
            'and (%s::int is null or "subjectId" = %s) order by array_position(%s::int[], "studentId"), "subjectId"',
            [self.course, MONTH, subject, subject, self.pupils],
        )
        return [grade for (grade,) in found]

    def told(self) -> dict[str, int]:
        """How often the log tells of each act on marks of the class, where the application did it."""
        found = self.database.execute(
            "select action, count(*) from \"ActivityLog\" where details->>'outside' is null and ("
            """details->'changes'->'course_id' @> %s::jsonb or entity = 'Grade' and "entityId" in """
            '(select "gradeId" from "Grade" where "courseId" = %s)) group by action',
            [str(self.course), self.course],
        )
        return dict(found.fetchall())


MakeSheet = Callable[..., Sheet]


def sheet_of_a_new_class(database: psycopg.Connection, pupils: int = 5, subjects: int = 1) -> Sheet:
    """Make a class that teacher1 and teacher2 teach, its pupils in the order of the sheet; the columns are subjects."""
    teachers = database.execute(
        """select "userId" from "User" where username in ('teacher1', 'teacher2') order by username"""
    ).fetchall()
    (course,) = database.execute(
        'insert into "Course" ("schoolYearId", grade, section, "courseName", "teacherId1", "teacherId2") '
        """select max("schoolYearId"), '11', %s, 'Sheet', %s, %s from "SchoolYear" returning "courseId" """,
        [f"T{next(_sections)}", *(number for (number,) in teachers)],
    ).fetchone() or (0,)
    found = database.execute(
        'select "studentId" from "Student" '
        'order by "lastName" collate "C", "firstName" collate "C", "studentId" limit %s',
        [pupils],
    )
    numbers = [number for (number,) in found]
    for number in numbers:
        database.execute('insert into "Enrollment" ("studentId", "courseId") values (%s, %s)', [number, course])
    (semester,) = database.execute(
        'insert into "Semester" (semester, "semesterCode") values (%s, %s) returning "semesterId"',
        ["Sheet", f"T-{course}"],
    ).fetchone() or (0,)
    taken = [n for (n,) in database.execute('select "subjectId" from "Subject" order by 1 limit %s', [subjects])]
    # What the class takes is known by its marks: one for each subject, in another month.
    for subject in taken:
        database.execute(
            'insert into "Grade" ("courseId", "studentId", "subjectId", "semesterId", "gradeDate", grade) '
            "values (%s, %s, %s, %s, '2020-01', 5)",
            [course, numbers[0], subject, semester],
        )
    return Sheet(database, course, semester, numbers, taken)


def opened(visitor: "Visitor", sheet: Sheet) -> Page:
    page = visitor.open(sheet.path)
    expect(page.locator(sheet.cell(page, 0))).to_be_visible()
    return page


def saved(page: Page) -> None:
    """All is saved: nothing waits, nothing is wrong."""
    expect(page.locator("#save-state")).to_contain_text("Saved", timeout=20_000)


def put(page: Page, selector: str, typed: str) -> None:
    page.locator(selector).focus()
    page.keyboard.type(typed)
    page.keyboard.press("Enter")
