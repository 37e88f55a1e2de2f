"""Who is missing from school, and whom to call: today, three times in a row, too often, close to the limit.

Sessions are counted as in `attendance`: a morning or an afternoon is one, a full day two. An excused absence is an
absence here as well, and its number stands beside; only the limit of the parents' contract counts it half.
"""

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from itertools import groupby
from typing import Any

from sqlalchemy import ColumnElement, Row, and_, case, func, lateral, or_, select, true
from sqlalchemy.orm import aliased

from fsms import clock, policy
from fsms.activity import AnySession
from fsms.models import Attendance, Course, Enrollment, Guardian, Student
from fsms.reports import school_year
from fsms.reports.attendance import AM, SESSIONS, TALLY, Asked, Share, Tally, in_short
from fsms.vocabulary import AttendanceSession, AttendanceStatus

ABSENT = (AttendanceStatus.ABSENT.value, AttendanceStatus.EXCUSED.value)
LATELY = dt.timedelta(days=30)
_LONGEST_STREAK = dt.timedelta(days=120)

_IS_ABSENT = Attendance.status.in_(ABSENT)
_EXCUSED = func.coalesce(func.sum(SESSIONS).filter(Attendance.status == AttendanceStatus.EXCUSED), 0)


@dataclass(frozen=True)
class Contact:
    """Somebody to call about a pupil."""

    relation: str
    name: str
    phone: str

    @property
    def dialled(self) -> str:
        """The number as a telephone dials it."""
        return "".join(sign for sign in self.phone if sign.isdigit() or sign == "+")


@dataclass(frozen=True)
class Absentee:
    """A pupil who is missing, with the class and those who answer for the pupil."""

    student_id: int
    name: str
    course_id: int
    course: str
    contacts: tuple[Contact, ...]


@dataclass(frozen=True)
class Missed:
    """A session that was missed, by what was noted of it."""

    session: AttendanceSession
    status: str
    reason: str | None


@dataclass(frozen=True)
class AbsentOnDay(Absentee):
    """Missing on a day, in one session of it or in two."""

    halves: tuple[Missed, ...]


@dataclass(frozen=True)
class Streak(Absentee):
    """Missing ever since: so many sessions in a row, some of them excused."""

    sessions: int
    excused: int
    since: dt.date


@dataclass(frozen=True)
class OftenAbsent(Absentee):
    """Missing in a large part of the last weeks."""

    absent: int
    excused: int
    share: Share

    @property
    def absent_share(self) -> Share:
        """The part that was missed, of the sessions recorded."""
        return Share(Decimal(self.absent), self.share.denominator)


@dataclass(frozen=True)
class NearLimit(Absentee):
    """Close to the absences of a year after which the contract lets the school dismiss a pupil, or beyond them."""

    tally: Tally
    limit: int

    @property
    def weighed(self) -> str:
        """How many absences that makes, an excused one counting half."""
        return in_short(self.tally.weighed_absences)

    @property
    def is_over(self) -> bool:
        """Say whether the limit is reached."""
        return self.tally.weighed_absences >= self.limit


# ---- Questions -----------------------------------------------------------------------------------------------------


def absent_on(session: AnySession, day: dt.date | None = None) -> tuple[AbsentOnDay, ...]:
    """List who is missing on a day, today if none is said, class by class."""
    day = day or clock.today()
    asked = (
        _pupils(day)
        .add_columns(Attendance.session, Attendance.status, Attendance.reason)
        .join(Attendance, _of_the_place())
        .where(Attendance.attendance_date == day, _IS_ABSENT)
        .order_by(*_BY_CLASS, Attendance.session)
    )
    rows = session.execute(asked).all()
    contacts = contacts_of(session, (row.student_id for row in rows))
    places = groupby(rows, key=lambda row: _who(row, contacts))
    return tuple(
        AbsentOnDay(*who, tuple(Missed(row.session, row.status, row.reason) for row in missed))
        for who, missed in places
    )


def in_a_row(session: AnySession, day: dt.date | None = None) -> tuple[Streak, ...]:
    """List who has been missing without a break up to a day, the longest first."""
    day = day or clock.today()
    rows = session.execute(_streaks(day, policy.attendance_rules(session).in_a_row)).all()
    contacts = contacts_of(session, (row.student_id for row in rows))
    return tuple(Streak(*_who(row, contacts), row.sessions, row.excused, row.since) for row in rows)


def too_often(session: AnySession, day: dt.date | None = None) -> tuple[OftenAbsent, ...]:
    """List who missed a large part of the last thirty days, the largest first."""
    day = day or clock.today()
    rules = policy.attendance_rules(session)
    rows = session.execute(_often(day, rules.absent_percent, rules.in_a_row)).all()
    contacts = contacts_of(session, (row.student_id for row in rows))
    tallies = [Tally(row.present, row.absent, row.late, row.excused) for row in rows]
    return tuple(
        OftenAbsent(*_who(row, contacts), tally.absent + tally.excused, tally.excused, tally.share(rules))
        for row, tally in zip(rows, tallies, strict=True)
    )


def near_limit(session: AnySession, day: dt.date | None = None) -> tuple[NearLimit, ...]:
    """List who comes near the number of absences in a school year that ends a pupil's place, the nearest first."""
    day = day or clock.today()
    rules = policy.attendance_rules(session)
    rows = session.execute(_many(day, rules.warn_at)).all()
    contacts = contacts_of(session, (row.student_id for row in rows))
    return tuple(
        NearLimit(*_who(row, contacts), Tally(absent=row.absent, excused=row.excused), rules.dismiss_at) for row in rows
    )


def contacts_of(session: AnySession, student_ids: Iterable[int]) -> Mapping[int, tuple[Contact, ...]]:
    """Find the guardians of pupils who have a telephone."""
    wanted = set(student_ids)
    found: dict[int, tuple[Contact, ...]] = dict.fromkeys(wanted, ())
    if not wanted:
        return found
    guardians = (
        select(Guardian.student_id, Guardian.relation, Guardian.full_name.label("name"), Guardian.phone)
        .where(Guardian.student_id.in_(wanted), Guardian.phone != "")
        .order_by(Guardian.guardian_id)
    )
    for row in session.execute(guardians):
        found[row.student_id] += (Contact(row.relation, row.name, row.phone),)
    return found


# ---- Queries -------------------------------------------------------------------------------------------------------

_BY_CLASS = (Course.level, Course.section, Student.last_name, Student.first_name, Student.student_id)


def _pupils(day: dt.date) -> Asked:
    """Name the pupils who have a place in a class of the year on that day."""
    names: tuple[Any, ...] = (Student.student_id, Student.last_name, Student.first_name)
    return (
        select(*names, Course.course_id, Course.grade, Course.section)
        .select_from(Course)
        .join(Enrollment, Enrollment.course_id == Course.course_id)
        .join(Student, Student.student_id == Enrollment.student_id)
        .where(Course.school_year_id == school_year.present(day), Enrollment.is_active_on(day))
    )


def _who(row: Row[Any], contacts: Mapping[int, tuple[Contact, ...]]) -> tuple[int, str, int, str, tuple[Contact, ...]]:
    name = f"{row.last_name} {row.first_name}"
    return row.student_id, name, row.course_id, f"{row.grade}{row.section}", contacts[row.student_id]


def _of_the_place() -> ColumnElement[bool]:
    return and_(Attendance.student_id == Enrollment.student_id, Attendance.course_id == Enrollment.course_id)


def _streaks(day: dt.date, fewest: int) -> Asked:
    """Take those with enough absences lately, find when each was last seen, and count what came after."""
    missing = _absences(day - LATELY, day).having(func.sum(SESSIONS) >= fewest).subquery()
    seen = aliased(Attendance)
    last_seen = lateral(
        select(seen.attendance_date.label("day"), (seen.session != AM).label("afternoon"))
        .where(seen.student_id == missing.c.student_id, seen.course_id == missing.c.course_id)
        .where(seen.attendance_date <= day, seen.status.not_in(ABSENT))
        .order_by(seen.attendance_date.desc(), (seen.session != AM).desc())
        .limit(1)
        .correlate(missing)
    )
    after = or_(
        last_seen.c.day.is_(None),
        Attendance.attendance_date > last_seen.c.day,
        and_(Attendance.attendance_date == last_seen.c.day, Attendance.session != AM, ~last_seen.c.afternoon),
    )
    since = lateral(
        select(
            func.coalesce(func.sum(SESSIONS), 0).label("sessions"),
            _EXCUSED.label("excused"),
            func.min(Attendance.attendance_date).label("since"),
        )
        .where(Attendance.student_id == missing.c.student_id, Attendance.course_id == missing.c.course_id)
        .where(Attendance.attendance_date.between(day - _LONGEST_STREAK, day), after)
        .correlate(missing, last_seen)
    )
    return (
        _pupils(day)
        .add_columns(since.c.sessions, since.c.excused, since.c.since)
        .join(missing, _same_place(missing))
        .join(last_seen, true(), isouter=True)
        .join(since, true())
        .where(since.c.sessions >= fewest)
        .order_by(since.c.sessions.desc(), *_BY_CLASS)
    )


def _often(day: dt.date, percent: int, fewest: int) -> Asked:
    """Take those with more than a few absences lately, and hold them against all that was recorded of them."""
    first = day - LATELY
    missing = _absences(first, day).having(func.sum(SESSIONS) > fewest).subquery()
    recorded = lateral(
        select(*TALLY, func.sum(SESSIONS).label("recorded"))
        .where(Attendance.student_id == missing.c.student_id, Attendance.course_id == missing.c.course_id)
        .where(Attendance.attendance_date.between(first, day))
        .correlate(missing)
    )
    absent = recorded.c.absent + recorded.c.excused
    return (
        _pupils(day)
        .add_columns(recorded.c.present, recorded.c.absent, recorded.c.late, recorded.c.excused)
        .join(missing, _same_place(missing))
        .join(recorded, true())
        .where(absent * 100 >= recorded.c.recorded * percent)
        .order_by((absent * Decimal(1) / recorded.c.recorded).desc(), *_BY_CLASS)
    )


def _many(day: dt.date, warn_at: int) -> Asked:
    """Add up the absences of the year, in whatever class they were; doubled, since an excused one counts half."""
    doubled = case((Attendance.status == AttendanceStatus.ABSENT, 2), else_=1) * SESSIONS
    of_year = Course.school_year_id == school_year.present(day)
    _present, absent, _late, excused = TALLY
    many = (
        select(Attendance.student_id, absent, excused, func.sum(doubled).label("doubled"))
        .join(Course, Course.course_id == Attendance.course_id)
        .where(of_year, Attendance.attendance_date <= day, _IS_ABSENT)
        .group_by(Attendance.student_id)
        .having(func.sum(doubled) >= 2 * warn_at)
        .subquery()
    )
    return (
        _pupils(day)
        .add_columns(many.c.absent, many.c.excused)
        .join(many, many.c.student_id == Student.student_id)
        .order_by(many.c.doubled.desc(), *_BY_CLASS)
    )


def _absences(first: dt.date, last: dt.date) -> Asked:
    """Group the absences of the year's classes by place; the index of absences has all that is asked."""
    return (
        select(Attendance.student_id, Attendance.course_id)
        .join(Course, Course.course_id == Attendance.course_id)
        .where(
            Course.school_year_id == school_year.present(last),
            _IS_ABSENT,
            Attendance.attendance_date.between(first, last),
        )
        .group_by(Attendance.student_id, Attendance.course_id)
    )


def _same_place(asked: Any) -> ColumnElement[bool]:
    return and_(asked.c.student_id == Enrollment.student_id, asked.c.course_id == Enrollment.course_id)
