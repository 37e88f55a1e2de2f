"""The gradebook: the marks of a class as a sheet, typed, pasted and saved as one goes, or sent as a plain form.

The addresses are answered here. `gradebook_requests` reads what is sent, `operations.gradebook` says what becomes of
it, and `gradebook_sheet` what a page or a script is shown.
"""

import uuid
from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

from flask import abort, flash, jsonify, redirect, request
from flask_admin import BaseView, expose
from flask_babel import gettext, ngettext
from sqlalchemy.exc import DBAPIError

from fsms.admin_views import gradebook_requests, gradebook_sheet, locks, scheme
from fsms.admin_views.base import words
from fsms.admin_views.by_role import reader, refuse, unseen
from fsms.admin_views.gradebook_requests import BadRequest
from fsms.admin_views.lookups import record_id
from fsms.database import db
from fsms.errors import SchoolError, is_refusal
from fsms.models import Course, Grade, Semester
from fsms.operations import gradebook, preferences, undoing
from fsms.operations.gradebook import Entry, Outcome, Saved, Sheet, State
from fsms.policy import Verb, may
from fsms.pooling import ONE_PLAN
from fsms.reports import marks

OPEN_LAST = "gradebook"
"""What the preference is called that keeps the sheet opened last."""


class GradebookView(BaseView):
    """A class's marks in a grid."""

    def is_accessible(self) -> bool:
        """Show it to those who may enter marks."""
        return may(reader(), Verb.EDIT, Grade)

    def inaccessible_callback(self, name: str, **_kwargs: Any) -> NoReturn:
        """Say why not."""
        refuse(Verb.EDIT, Grade)

    # ---- The page --------------------------------------------------------------------------------------------------

    @expose("/", methods=["GET", "POST"])
    def index(self) -> Any:
        """Show the sheet of the address; without a script the whole of it is sent back as a form."""
        if request.method == "GET":
            return self._page(_asked_for())
        # The sheet itself is read only where it is shown again.
        course, semester, asked = _place_asked_for() or abort(404)
        back = gradebook_sheet.address_of(course, semester, asked)
        typed = gradebook_requests.entries_of_form(request.form)
        saved = _saved(course, semester, typed)
        trouble = [outcome for outcome in saved.outcomes if outcome.state in gradebook_sheet.TROUBLE]
        done = sum(outcome.state is State.SAVED for outcome in saved.outcomes)
        if done or not trouble:
            flash(ngettext("%(num)d mark saved.", "%(num)d marks saved.", done), "success")
        if saved.batch:
            flash(str(saved.batch), "undo")
        if not trouble:
            return redirect(back)
        return self._page(_asked_for(), typed, trouble)

    def _page(self, sheet: Sheet | None, typed: Sequence[Entry] = (), trouble: Sequence[Outcome] = ()) -> str:
        facts: dict[str, Any] = {}
        if sheet:
            _remember(sheet)
            facts = gradebook_sheet.shown(sheet, typed, trouble) | {
                "semesters": gradebook.semesters_of(db.session, sheet.course),
                "other_subjects": gradebook.other_subjects(db.session, sheet),
                "figures": gradebook_sheet.figures(sheet, _reckoned(sheet)),
                "lock": locks.banner(sheet.course.course_id, sheet.semester.semester_id),
            }
        years = gradebook_sheet.by_year(gradebook.choices(db.session, _reader_id()), sheet)
        page: str = self.render("admin/gradebook.html", sheet=sheet, years=years, **facts)
        return page

    # ---- What the script asks --------------------------------------------------------------------------------------

    @expose("/cells/", methods=["GET", "POST"])
    def cells(self) -> Any:
        """Answer what the cells of the sheet hold now; save those that are sent."""
        if request.method == "GET":
            return jsonify(_fresh())
        course, semester = _course_and_semester()
        entries = _read(gradebook_requests.read_cells)
        answer = gradebook_sheet.answered(_saved(course, semester, entries))
        shown = _asked_for() if record_id(request.args.get("course")) == course.course_id else None
        return jsonify(answer | ({"figures": gradebook_sheet.figures(shown, _reckoned(shown))} if shown else {}))

    @expose("/give-way/", methods=["POST"])
    def give_way(self) -> Any:
        """Keep in the history what was typed into a cell whose other mark stays."""
        course, semester = _course_and_semester()
        for entry in _read(gradebook_requests.read_cells):
            gradebook.give_way(db.session, course, semester, entry)
        db.session.commit()
        return jsonify(ok=True)

    @expose("/preview/", methods=["POST"])
    def preview(self) -> Any:
        """Say what a copied block would do, or a value set for many cells; change nothing."""
        course, semester = _course_and_semester()
        pasted = _read(gradebook_requests.read_paste)
        found = gradebook.preview(db.session, course, semester, pasted, scheme.in_use())
        return jsonify(gradebook_sheet.previewed(found))

    @expose("/undo/", methods=["POST"])
    def undo(self) -> Any:
        """Take back what was saved at once, and answer what the cells of the sheet hold now."""
        try:
            batch = uuid.UUID(str(gradebook_requests.sent().get("batch")))
        except ValueError:
            abort(400)
        try:
            report = undoing.undo(db.session, batch)
            db.session.commit()
        except (SchoolError, DBAPIError) as error:
            db.session.rollback()
            return jsonify(error=words(error)), 409
        back, left = len(report.restored), len(report.kept_because_changed_since) + len(report.impossible)
        said = ngettext("%(num)d mark is as it was before.", "%(num)d marks are as they were before.", back)
        if left:
            said += " " + gettext("%(num)d things could not be taken back; the log tells which.", num=left)
        return jsonify(_fresh() | {"said": said})


def _asked_for() -> Sheet | None:
    """Load the sheet of the address, or the one that was open last; None where there is no class to show."""
    found = _place_asked_for()
    if found is None:
        return None
    course, semester, asked = found
    month, subject_id = gradebook_sheet.columns_asked_for(asked)
    return gradebook.load(db.session, course, semester, scheme.in_use(), month=month, subject_id=subject_id)


def _place_asked_for() -> tuple[Course, Semester, Mapping[str, str]] | None:
    """Find the class and the semester of the address, or those that were open last, with what else was asked."""
    course: Course | None
    asked: Mapping[str, str] = request.args
    numbers = record_id(asked.get("course")), record_id(asked.get("semester"))
    if numbers[0] and numbers[1] and (found := gradebook.found_by_numbers(db.session, numbers[0], numbers[1])):
        return (*found, asked)
    if asked.get("course"):
        course = _seen(numbers[0])
    else:
        asked, course = _open_last()
    semester = gradebook.semester_of(db.session, course, record_id(asked.get("semester"))) if course else None
    return None if course is None or semester is None else (course, semester, asked)


def _open_last() -> tuple[Mapping[str, str], Course | None]:
    """Find what the reader had open last, unless the class is out of sight by now; else the first own class."""
    last = preferences.read(db.session, OPEN_LAST)
    if isinstance(last, dict) and (course := db.session.get(Course, record_id(last.get("course")) or 0)):
        return {name: str(value) for name, value in last.items()}, course
    listed = gradebook.choices(db.session, _reader_id())
    return {}, next((choice.course for choice in listed if choice.own), None)


def _remember(sheet: Sheet) -> None:
    """Let the gradebook open with this sheet the next time."""
    here = gradebook_sheet.arguments(sheet)
    if preferences.read(db.session, OPEN_LAST) != here:
        preferences.remember(db.session, OPEN_LAST, here)
        db.session.commit()


def _fresh() -> dict[str, Any]:
    sheet = _asked_for() or abort(404)
    return gradebook_sheet.fresh(sheet, _reckoned(sheet))


def _reckoned(sheet: Sheet) -> marks.Sheet | None:
    """Reckon what is shown: the month, or for a single subject the semester."""
    course, semester = sheet.course.course_id, sheet.semester.semester_id
    if sheet.month is None:
        return marks.semester(db.session, scheme.in_use(), course, semester)
    return marks.month(db.session, scheme.in_use(), course, semester, sheet.month)


def _seen(key: int | None) -> Course:
    """Find a course that the reader sees, or answer as if there were none."""
    found = db.session.get(Course, key, execution_options=ONE_PLAN) if key else None
    return found or unseen(Verb.VIEW, Course, key)


def _course_and_semester() -> tuple[Course, Semester]:
    """Find what the sent cells belong to."""
    found = gradebook_requests.sent()
    course, semester = _seen(record_id(found.get("course"))), record_id(found.get("semester"))
    return course, (db.session.get(Semester, semester) if semester else None) or abort(404)


def _read(read: Any) -> Any:
    """Read what the script sent; whatever ours never sends is told so."""
    try:
        return read(gradebook_requests.sent())
    except BadRequest:
        abort(400)


def _saved(course: Course, semester: Semester, entries: Sequence[Entry]) -> Saved:
    """Save and commit; where the database refuses in spite of all that was asked before, say so and change nothing."""
    try:
        saved = gradebook.save(db.session, course, semester, entries, scheme.in_use())
        db.session.commit()
    except DBAPIError as error:
        db.session.rollback()
        if is_refusal(error):
            refuse(Verb.EDIT, Grade)
        raise
    return saved


def _reader_id() -> int | None:
    actor = reader()
    return actor.user_id if actor else None
