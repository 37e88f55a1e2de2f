"""The specification's two analytics queries, held against figures computed in Python from the plain rows.

`check_student_performance` and `check_attendance_statistics` work on any migrated database, small or large.
"""

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, text

SPEC = Path(__file__).parent / "spec"


def statements(name: str) -> list[str]:
    """Read the statements of one of the specification's files, each word for word."""
    return [found.strip() for found in (SPEC / f"{name}.sql").read_text().split(";") if found.strip()]


def answer(connection: Connection, statement: str, *given: int | str | dt.date) -> list[tuple[Any, ...]]:
    """Run a statement as it is printed; its $1 and $2 are filled in by the server."""
    connection.exec_driver_sql(f"PREPARE as_printed AS {statement}")
    try:
        values = ", ".join(f"'{value}'" for value in given)
        found = connection.exec_driver_sql(f"EXECUTE as_printed ({values})" if given else "EXECUTE as_printed")
        return [tuple(row) for row in found]
    finally:
        connection.exec_driver_sql("DEALLOCATE as_printed")


def check_student_performance(connection: Connection, semester_id: int) -> int:
    """Hold "Student Performance Analysis" against our own means; returns how many lines agreed."""
    lines = answer(connection, statements("analytics")[0], semester_id)

    names = {row[0]: f"{row[1]} {row[2]}" for row in _rows(connection, "Student", "studentId", "firstName", "lastName")}
    classes = {row[0]: (row[1], row[2]) for row in _rows(connection, "Course", "courseId", "grade", "section")}
    marks: dict[tuple[int, str, str], list[Fraction]] = defaultdict(list)
    for student, course, semester, mark in _rows(connection, "Grade", "studentId", "courseId", "semesterId", "grade"):
        if semester == semester_id:
            marks[student, *classes[course]].append(Fraction(mark))
    expected = sorted(
        (names[student], level, section, _shortened(sum(found, Fraction()) / len(found)), len(found))
        for (student, level, section), found in marks.items()
    )

    assert sorted((*line[:3], _shortened(Fraction(line[3])), line[4]) for line in lines) == expected
    averages = [line[3] for line in lines]
    assert averages == sorted(averages, reverse=True)
    return len(lines)


def check_attendance_statistics(connection: Connection, first: dt.date, last: dt.date) -> int:
    """Hold "Attendance Statistics" against our own counts; returns how many lines agreed."""
    lines = answer(connection, statements("analytics")[1], first, last)

    classes = {row[0]: (row[1], row[2]) for row in _rows(connection, "Course", "courseId", "grade", "section")}
    pupils: dict[tuple[str, str], set[int]] = defaultdict(set)
    seen: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for student, course, day, status in _rows(
        connection, "Attendance", "studentId", "courseId", "attendanceDate", "status"
    ):
        if first <= day <= last:
            pupils[classes[course]].add(student)
            seen[classes[course]][status] += 1
    expected = {
        (
            *found,
            len(pupils[found]),
            counts["Present"],
            counts["Absent"],
            _percentage(counts["Present"], counts.total()),
        )
        for found, counts in seen.items()
    }

    assert set(lines) == expected
    assert len(lines) == len(expected)
    # Sections may be in any script, and their order is the server's; levels are plain digits, ordered as text.
    levels = [line[0] for line in lines]
    assert levels == sorted(levels)
    return len(lines)


def _rows(connection: Connection, table: str, *columns: str) -> Sequence[Any]:
    listed = ", ".join(f'"{column}"' for column in columns)
    return connection.execute(text(f'SELECT {listed} FROM "{table}"')).fetchall()  # noqa: S608


def _shortened(number: Fraction) -> Decimal:
    """Round to what PostgreSQL's numeric division keeps for certain."""
    return (Decimal(number.numerator) / Decimal(number.denominator)).quantize(Decimal("1e-9"), ROUND_HALF_UP)


def _percentage(part: int, whole: int) -> Decimal:
    return (Decimal(part * 100) / Decimal(whole)).quantize(Decimal("0.01"), ROUND_HALF_UP)
