"""What the page of a pupil tells beside the record itself: class of today, years, marks, attendance, siblings."""

import datetime as dt
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from sqlalchemy import select

from fsms import clock, policy
from fsms.activity import AnySession
from fsms.config import AttendanceRules
from fsms.grading import Scheme
from fsms.models import ActivityLog, Course, Enrollment, SchoolYear, Student
from fsms.operations import places as places_of
from fsms.operations import siblings
from fsms.reports import attendance, marks, school_year
from fsms.reports.attendance import Year
from fsms.reports.marks import ClassOf, PupilInCourse
from fsms.vocabulary import StudentStatus


class Concern(StrEnum):
    """What whoever opens the page should not overlook."""

    NO_GUARDIAN_PHONE = "no guardian phone"
    HEALTH = "health"
    OVER_LIMIT = "over the limit of absences"
    NEAR_LIMIT = "near the limit of absences"
    OFTEN_ABSENT = "often absent"
    DROPPED = "dropped"
    NOT_ENROLLED = "not enrolled"


@dataclass(frozen=True)
class Sibling:
    """Another child of the family: the class of today, and the guardian through whom the two belong together."""

    student: Student
    course: Course | None
    guardian: str
    phone: str


@dataclass(frozen=True)
class Promise:
    """A scholarship: since when and, where it was ended, until when. `key` is None where it is ended."""

    key: int | None
    name: str
    amount: Decimal | None
    since: dt.date | None
    ended: dt.date | None = None


@dataclass(frozen=True)
class Pupil:
    """One pupil, as far as the reader may see. `sees_all`: what is not here, is not there."""

    student: Student
    places: tuple[Enrollment, ...]
    present_year: str
    courses: tuple[ClassOf, ...]
    marks: PupilInCourse | None
    attendance: tuple[Year, ...]
    siblings: tuple[Sibling, ...]
    rules: AttendanceRules
    sees_all: bool

    @property
    def this_year(self) -> list[Enrollment]:
        """The places of the present school year, dropped or not."""
        return [place for place in self.places if place.course.school_year.school_year_code == self.present_year]

    @property
    def course(self) -> Course | None:
        """The class of today: the open place in the present school year."""
        return next((place.course for place in self.this_year if not place.drop), None)

    @property
    def attendance_this_year(self) -> Year | None:
        """The counts of the present school year."""
        return next((year for year in self.attendance if year.name == self.present_year), None)

    @property
    def concerns(self) -> list[Concern]:
        """What should not be overlooked."""
        return [*_about_the_record(self), *_about_absences(self), *_about_the_class(self)]


def read(
    session: AnySession, student: Student, scheme: Scheme, *, today: dt.date, course_id: int | None = None
) -> Pupil:
    """Read what there is to know of a pupil, with as many queries for a long school life as for a short one.

    The marks are those of one class: that of the number or, where the pupil never was in it, the newest.
    """
    places = next(iter(places_of.all_of(session, [student.student_id])), [])
    courses = marks.courses_of(session, student.student_id)
    shown = next((course for course in courses if course.course_id == course_id), next(iter(courses), None))
    year = select(SchoolYear.school_year_code).where(SchoolYear.school_year_id == school_year.present(today))
    actor = policy.actor_of(session)
    return Pupil(
        student=student,
        places=tuple(places),
        present_year=session.scalar(year) or "",
        courses=courses,
        marks=marks.of_pupil(session, scheme, student.student_id, shown.course_id) if shown else None,
        attendance=attendance.summary(session, student.student_id, today),
        siblings=tuple(_siblings(session, student, today)),
        rules=policy.attendance_rules(session),
        sees_all=policy.may(actor, policy.Verb.EDIT, Enrollment),
    )


def _siblings(session: AnySession, student: Student, today: dt.date) -> Iterator[Sibling]:
    numbers = siblings.numbers_in(guardian.phone for guardian in student.guardians)
    family = siblings.of(session, numbers, other_than=student.student_id)
    classes = classes_of(session, [one.student.student_id for one in family], today)
    for one in family:
        yield Sibling(one.student, classes.get(one.student.student_id), one.guardian, one.phone)


def classes_of(session: AnySession, students: Collection[int], today: dt.date) -> dict[int, Course]:
    """Find the classes of today of several pupils, by their numbers."""
    year = session.scalar(select(school_year.present(today)))
    return {
        place.student_id: place.course
        for held in places_of.all_of(session, students)
        for place in held
        if place.course.school_year_id == year and not place.drop
    }


def promises_to(session: AnySession, student: Student) -> list[Promise]:
    """List a pupil's scholarships, and after them those that were ended, as the log tells."""
    held = [
        Promise(one.scholarship_id, str(one), one.amount, _day(one.created_at))
        for one in reversed(student.scholarships)
    ]
    whose = ActivityLog.details[("changes", "student_id", "0")].as_integer() == student.student_id
    told = select(ActivityLog).where(ActivityLog.action == "delete_scholarship", whose)
    return [*held, *map(_ended, session.scalars(told.order_by(ActivityLog.id.desc())))]


def _ended(entry: ActivityLog) -> Promise:
    changes = (entry.details or {}).get("changes") or {}
    before = {name: pair[0] for name, pair in changes.items()}
    since, amount = before.get("created_at"), before.get("amount")
    return Promise(
        key=None,
        name=" · ".join(part for part in (before.get("type"), before.get("sponsor")) if part) or str(entry.entity_id),
        amount=Decimal(amount) if amount else None,
        since=_day(dt.datetime.fromisoformat(since)) if since else None,
        ended=_day(entry.timestamp),
    )


def _day(moment: dt.datetime) -> dt.date:
    return moment.astimezone(clock.SCHOOL_ZONE).date()


# ---- What should not be overlooked ---------------------------------------------------------------------------------


def _about_the_record(pupil: Pupil) -> Iterator[Concern]:
    if not any(guardian.phone for guardian in pupil.student.guardians):
        yield Concern.NO_GUARDIAN_PHONE
    if pupil.student.health:
        yield Concern.HEALTH


def _about_absences(pupil: Pupil) -> Iterator[Concern]:
    if (year := pupil.attendance_this_year) is None:
        return
    absent = year.tally.absent + year.tally.excused
    if year.tally.weighed_absences >= pupil.rules.dismiss_at:
        yield Concern.OVER_LIMIT
    elif year.tally.weighed_absences >= pupil.rules.warn_at:
        yield Concern.NEAR_LIMIT
    elif absent * 100 > pupil.rules.absent_percent * year.tally.recorded:
        yield Concern.OFTEN_ABSENT


def _about_the_class(pupil: Pupil) -> Iterator[Concern]:
    if pupil.course is not None:
        return
    if pupil.this_year:
        yield Concern.DROPPED
    elif pupil.sees_all and pupil.student.status in (None, StudentStatus.ACTIVE):
        yield Concern.NOT_ENROLLED
