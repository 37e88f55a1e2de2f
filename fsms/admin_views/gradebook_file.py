"""The sheet of a class as an Excel file: taken away, and brought back with a look at what would change."""

import json
from collections.abc import Sequence
from contextlib import closing
from typing import Any, NoReturn

from flask import Response, abort, flash, redirect, request
from flask_admin import BaseView, expose
from flask_babel import gettext, ngettext
from sqlalchemy.exc import DBAPIError
from werkzeug.datastructures import FileStorage

from fsms import activity, clock, policy, sign_in
from fsms.admin_views import formatters, gradebook_requests, gradebook_sheet, locks, scheme
from fsms.admin_views.base import words
from fsms.admin_views.by_role import reader, refuse, unseen
from fsms.admin_views.gradebook_requests import BadRequest
from fsms.admin_views.lookups import record_id
from fsms.database import db
from fsms.errors import SchoolError, is_refusal
from fsms.exchange import marks_sheet
from fsms.models import Course, Grade
from fsms.operations import gradebook
from fsms.operations.gradebook import Entry, Preview, Sheet, State
from fsms.policy import Verb, may

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


class GradebookFileView(BaseView):
    """Down as a file, up with a preview; nothing is written before it was looked at."""

    def is_accessible(self) -> bool:
        """Open to those who may enter marks."""
        return may(reader(), Verb.EDIT, Grade)

    def is_visible(self) -> bool:
        """Stand in no menu: the gradebook leads here."""
        return False

    def inaccessible_callback(self, name: str, **_kwargs: Any) -> NoReturn:
        """Say why not."""
        refuse(Verb.EDIT, Grade)

    @expose("/", methods=["GET", "POST"])
    def index(self) -> Any:
        """Offer the file, read one that comes back, and apply what was looked at."""
        sheet = _sheet()
        if request.method == "GET":
            return self._page(sheet)
        if "cells" in request.form:
            return _applied(sheet)
        try:
            found = _previewed(sheet)
        except SchoolError as error:
            return self._page(sheet, trouble=words(error))
        return self._page(sheet, found)

    @expose("/sheet.xlsx")
    def download(self) -> Response:
        """Write the file, and note in the log that it was taken away."""
        sheet = _sheet()
        content, actor = marks_sheet.write(sheet, _words()), reader() or policy.SYSTEM
        level = f"{sheet.course.grade}{sheet.course.section}"
        across = f"subject-{sheet.subject.subject_id}" if sheet.subject else sheet.month
        name = f"marks-{level if level.isascii() else sheet.course.course_id}-{across}-{clock.today():%Y-%m-%d}.xlsx"
        facts = {"rows": len(sheet.pupils), "sheet": marks_sheet.title_of(sheet)}
        db.session.rollback()  # the reading is done; what is noted has a transaction of its own
        with sign_in.as_system() as apart:
            activity.record(apart, "export_grade", actor, facts, entity=Grade.__tablename__)
        return Response(content, mimetype=XLSX, headers={"Content-Disposition": f'attachment; filename="{name}"'})

    def _page(self, sheet: Sheet, found: Preview | None = None, trouble: str = "") -> str:
        page: str = self.render(
            "admin/gradebook_file.html",
            sheet=sheet,
            title=formatters.title(marks_sheet.title_of(sheet)),
            arguments=gradebook_sheet.arguments(sheet),
            lock=locks.banner(sheet.course.course_id, sheet.semester.semester_id),
            preview=gradebook_sheet.previewed(found) if found else None,
            changes=_changes(sheet, found) if found else [],
            refused=[(bad.line, bad.typed[:40], words(bad.reason)) for bad in found.refused] if found else [],
            trouble=trouble,
        )
        return page


def _words() -> marks_sheet.Words:
    return marks_sheet.Words(
        number=gettext("Number"),
        pupil=gettext("Pupil"),
        excused=gettext("exc"),
        allowed=gettext(
            "A number from 0 to %(highest)s, or “%(excused)s”.", highest="%(highest)s", excused=gettext("exc")
        ),
    )


def _sheet() -> Sheet:
    """Load the sheet of the address, or answer as if there were none."""
    key = record_id(request.args.get("course"))
    course = (db.session.get(Course, key) if key else None) or unseen(Verb.VIEW, Course, key)
    semester = gradebook.semester_of(db.session, course, record_id(request.args.get("semester")))
    month, subject_id = gradebook_sheet.columns_asked_for(request.args)
    return gradebook.load(
        db.session, course, semester or abort(404), scheme.in_use(), month=month, subject_id=subject_id
    )


# ---- Up ------------------------------------------------------------------------------------------------------------


def _previewed(sheet: Sheet) -> Preview:
    with closing(request.files.get("file") or FileStorage()) as sent:
        content = sent.read(marks_sheet.LARGEST_FILE + 1)
    found = marks_sheet.read(content, sheet)
    preview = gradebook.preview(db.session, sheet.course, sheet.semester, found.block, scheme.in_use())
    return found.with_rows(preview)


def _changes(sheet: Sheet, found: Preview) -> list[tuple[str, str, str, str]]:
    """List what would take the place of another mark: whose, of what, before and after."""
    names = {pupil.student_id: pupil.name for pupil in (*sheet.pupils, *sheet.dropped)}
    heads = {
        (column.subject_id, column.period): formatters.title(heading)
        for column, heading in zip(sheet.columns, marks_sheet.headings(sheet), strict=True)
    }
    return [
        (
            names[change.place.student_id],
            heads[change.place.subject_id, change.place.period],
            gradebook_sheet.in_words(change.before),
            gradebook_sheet.in_words(change.after),
        )
        for change in found.changed
    ]


def _applied(sheet: Sheet) -> Any:
    """Save what the preview showed; where somebody was faster meanwhile, theirs stays and is counted."""
    try:
        saved = gradebook.save(db.session, sheet.course, sheet.semester, _agreed(), scheme.in_use())
        db.session.commit()
    except DBAPIError as error:
        db.session.rollback()
        if is_refusal(error):
            refuse(Verb.EDIT, Grade)
        raise
    done = sum(outcome.state is State.SAVED for outcome in saved.outcomes)
    left = [outcome for outcome in saved.outcomes if outcome.state in gradebook_sheet.TROUBLE]
    flash(ngettext("%(num)d mark saved.", "%(num)d marks saved.", done), "success")
    if saved.batch:
        flash(str(saved.batch), "undo")
    if left:
        said = "; ".join(dict.fromkeys(gradebook_sheet.said_of(outcome) for outcome in left))
        flash(
            ngettext("%(num)d mark not saved: %(why)s", "%(num)d marks not saved: %(why)s", len(left), why=said),
            "error",
        )
    return redirect(gradebook_sheet.address(sheet))


def _agreed() -> Sequence[Entry]:
    """Read the cells back that the preview gave to the form."""
    try:
        cells = json.loads(request.form["cells"])
        return [_entry(cell) for cell in cells] if isinstance(cells, list) else abort(400)
    except (ValueError, RecursionError, BadRequest):
        abort(400)


def _entry(cell: Any) -> Entry:
    """Read a cell as the gradebook's own script sends it, with its name in place of its parts."""
    place = gradebook_requests.place_of(str(cell.get("name"))) if isinstance(cell, dict) else None
    if place is None:
        raise BadRequest
    parts = {"student": place.student_id, "subject": place.subject_id, "period": place.period}
    return gradebook_requests.read_cells({"cells": [cell | parts]})[0]
