"""The page on which the office closes the marks of a semester, and opens them for a while; and the word for a sheet."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NoReturn

from flask import abort, flash, redirect, request, url_for
from flask_admin import BaseView, expose
from flask_babel import gettext
from sqlalchemy import select

from fsms import clock
from fsms.admin_views import formatters, history
from fsms.admin_views.base import words
from fsms.admin_views.by_role import reader, refuse
from fsms.admin_views.lookups import record_id
from fsms.database import db
from fsms.errors import InvalidValue, SchoolError
from fsms.models import Course, Grade, SchoolYear, Semester
from fsms.operations import locks
from fsms.operations.locks import Lock
from fsms.policy import Verb, may

USUAL_END = dt.time(17, 0)


@dataclass(frozen=True)
class OfSemester:
    """A semester on the page: its own lock, and those of single classes."""

    semester: Semester
    lock: Lock | None
    classes: tuple[Lock, ...]

    @property
    def all(self) -> tuple[Lock, ...]:
        """Every lock, that for all classes first."""
        return ((self.lock,) if self.lock else ()) + self.classes


@dataclass(frozen=True)
class Typed:
    """What was sent and could not be done: it stays in its form, with the reason."""

    semester_id: int | None = None
    act: str = ""
    values: Mapping[str, str] = field(default_factory=dict)
    about: str = ""
    error: str = ""

    def is_for(self, act: str, semester_id: int, course_id: int | None) -> bool:
        """Say whether this form was sent."""
        same_class = act == "lock" or record_id(self.values.get("course")) == course_id
        return (self.act, self.semester_id) == (act, semester_id) and same_class


class LocksView(BaseView):
    """For administrators: teachers meet a lock as a sentence where they would have written."""

    def is_accessible(self) -> bool:
        """Open to those who may change a semester."""
        return may(reader(), Verb.EDIT, Semester)

    def inaccessible_callback(self, name: str, **_kwargs: Any) -> NoReturn:
        """Say why not."""
        refuse(Verb.EDIT, Semester)

    @expose("/", methods=["GET", "POST"])
    def index(self) -> Any:
        """Show the year's semesters with their locks; close or open one."""
        years = list(db.session.scalars(select(SchoolYear).order_by(SchoolYear.school_year_code.desc())))
        asked = record_id(request.args.get("year"))
        year = next((each for each in years if each.school_year_id == asked), years[0] if years else None)
        typed = Typed()
        if request.method == "POST":
            typed = _done()
            if not typed.error:
                return redirect(url_for("locks.index", year=year.school_year_id if year else None))
        page: str = self.render(
            "admin/locks.html",
            years=years,
            year=year,
            semesters=_semesters(year) if year else [],
            courses=_courses(year) if year else [],
            acts=[history.line(entry) for entry in locks.history(db.session)],
            typed=typed,
            usual_end=dt.datetime.combine(clock.today() + dt.timedelta(days=1), USUAL_END).isoformat("T", "minutes"),
        )
        return page


def banner(course_id: int, semester_id: int) -> str | None:
    """Say above a sheet that its marks are locked, or for how long they are open; nothing where there is no lock."""
    lock = locks.lock_of(db.session, course_id, semester_id)
    if lock is None:
        return None
    if not lock.holds and lock.open_until:
        until = formatters.at_school(lock.open_until)
        return gettext("Locked marks, open until %(until)s: “%(reason)s”", until=until, reason=lock.open_reason)
    if may(reader(), Verb.EDIT, Semester):
        return gettext(
            "These marks are locked for teachers (%(who)s, %(day)s): “%(reason)s”. As an administrator you can still "
            "change them.",
            who=lock.who or "–",
            day=formatters.at_school(lock.when),
            reason=lock.reason,
        )
    refused = locks.refusal(db.session, course_id, semester_id)
    return words(refused) if refused else None


def may_write(course_id: int, semester_id: int) -> bool:
    """Say whether the reader may change marks there, as far as locks go."""
    return may(reader(), Verb.EDIT, Grade) and locks.refusal(db.session, course_id, semester_id) is None


# ---- What is shown -------------------------------------------------------------------------------------------------


def _semesters(year: SchoolYear) -> list[OfSemester]:
    found = locks.all_locks(db.session, year)
    listed = select(Semester).where(locks.of_year(year)).order_by(Semester.start_date, Semester.semester_code)
    return [_with_locks(semester, found) for semester in db.session.scalars(listed)]


def _with_locks(semester: Semester, found: Sequence[Lock]) -> OfSemester:
    own = [lock for lock in found if lock.semester_id == semester.semester_id]
    return OfSemester(
        semester,
        next((lock for lock in own if lock.course_id is None), None),
        tuple(lock for lock in own if lock.course_id is not None),
    )


def _courses(year: SchoolYear) -> list[Course]:
    listed = select(Course).where(Course.school_year_id == year.school_year_id)
    return list(db.session.scalars(listed.order_by(Course.level, Course.section, Course.course_id)))


# ---- What is done --------------------------------------------------------------------------------------------------


def _done() -> Typed:
    """Do what the form asks, or say in it what is wrong."""
    form = {name: request.form.get(name, "") for name in ("act", "semester", "course", "reason", "until")}
    semester = db.session.get(Semester, record_id(form["semester"]) or 0) or abort(404)
    course = None
    if form["course"]:
        course = db.session.get(Course, record_id(form["course"]) or 0) or abort(404)
    try:
        if form["act"] == "reopen":
            locks.reopen(db.session, semester, course, form["reason"], _moment(form["until"]))
            said = gettext("Opened until %(until)s.", until=formatters.at_school(_moment(form["until"])))
        else:
            locks.lock(db.session, semester, course, form["reason"])
            said = gettext("Locked.")
        db.session.commit()
    except SchoolError as error:
        db.session.rollback()
        return Typed(semester.semester_id, form["act"], form, error.about or "", words(error))
    flash(said, "success")
    return Typed()


def _moment(typed: str) -> dt.datetime:
    """Read the end as the browser's field sends it: by the school's clock."""
    try:
        return dt.datetime.fromisoformat(typed).replace(tzinfo=clock.SCHOOL_ZONE)
    except (ValueError, OverflowError):
        raise InvalidValue(_("Choose the day and the hour until which the marks are open."), about="until") from None


def _(sentence: str) -> str:
    """Mark a sentence for the translators; it is translated when it is shown."""
    return sentence
