"""The sheet of a class in a semester: its pupils, its columns, and what stands in each cell. Reads only.

Which courses there are to choose from is left to row security: what a teacher's session does not see is not there.
"""

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, NamedTuple, cast

from sqlalchemy import ColumnElement, Integer, Select, bindparam, collate, func, literal, or_, select
from sqlalchemy.orm import contains_eager

from fsms import clock
from fsms.activity import AnySession
from fsms.errors import SchoolError
from fsms.grading import Scheme
from fsms.models import STAY, Course, Enrollment, Grade, SchoolYear, Semester, Student, Subject, User
from fsms.operations.gradebook.cells import EMPTY, SHOWN, Kept, Place, kept
from fsms.pooling import ONE_PLAN
from fsms.stays import Stay

LIKE_CLASSES = 3
"""So many classes of the same level say which subjects a class takes."""


class Choice(NamedTuple):
    """A course that may be opened, and whether the person teaches it."""

    course: Course
    own: bool


class Column(NamedTuple):
    """A subject in a month or on a day of it, and how much can be reached."""

    subject_id: int
    subject: str
    period: str
    maximum: Decimal


@dataclass(frozen=True)
class Pupil:
    """A row of the sheet. Who was dropped keeps the marks, and gets no more."""

    student_id: int
    name: str
    stay: Stay

    @property
    def dropped_on(self) -> dt.date | None:
        """The first day without the pupil."""
        return self.stay.dropped_on


@dataclass(frozen=True)
class Sheet:
    """What is shown of a class at once: the subjects of one month or, where `subject` is set, its months."""

    course: Course
    semester: Semester
    subjects: tuple[Subject, ...]
    months: tuple[str, ...]
    month: str | None
    subject: Subject | None
    columns: tuple[Column, ...]
    pupils: tuple[Pupil, ...]
    dropped: tuple[Pupil, ...]
    cells: Mapping[Place, Kept]

    def kept(self, pupil: Pupil, column: Column) -> Kept:
        """Say what stands in a cell."""
        return self.cells.get(Place(pupil.student_id, column.subject_id, column.period), EMPTY)

    def why_shut(self, pupil: Pupil, column: Column) -> SchoolError | None:
        """Say why an empty cell takes no mark; one that stands there already can be corrected."""
        shut = pupil.stay.refusal_of_mark(column.period, pupil.name)
        return shut if shut and not self.kept(pupil, column).state else None


# ---- What there is to choose from ----------------------------------------------------------------------------------


def choices(session: AnySession, user_id: int | None) -> list[Choice]:
    """List the courses, the newest year first, and in it the person's own ones before the others."""
    found = select(Course).join(Course.school_year)
    found = found.order_by(SchoolYear.school_year_code.desc(), Course.level, Course.section, Course.course_id)
    listed = [
        Choice(course, user_id in (course.teacher_id1, course.teacher_id2, course.teacher_id3))
        for course in session.scalars(found)
    ]
    years = list(dict.fromkeys(choice.course.school_year_id for choice in listed))
    return sorted(listed, key=lambda choice: (years.index(choice.course.school_year_id), not choice.own))


def semesters_of(session: AnySession, course: Course) -> list[Semester]:
    """List the semesters of the course's year, and any other in which it has marks; all of them if there is none."""
    has_marks = Semester.semester_id.in_(select(Grade.semester_id).where(Grade.course_id == course.course_id))
    in_order = select(Semester).order_by(Semester.start_date, Semester.semester_code, Semester.semester_id)
    its_own = or_(_is_of_its_year(course.school_year_id, course.school_year.school_year_code), has_marks)
    return list(session.scalars(in_order.where(its_own))) or list(session.scalars(in_order))


def semester_of(session: AnySession, course: Course, key: int | None) -> Semester | None:
    """Choose among the semesters of a course: the one with this number, that of today, or the last that has begun.

    The one asked for is looked for by itself: all semesters would be looked for in all marks of the course.
    """
    if key and (found := found_by_numbers(session, course.course_id, key)):
        return found[1]
    semesters = semesters_of(session, course)
    begun = [each for each in semesters if each.start_date and each.start_date <= clock.today()]
    asked = [each for each in semesters if each.semester_id == key]
    return next(iter([*asked, *begun[-1:], *semesters]), None)


def found_by_numbers(session: AnySession, course: int, semester: int) -> tuple[Course, Semester] | None:
    """Find a course and one of its semesters; None where one of them is not there, or out of sight, or not its own."""
    found = session.execute(_BY_NUMBERS, {"course": course, "semester": semester}).first()
    return None if found is None else (found[0], found[1])


def _is_of_its_year(year: Any, code: Any) -> ColumnElement[bool]:
    """A semester belongs to a school year, or at least to one that began in the same calendar year, by its code."""
    return or_(
        Semester.school_year_id == year, Semester.semester_code.endswith(literal("-").concat(func.left(code, 4)))
    )


def _by_numbers() -> Select[Course, Semester]:
    course, semester = bindparam("course", type_=Integer), bindparam("semester", type_=Integer)
    marks = select(Grade.grade_id).where(Grade.course_id == course, Grade.semester_id == semester)
    its_own = or_(_is_of_its_year(Course.school_year_id, SchoolYear.school_year_code), marks.exists())
    found = select(Course, Semester).join(Course.school_year).join(Semester, Semester.semester_id == semester)
    found = found.where(Course.course_id == course, its_own).options(contains_eager(Course.school_year))
    return found.execution_options(**ONE_PLAN)


_BY_NUMBERS = _by_numbers()


def other_subjects(session: AnySession, sheet: "Sheet") -> list[Subject]:
    """List the subjects that the sheet does not have and that may be opened beside its own."""
    there = [subject.subject_id for subject in sheet.subjects]
    return list(session.scalars(select(Subject).where(Subject.subject_id.not_in(there)).order_by(Subject.subject_id)))


# ---- The sheet -----------------------------------------------------------------------------------------------------


def load(
    session: AnySession,
    course: Course,
    semester: Semester,
    scheme: Scheme,
    *,
    month: str | None = None,
    subject_id: int | None = None,
) -> Sheet:
    """Load the months of a subject, or else the subjects of a month: without either, of the month of today."""
    here = (Grade.course_id == course.course_id) & (Grade.semester_id == semester.semester_id)
    marked = {(subject, period) for subject, period in session.execute(_MARKED.where(here).distinct())}
    subjects = _subjects(session, course, subject_id)
    subject = next((each for each in subjects if each.subject_id == subject_id), None)
    months = _months(semester, (period for _, period in marked), month)
    month = month if month in months else None
    if subject is None and month is None:
        month = _month_to_begin_with(months, marked)
    across = [(subject, months)] if subject else [(each, [cast(str, month)]) for each in subjects]
    columns = tuple(
        Column(each.subject_id, each.subject_name, period, scheme.maximum(course.level, each.subject_name))
        for each, shown in across
        for period in _periods(each, shown, marked)
    )
    pupils = _pupils(session, course)
    return Sheet(
        course=course,
        semester=semester,
        subjects=tuple(subjects),
        months=tuple(months),
        month=None if subject else month,
        subject=subject,
        columns=columns,
        pupils=tuple(pupil for pupil in pupils if pupil.dropped_on is None),
        dropped=tuple(pupil for pupil in pupils if pupil.dropped_on is not None),
        cells=dict(_kept(session, here, columns)),
    )


_MARKED = select(Grade.subject_id, Grade.grade_date)


def _subjects(session: AnySession, course: Course, also: int | None) -> list[Subject]:
    """List the subjects in which the class has marks, or the nearest classes of its level: a year begins without."""
    alike = select(Course.course_id).where(Course.grade == course.grade, Course.course_id != course.course_id)
    alike = alike.where(select(Grade.grade_id).where(Grade.course_id == Course.course_id).exists())
    nearest = session.scalars(alike.order_by(Course.course_id.desc()).limit(LIKE_CLASSES))
    used = _used(session, [course.course_id, *nearest])
    listed = select(Subject).order_by(Subject.subject_id)
    if used:
        listed = listed.where(Subject.subject_id.in_(used | ({also} if also else set())))
    return list(session.scalars(listed))


def _used(session: AnySession, courses: Iterable[int]) -> set[int]:
    return set(session.scalars(select(Grade.subject_id).where(Grade.course_id.in_(list(courses))).distinct()))


def _months(semester: Semester, periods: Iterable[str], asked: str | None) -> list[str]:
    """List the months of the semester by its dates and those that have marks; without dates, also the one asked for."""
    found = {period[:7] for period in periods}
    if not semester.start_date and asked:
        found.add(asked)
    if semester.start_date and semester.end_date:
        first = semester.start_date.replace(day=1)
        while first <= semester.end_date:
            found.add(f"{first:%Y-%m}")
            first = (first + dt.timedelta(days=31)).replace(day=1)
    return sorted(found or {f"{clock.today():%Y-%m}"})


def _month_to_begin_with(months: list[str], marked: set[tuple[int, str]]) -> str:
    """Choose the month of today where the semester has it, else the last one with marks, else the first."""
    today = f"{clock.today():%Y-%m}"
    if today in months:
        return today
    return max((period[:7] for _, period in marked), default=months[0])


def _periods(subject: Subject, months: list[str], marked: set[tuple[int, str]]) -> list[str]:
    """List the periods of a subject: the months, and beside its month each day for which somebody has a mark."""
    days = (period for number, period in marked if number == subject.subject_id and period[:7] in months)
    return sorted({*months, *days})


def _pupils(session: AnySession, course: Course) -> list[Pupil]:
    listed = (
        select(Student.student_id, Student.full_name.label("name"), *STAY)
        .join(Enrollment.student)
        .where(Enrollment.course_id == course.course_id)
        .order_by(collate(Student.last_name, "C"), collate(Student.first_name, "C"), Student.student_id)
    )
    return [Pupil(row.student_id, row.name, Stay.of(row)) for row in session.execute(listed)]


def _kept(session: AnySession, here: ColumnElement[bool], columns: tuple[Column, ...]) -> Iterator[tuple[Place, Kept]]:
    found: Any = (
        select(Grade.student_id, Grade.subject_id, Grade.grade_date, User.full_name.label("who"), *SHOWN)
        .join(Grade.user, isouter=True)
        .where(
            here,
            Grade.subject_id.in_({column.subject_id for column in columns}),
            Grade.grade_date.in_({column.period for column in columns}),
        )
    )
    for row in session.execute(found):
        yield Place(row.student_id, row.subject_id, row.grade_date), kept(row, row.who)
