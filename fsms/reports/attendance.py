"""How much of school a pupil attended, and what was taken on a day. The one place where percentages are made.

The unit is the session: a morning or an afternoon is one, a full day two. What nobody took stands on neither side of
the fraction and is counted apart. Who is missing, and whom to call, is in `absences`.
"""

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Self

from sqlalchemy import (
    ColumnElement,
    Date,
    Row,
    Select,
    TableValuedAlias,
    case,
    column,
    exists,
    func,
    lateral,
    or_,
    select,
    true,
)
from sqlalchemy.dialects.postgresql import aggregate_order_by

from fsms import clock, policy
from fsms.activity import AnySession
from fsms.config import AttendanceRules
from fsms.models import STAY, Attendance, Course, Enrollment, SchoolYear, Semester
from fsms.reports import school_year
from fsms.stays import Stay
from fsms.vocabulary import AttendanceSession, AttendanceStatus

AM, PM, FULL = AttendanceSession.AM, AttendanceSession.PM, AttendanceSession.FULL
HALVES = (AM, PM)

# From when on a class that nobody took is one that somebody should have taken.
DUE = {AM: dt.time(7, 0), PM: dt.time(13, 0)}
# Which halves of a day a class meets in is seen from as many of its school's last days.
_LAST_DAYS, _LOOKING_BACK = 10, dt.timedelta(days=40)

Asked = Select[*tuple[Any, ...]]

SESSIONS: ColumnElement[int] = case((Attendance.session == FULL, 2), else_=1)
"""How many sessions a row stands for."""


# ---- Fractions -----------------------------------------------------------------------------------------------------


def in_short(number: Decimal) -> str:
    """Write a number without zeros that say nothing."""
    return f"{number.normalize():f}"


@dataclass(frozen=True)
class Share:
    """Attended of recorded sessions: a fraction that is rounded only where it is shown, half up."""

    numerator: Decimal
    denominator: int
    not_taken: int = 0

    @property
    def percentage(self) -> Decimal | None:
        """The percentage with one decimal; None where nothing was recorded, which is neither all nor nothing."""
        if not self.denominator:
            return None
        return (self.numerator * 100 / self.denominator).quantize(Decimal("0.1"), ROUND_HALF_UP)

    @property
    def fraction(self) -> str:
        """Both numbers: "41.5 / 44"."""
        return f"{in_short(self.numerator)} / {self.denominator}"

    def __str__(self) -> str:
        """Show the fraction, and what it comes to: "41.5 / 44 = 94.3 %"."""
        return self.fraction if self.percentage is None else f"{self.fraction} = {self.percentage} %"


@dataclass(frozen=True)
class Tally:
    """Sessions by what was seen in them, and those in which nobody looked."""

    present: int = 0
    absent: int = 0
    late: int = 0
    excused: int = 0
    not_taken: int = 0

    def __add__(self, other: "Tally") -> Self:
        """Join two periods."""
        return type(self)(*(getattr(self, one.name) + getattr(other, one.name) for one in fields(self)))

    @property
    def recorded(self) -> int:
        """Sessions in which something was seen."""
        return self.present + self.absent + self.late + self.excused

    @property
    def weighed_absences(self) -> Decimal:
        """Absences as the parents' contract counts them: two excused ones are one."""
        return self.absent + Decimal(self.excused) / 2

    def share(self, rules: AttendanceRules) -> Share:
        """Say how much was attended; a late pupil attended as much of a session as the school has decided."""
        attended = self.present + Decimal(self.late * rules.late_percent) / 100
        return Share(attended, self.recorded, self.not_taken)


def counted(status: AttendanceStatus) -> ColumnElement[int]:
    """Count the sessions of a status, in a query that groups attendance."""
    return func.coalesce(func.sum(SESSIONS).filter(Attendance.status == status), 0)


TALLY = tuple(
    counted(status).label(status.name.lower())
    for status in (
        AttendanceStatus.PRESENT,
        AttendanceStatus.ABSENT,
        AttendanceStatus.LATE,
        AttendanceStatus.EXCUSED,
    )
)
"""The four counts of a `Tally`, in its order."""


# ---- The calendar --------------------------------------------------------------------------------------------------


def covers(half: AttendanceSession) -> ColumnElement[bool]:
    """Say whether a row tells of this half of its day."""
    return Attendance.session.in_([half, FULL])


@dataclass(frozen=True)
class Day:
    """A day on which there was school."""

    day: dt.date
    school_year: str
    semester: str


def is_school_day(session: AnySession, day: dt.date) -> bool:
    """Say whether there are lessons on this day of the week."""
    return day.isoweekday() in policy.attendance_rules(session).school_days


def school_days(first: Any, last: Any) -> TableValuedAlias:
    """Ask for the days on which any class of the school was taken, the reader's or not: the others were holidays."""
    return func.fsms_school_days(first, last).table_valued(column("day", Date))


# ---- The classes of a day ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Taken:
    """Attendance that was taken: of how many pupils, and who saved last, and when."""

    pupils: int
    when: dt.datetime
    by: str | None


@dataclass(frozen=True)
class ClassOnDay:
    """A class on a day. `halves` are those it meets in or was taken in; None stands for not taken."""

    course_id: int
    name: str
    level: int
    pupils: int
    halves: Mapping[AttendanceSession, Taken | None]
    due: frozenset[AttendanceSession] = frozenset()

    @property
    def missing(self) -> tuple[AttendanceSession, ...]:
        """The halves in which somebody should have taken attendance by now and nobody has."""
        return tuple(half for half, taken in self.halves.items() if taken is None and half in self.due)


def classes_on(session: AnySession, day: dt.date, now: dt.datetime | None = None) -> tuple[ClassOnDay, ...]:
    """List the classes of the year, as far as the reader sees them, with what was taken on the day."""
    due = _due(session, day, now or clock.now())
    return tuple(
        ClassOnDay(
            course_id=row.course_id,
            name=f"{row.grade}{row.section}",
            level=int(row.grade),
            pupils=row.pupils,
            halves={half: taken for half in HALVES if (taken := _taken(row, half)) or half in _usual(row)},
            due=due,
        )
        for row in session.execute(_classes(day))
    )


def classes_today(session: AnySession, day: dt.date | None = None) -> tuple[ClassOnDay, ...]:
    """List the classes of today, or of another day."""
    return classes_on(session, day or clock.today())


def not_taken(session: AnySession, day: dt.date, now: dt.datetime | None = None) -> tuple[ClassOnDay, ...]:
    """List the classes that somebody should have taken by now."""
    return tuple(one for one in classes_on(session, day, now) if one.pupils and one.missing)


def _due(session: AnySession, day: dt.date, now: dt.datetime) -> frozenset[AttendanceSession]:
    here = now.astimezone(clock.SCHOOL_ZONE)
    if not is_school_day(session, day) or day > here.date():
        return frozenset()
    return frozenset(half for half, time in DUE.items() if day < here.date() or time <= here.time())


def _taken(row: Row[Any], half: AttendanceSession) -> Taken | None:
    pupils, when, by = (getattr(row, f"{half}_{fact}".lower()) for fact in ("pupils", "when", "by"))
    return Taken(pupils, when, by) if pupils else None


def _usual(row: Row[Any]) -> Iterable[AttendanceSession]:
    """Say in which halves a class meets: those of at least half of the days on which it was taken; at first, both."""
    return [half for half in HALVES if 2 * getattr(row, f"{half}_days".lower()) >= row.days]


def _classes(day: dt.date) -> Asked:
    pupils = (
        select(func.count())
        .where(Enrollment.course_id == Course.course_id, Enrollment.is_active_on(day))
        .scalar_subquery()
    )
    on_day = lateral(_facts_of_day(day))
    recent = lateral(_halves_taken(day))
    return (
        select(Course.course_id, Course.grade, Course.section, pupils.label("pupils"))
        .add_columns(*on_day.c, *recent.c)
        .select_from(Course)
        .join(on_day, true())
        .join(recent, true())
        .where(Course.school_year_id == school_year.present(day))
        .order_by(Course.level, Course.section, Course.course_id)
    )


def _facts_of_day(day: dt.date) -> Asked:
    last_first = aggregate_order_by(Attendance.recorded_by, Attendance.updated_at.desc())
    facts: list[Any] = []
    for half in HALVES:
        facts += [
            func.count().filter(covers(half)).label(f"{half}_pupils".lower()),
            func.max(Attendance.updated_at).filter(covers(half)).label(f"{half}_when".lower()),
            func.array_agg(last_first).filter(covers(half))[1].label(f"{half}_by".lower()),
        ]
    return select(*facts).where(Attendance.course_id == Course.course_id, Attendance.attendance_date == day)


def _halves_taken(day: dt.date) -> Asked:
    """Count, among the school's last days, those on which the class was taken, at all and in each half."""
    before = school_days(day - _LOOKING_BACK, day - dt.timedelta(days=1))
    recent = select(before.c.day).order_by(before.c.day.desc()).limit(_LAST_DAYS).subquery()
    taken = {
        half: exists(
            select(Attendance.attendance_id)
            .where(Attendance.course_id == Course.course_id, Attendance.attendance_date == recent.c.day, covers(half))
            .correlate(Course, recent)
        )
        for half in HALVES
    }
    return select(
        func.count().filter(or_(*taken.values())).label("days"),
        *(func.count().filter(found).label(f"{half}_days".lower()) for half, found in taken.items()),
    ).select_from(recent)


# ---- A pupil -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Period:
    """A semester or a year of a pupil: the counts, and the fraction they make."""

    name: str
    tally: Tally
    share: Share


@dataclass(frozen=True)
class Year(Period):
    """A school year of a pupil, with its semesters."""

    semesters: tuple[Period, ...] = ()


def summary(session: AnySession, student_id: int, until: dt.date | None = None) -> tuple[Year, ...]:
    """Sum up a pupil's attendance by school year, the newest first, and by semester within."""
    rules = policy.attendance_rules(session)
    places = list(session.execute(_places_of(student_id)))
    days = _school_days_of(session, places, until or clock.today())
    of_place: dict[int, list[Row[Any]]] = {place.course_id: [] for place in places}
    for row in session.execute(_sums_of(student_id, until or clock.today())):
        of_place[row.course_id].append(row)
    years: dict[str, dict[str, Tally]] = {}
    for place in places:
        of_year = years.setdefault(place.school_year, {})
        for name, tally in _by_semester(place, of_place[place.course_id], days):
            of_year[name] = of_year.get(name, Tally()) + tally
    return tuple(_year(name, of_year, rules) for name, of_year in years.items() if of_year)


def _year(name: str, semesters: Mapping[str, Tally], rules: AttendanceRules) -> Year:
    whole = sum(semesters.values(), Tally())
    parts = (Period(code, tally, tally.share(rules)) for code, tally in sorted(semesters.items()))
    return Year(name, whole, whole.share(rules), tuple(parts))


def _by_semester(place: Row[Any], rows: Sequence[Row[Any]], days: Iterable[Day]) -> Iterator[tuple[str, Tally]]:
    """Give what was seen in a class by semester, and how often nobody looked in the halves that the class meets in."""
    usual = [half for half in HALVES if 2 * sum(_days_in(row, half) for row in rows) >= sum(row.days for row in rows)]
    held = Counter(day.semester for day in days if rows and _is_in_class(place, day))
    found = {row.semester or "": row for row in rows}
    for name in {**found, **held}:
        row = found.get(name)
        seen = Tally(row.present, row.absent, row.late, row.excused) if row else Tally()
        missed = sum(max(0, held[name] - (_days_in(row, half) if row else 0)) for half in usual)
        yield name, seen + Tally(not_taken=missed)


def _days_in(row: Row[Any], half: AttendanceSession) -> int:
    return int(getattr(row, f"{half}_days".lower()))


def _is_in_class(place: Row[Any], day: Day) -> bool:
    return place.school_year == day.school_year and day.day in Stay.of(place)


def _school_days_of(session: AnySession, places: Sequence[Row[Any]], until: dt.date) -> list[Day]:
    """List the days of school of the pupil's years, each with its semester; holidays between semesters are none."""
    weekdays = policy.attendance_rules(session).school_days
    days = school_days(Semester.start_date, func.least(Semester.end_date, until)).lateral()
    asked = (
        select(days.c.day, SchoolYear.school_year_code, Semester.semester_code)
        .select_from(Semester)
        .join(SchoolYear, SchoolYear.school_year_id == Semester.school_year_id)
        .join(days, true())
        .where(SchoolYear.school_year_code.in_({place.school_year for place in places}))
    )
    return [Day(*row) for row in session.execute(asked) if row[0].isoweekday() in weekdays]


def _places_of(student_id: int) -> Asked:
    return (
        select(
            Enrollment.course_id,
            *STAY,
            SchoolYear.school_year_code.label("school_year"),
        )
        .join(Course, Course.course_id == Enrollment.course_id)
        .join(SchoolYear, SchoolYear.school_year_id == Course.school_year_id)
        .where(Enrollment.student_id == student_id)
        .order_by(SchoolYear.school_year_code.desc(), Enrollment.enrollment_id)
    )


def _sums_of(student_id: int, until: dt.date) -> Asked:
    return (
        select(
            Attendance.course_id,
            Semester.semester_code.label("semester"),
            *TALLY,
            func.count(Attendance.attendance_date.distinct()).label("days"),
            *(func.count().filter(covers(half)).label(f"{half}_days".lower()) for half in HALVES),
        )
        .join(Semester, Semester.semester_id == Attendance.semester_id, isouter=True)
        .where(Attendance.student_id == student_id, Attendance.attendance_date <= until)
        .group_by(Attendance.course_id, Semester.semester_code)
    )
