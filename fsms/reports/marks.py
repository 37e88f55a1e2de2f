"""The marks of a class or a pupil, with averages, ranks and what is missing: for screens, reports and exports alike.

Row security narrows every query: whose class it is not gets None, as for a class that never was. A report takes the
same few queries for any number of pupils, subjects and months.
"""

import datetime as dt
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from functools import cached_property
from typing import Any, NamedTuple

from sqlalchemy import Row, and_, collate, distinct, false, func, or_, select
from sqlalchemy.orm import Session, scoped_session

from fsms import grading
from fsms.grading import BLANK, Cell, Mark, Scheme, Standing, Standings
from fsms.models import STAY, Course, Enrollment, Grade, SchoolYear, Semester, Student, Subject
from fsms.stays import Stay

AnySession = Session | scoped_session[Any]
AnyRow = Row[*tuple[Any, ...]]


# ---- Lines ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class ClassOf:
    """Which class it is."""

    course_id: int
    label: str  # "7A"
    level: int
    school_year: str
    school_year_id: int


@dataclass(frozen=True)
class SubjectOf:
    """A subject of the class, and how much can be reached in it."""

    subject_id: int
    name: str
    maximum: Decimal


@dataclass(frozen=True)
class SemesterOf:
    """A semester by its name and code."""

    semester_id: int
    name: str
    code: str


class Entry(NamedTuple):
    """A mark as it is stored, for those who change it."""

    grade_id: int
    version: int
    mark: Mark
    comment: str | None
    user_id: int | None
    saved: dt.datetime


@dataclass(frozen=True)
class Line:
    """A pupil of the class: the marks by cell, and where they put the pupil."""

    student_id: int
    name: str
    gender: str
    entries: Mapping[Cell, Entry]
    standing: Standing
    stay: Stay

    @property
    def dropped_on(self) -> dt.date | None:
        """The first day without the pupil."""
        return self.stay.dropped_on


@dataclass(frozen=True)
class Sheet:
    """A class over a month, a semester or a year. Who was dropped stands apart, and out of ranks and means."""

    course: ClassOf
    scheme: Scheme
    semesters: tuple[SemesterOf, ...]
    month: str | None
    subjects: tuple[SubjectOf, ...]
    lines: tuple[Line, ...]
    dropped: tuple[Line, ...]
    standings: Standings

    @cached_property
    def columns(self) -> tuple[Cell, ...]:
        """The cells in which somebody of the class has a mark or an excuse, in order."""
        return tuple(sorted({cell for line in self.lines for cell in line.entries}))

    @cached_property
    def months(self) -> tuple[str, ...]:
        """The months of these cells."""
        return tuple(sorted({cell.month for cell in self.columns}))

    @cached_property
    def missing(self) -> Mapping[Cell, int]:
        """How many pupils have neither mark nor excuse, by cell; who was not in the class then owes none."""
        there = Counter(cell for line in self.lines for cell in line.entries)
        there.update(
            cell
            for line in self.lines
            for cell in self.columns
            if cell not in line.entries and line.stay.is_outside(cell.period)
        )
        return {cell: len(self.lines) - there[cell] for cell in self.columns if there[cell] < len(self.lines)}

    @property
    def incomplete(self) -> tuple[Line, ...]:
        """The pupils without a rank because marks are missing."""
        return tuple(line for line in self.lines if line.standing.incomplete)

    def of(self, student_id: int) -> Line | None:
        """Find a pupil of the class, dropped or not."""
        return next((line for line in (*self.lines, *self.dropped) if line.student_id == student_id), None)


@dataclass(frozen=True)
class MissingMarks:
    """Marks of a subject that a class lacks in a month."""

    course_id: int
    label: str
    semester_id: int
    subject_id: int
    subject: str
    month: str
    missing: int
    pupils: int

    @property
    def begun(self) -> bool:
        """Whether anybody has a mark in it this month."""
        return self.missing < self.pupils


# ---- A class -------------------------------------------------------------------------------------------------------


def month(session: AnySession, scheme: Scheme, course_id: int, semester_id: int, month: str) -> Sheet | None:
    """Show a class in a month of a semester."""
    if (marks := _read(session, scheme, course_id, [semester_id], month)) is None:
        return None
    standings = grading.month(scheme, marks.course.level, marks.graded, marks.pupils, semester_id, month)
    return marks.sheet(standings, month)


def semester(session: AnySession, scheme: Scheme, course_id: int, semester_id: int) -> Sheet | None:
    """Show a class over a semester."""
    if (marks := _read(session, scheme, course_id, [semester_id])) is None:
        return None
    return marks.sheet(grading.semester(scheme, marks.course.level, marks.graded, marks.pupils, semester_id))


def year(session: AnySession, scheme: Scheme, course_id: int) -> Sheet | None:
    """Show a class over its year."""
    if (marks := _read(session, scheme, course_id, None)) is None:
        return None
    numbers = [found.semester_id for found in marks.semesters]
    return marks.sheet(grading.year(scheme, marks.course.level, marks.graded, marks.pupils, numbers))


def missing(session: AnySession, today: dt.date) -> tuple[MissingMarks, ...]:
    """List what the reader's classes lack this month, of the subjects that they have marks in this semester."""
    this_month = f"{today:%Y-%m}"
    now = select(Semester.semester_id).where(Semester.start_date <= today, Semester.end_date >= today).scalar_subquery()
    has_come = or_(Enrollment.enrolled_on.is_(None), func.to_char(Enrollment.enrolled_on, "YYYY-MM") <= this_month)
    present = (
        select(Enrollment.course_id, func.count().label("pupils"))
        .where(Enrollment.drop.is_(False), has_come)
        .group_by(Enrollment.course_id)
        .subquery()
    )
    in_month = or_(Grade.grade_date == this_month, Grade.grade_date.startswith(f"{this_month}-"))
    there = (
        select(
            Grade.course_id,
            Grade.subject_id,
            Grade.semester_id,
            func.count(distinct(Grade.student_id))
            .filter(in_month, Enrollment.drop.is_(False), has_come)
            .label("there"),
        )
        .join(
            Enrollment,
            and_(Enrollment.student_id == Grade.student_id, Enrollment.course_id == Grade.course_id),
        )
        .where(Grade.semester_id == now)
        .group_by(Grade.course_id, Grade.subject_id, Grade.semester_id)
        .subquery()
    )
    lacking = present.c.pupils - there.c.there
    found = session.execute(
        select(
            Course.course_id,
            Course.grade,
            Course.section,
            there.c.semester_id,
            Subject.subject_id,
            Subject.subject_name,
            lacking,
            present.c.pupils,
        )
        .join(there, there.c.course_id == Course.course_id)
        .join(present, present.c.course_id == Course.course_id)
        .join(Subject, Subject.subject_id == there.c.subject_id)
        .where(lacking > 0)
        .order_by(Course.level, Course.section, Subject.subject_id, Course.course_id)
    )
    return tuple(
        MissingMarks(course, f"{level}{section}", semester, subject, name, this_month, lacks, pupils)
        for course, level, section, semester, subject, name, lacks, pupils in found
    )


# ---- A pupil -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class PupilInSemester:
    """A pupil's marks, averages and rank in one semester, and the means of the class beside them."""

    semester: SemesterOf
    months: tuple[str, ...]
    line: Line
    standings: Standings


@dataclass(frozen=True)
class PupilInCourse:
    """A pupil in one class: each semester, and the year."""

    course: ClassOf
    subjects: tuple[SubjectOf, ...]
    semesters: tuple[PupilInSemester, ...]
    year: Line
    year_standings: Standings


def courses_of(session: AnySession, student_id: int) -> tuple[ClassOf, ...]:
    """List the classes that a pupil is or was in, as far as the reader sees them, the newest first."""
    found = session.execute(
        _CLASS.join(Enrollment, Enrollment.course_id == Course.course_id)
        .where(Enrollment.student_id == student_id)
        .order_by(SchoolYear.school_year_code.desc(), Course.course_id.desc())
    )
    return tuple(_class_of(row) for row in found)


def of_pupil(session: AnySession, scheme: Scheme, student_id: int, course_id: int) -> PupilInCourse | None:
    """Show a pupil's marks in one of the own classes, by semester, with the ranks among the class."""
    marks = _read(session, scheme, course_id, None)
    if marks is None or student_id not in marks.places:
        return None
    level, numbers = marks.course.level, [found.semester_id for found in marks.semesters]
    semesters = []
    whole, parts = grading.year_and_semesters(scheme, level, marks.graded, marks.pupils, numbers)
    for found, standings in zip(marks.semesters, parts, strict=True):
        line = marks.line(student_id, standings)
        months = sorted({c.month for e in marks.entries.values() for c in e if c.semester == found.semester_id})
        semesters.append(PupilInSemester(found, tuple(months), line, standings))
    return PupilInCourse(marks.course, marks.subjects, tuple(semesters), marks.line(student_id, whole), whole)


# ---- Reading -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Marks:
    """What the arithmetic needs of a class, read once."""

    course: ClassOf
    scheme: Scheme
    semesters: tuple[SemesterOf, ...]
    subjects: tuple[SubjectOf, ...]
    places: Mapping[int, AnyRow]
    entries: Mapping[int, dict[Cell, Entry]]
    absences: Mapping[int, dict[str, Fraction]]

    @property
    def graded(self) -> list[grading.Subject]:
        return [grading.Subject(subject.subject_id, subject.name) for subject in self.subjects]

    @cached_property
    def pupils(self) -> list[grading.Pupil]:
        return [
            grading.Pupil(
                number,
                {cell: entry.mark for cell, entry in self.entries.get(number, {}).items()},
                place.drop,
                self.absences.get(number, {}),
                frozenset(filter(Stay.of(place).is_outside, self.periods)),
            )
            for number, place in self.places.items()
        ]

    @cached_property
    def periods(self) -> frozenset[str]:
        """The months and days for which somebody has a mark."""
        return frozenset(cell.period for entries in self.entries.values() for cell in entries)

    def line(self, student_id: int, standings: Standings) -> Line:
        place = self.places[student_id]
        return Line(
            student_id,
            place.name,
            place.gender,
            self.entries.get(student_id, {}),
            standings.of(student_id),
            Stay.of(place),
        )

    def sheet(self, standings: Standings, month: str | None = None) -> Sheet:
        lines = [self.line(number, standings) for number in self.places]
        return Sheet(
            self.course,
            self.scheme,
            self.semesters,
            month,
            self.subjects,
            tuple(line for line in lines if not line.standing.dropped),
            tuple(line for line in lines if line.standing.dropped),
            standings,
        )


_CLASS = select(
    Course.course_id, Course.grade, Course.section, SchoolYear.school_year_code, SchoolYear.school_year_id
).join(SchoolYear, SchoolYear.school_year_id == Course.school_year_id)


def _class_of(row: AnyRow) -> ClassOf:
    number, level, section, code, year_id = row
    return ClassOf(number, f"{level}{section}", int(level), code, year_id)


def _read(
    session: AnySession, scheme: Scheme, course_id: int, semesters: Sequence[int] | None, month: str | None = None
) -> _Marks | None:
    found = session.execute(_CLASS.where(Course.course_id == course_id)).one_or_none()
    if found is None:
        return None
    course = _class_of(found)
    rows = _stored_marks(session, course_id, semesters, month)
    used = {row.semester_id for row in rows}
    return _Marks(
        course,
        scheme,
        _semesters(session, course, used if semesters is None else semesters, whole_year=semesters is None),
        _subjects(session, scheme, course.level, {row.subject_id for row in rows}),
        _places(session, course_id),
        _by_pupil(rows),
        _absences(session, course_id) if scheme.by_attendance else {},
    )


def _stored_marks(
    session: AnySession, course_id: int, semesters: Sequence[int] | None, month: str | None
) -> Sequence[AnyRow]:
    marks = select(
        Grade.student_id,
        Grade.semester_id,
        Grade.subject_id,
        Grade.grade_date,
        Grade.grade_id,
        Grade.version,
        Grade.grade,
        Grade.excused,
        Grade.grade_comment,
        Grade.user_id,
        Grade.updated_at,
    ).where(Grade.course_id == course_id)
    if semesters is not None:
        marks = marks.where(Grade.semester_id.in_(semesters))
    if month is not None:
        marks = marks.where(or_(Grade.grade_date == month, Grade.grade_date.startswith(f"{month}-")))
    return session.execute(marks.order_by(Grade.grade_id)).all()


def _by_pupil(rows: Sequence[AnyRow]) -> dict[int, dict[Cell, Entry]]:
    entries: dict[int, dict[Cell, Entry]] = {}
    for student, semester, subject, period, number, version, grade, excused, comment, user, saved in rows:
        entry = Entry(
            number, version, Mark(grade, excused) if excused or grade is not None else BLANK, comment, user, saved
        )
        entries.setdefault(student, {})[Cell(semester, subject, period)] = entry
    return entries


def _semesters(
    session: AnySession, course: ClassOf, numbers: Sequence[int] | set[int], *, whole_year: bool
) -> tuple[SemesterOf, ...]:
    """Read the semesters asked for; for a year, those of the school year and any other with marks."""
    of_year = Semester.school_year_id == course.school_year_id if whole_year else false()
    found = session.execute(
        select(Semester.semester_id, Semester.semester, Semester.semester_code)
        .where(or_(Semester.semester_id.in_(numbers), of_year))
        .order_by(Semester.start_date.nulls_last(), Semester.semester_id)
    )
    return tuple(SemesterOf(number, name, code) for number, name, code in found)


def _subjects(session: AnySession, scheme: Scheme, level: int, numbers: set[int]) -> tuple[SubjectOf, ...]:
    found = session.execute(
        select(Subject.subject_id, Subject.subject_name)
        .where(Subject.subject_id.in_(numbers))
        .order_by(Subject.subject_id)
    )
    return tuple(SubjectOf(number, name, scheme.maximum(level, name)) for number, name in found)


def _places(session: AnySession, course_id: int) -> dict[int, AnyRow]:
    """Read who is or was in the class, by family name and first name; Khmer sorts right by code point."""
    found = session.execute(
        select(
            Student.student_id,
            Student.full_name.label("name"),
            Student.gender,
            Enrollment.drop,
            *STAY,
        )
        .join(Enrollment, Enrollment.student_id == Student.student_id)
        .where(Enrollment.course_id == course_id)
        .order_by(collate(Student.last_name, "C"), collate(Student.first_name, "C"), Student.student_id)
    )
    return {row.student_id: row for row in found}


def _absences(session: AnySession, course_id: int) -> dict[int, dict[str, Fraction]]:
    """Count each pupil's absences by month, in whatever class they were noted and whoever asks."""
    counted = func.fsms_absences(course_id).table_valued("student", "month", "session", "status", "times")
    absences: dict[int, dict[str, Fraction]] = {}
    for student, of, part, status, times in session.execute(select(counted)):
        months = absences.setdefault(student, {})
        months[of] = months.get(of, Fraction()) + times * grading.absences_of([(part, status)])
    return absences
