"""The page of the activity log: what happened, in sentences, and taking acts back. Entries themselves never change."""

import re
import uuid
from itertools import chain
from typing import Any, ClassVar
from urllib.parse import parse_qs, urlsplit

from flask import abort, flash, redirect, request, url_for
from flask_admin import expose
from flask_admin.helpers import get_redirect_target
from flask_babel import gettext, ngettext
from flask_babel import lazy_gettext as _
from flask_login import current_user
from sqlalchemy import ColumnElement, func
from sqlalchemy.exc import DBAPIError

from fsms.admin_views import chips, everyday, history
from fsms.admin_views.base import EntityView, words
from fsms.admin_views.lookups import record_id
from fsms.database import db
from fsms.errors import Refused, SchoolError
from fsms.exchange.labels import Joined
from fsms.models import ENTITIES, ActivityLog, Attendance, Base, Enrollment, Grade, Student, User
from fsms.operations import undoing

SIGNING_IN = ("login", "logout", "login_failed", "account_locked", "unlock_account")


def _sentence(_view: Any, _context: Any, entry: ActivityLog, _name: str) -> str:
    return history.sentence(entry)


def _who(_view: Any, _context: Any, entry: ActivityLog, _name: str) -> str:
    return history.who(entry)


def _kind(_view: Any, _context: Any, entry: ActivityLog, _name: str) -> str:
    return history.kind_of(entry)


def _told(_joined: Joined) -> ColumnElement[Any]:
    """Read for a file what a sentence is made of."""
    names = ("action", "entity", "entity_id", "details")
    return func.jsonb_build_object(*chain.from_iterable((name, getattr(ActivityLog, name)) for name in names))


def _told_by(joined: Joined) -> ColumnElement[Any]:
    return func.jsonb_build_object("account", joined.label(("user",)), "details", ActivityLog.details)


def _asks_outside() -> Any:
    return ActivityLog.details.contains({"outside": True})


def _did(verb: str) -> Any:
    return ActivityLog.action.in_([f"{verb}_{entity.__name__.lower()}" for entity in ENTITIES])


def _is_about(entity: type[Base]) -> Any:
    return lambda: ActivityLog.entity == entity.__tablename__


# What the office asks the log about most.
WHAT: tuple[tuple[str, Any, Any], ...] = (
    ("signing-in", _("Sign-ins"), lambda: ActivityLog.action.in_(SIGNING_IN)),
    ("pupils", _("Pupils"), _is_about(Student)),
    ("marks", _("Marks"), _is_about(Grade)),
    ("attendance", _("Attendance"), _is_about(Attendance)),
    ("enrolments", _("Enrolments"), _is_about(Enrollment)),
    ("staff", _("Staff"), _is_about(User)),
    ("exports", _("Files taken away"), lambda: _did("export")),
)


class ActivityLogView(EntityView):
    """Who did what, when, to which record."""

    column_list = ("timestamp", "user", "action", "entity", "entity_id")
    column_details_list = ("timestamp", "user", "action", "entity", "entity_id", "batch")
    column_searchable_list = ("action", "entity", "user.last_name", "user.first_name", "user.username")
    column_sortable_list = ("timestamp",)
    column_default_sort = ("id", True)
    column_filters = ("timestamp", "user.username", "user.last_name", "action", "entity", "entity_id")
    quick_filters = (
        everyday.days(ActivityLog.timestamp, everyday.midnight),
        chips.toggle("mine", _("By me"), lambda: ActivityLog.user_id == current_user.user_id, reads="user.username"),
        chips.Chips("what", _("About"), *(chips.Chip(word, label, about) for word, label, about in WHAT), as_menu=True),
        chips.toggle("deleted", _("Deleted"), lambda: _did("delete")),
        chips.toggle("refused", _("Refused"), lambda: ActivityLog.action == "refused"),
        chips.toggle("outside", _("Outside the application"), _asks_outside),
    )
    column_further_list = ("batch",)
    column_labels: ClassVar[dict[str, Any]] = {
        "timestamp": _("When"),
        "user": _("Who"),
        "user.username": _("User name"),
        "user.last_name": _("Last name"),
        "action": _("What happened"),
        "entity": _("Kind of record"),
        "entity_id": _("Record number"),
        "batch": _("Batch"),
    }
    column_formatters = {"action": _sentence, "user": _who, "entity": _kind}
    export_said = {
        "action": (_told, lambda told: history.sentence(ActivityLog(**told))),
        "user": (_told_by, lambda told: history.named(told["details"] or {}, told["account"])),
        "entity": (lambda _joined: ActivityLog.entity, lambda kind: history.kind_of(ActivityLog(entity=kind))),
    }
    title_column = "action"
    form_columns = ()
    details_template = "admin/activity.html"

    def render(self, template: str, **kwargs: Any) -> str:
        """Show with an entry what it changed, and what else belongs to the act."""
        if template == self.details_template:
            entry: ActivityLog = kwargs["model"]
            (kwargs["line"],) = history.lines([entry])
            kwargs["siblings"] = history.of_batch(entry)
        return super().render(template, **kwargs)

    @expose("/undo/", methods=["GET", "POST"])
    def undo_view(self) -> Any:
        """Show what taking an act back would do, and do it when asked."""
        target = _target()
        back = get_redirect_target() or self.get_url(".index_view")
        try:
            if request.method == "GET":
                report = undoing.preview(db.session, target)
                return self.render("admin/undo.html", report=report, back=back, what=history.of_target(target))
            report = undoing.undo(db.session, target)
            db.session.commit()
        except Refused:
            raise
        except (SchoolError, DBAPIError) as error:
            db.session.rollback()
            flash(words(error), "error")
            return redirect(back)
        done = len(report.restored)
        flash(
            ngettext("%(num)d record is as it was before.", "%(num)d records are as they were before.", done), "success"
        )
        if report.kept_because_changed_since or report.impossible:
            left = len(report.kept_because_changed_since) + len(report.impossible)
            flash(gettext("%(num)d things could not be taken back; the log tells which.", num=left), "warning")
        if report.batch:
            flash(str(report.batch), "undo")
        return redirect(_if_still_there(back))


def _if_still_there(back: str) -> str:
    """Go back to the page of a record, or to its list where the undo has taken the record away."""
    page = re.match(r"/admin/(\w+)/(?:details|edit)/\?", back)
    entity = next((entity for entity in ENTITIES if page and entity.__name__.lower() == page[1]), None)
    key = record_id(parse_qs(urlsplit(back).query).get("id", [""])[0])
    if page and entity and key is not None and db.session.get(entity, key) is None:
        return url_for(f"{page[1]}.index_view")
    return back


def _target() -> undoing.Target:
    """Read from the address which act is meant: a batch, or a single entry."""
    if "batch" in request.values:
        try:
            return uuid.UUID(request.values["batch"])
        except ValueError:
            abort(404)
    return record_id(request.values.get("entry")) or abort(404)
