"""Asking before records are deleted: what goes along, what keeps them, and a typed word where it is many."""

from collections.abc import Callable, Iterable
from typing import Any

from babel.lists import format_list
from flask import flash, redirect, request
from flask_admin import expose
from flask_admin.contrib.sqla import ModelView
from flask_admin.helpers import get_redirect_target
from flask_babel import get_locale, gettext, ngettext

from fsms import text
from fsms.admin_views.lookups import record_id
from fsms.database import db
from fsms.errors import STILL_USED
from fsms.models import Base
from fsms.reports import deletions
from fsms.reports.deletions import Effect, Preview

MANY_ROWS = 20
"""Above so many rows a click is not enough: the word is typed."""

_AMOUNTS: dict[str, Callable[[int], str]] = {
    "User": lambda n: ngettext("%(num)d account", "%(num)d accounts", n),
    "Student": lambda n: ngettext("%(num)d pupil", "%(num)d pupils", n),
    "Guardian": lambda n: ngettext("%(num)d guardian", "%(num)d guardians", n),
    "FamilyInfo": lambda n: ngettext("%(num)d family record", "%(num)d family records", n),
    "Scholarship": lambda n: ngettext("%(num)d scholarship", "%(num)d scholarships", n),
    "Course": lambda n: ngettext("%(num)d course", "%(num)d courses", n),
    "Subject": lambda n: ngettext("%(num)d subject", "%(num)d subjects", n),
    "Grade": lambda n: ngettext("%(num)d mark", "%(num)d marks", n),
    "Enrollment": lambda n: ngettext("%(num)d enrolment", "%(num)d enrolments", n),
    "Attendance": lambda n: ngettext("%(num)d attendance record", "%(num)d attendance records", n),
    "SchoolYear": lambda n: ngettext("%(num)d school year", "%(num)d school years", n),
    "Semester": lambda n: ngettext("%(num)d semester", "%(num)d semesters", n),
    "ActivityLog": lambda n: ngettext("%(num)d entry in the log", "%(num)d entries in the log", n),
}


def amount(entity: type[Base], number: int) -> str:
    """Say how many records of a kind: "2 guardians"."""
    return _AMOUNTS[entity.__name__](number)


def listed(parts: Iterable[str]) -> str:
    """Join amounts or names as a sentence does: "1 pupil, 2 guardians and 1 family record"."""
    return format_list(list(parts), locale=get_locale())


def going(preview: Preview) -> str:
    """Say what would be gone."""
    along = preview.by(Effect.GOES)
    return listed([amount(preview.entity, preview.found), *(amount(tie.entity, tie.count) for tie in along)])


def holding(preview: Preview) -> str:
    """Say what keeps it."""
    return listed(amount(tie.entity, tie.count) for tie in preview.by(Effect.HOLDS))


def word_to_type(rows: int) -> str | None:
    """Say which word must be typed before so many rows are deleted; None where a click is enough."""
    return gettext("delete") if rows > MANY_ROWS else None


def is_meant(rows: int, typed: str) -> bool:
    """Whether what was typed shows that so many rows are meant to go."""
    word = word_to_type(rows)
    return word is None or text.clean(typed).casefold() in {word.casefold(), "delete"}


class Deleting(ModelView):
    """A model view that counts before it deletes.

    It comes first among the bases: upstream gives every class its own copy of the routes it inherits.
    """

    model: type[Base]
    get_one: Any

    deletion_template = "admin/deletion.html"

    @expose("/deletion/")
    def deletion_view(self) -> Any:
        """Show what deleting a record would take along, or what keeps it."""
        row = self.get_one(request.args.get("id"))
        preview = self._preview(row)
        return self.render(
            self.deletion_template,
            model=row,
            preview=preview,
            word=word_to_type(preview.rows),
            effect=Effect,
            amount=amount,
            going=going,
            holding=holding,
            still_used=STILL_USED,
            return_url=get_redirect_target() or self.get_url(".index_view"),
        )

    @expose("/delete/", methods=["POST"])
    def delete_view(self) -> Any:
        """Delete a record, once it is plain that all that goes along is meant to go."""
        if record_id(request.form.get("id")) is not None:
            rows = self._preview(self.get_one(request.form["id"])).rows
            if not is_meant(rows, request.form.get("typed", "")):
                flash(gettext("Nothing was deleted: the word was not typed."), "error")
                back = {"id": request.form["id"], "url": get_redirect_target()}
                return redirect(self.get_url(".deletion_view", **back))
        return super().delete_view()

    def _preview(self, row: Base) -> Preview:
        return deletions.preview(db.session, self.model, row.__mapper__.primary_key_from_instance(row))
