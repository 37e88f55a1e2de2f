"""Taking attendance on a phone in the yard or on a desk: the roster of a class and day, and its register.

The addresses are answered here. `roster_requests` reads what is sent, `operations.attendance` says what becomes of it,
and `roster_sheet` what is shown.
"""

import datetime as dt
from typing import Any, NoReturn

from flask import abort, flash, jsonify, redirect, request, send_from_directory, url_for
from flask_admin import BaseView, expose
from flask_login import current_user
from sqlalchemy import or_, select
from sqlalchemy.exc import IntegrityError

from fsms import clock, errors, policy
from fsms.admin_views import roster_requests, roster_sheet
from fsms.admin_views.base import words
from fsms.admin_views.by_role import reader, refuse, unseen
from fsms.admin_views.lookups import record_id
from fsms.admin_views.roster_requests import Sent
from fsms.config import ROOT
from fsms.database import db
from fsms.errors import StaleRecord
from fsms.models import Attendance, Course
from fsms.operations import attendance, receipts
from fsms.operations.attendance import FULL, NoSuchClass, Outcome, Roster
from fsms.policy import Verb, may
from fsms.reports import attendance as counted
from fsms.reports import registers
from fsms.vocabulary import AttendanceSession, AttendanceStatus


def _(sentence: str) -> str:
    """Mark a sentence for the translators; the screen translates it when it is shown."""
    return sentence


class SomebodyElse(StaleRecord):
    """The browser has changed hands since the roster was filled in."""


class RosterView(BaseView):
    """The roster of a class and a day."""

    def is_accessible(self) -> bool:
        """Show it to those who may take attendance."""
        return may(reader(), Verb.CREATE, Attendance)

    def inaccessible_callback(self, name: str, **_kwargs: Any) -> NoReturn:
        """Say why not."""
        refuse(Verb.CREATE, Attendance)

    # ---- The roster ------------------------------------------------------------------------------------------------

    @expose("/", methods=["GET", "POST"])
    def index(self) -> Any:
        """Show the roster of the address, hollow until it is saved; take what is sent."""
        if request.method == "GET":
            return self._page()
        if request.is_json:
            return _answer_script()
        sent = roster_requests.form(request.form)
        outcome = _take(sent)
        if outcome.clashes:
            return self._page(sent, outcome)
        flash(roster_sheet.said(outcome), "success" if outcome.written else "info")
        if outcome.batch:
            flash(str(outcome.batch), "undo")
        if outcome.outside:
            flash(roster_sheet.outside(outcome), "warning")
        here = url_for(".index", course=sent.course_id, day=sent.day, session=request.form.get("session"))
        return redirect(here, 303)

    def _page(self, sent: Sent | None = None, outcome: Outcome | None = None) -> str:
        day = sent.day if sent else roster_requests.day_of(request.values.get("day"))
        classes = counted.classes_on(db.session, day)
        own = _own_courses()
        asked = sent.course_id if sent else _course_asked_for()
        course_id = asked or next((one.course_id for one in classes if one.course_id in own), None)
        roster = _roster(course_id, day) if course_id else None
        session = roster_requests.session_of(request.values.get("session")) or _session_of_now(roster)
        typed = sent.marks if sent else None
        page: str = self.render(
            "admin/roster.html",
            roster=roster,
            session=session,
            sessions=list(AttendanceSession),
            statuses=list(AttendanceStatus),
            icons=roster_sheet.ICONS,
            rows=roster_sheet.rows(roster, session, typed, outcome) if roster else [],
            taken={half: roster_sheet.taken(roster, half) for half in attendance.HALVES} if roster else {},
            halves=attendance.HALVES_OF[session],
            closed=roster_sheet.why_closed(roster) if roster else None,
            classes=roster_sheet.offered(classes, own),
            around=roster_sheet.days_around(day, policy.attendance_rules(db.session)),
            day=day,
            today=clock.today(),
        )
        return page

    # ---- Its registers ---------------------------------------------------------------------------------------------

    @expose("/week/")
    def week(self) -> str:
        """Show a class over the week of a day."""
        day = roster_requests.day_of(request.args.get("day"))
        monday = day - dt.timedelta(days=day.weekday())
        return self._register("week", day, monday, monday + dt.timedelta(days=6))

    @expose("/month/")
    def month(self) -> str:
        """Show a class over the month of a day."""
        day = roster_requests.day_of(request.args.get("day"))
        first = day.replace(day=1)
        next_month = (first + dt.timedelta(days=31)).replace(day=1)
        return self._register("month", day, first, next_month - dt.timedelta(days=1))

    def _register(self, view: str, day: dt.date, first: dt.date, last: dt.date) -> str:
        course_id = _course_asked_for() or abort(404)
        roster = _roster(course_id, day)
        after = last + dt.timedelta(days=1)
        page: str = self.render(
            "admin/register.html",
            view=view,
            roster=roster,
            register=registers.register(db.session, course_id, first, last),
            halves=attendance.HALVES,
            weekdays=roster_sheet.WEEKDAYS,
            icons=roster_sheet.ICONS,
            around=(first - dt.timedelta(days=1), after if after <= clock.today() else None),
            day=day,
            today=clock.today(),
        )
        return page

    # ---- Without a network -----------------------------------------------------------------------------------------

    @expose("/worker.js")
    def worker(self) -> Any:
        """Give the script that keeps rosters open without a network; its address says for which pages it works."""
        return send_from_directory(
            ROOT / "static" / "js" / "roster", "worker.js", mimetype="text/javascript", max_age=0
        )


# ---- Reading -------------------------------------------------------------------------------------------------------


def _course_asked_for() -> int | None:
    written = request.args.get("course")
    if not written:
        return None
    return record_id(written) or abort(404)


def _roster(course_id: int, day: dt.date) -> Roster:
    try:
        return attendance.roster(db.session, course_id, day)
    except NoSuchClass:
        unseen(Verb.VIEW, Course, course_id)


def _own_courses() -> frozenset[int]:
    slots = Course.teacher_id1, Course.teacher_id2, Course.teacher_id3
    taught = select(Course.course_id).where(or_(*(slot == current_user.user_id for slot in slots)))
    return frozenset(db.session.scalars(taught))


def _session_of_now(roster: Roster | None) -> AttendanceSession:
    """Choose the session of this hour; a class that is taken by the day is taken by the day."""
    if roster is None:
        return attendance.AM
    if attendance.is_taken_by_the_day(db.session, roster.course.course_id, roster.day):
        return FULL
    if roster.day < clock.today():
        return roster.usual_session or attendance.AM
    noon = clock.now().astimezone(clock.SCHOOL_ZONE).hour >= 12
    return attendance.PM if noon else attendance.AM


# ---- Writing -------------------------------------------------------------------------------------------------------


def _take(sent: Sent) -> Outcome:
    outcome = _saved(sent)
    db.session.commit()
    return outcome


def _answer_script() -> Any:
    """Answer 409 to what may go better the next time; anything else that is refused is refused for good."""
    try:
        return jsonify(_take_from_script(roster_requests.kept(request.get_json(silent=True))))
    except StaleRecord as stale:
        db.session.rollback()
        return jsonify(error=words(stale)), 409


def _take_from_script(sent: Sent) -> dict[str, Any]:
    """Save once, however often it arrives, and tell what the roster holds after it."""
    if sent.person != current_user.user_id or sent.key is None:
        raise SomebodyElse(_("Somebody else is signed in here now. Whoever filled in this roster must sign in again."))
    told = receipts.once(db.session, "take_attendance", sent.key, lambda: roster_sheet.answer(_saved(sent)))
    db.session.commit()
    back = url_for(".index", course=sent.course_id, day=sent.day)
    after = roster_sheet.facts(_roster(sent.course_id or 0, sent.day))
    return dict(told) | after | {"undo": roster_sheet.undo_url(told["batch"], back)}


def _saved(sent: Sent) -> Outcome:
    """Save without committing."""
    if sent.course_id is None:
        abort(404)
    try:
        return attendance.save(db.session, sent.course_id, sent.day, sent.marks)
    except NoSuchClass:
        unseen(Verb.EDIT, Course, sent.course_id)
    except IntegrityError as error:
        try_again = errors.BY_STATE["40001"]
        raise StaleRecord(try_again) from error
