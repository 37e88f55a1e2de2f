"""“Why 7.85? Why rank 4?”: any average, rank or mean of a class with how it came about, in words."""

import re
from typing import Any, NamedTuple, NoReturn

from flask import abort, request
from flask_admin import BaseView, expose

from fsms import text
from fsms.admin_views import scheme
from fsms.admin_views.by_role import reader, refuse, unseen
from fsms.admin_views.lookups import record_id
from fsms.admin_views.why_words import Explanation, Words
from fsms.database import db
from fsms.models import Course, Grade
from fsms.policy import Verb, may
from fsms.reports import marks
from fsms.reports.marks import Line, Sheet

_FIGURE = re.compile(r"(?P<kind>average|rank|mean|subject)(:(?P<subject>[0-9]{1,10}))?", re.ASCII)
_MONTH = re.compile(r"month:(?P<month>[0-9-]{1,10})", re.ASCII)


class Asked(NamedTuple):
    """What an address asks for: `figure` is average, rank, mean, subject:5, mean:5, rank:5 or month:2025-03."""

    kind: str
    subject: int | None
    month: str | None


class WhyView(BaseView):
    """One page for every figure; static/js/why.js shows it in a dialog where its link is."""

    def is_accessible(self) -> bool:
        """Open to those who see marks; whose, the database decides."""
        return may(reader(), Verb.LIST, Grade)

    def is_visible(self) -> bool:
        """Stand in no menu: figures lead here."""
        return False

    def inaccessible_callback(self, name: str, **_kwargs: Any) -> NoReturn:
        """Say why not."""
        refuse(Verb.LIST, Grade)

    @expose("/")
    def index(self) -> str:
        """Explain the figure of the address."""
        asked = _asked()
        course_id = record_id(request.args.get("course"))
        semester_id = record_id(request.args.get("semester"))
        sheet = _sheet(course_id, semester_id, asked.month) if course_id else None
        if sheet is None:
            unseen(Verb.VIEW, Course, course_id)
        line = sheet.of(record_id(request.args.get("student")) or 0)
        page: str = self.render("admin/why.html", why=_explained(sheet, semester_id, line, asked), sheet=sheet)
        return page


def _asked() -> Asked:
    """Read the figure; what no page of ours asks for is not there."""
    figure = request.args.get("figure", "average")
    if month := _MONTH.fullmatch(figure):
        return Asked("average", None, _month(month["month"]) or abort(404))
    found = _FIGURE.fullmatch(figure) or abort(404)
    subject = record_id(found["subject"]) if found["subject"] else None
    if (found["kind"] == "subject" and subject is None) or (found["kind"] == "average" and subject):
        abort(404)
    return Asked(found["kind"], subject, _month(request.args.get("month", "")))


def _month(written: str) -> str | None:
    try:
        return text.iso_period(written)[:7]
    except ValueError:
        return None


def _sheet(course_id: int, semester_id: int | None, month: str | None) -> Sheet | None:
    """Read the class over the month or semester asked for; without one, over the year."""
    if semester_id is None:
        return marks.year(db.session, scheme.in_use(), course_id)
    if month is None:
        return marks.semester(db.session, scheme.in_use(), course_id, semester_id)
    return marks.month(db.session, scheme.in_use(), course_id, semester_id, month)


def _explained(sheet: Sheet, semester_id: int | None, line: Line | None, asked: Asked) -> Explanation:
    words = Words(sheet, semester_id)
    if asked.subject is not None and asked.subject not in sheet.standings.subjects:
        abort(404)
    if asked.kind == "mean":
        return words.of_mean(asked.subject)
    if line is None:
        abort(404)
    if asked.kind == "rank":
        return words.of_rank(line, asked.subject)
    return words.of_pupil(line, asked.subject)
