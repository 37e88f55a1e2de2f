"""Closing the marks of a semester, opening them for a while, and saying so to whoever comes too late. Never commits.

The database holds the lock (migration 0018): what a teacher's session writes there is refused or finds nothing. Here
the refusal gets its sentence, before the flush, whichever screen the change comes from.
"""

import datetime as dt
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import Integer, Select, bindparam, event, inspect, or_, select
from sqlalchemy.orm import Session, aliased, scoped_session, sessionmaker

from fsms import activity, clock, policy, text
from fsms.activity import AnySession
from fsms.errors import InvalidValue, Refused
from fsms.models import ActivityLog, Course, Grade, SchoolYear, Semester, User
from fsms.office import TermLock

LONGEST_REASON = 300
LONGEST_OPENING = dt.timedelta(days=60)


def _(sentence: str) -> str:
    """Mark a sentence for the translators; the screen translates it when it is shown."""
    return sentence


class Locked(Refused):
    """The marks are closed, and the person is no administrator."""


@dataclass(frozen=True)
class Lock:
    """A lock in full: what it closes, who closed it and why, and until when it is open, if it is."""

    semester_id: int
    semester: str
    course_id: int | None  # None: every class
    course: str | None
    reason: str
    who: str | None
    when: dt.datetime
    open_until: dt.datetime | None = None
    open_reason: str | None = None
    opened_by: str | None = None

    @property
    def holds(self) -> bool:
        """Whether it is closed at this moment."""
        return self.open_until is None or self.open_until <= clock.now()


# ---- Asking --------------------------------------------------------------------------------------------------------


def lock_of(session: AnySession, course_id: int, semester_id: int) -> Lock | None:
    """Find the lock that decides about a class in a semester, open or not: its own, or else the one for all."""
    row = session.execute(_deciding(), {"course": course_id, "semester": semester_id}).one_or_none()
    return Lock(*row) if row else None


def all_locks(session: AnySession, school_year: SchoolYear) -> list[Lock]:
    """List the locks of a school year's semesters, those for all classes first."""
    listed = _all().where(of_year(school_year))
    in_order = listed.order_by(Semester.start_date, Semester.semester_code, TermLock.course_id.nulls_first())
    return [Lock(*row) for row in session.execute(in_order)]


def of_year(school_year: SchoolYear) -> Any:
    """Tell the semesters of a school year, by their link to it or by their code."""
    begins = school_year.school_year_code[:4]
    return or_(Semester.school_year_id == school_year.school_year_id, Semester.semester_code.endswith(f"-{begins}"))


def refusal(session: AnySession, course_id: int, semester_id: int) -> Locked | None:
    """Say to the session's actor why marks may not be changed here; nothing where they may."""
    if _is_above_locks(session):
        return None
    lock = lock_of(session, course_id, semester_id)
    return _sentence(lock) if lock and lock.holds else None


def refuse_locked_marks(session: AnySession, keys: Collection[int]) -> None:
    """Raise Locked if one of these marks may not be changed by the session's actor."""
    if _is_above_locks(session) or not keys:
        return
    places = select(Grade.course_id, Grade.semester_id).where(Grade.grade_id.in_(keys)).distinct()
    for course_id, semester_id in session.execute(places.order_by(Grade.course_id, Grade.semester_id)).all():
        if refused := refusal(session, course_id, semester_id):
            raise refused


def history(session: AnySession, limit: int = 30) -> list[ActivityLog]:
    """Read from the log who closed and opened what, the newest first."""
    acts = select(ActivityLog).where(ActivityLog.action.in_([_LOCKED, _OPENED]))
    return list(session.scalars(acts.order_by(ActivityLog.id.desc()).limit(limit)))


def _sentence(lock: Lock) -> Locked:
    return Locked(
        _(
            "The marks of %(semester)s are locked since %(day)s by %(who)s: “%(reason)s”. "
            "Ask the office to open them for a while."
        ),
        semester=lock.semester,
        day=f"{lock.when.astimezone(clock.SCHOOL_ZONE):%d/%m/%Y}",
        who=lock.who or "–",
        reason=lock.reason,
    )


def _is_above_locks(session: AnySession) -> bool:
    actor = policy.actor_of(session)
    return actor is not None and policy.DATABASE_ROLES.get(actor.role) == policy.OWNER


@cache
def _deciding() -> Select[*tuple[Any, ...]]:
    """Compose, once, what every save of a teacher asks."""
    course, semester = bindparam("course", type_=Integer), bindparam("semester", type_=Integer)
    here = TermLock.semester_id == semester, or_(TermLock.course_id == course, TermLock.course_id.is_(None))
    return _all().where(*here).order_by(TermLock.course_id.nulls_last()).limit(1)


def _all() -> Select[*tuple[Any, ...]]:
    locker, opener = aliased(User), aliased(User)
    return (
        select(
            TermLock.semester_id,
            Semester.semester_code,
            TermLock.course_id,
            Course.grade + Course.section,
            TermLock.reason,
            locker.full_name,
            TermLock.locked_at,
            TermLock.open_until,
            TermLock.open_reason,
            opener.full_name,
        )
        .join(Semester, Semester.semester_id == TermLock.semester_id)
        .join(Course, Course.course_id == TermLock.course_id, isouter=True)
        .join(locker, locker.user_id == TermLock.locked_by, isouter=True)
        .join(opener, opener.user_id == TermLock.opened_by, isouter=True)
    )


# ---- Closing and opening -------------------------------------------------------------------------------------------

_LOCKED, _OPENED = "lock_marks", "open_marks"


def lock(session: AnySession, semester: Semester, course: Course | None, reason: str) -> None:
    """Close a semester's marks of one class, or of all; one that is open is closed again at once."""
    _refuse_others(session)
    why = _reason(reason, "reason")
    held = _held(session, semester, course) or TermLock(semester_id=semester.semester_id, course_id=_id(course))
    held.reason, held.locked_by, held.locked_at = why, _actor_id(session), clock.now()
    held.open_until = held.open_reason = held.opened_by = None
    session.add(held)
    _tell(session, _LOCKED, semester, course, reason=why)


def reopen(session: AnySession, semester: Semester, course: Course | None, reason: str, until: dt.datetime) -> None:
    """Open a lock until a moment, after which it holds again. A class can be opened under the lock for all."""
    _refuse_others(session)
    why = _reason(reason, "open_reason")
    if not clock.now() < until <= clock.now() + LONGEST_OPENING:
        raise InvalidValue(
            _("Choose an end that is still to come, within %(days)s days: then the lock holds again by itself."),
            about="until",
            days=LONGEST_OPENING.days,
        )
    held = _held(session, semester, course) or _under_the_lock_for_all(session, semester, course)
    held.open_until, held.open_reason, held.opened_by = until, why, _actor_id(session)
    session.add(held)
    end = f"{until.astimezone(clock.SCHOOL_ZONE):%d/%m/%Y %H:%M}"
    _tell(session, _OPENED, semester, course, until=end, reason=why)


def _under_the_lock_for_all(session: AnySession, semester: Semester, course: Course | None) -> TermLock:
    over = _held(session, semester, None)
    if over is None or course is None:
        raise InvalidValue(_("These marks are not locked, so there is nothing to open."), about="course")
    return TermLock(
        semester_id=semester.semester_id,
        course_id=course.course_id,
        reason=over.reason,
        locked_by=over.locked_by,
        locked_at=over.locked_at,
    )


def _held(session: AnySession, semester: Semester, course: Course | None) -> TermLock | None:
    """Find the very lock, and hold it: of two at once the second finds what the first did."""
    mine = TermLock.course_id.is_(None) if course is None else TermLock.course_id == course.course_id
    found = select(TermLock).where(TermLock.semester_id == semester.semester_id, mine)
    return session.scalars(found.with_for_update()).one_or_none()


def _refuse_others(session: AnySession) -> None:
    if not _is_above_locks(session):
        raise Refused(_("Only administrators lock marks and open them again."))


def _reason(typed: str, about: str) -> str:
    reason = text.clean(typed)
    if not reason:
        raise InvalidValue(_("Say why: whoever finds the marks locked or open reads it."), about=about)
    if len(reason) > LONGEST_REASON:
        raise InvalidValue(_("The reason is too long: at most %(most)s characters."), about=about, most=LONGEST_REASON)
    return reason


_SENTENCES = {
    _LOCKED: (
        _("Locked the marks of %(semester)s in all classes: “%(reason)s”"),
        _("Locked the marks of %(semester)s in %(course)s: “%(reason)s”"),
    ),
    _OPENED: (
        _("Opened the marks of %(semester)s in all classes until %(until)s: “%(reason)s”"),
        _("Opened the marks of %(semester)s in %(course)s until %(until)s: “%(reason)s”"),
    ),
}


def _tell(session: AnySession, action: str, semester: Semester, course: Course | None, **facts: str) -> None:
    session.flush()
    told = {"semester": semester.semester_code} | ({"course": str(course)} if course else {}) | facts
    activity.record(
        session,
        action,
        policy.actor_of(session),
        {"sentence": _SENTENCES[action][course is not None], "facts": told},
        entity="Semester",
        entity_id=semester.semester_id,
    )


def _id(course: Course | None) -> int | None:
    return course.course_id if course else None


def _actor_id(session: AnySession) -> int | None:
    actor = policy.actor_of(session)
    return actor.user_id if actor else None


# ---- Every door ----------------------------------------------------------------------------------------------------


def install(target: sessionmaker[Any] | scoped_session[Any] | type[Session]) -> None:
    """Let these sessions refuse, with the lock's own sentence, what the database would refuse without one."""
    event.listen(target, "before_flush", _mind_the_locks)


def _mind_the_locks(session: Session, _context: object, _objects: object) -> None:
    changed = [row for row in (*session.new, *session.dirty, *session.deleted) if isinstance(row, Grade)]
    if not changed or _is_above_locks(session):
        return
    for course_id, semester_id in sorted({place for row in changed for place in _places(row)}):
        if refused := refusal(session, course_id, semester_id):
            raise refused


def _places(row: Grade) -> Iterator[tuple[int, int]]:
    """Name the class and semester of a mark, as they are to be and, where it moves, as they were."""
    for course_id in _values(row, "course"):
        for semester_id in _values(row, "semester"):
            yield course_id, semester_id


def _values(row: Grade, name: str) -> set[int]:
    past, linked = inspect(row).attrs[f"{name}_id"].history, row.__dict__.get(name)
    known = {*past.added, *past.unchanged, *past.deleted, getattr(linked, f"{name}_id", None)}
    return {number for number in known if number is not None}
