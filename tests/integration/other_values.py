"""For every column of every entity another value that its row may take, with what must change along with it."""

import datetime as dt
from decimal import Decimal
from typing import Any

from sqlalchemy import ARRAY, Boolean, Column, Date, DateTime, Integer, Numeric
from sqlalchemy.dialects.postgresql import Range

from fsms.models import Attendance, Base, Enrollment, Grade, Semester
from fsms.vocabulary import AttendanceSession
from tests.builders import Make, key_of

SPECIAL: dict[str, Any] = {
    "User.username": "anothername",
    "User.password": "$2b$04$" + "x" * 53,
    "SchoolYear.school_year_code": "1801-1802",
    "Grade.grade_date": "2025-04",
    "Student.dob": dt.date(2013, 1, 31),
    "Attendance.session": AttendanceSession.PM,
    "Enrollment.drop": True,
}


def other_values(make: Make, row: Base, name: str, column: Column[Any]) -> dict[str, Any]:
    """Give the attribute another value, and other attributes those without which the row would not be whole."""
    if isinstance(row, Enrollment) and name.startswith("drop") and name != "drop_reason":
        return _dropped_or_not(make, row)
    if isinstance(row, Semester) and name in ("start_date", "end_date"):
        first = dt.date(1900 + row.semester_id % 100, 1, 1 if row.start_date is None else 2)
        return {"start_date": first, "end_date": first + dt.timedelta(days=9)}
    if isinstance(row, Grade) and name == "excused":
        return {"excused": True, "grade": None}
    return {name: _other_value(make, row, name, column)}


def _dropped_or_not(make: Make, row: Enrollment) -> dict[str, Any]:
    if row.drop:
        return {"drop": False, "drop_semester_id": None, "drop_date": None}
    return {"drop": True, "drop_semester_id": make.semester().semester_id, "drop_date": dt.date(2025, 2, 1)}


def _other_value(make: Make, row: Base, name: str, column: Column[Any]) -> Any:
    now = getattr(row, name)
    if (special := SPECIAL.get(f"{type(row).__name__}.{name}")) and special != now:
        return special
    if choices := column.info.get("choices"):
        return next(choice.value for choice in choices if choice.value != now)
    if column.foreign_keys:
        return _another_parent(make, row, name, column)
    return _another_of(column, now)


def _another_of(column: Column[Any], now: Any) -> Any:
    match column.type:
        case Boolean():
            return not now
        case Integer():
            return (now or 0) + 1
        case Numeric():
            return (now or Decimal(0)) + Decimal("1.25")
        case Date():
            return (now or dt.date(2020, 1, 1)) - dt.timedelta(days=1)
        case DateTime():
            return (now or dt.datetime(2024, 1, 1, tzinfo=dt.UTC)) - dt.timedelta(hours=1)
        case ARRAY():
            first = now[0].lower if now else dt.date(2020, 1, 8)
            return [Range(first - dt.timedelta(days=1), first + dt.timedelta(days=6))]
    return f"{(now or 'អក្សរ')[:20]} ២"


def _another_parent(make: Make, row: Base, name: str, column: Column[Any]) -> int:
    if isinstance(row, Grade | Attendance) and name == "student_id":
        return make.enrollment(course=row.course).student_id
    if isinstance(row, Grade | Attendance) and name == "course_id":
        return make.enrollment(student=row.student).course_id
    (link, *_) = column.foreign_keys
    return key_of(make.one(link.column.table.name.lower()))
