"""The register of a class: its pupils down, the days across, each half of a day as it was seen. Reads only."""

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import select

from fsms import clock, policy
from fsms.activity import AnySession
from fsms.models import STAY, Attendance, Enrollment, Student
from fsms.reports.attendance import AM, FULL, HALVES, PM, Asked, Share, Tally, school_days
from fsms.stays import Stay
from fsms.vocabulary import AttendanceSession, AttendanceStatus

Half = tuple[dt.date, AttendanceSession]

_HALVES_OF: Mapping[AttendanceSession, tuple[AttendanceSession, ...]] = {AM: (AM,), PM: (PM,), FULL: HALVES}
_STATUSES: Mapping[str, AttendanceStatus] = {status.value: status for status in AttendanceStatus}


@dataclass(frozen=True)
class Entry:
    """What was seen of a pupil in half a day."""

    status: AttendanceStatus
    reason: str | None


@dataclass(frozen=True)
class Line:
    """A pupil's days. A half without an entry was not taken, or lies outside the pupil's time in the class."""

    student_id: int
    name: str
    entries: Mapping[Half, Entry]
    outside: frozenset[dt.date]
    tally: Tally
    share: Share


@dataclass(frozen=True)
class Register:
    """A class over some days: the weekdays with lessons and any other day that was taken, and the pupils."""

    first: dt.date
    last: dt.date
    days: tuple[dt.date, ...]
    taken: frozenset[Half]
    lines: tuple[Line, ...]
    share: Share


def register(session: AnySession, course_id: int, first: dt.date, last: dt.date) -> Register:
    """Read the register of a class from one day to another, with what was attended of it."""
    rules = policy.attendance_rules(session)
    weekdays = rules.school_days
    entries: dict[int, dict[Half, Entry]] = {}
    for row in session.execute(_rows(course_id, first, last)):
        of_pupil = entries.setdefault(row.student_id, {})
        of_pupil |= {
            (row.attendance_date, half): Entry(_STATUSES[row.status], row.reason) for half in _HALVES_OF[row.session]
        }
    taken = frozenset(half for of_pupil in entries.values() for half in of_pupil)
    held = _held(session, first, last, weekdays)
    due = {(day, half) for day in held for half in _usual(taken)} | taken
    shown = sorted({day for day in _days(first, last) if day.isoweekday() in weekdays} | {day for day, _half in taken})
    lines = []
    for place in session.execute(_places(course_id, first, last)):
        stay = Stay.of(place)
        if not any(day in stay for day in _days(first, last)):
            continue
        outside = frozenset(day for day in shown if day not in stay)
        seen = entries.get(place.student_id, {})
        tally = _tally(seen, [half for half in due if half[0] not in outside])
        lines.append(Line(place.student_id, place.full_name, seen, outside, tally, tally.share(rules)))
    whole = sum((line.tally for line in lines), Tally())
    return Register(first, last, tuple(shown), taken, tuple(lines), whole.share(rules))


def _tally(seen: Mapping[Half, Entry], due: Iterable[Half]) -> Tally:
    counts = Counter(entry.status for entry in seen.values())
    return Tally(
        present=counts[AttendanceStatus.PRESENT],
        absent=counts[AttendanceStatus.ABSENT],
        late=counts[AttendanceStatus.LATE],
        excused=counts[AttendanceStatus.EXCUSED],
        not_taken=sum(half not in seen for half in due),
    )


def _usual(taken: Iterable[Half]) -> Sequence[AttendanceSession]:
    """Say in which halves the class meets: those of at least half of the days on which it was taken; at first, both."""
    found = list(taken)
    days = len({day for day, _half in found})
    return [half for half in HALVES if 2 * sum(one == half for _day, one in found) >= days]


def _days(first: dt.date, last: dt.date) -> Iterable[dt.date]:
    return (first + dt.timedelta(days=after) for after in range((last - first).days + 1))


def _held(session: AnySession, first: dt.date, last: dt.date, weekdays: frozenset[int]) -> list[dt.date]:
    days = school_days(first, min(last, clock.today()))
    return [day for day in session.scalars(select(days.c.day)) if day.isoweekday() in weekdays]


def _rows(course_id: int, first: dt.date, last: dt.date) -> Asked:
    columns = (Attendance.student_id, Attendance.attendance_date, Attendance.session, Attendance.status)
    return select(*columns, Attendance.reason).where(
        Attendance.course_id == course_id, Attendance.attendance_date.between(first, last)
    )


def _places(course_id: int, first: dt.date, last: dt.date) -> Asked:
    return (
        select(Student.student_id, Student.full_name.label("full_name"), *STAY)
        .join(Enrollment, Enrollment.student_id == Student.student_id)
        .where(Enrollment.course_id == course_id)
        .where((Enrollment.enrolled_on.is_(None)) | (Enrollment.enrolled_on <= last))
        .where((Enrollment.drop_date.is_(None)) | (Enrollment.drop_date > first))
        .order_by(Student.last_name, Student.first_name, Student.student_id)
    )
