"""Taking attendance: who stands on the roster of a class on a day, and saving what was seen. Never commits.

What is seen is seen in a half of the day. A full day is stored as one row where it is taken at once, as two where the
halves differ; taking one half of a full day splits it, and nothing of the other half is lost.

Everybody who saves says what the roster showed before. Where it shows something else by now, somebody else was there:
both are told and neither is written, while all the rest of the class is saved.
"""

import datetime as dt
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select

from fsms import activity, clock, policy, text
from fsms.activity import AnySession
from fsms.errors import InvalidValue, Refused, SchoolError
from fsms.models import Attendance, Course, Enrollment, Student, User
from fsms.operations import calendar
from fsms.vocabulary import AttendanceSession, AttendanceStatus

AM, PM, FULL = AttendanceSession.AM, AttendanceSession.PM, AttendanceSession.FULL
HALVES = (AM, PM)
HALVES_OF: Mapping[AttendanceSession, tuple[AttendanceSession, ...]] = {AM: (AM,), PM: (PM,), FULL: HALVES}

LONGEST_REASON = 200

_STATUSES: Mapping[str, AttendanceStatus] = {status.value: status for status in AttendanceStatus}


def _(sentence: str) -> str:
    """Mark a sentence for the translators; the screen translates it when it is shown."""
    return sentence


_DEEDS = {
    AM: _("Attendance of %(course)s, %(day)s, morning"),
    PM: _("Attendance of %(course)s, %(day)s, afternoon"),
    FULL: _("Attendance of %(course)s, %(day)s"),
}


class NoSuchClass(SchoolError):
    """The class is not there, or not the reader's."""


class NotThatDay(SchoolError):
    """On this day nobody can take attendance of the class."""


class TooLate(Refused):
    """The day is over for teachers: only administrators still correct it."""


@dataclass(frozen=True)
class Seen:
    """What was seen of a pupil in half a day."""

    status: AttendanceStatus
    reason: str | None = None

    @classmethod
    def of(cls, status: object, reason: object = None) -> "Seen":
        """Read what somebody chose and typed; being present needs no reason."""
        known = _STATUSES.get(status) if isinstance(status, str) else None
        if known is None:
            raise InvalidValue(
                _("There is no such attendance status. Choose present, absent, late or excused."), about="status"
            )
        written = text.clean(reason) if isinstance(reason, str) else ""
        if len(written) > LONGEST_REASON:
            raise InvalidValue(
                _("The reason is longer than %(longest)s letters. Shorten it."), about="reason", longest=LONGEST_REASON
            )
        return cls(known, (written or None) if known is not AttendanceStatus.PRESENT else None)


@dataclass(frozen=True)
class Recorded(Seen):
    """What stands in the records, with who saved it and when."""

    by: str | None = None
    when: dt.datetime | None = None

    @property
    def seen(self) -> Seen:
        """The bare observation, to be compared."""
        return Seen(self.status, self.reason)


@dataclass(frozen=True)
class Mark:
    """What somebody saw now, and what the roster showed before; None is: nobody had looked."""

    now: Seen
    before: Seen | None


Marks = Mapping[int, Mapping[AttendanceSession, Mark]]
"""By pupil and half of the day."""


# ---- The roster ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Line:
    """A pupil on a roster. A half that is not in `halves` was not taken."""

    student_id: int
    name: str
    halves: Mapping[AttendanceSession, Recorded]


@dataclass(frozen=True)
class Taken:
    """Who saved a half last, when, and for how many of the pupils."""

    pupils: int
    by: str | None
    when: dt.datetime


@dataclass(frozen=True)
class Roster:
    """The pupils of a class on a day, and why the day cannot be taken, if so."""

    course: Course
    day: dt.date
    lines: tuple[Line, ...]
    closed: SchoolError | None

    def taken(self, half: AttendanceSession) -> Taken | None:
        """Say who took a half of the day; None if nobody did."""
        found = [line.halves[half] for line in self.lines if half in line.halves]
        if not found:
            return None
        last = max(found, key=lambda one: one.when or dt.datetime.min.replace(tzinfo=dt.UTC))
        return Taken(len(found), last.by, last.when or clock.now())

    @property
    def usual_session(self) -> AttendanceSession | None:
        """The session the day was taken in: one half, or both at once; None if nobody did."""
        halves = [half for half in HALVES if self.taken(half)]
        return None if not halves else halves[0] if len(halves) == 1 else FULL


def roster(session: AnySession, course_id: int, day: dt.date) -> Roster:
    """Read the roster of a class on a day, writing nothing. Raises NoSuchClass."""
    course = _course(session, course_id)
    of_pupil: dict[int, list[Attendance]] = {}
    for row in session.scalars(_rows(course_id, day)):
        of_pupil.setdefault(row.student_id, []).append(row)
    lines = (
        Line(pupil.student_id, pupil.full_name, _halves(of_pupil.get(pupil.student_id, ())))
        for pupil in session.execute(_pupils(course_id, day))
    )
    return Roster(course, day, tuple(lines), _why_closed(session, course, day))


def is_taken_by_the_day(session: AnySession, course_id: int, day: dt.date) -> bool:
    """Say whether the class was taken for whole days when it was taken last."""
    last = select(Attendance.session).where(Attendance.course_id == course_id, Attendance.attendance_date <= day)
    return session.scalar(last.order_by(Attendance.attendance_date.desc()).limit(1)) == FULL


def _course(session: AnySession, course_id: int) -> Course:
    course = session.get(Course, course_id)
    if course is None:
        raise NoSuchClass(_("There is no such class, or it is not yours. Choose another one."))
    return course


def _pupils(course_id: int, day: dt.date) -> Any:
    return (
        select(Student.student_id, Student.full_name.label("full_name"))
        .join(Enrollment, Enrollment.student_id == Student.student_id)
        .where(Enrollment.course_id == course_id, Enrollment.is_active_on(day))
        .order_by(Student.last_name, Student.first_name, Student.student_id)
    )


def _rows(course_id: int, day: dt.date) -> Any:
    asked = select(Attendance).where(Attendance.course_id == course_id, Attendance.attendance_date == day)
    return asked.order_by(Attendance.student_id, Attendance.session).execution_options(populate_existing=True)


def _halves(rows: Iterable[Attendance]) -> dict[AttendanceSession, Recorded]:
    return {
        half: Recorded(_STATUSES[row.status], row.reason, row.recorded_by, row.updated_at)
        for row in rows
        for half in HALVES_OF[row.session]
    }


def _seen(row: Attendance) -> Seen:
    return Seen(_STATUSES[row.status], row.reason)


# ---- When it may be taken ------------------------------------------------------------------------------------------


def _why_closed(session: AnySession, course: Course, day: dt.date) -> SchoolError | None:
    try:
        _refuse_day(session, course, day)
    except (NotThatDay, TooLate) as closed:
        return closed
    return None


def _refuse_day(session: AnySession, course: Course, day: dt.date) -> None:
    if day > clock.today():
        raise NotThatDay(_("Attendance cannot be taken in advance. Choose today or an earlier day."))
    year = calendar.days_of(session, course.school_year)
    if day not in year:
        raise NotThatDay(
            _("%(course)s has school from %(first)s to %(last)s. Choose a day in between."),
            course=course,
            first=f"{year.first:%d/%m/%Y}",
            last=f"{year.last:%d/%m/%Y}",
        )
    opens = opens_on(session)
    if opens and day < opens:
        raise TooLate(
            _("Teachers take and correct attendance back to %(opens)s. Ask the office to change an earlier day."),
            opens=f"{opens:%d/%m/%Y}",
        )


def opens_on(session: AnySession) -> dt.date | None:
    """Say which is the earliest day that the session's actor may still take; None where there is no such limit."""
    actor = policy.actor_of(session)
    if actor is not None and actor.role == "teacher":
        return clock.today() - dt.timedelta(days=policy.attendance_rules(session).open_days)
    return None


# ---- Saving --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Clash:
    """Two saw different things, and neither is written over the other."""

    student_id: int
    name: str
    half: AttendanceSession
    mine: Seen
    theirs: Recorded | None


@dataclass(frozen=True)
class Outcome:
    """What a save did: pupils written and left as they were, clashes, and pupils not in the class on the day."""

    written: int
    unchanged: int
    clashes: tuple[Clash, ...]
    outside: tuple[str, ...]
    batch: uuid.UUID | None


def save(session: AnySession, course_id: int, day: dt.date, marks: Marks) -> Outcome:
    """Save what was seen of a class on a day, as one deed; writes only what differs.

    Raises NoSuchClass, NotThatDay or TooLate, and then nothing is written.
    """
    course = _course(session, course_id)
    _refuse_day(session, course, day)
    # Two who save the same class at once take turns: the second sees what the first has written.
    session.execute(select(func.pg_advisory_xact_lock(course_id, day.toordinal())))
    names = {pupil.student_id: pupil.full_name for pupil in session.execute(_pupils(course_id, day))}
    rows: dict[int, list[Attendance]] = {student: [] for student in names}
    for row in session.scalars(_rows(course_id, day)):
        rows.setdefault(row.student_id, []).append(row)
    here = {student: halves for student, halves in marks.items() if student in names}
    merged = [_merged(student, names[student], rows[student], halves) for student, halves in here.items()]
    changed = [one for one in merged if one.differs]
    return Outcome(
        written=len(changed),
        unchanged=len(merged) - len(changed),
        clashes=tuple(clash for one in merged for clash in one.clashes),
        outside=_outside(session, marks.keys() - names.keys()),
        batch=_write(session, course, day, changed, _session_of(here)) if changed else None,
    )


def _outside(session: AnySession, students: Iterable[int]) -> tuple[str, ...]:
    """Name those of whom something was seen though they are not in the class on that day."""
    wanted = sorted(students)
    found = select(Student.student_id, Student.full_name.label("full_name")).where(Student.student_id.in_(wanted))
    names = {pupil.student_id: pupil.full_name for pupil in session.execute(found)} if wanted else {}
    return tuple(names.get(student, str(student)) for student in wanted)


# ---- Joining what two have seen ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Merged:
    """A pupil's day as it shall be, beside the rows that hold it now."""

    student_id: int
    rows: list[Attendance]
    halves: Mapping[AttendanceSession, Seen]
    differs: bool
    whole: bool  # The halves go into one row if they are alike.
    clashes: tuple[Clash, ...]


def _merged(student_id: int, name: str, rows: list[Attendance], marks: Mapping[AttendanceSession, Mark]) -> _Merged:
    """Join what was seen with what is there: who did not touch a half leaves it, who saw the same agrees."""
    there = _halves(rows)
    halves = {half: recorded.seen for half, recorded in there.items()}
    clashes, differs = [], False
    for half, mark in marks.items():
        stored = halves.get(half)
        if mark.now in (stored, mark.before):
            continue
        if stored == mark.before:
            halves[half], differs = mark.now, True
        else:
            clashes.append(Clash(student_id, name, half, mark.now, there.get(half)))
    whole = len(marks) == len(HALVES) or any(row.session == FULL for row in rows)
    return _Merged(student_id, rows, halves, differs, whole, tuple(clashes))


def _wanted(one: _Merged) -> dict[AttendanceSession, Seen]:
    """Say which rows hold the pupil's day: one for a full day, otherwise one for each half."""
    if one.whole and len(one.halves) == len(HALVES) and one.halves[AM] == one.halves[PM]:
        return {FULL: one.halves[AM]}
    return dict(one.halves)


def _rehoused(one: _Merged) -> tuple[dict[AttendanceSession, Attendance], list[Attendance]]:
    """Give each row that is there a session to hold, its own where it can stay; and name those that are too many."""
    wanted = _wanted(one)
    held = {row.session: row for row in one.rows if row.session in wanted}
    free = [row for row in one.rows if row.session not in wanted]
    empty = [half for half in wanted if half not in held]
    for row in free[: len(empty)]:
        # What was split stays with the half of which it still tells.
        left = [half for half in empty if half not in held]
        held[next((half for half in left if wanted[half] == _seen(row)), left[0])] = row
    return held, free[len(empty) :]


# ---- Writing -------------------------------------------------------------------------------------------------------


def _session_of(marks: Marks) -> AttendanceSession:
    halves = {half for of_pupil in marks.values() for half in of_pupil}
    return FULL if len(halves) == len(HALVES) else halves.pop()


def _write(
    session: AnySession, course: Course, day: dt.date, changed: list[_Merged], taken: AttendanceSession
) -> uuid.UUID:
    facts = {"course": f"{course.grade}{course.section}", "day": f"{day:%d/%m/%Y}"}
    rehoused = [(one, *_rehoused(one)) for one in changed]
    scribe = _Scribe.of(session, course, day)
    with activity.deed(session, "take_attendance", _DEEDS[taken], **facts) as batch:
        # A full day may stand beside neither half at any moment, so what goes, goes first.
        for _one, _held, too_many in rehoused:
            for row in too_many:
                session.delete(row)
        session.flush()
        for one, held, _too_many in rehoused:
            for half, seen in _wanted(one).items():
                scribe.write(one.student_id, half, seen, held.get(half))
    return batch


@dataclass(frozen=True)
class _Scribe:
    """Writes the rows of one class and day, and fills in what the server knows better than the browser."""

    session: AnySession
    course: Course
    day: dt.date
    semester_id: int | None
    name: str | None

    @classmethod
    def of(cls, session: AnySession, course: Course, day: dt.date) -> "_Scribe":
        """Find out who writes, and in which semester."""
        actor = policy.actor_of(session)
        number = actor.user_id if actor else None
        name = session.scalar(select(User.full_name).where(User.user_id == number)) if number else None
        return cls(session, course, day, _semester(session, course, day), name)

    def write(self, student_id: int, half: AttendanceSession, seen: Seen, row: Attendance | None) -> None:
        """Put down what was seen, in the row that is there or in a new one."""
        if row is None:
            row = Attendance(student_id=student_id, course_id=self.course.course_id, attendance_date=self.day)
            self.session.add(row)
        elif (row.status, row.reason) == (seen.status, seen.reason) and row.session in (half, FULL):
            row.session = half  # Somebody else saw it, and it stays theirs.
            return
        row.session, row.status, row.reason = half, seen.status.value, seen.reason
        row.semester_id, row.school_year_id = self.semester_id, self.course.school_year_id
        row.recorded_by = self.name


def _semester(session: AnySession, course: Course, day: dt.date) -> int | None:
    try:
        return calendar.semester_on(session, day, course.school_year).semester_id
    except calendar.NoSemester:
        return None
