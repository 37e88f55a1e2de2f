"""Who is missing: the classes nobody has taken yet, and the pupils about whom somebody should call home."""

from typing import Any, NoReturn

from flask import request
from flask_admin import BaseView, expose

from fsms import clock, policy
from fsms.admin_views import roster_requests, roster_sheet
from fsms.admin_views.by_role import reader, refuse
from fsms.database import db
from fsms.models import Attendance
from fsms.policy import Verb, may
from fsms.reports import absences, attendance


class MissingView(BaseView):
    """What is missing on a day, of all classes for administrators and of the own ones for teachers."""

    def is_accessible(self) -> bool:
        """Show it to those who see attendance."""
        return may(reader(), Verb.LIST, Attendance)

    def inaccessible_callback(self, name: str, **_kwargs: Any) -> NoReturn:
        """Say why not."""
        refuse(Verb.LIST, Attendance)

    @expose("/")
    def index(self) -> str:
        """List what is missing today, or was on another day."""
        day = roster_requests.day_of(request.args.get("day"))
        rules = policy.attendance_rules(db.session)
        page: str = self.render(
            "admin/missing.html",
            day=day,
            today=clock.today(),
            around=roster_sheet.days_around(day, rules),
            is_school_day=attendance.is_school_day(db.session, day),
            not_taken=attendance.not_taken(db.session, day),
            absent=absences.absent_on(db.session, day),
            in_a_row=absences.in_a_row(db.session, day),
            too_often=absences.too_often(db.session, day),
            near_limit=absences.near_limit(db.session, day),
            rules=rules,
        )
        return page
