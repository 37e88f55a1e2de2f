"""How a record names itself, as SQL: what `str(row)` says in Python, for files that never see a row.

A test holds the two to each other for every entity.
"""

from functools import cache
from typing import Any

from sqlalchemy import Column, ColumnElement, Select, Text, case, cast, func, inspect
from sqlalchemy.orm import aliased
from sqlalchemy.sql import visitors

from fsms.models import (
    Attendance,
    Base,
    Course,
    Enrollment,
    FamilyInfo,
    Grade,
    Guardian,
    Scholarship,
    SchoolYear,
    Semester,
    Student,
    Subject,
    User,
)

Path = tuple[str, ...]


class Joined:
    """The tables that columns read beside the list's own: each relation is joined once, however many ask."""

    def __init__(self, entity: type[Base]) -> None:
        """Begin at the entity of the list."""
        self._there: dict[Path, Any] = {(): entity}
        self._on: list[tuple[Any, Any]] = []

    def at(self, path: Path) -> Any:
        """Give the entity that a path of relations leads to, joined."""
        if path not in self._there:
            relation = getattr(self.at(path[:-1]), path[-1])
            there = aliased(relation.property.mapper.class_)
            self._on.append((there, relation.of_type(there)))
            self._there[path] = there
        return self._there[path]

    def applied(self, statement: Select[Any]) -> Select[Any]:
        """Add the joins; a row without a partner stays."""
        for _there, relation in self._on:
            statement = statement.join(relation, isouter=True)
        return statement

    def label(self, path: Path) -> ColumnElement[Any]:
        """Say how the record at a path names itself."""
        there = self.at(path)
        named: ColumnElement[Any] = _LABELS[inspect(there).mapper.class_](self, path, there)
        return named


@cache
def read_by(entity: type[Base]) -> tuple[Any, ...]:
    """Name the attributes of the entity's own that its label is made of."""
    mapper = inspect(entity)
    label: Any = Joined(entity).label(())
    own = {
        mapper.get_property_by_column(mapper.local_table.c[column.key])
        for column in visitors.iterate(getattr(label, "expression", label))
        if isinstance(column, Column) and column.table is mapper.local_table
    }
    return tuple(found.class_attribute for found in mapper.column_attrs if found in own)


def _dotted(*parts: Any) -> ColumnElement[str]:
    return func.concat_ws(" · ", *parts)


def _student(_joined: Joined, _path: Path, student: Any) -> Any:
    return student.full_name + " · " + cast(student.student_id, Text)


def _guardian(_joined: Joined, _path: Path, guardian: Any) -> ColumnElement[Any]:
    return func.coalesce(func.nullif(guardian.full_name, ""), guardian.relation)


def _course(joined: Joined, path: Path, course: Any) -> Any:
    return course.grade + course.section + " · " + joined.label((*path, "school_year"))


def _scholarship(_joined: Joined, _path: Path, scholarship: Any) -> ColumnElement[Any]:
    named = _dotted(scholarship.type, scholarship.sponsor)
    return func.coalesce(func.nullif(named, ""), cast(scholarship.scholarship_id, Text))


def _enrollment(joined: Joined, path: Path, _enrollment: Any) -> ColumnElement[Any]:
    return _dotted(joined.label((*path, "student")), joined.label((*path, "course")))


def _grade(_joined: Joined, _path: Path, grade: Any) -> ColumnElement[Any]:
    return _dotted(case((grade.excused, "excused"), else_=cast(grade.grade, Text)), grade.grade_date)


def _attendance(_joined: Joined, _path: Path, attendance: Any) -> ColumnElement[Any]:
    return _dotted(func.concat_ws(" ", attendance.attendance_date, attendance.session), attendance.status)


_LABELS: dict[type[Base], Any] = {
    User: lambda _joined, _path, user: func.nullif(user.full_name, ""),
    Student: _student,
    Guardian: _guardian,
    FamilyInfo: lambda joined, path, _family: joined.label((*path, "student")),
    Scholarship: _scholarship,
    SchoolYear: lambda _joined, _path, year: year.school_year_code,
    Semester: lambda _joined, _path, semester: semester.semester_code,
    Subject: lambda _joined, _path, subject: subject.subject_name,
    Course: _course,
    Enrollment: _enrollment,
    Grade: _grade,
    Attendance: _attendance,
}
