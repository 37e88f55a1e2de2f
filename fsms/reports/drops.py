"""Who was dropped: the list with its filters, how many there are of each, and whom one may still drop. Read only."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, Text, and_, case, cast, desc, func, or_, select, true
from sqlalchemy.orm import contains_eager

from fsms import text
from fsms.activity import AnySession
from fsms.models import Course, Enrollment, SchoolYear, Semester, Student
from fsms.operations import calendar
from fsms.operations import places as places_of
from fsms.vocabulary import Gender


@dataclass(frozen=True)
class Asked:
    """What the list is asked for; None where anything will do."""

    year: str | None = None
    semester: str | None = None
    level: str | None = None
    reason: str | None = None
    month: str | None = None
    words: str = ""


FACETS = ("year", "semester", "level", "reason", "month")


@dataclass(frozen=True)
class Line:
    """A dropped place."""

    enrollment_id: int
    student_id: int
    pupil: str
    gender: str
    course_id: int
    course: str
    day: dt.date
    semester: str
    reason: str | None


@dataclass(frozen=True)
class Choice:
    """A value of a filter, and how many drops the list would then have."""

    value: str
    drops: int


@dataclass(frozen=True)
class Drops:
    """A page of the list, and what it counts in all."""

    lines: tuple[Line, ...]
    total: int
    girls: int


_CLASS = Course.grade + Course.section
# The reason of the list stands before the colon, own words behind it.
_REASON: ColumnElement[str] = func.split_part(func.coalesce(Enrollment.drop_reason, ""), ": ", 1)
_VALUES: dict[str, Any] = {
    "year": SchoolYear.school_year_code,
    "semester": Semester.semester_code,
    "level": Course.grade,
    "reason": _REASON,
    "month": func.to_char(Enrollment.drop_date, "YYYY-MM"),
}
# Newest first, lowest first, commonest first; "asked" is the name of the value in the statement.
_ORDER: dict[str, Any] = {
    "year": desc("asked"),
    "semester": desc("asked"),
    "level": func.min(Course.level),
    "reason": func.count().desc(),
    "month": desc("asked"),
}
MOST_CHOICES = 60


def listed(session: AnySession, asked: Asked, *, first: int = 0, most: int | None = None) -> Drops:
    """List the drops, the newest first."""
    columns = (
        Enrollment.enrollment_id,
        Student.student_id,
        Student.full_name,
        Student.gender,
        Course.course_id,
        _CLASS + " · " + SchoolYear.school_year_code,
        Enrollment.drop_date,
        Semester.semester_code,
        Enrollment.drop_reason,
    )
    order = (Enrollment.drop_date.desc(), *places_of.BY_NAME, Enrollment.enrollment_id)
    rows = session.execute(_drops(asked, *columns).order_by(*order).offset(first).limit(most))
    girl = case((Student.gender == Gender.FEMALE.value, 1), else_=0)
    total, girls = session.execute(_drops(asked, func.count(), func.coalesce(func.sum(girl), 0))).one()
    return Drops(tuple(Line(*row) for row in rows), total, girls)


def choices(session: AnySession, asked: Asked) -> dict[str, tuple[Choice, ...]]:
    """Say for each filter which values there are, and how many drops with each, the other filters standing."""
    found = {}
    for name in FACETS:
        rest = _drops(asked, _VALUES[name].label("asked"), func.count(), but=name)
        rows = session.execute(rest.group_by("asked").order_by(_ORDER[name], "asked").limit(MOST_CHOICES))
        found[name] = tuple(Choice(str(value), drops) for value, drops in rows if value)
    return found


def _drops(asked: Asked, *columns: Any, but: str | None = None) -> Select[Any]:
    """Ask for drops by all filters but one."""
    wanted = {name: value for name in FACETS if name != but and (value := getattr(asked, name)) is not None}
    return (
        select(*columns)
        .select_from(Enrollment)
        .join(Enrollment.student)
        .join(Enrollment.course)
        .join(Course.school_year)
        .join(Enrollment.drop_semester)
        .where(Enrollment.drop, *(_VALUES[name] == value for name, value in wanted.items()), _says(asked.words, _CLASS))
    )


# ---- Whom one may choose -------------------------------------------------------------------------------------------

MOST_FOUND = 60


def candidates(session: AnySession, words: str, course_id: int | None, *, today: dt.date) -> list[Enrollment]:
    """Find open places: those of a class or, in school years that are not over, of pupils whom the words fit."""
    asked = places_of.with_names().where(~Enrollment.drop, _says(words, _CLASS))
    if course_id is None:
        years = [year.school_year_id for year in calendar.years_not_over(session, today)]
        asked = asked.where(Course.school_year_id.in_(years))
    else:
        asked = asked.where(Enrollment.course_id == course_id)
    newest = (SchoolYear.school_year_code.desc(), *places_of.BY_NAME, Enrollment.enrollment_id)
    return list(session.scalars(asked.order_by(*newest).limit(MOST_FOUND)))


def classes(session: AnySession, year_id: int | None = None) -> list[Course]:
    """List the classes of a school year or, without one, of the two newest."""
    newest = select(SchoolYear.school_year_id).order_by(SchoolYear.school_year_code.desc()).limit(2)
    years = newest if year_id is None else [year_id]
    asked = select(Course).join(Course.school_year).where(Course.school_year_id.in_(years))
    order = (SchoolYear.school_year_code.desc(), Course.level, Course.section, Course.course_id)
    return list(session.scalars(asked.options(contains_eager(Course.school_year)).order_by(*order)))


def not_in(
    session: AnySession, course: Course, words: str, from_course: int | None
) -> Sequence[tuple[Student, str | None]]:
    """Find pupils who have no place in a class, those of another class or those whose names fit.

    Beside each stands the class in which the pupil is now in the same school year, if any.
    """
    there = select(Enrollment.student_id).where(Enrollment.course_id == course.course_id)
    elsewhere = (
        select(func.string_agg(Course.grade + Course.section, ", "))
        .join(Enrollment, Enrollment.course_id == Course.course_id)
        .where(
            Enrollment.student_id == Student.student_id,
            ~Enrollment.drop,
            Course.school_year_id == course.school_year_id,
        )
        .scalar_subquery()
    )
    asked = select(Student, elsewhere).where(Student.student_id.not_in(there), _says(words))
    if from_course is not None:
        came = select(Enrollment.student_id).where(Enrollment.course_id == from_course, ~Enrollment.drop)
        asked = asked.where(Student.student_id.in_(came))
    found = session.execute(asked.order_by(*places_of.BY_NAME).limit(MOST_FOUND))
    return [(pupil, now) for pupil, now in found]


def _says(words: str, *more: Any) -> ColumnElement[bool]:
    """Ask that every word typed stands in the pupil's name or number, or in what else is given."""
    fields = (Student.last_name, Student.first_name, cast(Student.student_id, Text), *more)
    typed = text.clean(words).split()
    return and_(true(), *(or_(*(field.icontains(word, autoescape=True) for field in fields)) for word in typed))
