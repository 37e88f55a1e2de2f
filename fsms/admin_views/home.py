"""The first page: what is due today. The office sees the whole school, a teacher the own classes."""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter
from typing import Any

from flask import current_app, url_for
from flask_admin import AdminIndexView, expose
from flask_babel import format_date
from flask_login import current_user

from fsms import clock
from fsms.admin_views import formatters, history
from fsms.admin_views.screen import in_digits
from fsms.database import db
from fsms.reports import absences, attendance, marks, today
from fsms.reports.attendance import ClassOnDay
from fsms.reports.marks import MissingMarks
from fsms.vocabulary import Role

MOST_ACTS = 8
MOST_ABSENT = 12


@dataclass(frozen=True)
class Gaps:
    """The marks that a class lacks this month."""

    course_id: int
    label: str
    subjects: tuple[MissingMarks, ...]

    @property
    def count(self) -> int:
        """All of them."""
        return sum(one.missing for one in self.subjects)


@dataclass(frozen=True)
class MyClass:
    """A class of the reader's, and what is still to be done in it."""

    taught: ClassOnDay
    gaps: Gaps | None


class HomeView(AdminIndexView):
    """Where the day begins."""

    def is_accessible(self) -> bool:
        """Ask for an account; upstream lets strangers in."""
        return bool(current_user.is_authenticated)

    @expose("/")
    def index(self) -> str:
        """Show the page of the reader's role."""
        day = clock.today()
        session = db.session
        classes = attendance.classes_today(session, day)
        gaps = _by_class(marks.missing(session, day))
        told: dict[str, Any] = {
            "day_in_words": " ".join((format_date(day, "EEEE"), formatters.long_day(day))),
            "is_school_day": attendance.is_school_day(session, day),
            "school_year": today.year(session, day),
            "classes": classes,
            "gaps": gaps,
            "take_attendance": take_attendance,
            "enter_marks": enter_marks,
            "enrolments": enrolments,
            "hour": hour,
        }
        if current_user.role == Role.TEACHER.value:
            of_class = {one.course_id: one for one in gaps}
            mine = [MyClass(one, of_class.get(one.course_id)) for one in classes]
            return self.render("admin/home_teacher.html", mine=mine, **told)
        return self.render("admin/home_office.html", **told, **_of_the_school(day, classes))


def _of_the_school(day: dt.date, classes: Sequence[ClassOnDay]) -> dict[str, Any]:
    absent = absences.absent_on(db.session, day)
    acts = today.recent_acts(db.session, MOST_ACTS)
    return {
        "not_taken": [one for one in classes if one.pupils and one.missing],
        "absent": absent,
        "shown_absent": absent[:MOST_ABSENT],
        "grades": today.pupils_by_grade(db.session, day),
        "month": today.month(db.session, day),
        "locked": today.locked_accounts(db.session, clock.now()),
        "acts": [(history.line(act.entry), act.more) for act in acts],
        "absent_url": _first_of("missing.index", "attendance.index_view"),
    }


def _by_class(missing: Iterable[MissingMarks]) -> list[Gaps]:
    grouped = groupby(missing, key=attrgetter("course_id", "label"))
    return [Gaps(course_id, label, tuple(rows)) for (course_id, label), rows in grouped]


# ---- Where the links lead -------------------------------------------------------------------------------------------


def _first_of(*endpoints: str, **arguments: Any) -> str:
    """Build the address of the first of these pages that there is."""
    endpoint = next(one for one in endpoints if one in current_app.view_functions)
    return url_for(endpoint, **arguments)


def take_attendance(course_id: int) -> str:
    """Lead to the roster of a class."""
    return _first_of("roster.index", "course.details_view", **_course("roster.index", course_id))


def enter_marks(course_id: int) -> str:
    """Lead to the gradebook of a class."""
    return _first_of("gradebook.index", "course.details_view", **_course("gradebook.index", course_id))


def _course(endpoint: str, course_id: int) -> dict[str, int]:
    return {"course" if endpoint in current_app.view_functions else "id": course_id}


def hour(moment: dt.datetime) -> str:
    """Show the hour by the school's clock."""
    return in_digits(f"{moment.astimezone(clock.SCHOOL_ZONE):%H:%M}")


def enrolments(**chosen: Any) -> str:
    """Lead to the list of enrolments behind a number, by the chips it has."""
    return url_for(
        "enrollment.index_view", **{f"flt{n}_{chip}": value for n, (chip, value) in enumerate(chosen.items())}
    )
