"""What the first page asks that no other page does: pupils by grade, the month's comings and goings, what was done."""

import datetime as dt
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import joinedload

from fsms import clock
from fsms.activity import AnySession
from fsms.models import ActivityLog, Course, Enrollment, SchoolYear, Student, User
from fsms.reports import school_year
from fsms.vocabulary import Gender

_LOOKING_BACK = 120  # Entries, so that an act on a class of pupils does not hide the acts before it.
_COMING_AND_GOING = ("login", "logout", "login_failed")


@dataclass(frozen=True)
class Grade:
    """How many places in the classes of a grade are taken now."""

    level: int
    girls: int
    boys: int

    @property
    def pupils(self) -> int:
        """Girls and boys."""
        return self.girls + self.boys


@dataclass(frozen=True)
class Month:
    """Who came into a class and who left one, from the first of the month on."""

    first: dt.date
    enrolled: int
    dropped: int


@dataclass(frozen=True)
class Act:
    """What somebody did: the entry that tells of it, and how many more rows it touched."""

    entry: ActivityLog
    more: int


def year(session: AnySession, day: dt.date) -> str | None:
    """Name the school year of a day; None in a school without any."""
    present = SchoolYear.school_year_id == school_year.present(day)
    return session.scalar(select(SchoolYear.school_year_code).where(present))


def pupils_by_grade(session: AnySession, day: dt.date) -> tuple[Grade, ...]:
    """Count who is in a class of the year."""
    of_girls = Student.gender == Gender.FEMALE.value
    counted = (
        select(Course.level.label("level"), func.count().filter(of_girls), func.count().filter(~of_girls))
        .select_from(Enrollment)
        .join(Course, Enrollment.course_id == Course.course_id)
        .join(Student, Enrollment.student_id == Student.student_id)
        .where(Course.school_year_id == school_year.present(day), school_year.keeps_the_place())
        .group_by("level")
        .order_by("level")
    )
    return tuple(Grade(level, girls, boys) for level, girls, boys in session.execute(counted))


def month(session: AnySession, day: dt.date) -> Month:
    """Count the places in classes that were taken and given up in the month of a day."""
    first = day.replace(day=1)
    midnight = dt.datetime(first.year, first.month, 1, tzinfo=clock.SCHOOL_ZONE)
    counted = select(
        func.count().filter(Enrollment.created_at >= midnight), func.count().filter(Enrollment.drop_date >= first)
    ).select_from(Enrollment)
    enrolled, dropped = session.execute(counted).one()
    return Month(first, enrolled, dropped)


def recent_acts(session: AnySession, most: int) -> tuple[Act, ...]:
    """List what was done last, an act on many rows once."""
    entries = session.scalars(
        select(ActivityLog)
        .options(joinedload(ActivityLog.user))
        .where(ActivityLog.action.not_in(_COMING_AND_GOING))
        .order_by(ActivityLog.id.desc())
        .limit(_LOOKING_BACK)
    ).all()
    return tuple(act for act, _place in zip(_acts(entries), range(most), strict=False))


def _acts(entries: Sequence[ActivityLog]) -> Iterator[Act]:
    """Gather the entries by act; the first entry of an act speaks for it."""
    of_batch: dict[uuid.UUID | int, list[ActivityLog]] = {}
    for entry in entries:
        of_batch.setdefault(entry.batch or entry.id, []).append(entry)
    for rows in of_batch.values():
        yield Act(rows[-1], len(rows) - 1)


def locked_accounts(session: AnySession, now: dt.datetime) -> int:
    """Count the accounts that nobody can sign in with after too many wrong passwords."""
    return session.scalar(select(func.count()).where(User.account_locked_until > now)) or 0
