"""A class as a list of names: who is in it, who was, who teaches it. Read only, and nothing confidential."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select

from fsms.activity import AnySession
from fsms.models import Course, Enrollment, Semester, Student, User
from fsms.operations import places as places_of
from fsms.vocabulary import Gender


@dataclass(frozen=True)
class Pupil:
    """A pupil's line in the class."""

    enrollment_id: int
    student_id: int
    name: str
    gender: str
    dob: dt.date
    photo: str | None
    phone: str | None
    first_day: dt.date | None
    dropped_on: dt.date | None
    drop_semester: str | None
    drop_reason: str | None

    def age_on(self, day: dt.date) -> tuple[int, int, int]:
        """Say how old the pupil is on a day: whole years, months and days."""
        months = (day.year - self.dob.year) * 12 + day.month - self.dob.month - (day.day < self.dob.day)
        since = self.dob.year * 12 + self.dob.month - 1 + months
        last = _days_in(since // 12, since % 12 + 1)
        reached = dt.date(since // 12, since % 12 + 1, min(self.dob.day, last))
        return months // 12, months % 12, (day - reached).days


@dataclass(frozen=True)
class Teacher:
    """Somebody who teaches the class."""

    name: str
    position: str | None


@dataclass(frozen=True)
class Class:
    """Who is in a class and who was, each by name; and its teachers in their order."""

    pupils: tuple[Pupil, ...]
    dropped: tuple[Pupil, ...]
    teachers: tuple[Teacher, ...]

    @property
    def girls(self) -> int:
        """How many of the pupils in the class are girls."""
        return sum(1 for pupil in self.pupils if pupil.gender == Gender.FEMALE)

    def free(self, places: int | None) -> int | None:
        """How many places are free, where it is known how many there are; less than none where it is overfull."""
        return None if places is None else places - len(self.pupils)


def of_course(session: AnySession, course: Course) -> Class:
    """Read a class, as far as the reader sees it."""
    columns = (
        Enrollment.enrollment_id,
        Student.student_id,
        Student.full_name,
        Student.gender,
        Student.dob,
        Student.photo,
        Student.phone,
        Enrollment.enrolled_on,
        Enrollment.drop_date,
        Semester.semester_code,
        Enrollment.drop_reason,
    )
    asked = (
        select(*columns)
        .select_from(Enrollment)
        .join(Enrollment.student)
        .join(Enrollment.drop_semester, isouter=True)
        .where(Enrollment.course_id == course.course_id)
        .order_by(*places_of.BY_NAME)
    )
    everybody = [Pupil(*row) for row in session.execute(asked)]
    return Class(
        pupils=tuple(pupil for pupil in everybody if pupil.dropped_on is None),
        dropped=tuple(pupil for pupil in everybody if pupil.dropped_on is not None),
        teachers=_teachers(session, (course.teacher_id1, course.teacher_id2, course.teacher_id3)),
    )


def _teachers(session: AnySession, numbers: Sequence[int | None]) -> tuple[Teacher, ...]:
    asked = select(User.user_id, User.full_name, User.position).where(User.user_id.in_([n for n in numbers if n]))
    found = {number: Teacher(name, position) for number, name, position in session.execute(asked)}
    return tuple(found[number] for number in numbers if number in found)


def _days_in(year: int, month: int) -> int:
    return (dt.date(year + month // 12, month % 12 + 1, 1) - dt.timedelta(1)).day
