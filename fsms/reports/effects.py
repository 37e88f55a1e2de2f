"""What an act on pupils' places would do: found by doing it and taking it back, then counted. Leaves nothing behind."""

import datetime as dt
import hashlib
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import astuple, dataclass

from sqlalchemy import distinct, func, select, tuple_

from fsms.activity import AnySession
from fsms.grading import Scheme
from fsms.models import Attendance, Course, Enrollment, Grade, Scholarship, Student, Subject
from fsms.operations import enrolling
from fsms.operations import places as places_of
from fsms.operations.enrolling import Leaving
from fsms.reports import marks
from fsms.vocabulary import StudentStatus


@dataclass(frozen=True)
class Effect:
    """What becomes of one pupil's place in a class, and of what hangs on it."""

    enrollment_id: int
    student_id: int
    pupil: str
    course_id: int
    course: str
    marks_kept: int
    marks_carried: int
    attendance_kept: int
    attendance_later: int  # of the kept ones, those dated after the day
    attendance_removed: int
    attendance_carried: int
    ranked: int  # classmates whose rank is reckoned anew
    rank_changes: int  # of them those who get another one
    other_places: tuple[str, ...]
    scholarships: tuple[str, ...]
    status: str | None  # the pupil's new one, where it changes


@dataclass(frozen=True)
class Preview:
    """The effects on each place, by name of the pupil."""

    effects: tuple[Effect, ...]

    @property
    def seal(self) -> str:
        """Sum the effects up. Who confirms sends the sum along; another one then means that something changed since."""
        return hashlib.sha256(repr([astuple(effect) for effect in self.effects]).encode()).hexdigest()[:16]


def of_drop(session: AnySession, places: Collection[int], how: Leaving, *, today: dt.date, scheme: Scheme) -> Preview:
    """Say what dropping these places would do."""
    return _tried(session, how, scheme, lambda: enrolling.drop(session, places, how, today=today))


def of_move(session: AnySession, place: int, course: int, how: Leaving, *, today: dt.date, scheme: Scheme) -> Preview:
    """Say what moving to another class would do to the old place."""
    return _tried(session, how, scheme, lambda: enrolling.move(session, place, course, how, today=today)[:1], to=course)


def of_leaving(
    session: AnySession, student: int, how: Leaving, *, status: StudentStatus, today: dt.date, scheme: Scheme
) -> Preview:
    """Say what leaving the school would do to each open place."""
    return _tried(
        session, how, scheme, lambda: enrolling.leave_school(session, student, how, status=status, today=today)
    )


@dataclass(frozen=True)
class Fit:
    """How a new class fits the old one: levels, and the subjects that have marks in both or in one of them."""

    old_level: int
    new_level: int
    shared: tuple[str, ...]
    only_old: tuple[str, ...]
    only_new: tuple[str, ...]


def fit(session: AnySession, old: Course, new: Course) -> Fit:
    """Say what of the old class there is in the new one."""
    asked = (
        select(Subject.subject_name, func.array_agg(distinct(Grade.course_id)))
        .join(Grade, Grade.subject_id == Subject.subject_id)
        .where(Grade.course_id.in_([old.course_id, new.course_id]))
        .group_by(Subject.subject_id, Subject.subject_name)
        .order_by(Subject.subject_id)
    )
    found = [(name, set(courses)) for name, courses in session.execute(asked)]
    return Fit(
        old_level=old.level,
        new_level=new.level,
        shared=tuple(name for name, courses in found if len(courses) == 2),
        only_old=tuple(name for name, courses in found if courses == {old.course_id}),
        only_new=tuple(name for name, courses in found if courses == {new.course_id}),
    )


# ---- Doing it and taking it back -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Names:
    enrollment_id: int
    student_id: int
    course_id: int
    pupil: str
    course: str
    semester_id: int


@dataclass(frozen=True)
class _Found:
    """What the tables hold at one time: rows by pupil and class, ranks by class, statuses by pupil."""

    marks: Mapping[tuple[int, int], int]
    attendance: Mapping[tuple[int, int], int]
    later: Mapping[tuple[int, int], int]
    ranks: Mapping[int, Mapping[int, int]]
    statuses: Mapping[int, str | None]


def _tried(
    session: AnySession,
    how: Leaving,
    scheme: Scheme,
    act: Callable[[], Sequence[Enrollment]],
    *,
    to: int | None = None,
) -> Preview:
    trial = session.begin_nested()
    try:
        names = [_names(place) for place in act()]
        after = _found(session, names, how.on, scheme, to)
    finally:
        trial.rollback()
        session.expire_all()
    before = _found(session, names, how.on, scheme, to)
    others, money = _other_places(session, names, how.on), _scholarships(session, names)
    return Preview(
        tuple(
            _effect(name, before, after, to, others.get(name.student_id, ()), money.get(name.student_id, ()))
            for name in names
        )
    )


def _effect(
    name: _Names, before: _Found, after: _Found, to: int | None, others: Sequence[str], money: Sequence[str]
) -> Effect:
    pair, new = (name.student_id, name.course_id), (name.student_id, to or 0)
    carried = after.attendance.get(new, 0) - before.attendance.get(new, 0)
    old, ranks = before.ranks[name.course_id], after.ranks[name.course_id]
    status = after.statuses[name.student_id]
    return Effect(
        enrollment_id=name.enrollment_id,
        student_id=name.student_id,
        pupil=name.pupil,
        course_id=name.course_id,
        course=name.course,
        marks_kept=after.marks.get(pair, 0),
        marks_carried=after.marks.get(new, 0) - before.marks.get(new, 0),
        attendance_kept=after.attendance.get(pair, 0),
        attendance_later=after.later.get(pair, 0),
        attendance_removed=before.attendance.get(pair, 0) - after.attendance.get(pair, 0) - carried,
        attendance_carried=carried,
        ranked=len(ranks),
        rank_changes=sum(1 for pupil, place in ranks.items() if old.get(pupil) != place),
        other_places=tuple(others),
        scholarships=tuple(money),
        status=status if status != before.statuses[name.student_id] else None,
    )


def _names(place: Enrollment) -> _Names:
    return _Names(
        place.enrollment_id,
        place.student_id,
        place.course_id,
        str(place.student),
        str(place.course),
        place.drop_semester_id or 0,
    )


# ---- Counting ------------------------------------------------------------------------------------------------------


def _found(session: AnySession, names: Sequence[_Names], day: dt.date, scheme: Scheme, to: int | None) -> _Found:
    pairs = [(name.student_id, course) for name in names for course in (name.course_id, to) if course]
    given = (
        select(Grade.student_id, Grade.course_id, func.count())
        .where(tuple_(Grade.student_id, Grade.course_id).in_(pairs))
        .group_by(Grade.student_id, Grade.course_id)
    )
    seen = (
        select(
            Attendance.student_id,
            Attendance.course_id,
            func.count(),
            func.count().filter(Attendance.attendance_date > day),
        )
        .where(tuple_(Attendance.student_id, Attendance.course_id).in_(pairs))
        .group_by(Attendance.student_id, Attendance.course_id)
    )
    attended = session.execute(seen).all()
    return _Found(
        marks={(pupil, course): n for pupil, course, n in session.execute(given)},
        attendance={(pupil, course): n for pupil, course, n, _later in attended},
        later={(pupil, course): later for pupil, course, _n, later in attended},
        ranks={
            course: _ranks(session, scheme, course, semester)
            for course, semester in {name.course_id: name.semester_id for name in names}.items()
        },
        statuses=dict(
            session.execute(
                select(Student.student_id, Student.status).where(
                    Student.student_id.in_({name.student_id for name in names})
                )
            ).all()
        ),
    )


def _ranks(session: AnySession, scheme: Scheme, course: int, semester: int) -> dict[int, int]:
    """Rank the class in the semester of the day: who has a rank, and which."""
    sheet = marks.semester(session, scheme, course, semester)
    lines = sheet.lines if sheet else ()
    return {line.student_id: line.standing.rank.place for line in lines if line.standing.rank}


def _other_places(session: AnySession, names: Sequence[_Names], day: dt.date) -> dict[int, list[str]]:
    acted = {name.enrollment_id for name in names}
    found: dict[int, list[str]] = {}
    for place in places_of.open_on(session, {name.student_id for name in names}, on=day):
        if place.enrollment_id not in acted:
            found.setdefault(place.student_id, []).append(str(place.course))
    return found


def _scholarships(session: AnySession, names: Sequence[_Names]) -> dict[int, list[str]]:
    asked = select(Scholarship).where(Scholarship.student_id.in_({name.student_id for name in names}))
    found: dict[int, list[str]] = {}
    for promised in session.scalars(asked.order_by(Scholarship.scholarship_id)):
        found.setdefault(promised.student_id, []).append(str(promised))
    return found
