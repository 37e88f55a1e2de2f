"""Putting pupils into classes and taking them out. Every act is one deed; nothing is deleted; never commits.

A drop closes a place: the row, its marks and its attendance stay. Attendance dated after the day of the drop stays or
goes as the person decides, and what goes is in the log and comes back with Undo. Re-enrolling opens the same place
again, since a pupil has one in a class; the log keeps the story.
"""

import datetime as dt
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import Range

from fsms import policy
from fsms.activity import AnySession, deed
from fsms.errors import Refused, SchoolError
from fsms.models import Attendance, Course, Enrollment, Grade, Student
from fsms.operations import calendar
from fsms.operations import places as places_of
from fsms.operations.calendar import Span
from fsms.operations.places import NotInTheClass, attendance_after, marks_after, names, of, with_names
from fsms.policy import Verb
from fsms.vocabulary import DropReason, StudentStatus


def _(sentence: str) -> str:
    """Mark a sentence for the translators; the screen translates it when it is shown."""
    return sentence


class HasAPlace(SchoolError):
    """The pupil is in the class already."""


class WasDropped(SchoolError):
    """The pupil was in the class and dropped it: the place is there, and can be opened again."""


class SecondClass(SchoolError):
    """The pupil is in another class of the same school year; whoever means it so, confirms it."""


class BadDay(SchoolError):
    """The act cannot have happened on this day."""


class Later(StrEnum):
    """What becomes of attendance dated after the day on which a place is closed."""

    KEEP = "keep"
    REMOVE = "remove"
    CARRY = "carry"  # into the class the pupil moves to, marks for later months as well


@dataclass(frozen=True)
class Leaving:
    """How a place is closed: the first day without the pupil, why, and what becomes of what lies after it."""

    on: dt.date
    reason: str
    later: Later = Later.KEEP


LONGEST_REASON = 300


def reason(chosen: str, own_words: str = "") -> str:
    """Join a reason of the list and the person's own words; one of them must be there."""
    known = [choice.value for choice in DropReason]
    parts = [part for part in (chosen if chosen in known else "", " ".join(own_words.split())) if part]
    if not parts:
        raise SchoolError(_("Say why: choose a reason, or write it in your own words."), about="reason")
    if len(joined := ": ".join(parts)) > LONGEST_REASON:
        raise SchoolError(_("The reason is too long. Say it in fewer words."), about="own_words")
    return joined


# ---- The acts ------------------------------------------------------------------------------------------------------


def enrol(
    session: AnySession,
    students: Collection[int],
    course_id: int,
    *,
    on: dt.date,
    second_class: bool = False,
) -> list[Enrollment]:
    """Give pupils a place in a class from a day on, all of them or none.

    Raises HasAPlace, WasDropped or SecondClass for the first who cannot simply be enrolled.
    """
    _may_enrol(session)
    course, pupils = _course(session, course_id), _pupils(session, students)
    first_day = _first_day(session, course, on)
    _refuse_places(session, pupils, course)
    if not second_class:
        _refuse_second_class(session, pupils, course)
    name, sentence = _ENROLLED[len(pupils) > 1]
    with deed(session, name, sentence, **_facts(pupils, course)):
        places = [Enrollment(student=pupil, course=course, enrolled_on=first_day) for pupil in pupils]
        session.add_all(places)
        session.flush()
        _settle(session, places)
    return places


def drop(session: AnySession, places: Collection[int], how: Leaving, *, today: dt.date) -> list[Enrollment]:
    """Take pupils out of their classes from a day on, all of them or none."""
    _may_enrol(session)
    found = places_of.hold_open(session, places)
    name, sentence = _DROPPED[len(found) > 1]
    facts = _facts([place.student for place in found], found[0].course)
    with deed(session, name, sentence, **facts, day=_day(how.on), reason=how.reason):
        _close(session, found, how, today=today)
        _settle(session, found, leaving_as=StudentStatus.INACTIVE)
    return found


def re_enrol(
    session: AnySession, place_id: int, *, today: dt.date, on: dt.date | None = None, second_class: bool = False
) -> Enrollment:
    """Open a dropped place again from a day on: today, or the last of a year that is over.

    Its first day stays, what was written stands, and the place keeps that the pupil was away in between.
    """
    _may_enrol(session)
    (place,) = places_of.hold(session, [place_id])
    if not place.drop:
        raise NotInTheClass(_("%(pupil)s is in %(course)s already. Nothing was changed."), **names(place))
    if not second_class:
        _refuse_second_class(session, [place.student], place.course)
    day = on or _day_of_return(session, place, today)
    _refuse_return(session, place, day, today)
    sentence = _("%(pupil)s is back in %(course)s from %(day)s on")
    with deed(session, "re_enrol_student", sentence, **names(place), day=_day(day)):
        _open_again(place, day)
        _settle(session, [place])
    return place


def move(
    session: AnySession, place_id: int, course_id: int, how: Leaving, *, today: dt.date
) -> tuple[Enrollment, Enrollment]:
    """Let a pupil change class within a school year: the old place ends on the day, the new one begins on it."""
    _may_enrol(session)
    (old,) = places_of.hold_open(session, [place_id])
    course = _course(session, course_id)
    _refuse_move(old, course)
    sentence = _("%(pupil)s moved from %(course)s to %(to)s on %(day)s")
    with deed(session, "move_student", sentence, **names(old), to=course, day=_day(how.on)):
        _close(session, [old], how, today=today)
        new = places_of.in_class(session, old.student, course)
        if new is None:
            new = Enrollment(student=old.student, course=course, enrolled_on=how.on)
            session.add(new)
        elif new.drop:
            _refuse_return(session, new, how.on, today)
            _open_again(new, how.on)
        session.flush()
        if how.later is Later.CARRY:
            _carry(session, old, new, how.on)
        _settle(session, [new])
    return old, new


def leave_school(
    session: AnySession, student_id: int, how: Leaving, *, status: StudentStatus, today: dt.date
) -> list[Enrollment]:
    """Close all open places of a pupil on one day, and say in the record how the pupil left."""
    _may_enrol(session)
    (pupil,) = _pupils(session, [student_id])
    found = places_of.open_on(session, [student_id], on=how.on)
    if not found:
        raise NotInTheClass(_("%(pupil)s has no open place in a class on %(day)s."), pupil=str(pupil), day=_day(how.on))
    places = places_of.hold_open(session, [place.enrollment_id for place in found])
    sentence = _("%(pupil)s left the school on %(day)s: %(reason)s")
    with deed(session, "leave_school", sentence, pupil=pupil, day=_day(how.on), reason=how.reason):
        _close(session, places, how, today=today)
        _settle(session, places, leaving_as=status)
        pupil.status = status.value
    return places


# ---- The pupil's record ---------------------------------------------------------------------------------------------


def keep_in_step(session: AnySession, students: Collection[int]) -> None:
    """Write class, course and school year of pupils' records anew, from the places they have.

    A pupil's class is the open place in the newest school year of all their places; where that year's places are all
    dropped there is none, and level and year stay as they were. A record that is ahead, registered for a coming year,
    is left alone.
    """
    for held in places_of.all_of(session, students):
        _write_class(held)


# ---- Closing and opening -------------------------------------------------------------------------------------------


def _close(session: AnySession, places: Sequence[Enrollment], how: Leaving, *, today: dt.date) -> None:
    """Close places; what is removed goes first, so that undo can bring it back into an open place."""
    years = places_of.years(session, places)
    for place in places:
        _refuse_day(place, years[place.course.school_year_id], how.on, today)
    if how.later is Later.REMOVE:
        for row in session.scalars(attendance_after(places, how.on)):
            session.delete(row)
        session.flush()
    semesters = {
        year: calendar.semester_on(session, years[year].nearest(how.on), place.course.school_year)
        for year, place in {place.course.school_year_id: place for place in places}.items()
    }
    for place in places:
        if place.enrolled_on and place.enrolled_on > how.on:
            place.enrolled_on = None  # Given up before it began.
        place.drop = True
        place.drop_date = how.on
        place.drop_semester = semesters[place.course.school_year_id]
        place.drop_reason = how.reason
    session.flush()


def _day_of_return(session: AnySession, place: Enrollment, today: dt.date) -> dt.date:
    last = calendar.days_of(session, place.course.school_year).last
    return max(min(today, last), place.drop_date or today)


def _open_again(place: Enrollment, on: dt.date) -> None:
    """Take the drop out of the row, and leave there that the pupil was away until the day."""
    if place.drop_date and place.drop_date < on:
        place.away = [*(place.away or ()), Range(place.drop_date, on)]
    place.drop, place.drop_date, place.drop_semester, place.drop_reason = False, None, None, None


def _carry(session: AnySession, old: Enrollment, new: Enrollment, day: dt.date) -> None:
    """Let what was written after the day go along into the new class, so far as it has no such row yet."""
    seen = select(Attendance.attendance_date, Attendance.session).where(*of(Attendance, new))
    taken = {tuple(row) for row in session.execute(seen)}
    for row in session.scalars(attendance_after([old], day)):
        if (row.attendance_date, row.session) not in taken:
            row.course_id = new.course_id
    given = select(Grade.subject_id, Grade.semester_id, Grade.grade_date).where(*of(Grade, new))
    marked = {tuple(row) for row in session.execute(given)}
    for mark in session.scalars(marks_after(old, day)):
        if (mark.subject_id, mark.semester_id, mark.grade_date) not in marked:
            mark.course_id = new.course_id
    session.flush()


def _settle(session: AnySession, places: Sequence[Enrollment], *, leaving_as: StudentStatus | None = None) -> None:
    """Bring the records of pupils whose places changed into step: their class, and whether they study here."""
    changed = {place.enrollment_id for place in places}
    for held in places_of.all_of(session, {place.student_id for place in places}):
        _write_class(held)
        pupil, current = held[0].student, places_of.current(held)
        touched = any(place.enrollment_id in changed for place in places_of.newest_year(held))
        if leaving_as and touched and current is None and pupil.status in (None, StudentStatus.ACTIVE):
            pupil.status = leaving_as.value
        elif not leaving_as and current and current.enrollment_id in changed and pupil.status in _AWAY:
            pupil.status = StudentStatus.ACTIVE.value
    session.flush()


_AWAY = (None, StudentStatus.INACTIVE, StudentStatus.TRANSFERRED)


def _write_class(held: Sequence[Enrollment]) -> None:
    pupil, current, newest = held[0].student, places_of.current(held), held[0].course.school_year.school_year_code
    if pupil.school_year and pupil.school_year > newest:
        return
    pupil.class_id = current.course_id if current else None
    if current:
        pupil.class_, pupil.school_year = current.course.grade, newest


# ---- What is refused -----------------------------------------------------------------------------------------------


def _may_enrol(session: AnySession) -> None:
    actor = policy.actor_of(session)
    if not policy.may(actor, Verb.EDIT, Enrollment):
        raise Refused(policy.why(actor, Verb.EDIT, Enrollment))


def _refuse_day(place: Enrollment, year: Span, day: dt.date, today: dt.date) -> None:
    span = places_of.days(place, year)
    if day > today:
        raise BadDay(_("The day lies in the future. Enter today or an earlier day."), about="on")
    if day > span.last:
        raise BadDay(
            _("The school year of %(course)s ended on %(last)s. Enter that day or an earlier one."),
            about="on",
            course=str(place.course),
            last=_day(span.last),
        )
    if day < span.first <= today:
        raise BadDay(
            _("%(pupil)s came to %(course)s on %(first)s. Enter that day or a later one."),
            about="on",
            first=_day(span.first),
            **names(place),
        )


def _refuse_return(session: AnySession, place: Enrollment, day: dt.date, today: dt.date) -> None:
    if day > today:
        raise BadDay(_("The day lies in the future. Enter today or an earlier day."), about="on")
    if place.drop_date and day < place.drop_date:
        raise BadDay(
            _("%(pupil)s was in %(course)s until %(left)s. Enter that day or a later one."),
            about="on",
            left=_day(place.drop_date),
            **names(place),
        )
    last = calendar.days_of(session, place.course.school_year).last
    if day > max(last, place.drop_date or last):
        raise BadDay(
            _("The school year of %(course)s ended on %(last)s. Enter that day or an earlier one."),
            about="on",
            course=str(place.course),
            last=_day(last),
        )


def _refuse_places(session: AnySession, pupils: Sequence[Student], course: Course) -> None:
    """Refuse pupils who have, or had, a place in the class: there is one a pupil."""
    numbers = [pupil.student_id for pupil in pupils]
    asked = with_names().where(Enrollment.course_id == course.course_id, Enrollment.student_id.in_(numbers))
    place = session.scalars(asked.order_by(Enrollment.drop, Enrollment.enrollment_id)).first()
    if place is None:
        return
    if place.drop and place.drop_date:
        raise WasDropped(
            _("%(pupil)s was dropped from %(course)s on %(day)s. Re-enrol instead: the place is still there."),
            day=_day(place.drop_date),
            place=place.enrollment_id,
            **names(place),
        )
    raise HasAPlace(_("%(pupil)s has a place in %(course)s already."), **names(place))


def _refuse_second_class(session: AnySession, pupils: Sequence[Student], course: Course) -> None:
    for place in places_of.elsewhere(session, [pupil.student_id for pupil in pupils], course):
        raise SecondClass(
            _("%(pupil)s is in %(course)s in the same school year. Move the pupil, or confirm a second class."),
            **names(place),
        )


def _refuse_move(old: Enrollment, course: Course) -> None:
    if old.course_id == course.course_id:
        raise HasAPlace(_("%(pupil)s has a place in %(course)s already."), about="course", **names(old))
    if old.course.school_year_id != course.school_year_id:
        raise SchoolError(
            _("%(to)s belongs to another school year. Enrol the pupil there instead of moving."),
            about="course",
            to=str(course),
        )


# ---- Pupils and classes -------------------------------------------------------------------------------------------


def _course(session: AnySession, course_id: int) -> Course:
    course = session.get(Course, course_id)
    if course is None:
        raise SchoolError(_("This class does not exist any more. Choose another class."), about="course")
    return course


def _pupils(session: AnySession, numbers: Collection[int]) -> list[Student]:
    asked = select(Student).where(Student.student_id.in_(numbers)).order_by(*places_of.BY_NAME)
    pupils = list(session.scalars(asked))
    if not pupils or len(pupils) < len(set(numbers)):
        raise SchoolError(_("This pupil is not in the school's records any more. Choose another pupil."))
    return pupils


# ---- Days and words ------------------------------------------------------------------------------------------------


def _first_day(session: AnySession, course: Course, day: dt.date) -> dt.date | None:
    """Say what to keep as first day; nothing where it is the school year's own."""
    year = calendar.days_of(session, course.school_year)
    if day > year.last:
        raise BadDay(
            _("The school year of %(course)s ended on %(last)s. Enter that day or an earlier one."),
            about="on",
            course=str(course),
            last=_day(year.last),
        )
    return day if day > year.first else None


def _day(day: dt.date) -> str:
    return f"{day:%d/%m/%Y}"


def _facts(pupils: Sequence[Student], course: Course) -> dict[str, str | int]:
    return {"pupil": str(pupils[0]), "pupils": len(pupils), "course": str(course)}


_ENROLLED = (
    ("enrol_student", _("Enrolled %(pupil)s in %(course)s")),
    ("enrol_students", _("Enrolled %(pupils)s pupils in %(course)s")),
)
_DROPPED = (
    ("drop_student", _("Dropped %(pupil)s from %(course)s on %(day)s: %(reason)s")),
    ("drop_students", _("Dropped %(pupils)s pupils on %(day)s: %(reason)s")),
)
