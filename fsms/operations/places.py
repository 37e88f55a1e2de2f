"""Pupils' places in classes: finding them with their names, holding them, and what was written in them. Reads only."""

import datetime as dt
from collections.abc import Collection, Sequence
from itertools import groupby

from sqlalchemy import ColumnElement, Select, func, select, tuple_
from sqlalchemy.orm import contains_eager

from fsms.activity import AnySession
from fsms.errors import SchoolError
from fsms.models import Attendance, Course, Enrollment, Grade, SchoolYear, Student
from fsms.operations import calendar
from fsms.operations.calendar import Span
from fsms.stays import Stay


def _(sentence: str) -> str:
    """Mark a sentence for the translators; the screen translates it when it is shown."""
    return sentence


class NotInTheClass(SchoolError):
    """There is no open place, or none such as the act needs; somebody may have acted meanwhile."""


NEWEST_FIRST = (SchoolYear.school_year_code.desc(), Course.level.desc(), Enrollment.enrollment_id.desc())
BY_NAME = (Student.last_name, Student.first_name, Student.student_id)


def with_names() -> Select[Enrollment]:
    """Ask for places with pupil, course and school year, in one statement that joins all three."""
    return (
        select(Enrollment)
        .join(Enrollment.student)
        .join(Enrollment.course)
        .join(Course.school_year)
        .options(
            contains_eager(Enrollment.student),
            contains_eager(Enrollment.course).contains_eager(Course.school_year),
        )
    )


# ---- Of a pupil ----------------------------------------------------------------------------------------------------


def open_on(session: AnySession, students: Collection[int], *, on: dt.date) -> list[Enrollment]:
    """Find the places that are not dropped, in school years that are not over on the day, the newest first."""
    asked = with_names().where(Enrollment.student_id.in_(students), ~Enrollment.drop)
    found = list(session.scalars(asked.order_by(*NEWEST_FIRST)))
    spans = years(session, found)
    return [place for place in found if spans[place.course.school_year_id].last >= on]


def elsewhere(session: AnySession, students: Collection[int], course: Course) -> list[Enrollment]:
    """Find the open places that pupils have in other classes of the school year."""
    others = (Course.school_year_id == course.school_year_id) & (Course.course_id != course.course_id)
    asked = with_names().where(Enrollment.student_id.in_(students), ~Enrollment.drop, others)
    return list(session.scalars(asked.order_by(*BY_NAME, Enrollment.enrollment_id)))


def all_of(session: AnySession, students: Collection[int]) -> list[list[Enrollment]]:
    """Read all places of pupils, those of one pupil together, the newest first."""
    asked = with_names().where(Enrollment.student_id.in_(students)).order_by(Enrollment.student_id, *NEWEST_FIRST)
    return [list(held) for _pupil, held in groupby(session.scalars(asked), key=lambda place: place.student_id)]


def newest_year(held: Sequence[Enrollment]) -> list[Enrollment]:
    """Pick, of all places of a pupil, those in the newest school year."""
    return [place for place in held if place.course.school_year_id == held[0].course.school_year_id]


def current(held: Sequence[Enrollment]) -> Enrollment | None:
    """Pick the pupil's class: the open place in the newest school year; None where all of that year are dropped."""
    return next((place for place in newest_year(held) if not place.drop), None)


# ---- Held to the end of the transaction ----------------------------------------------------------------------------


def hold(session: AnySession, numbers: Collection[int]) -> list[Enrollment]:
    """Read places as they are now, and hold them: two who act on one wait for one another."""
    asked = with_names().where(Enrollment.enrollment_id.in_(numbers)).order_by(*BY_NAME, Enrollment.enrollment_id)
    found = list(session.scalars(_held(asked)))
    if not found or len(found) < len(set(numbers)):
        raise NotInTheClass(_("This enrolment does not exist any more. Choose the pupils again."))
    return found


def hold_open(session: AnySession, numbers: Collection[int]) -> list[Enrollment]:
    """Read and hold places of which none may be dropped; somebody may have acted meanwhile."""
    found = hold(session, numbers)
    for place in found:
        if place.drop and place.drop_date:
            raise NotInTheClass(
                _("%(pupil)s was dropped from %(course)s on %(day)s already. Nothing was changed."),
                day=f"{place.drop_date:%d/%m/%Y}",
                **names(place),
            )
    return found


def in_class(session: AnySession, pupil: Student, course: Course) -> Enrollment | None:
    """Find and hold the pupil's place in a class, open or dropped."""
    asked = with_names().where(Enrollment.student_id == pupil.student_id, Enrollment.course_id == course.course_id)
    return session.scalars(_held(asked)).one_or_none()


def _held(asked: Select[Enrollment]) -> Select[Enrollment]:
    return asked.with_for_update(of=Enrollment).execution_options(populate_existing=True)


# ---- What was written in a place -----------------------------------------------------------------------------------


def attendance_after(held: Sequence[Enrollment], day: dt.date) -> Select[Attendance]:
    """Ask for the attendance of places dated after a day."""
    pairs = [(place.student_id, place.course_id) for place in held]
    among = tuple_(Attendance.student_id, Attendance.course_id).in_(pairs)
    return select(Attendance).where(among, Attendance.attendance_date > day).order_by(Attendance.attendance_id)


def marks_after(place: Enrollment, day: dt.date) -> Select[Grade]:
    """Ask for the marks of a place for a later day or, where they are for a month, for a later month."""
    after = Grade.grade_date > func.left(day.isoformat(), func.char_length(Grade.grade_date))
    return select(Grade).where(*of(Grade, place), after).order_by(Grade.grade_id)


def of(kind: type[Attendance] | type[Grade], place: Enrollment) -> tuple[ColumnElement[bool], ...]:
    """Say which marks or attendance belong to a place."""
    return kind.student_id == place.student_id, kind.course_id == place.course_id


# ---- Days and words ------------------------------------------------------------------------------------------------


def years(session: AnySession, held: Sequence[Enrollment]) -> dict[int, Span]:
    """Say which days the school years of places have, by the year's number."""
    return calendar.days_of_all(session, {place.course.school_year for place in held})


def days(place: Enrollment, year: Span) -> Span:
    """Say on which days a place can be closed: from the day the pupil came, or came back, to the year's last."""
    return Span(Stay.of(place).last_began or year.first, year.last)


def names(place: Enrollment) -> dict[str, str]:
    """Name pupil and class, as the facts of a sentence."""
    return {"pupil": str(place.student), "course": str(place.course)}
