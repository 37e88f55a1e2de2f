"""The page of the enrolments, one by one."""

from typing import Any, ClassVar

from flask_babel import lazy_gettext as _
from sqlalchemy import ColumnElement
from wtforms import Form

from fsms.admin_views import chips, everyday, formatters
from fsms.admin_views.base import EntityView
from fsms.database import db
from fsms.models import Enrollment
from fsms.operations import enrolling
from fsms.reports import school_year


def _enrolled_this_month() -> ColumnElement[bool]:
    return Enrollment.created_at >= everyday.midnight(everyday.first_of_month())


def _dropped_this_month() -> ColumnElement[bool]:
    return Enrollment.drop_date >= everyday.first_of_month()


def _times_away(_view: Any, _context: Any, row: Enrollment, _name: str) -> str:
    """Show each time from the first day without the pupil to the last one."""
    return formatters.times(row.away or ())


class EnrollmentView(EntityView):
    """Pupils' places in courses, with drops."""

    title_column = "student"
    create_title = _("Enrol a pupil")
    column_list = ("student", "course", "drop", "drop_semester", "drop_date", "drop_reason")
    column_details_list = (
        "enrollment_id",
        "student",
        "course",
        "enrolled_on",
        "away",
        "drop",
        "drop_semester",
        "drop_date",
        "drop_reason",
        "created_at",
        "updated_at",
    )
    column_formatters: Any = {"away": _times_away, "drop_reason": formatters.reason}
    column_searchable_list = ("student.last_name", "student.first_name", "student.student_id", "drop_reason")
    column_sortable_list = (
        ("student", ("student.last_name", "student.first_name")),
        ("course", ("course.level", "course.section")),
        "drop",
        "drop_date",
    )
    column_default_sort = ("enrollment_id", True)
    column_filters = (
        "course.school_year.school_year_code",
        "course.grade",
        "course.section",
        "drop",
        "drop_date",
        "drop_semester.semester_code",
        "drop_reason",
    )
    quick_filters = (
        everyday.this_year(Enrollment.course_id),
        chips.Chips(
            "place",
            _("Place"),
            chips.Chip("kept", _("In the class"), school_year.keeps_the_place),
            chips.Chip("dropped", _("Dropped"), lambda: Enrollment.drop.is_(True)),
        ),
        chips.Chips(
            "month",
            _("This month"),
            chips.Chip("new", _("Enrolled this month"), _enrolled_this_month),
            chips.Chip("dropped", _("Dropped this month"), _dropped_this_month),
        ),
        everyday.mine(Enrollment.course_id),
        everyday.levels_of_courses(Enrollment.course_id),
        everyday.classes(Enrollment.course_id),
    )
    column_further_list = (
        "course.course_name",
        "created_at",
        "updated_at",
    )
    column_labels: ClassVar[dict[str, Any]] = {
        "enrollment_id": _("Enrolment number"),
        "student": _("Pupil"),
        "course": _("Course"),
        "enrolled_on": _("First day in the class"),
        "away": _("Away"),
        "drop": _("Dropped"),
        "drop_semester": _("Dropped in semester"),
        "drop_date": _("Dropped on"),
        "drop_reason": _("Reason"),
        "course.school_year.school_year_code": _("School year"),
        "course.grade": _("Grade level"),
        "course.section": _("Section"),
        "course.course_name": _("Course name"),
        "drop_semester.semester_code": _("Dropped in semester"),
        "created_at": _("Created"),
        "updated_at": _("Last saved"),
    }
    form_columns = ("student", "course", "enrolled_on", "drop", "drop_semester", "drop_date", "drop_reason")

    def on_model_change(self, form: Form, model: Enrollment, is_created: bool) -> None:
        """Let the pupil's record follow, as after an act of `enrolling`."""
        db.session.flush()
        enrolling.keep_in_step(db.session, [model.student_id])
