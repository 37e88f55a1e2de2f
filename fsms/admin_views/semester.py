"""The page of the semesters."""

from typing import Any, ClassVar

from flask_babel import lazy_gettext as _
from sqlalchemy import ColumnElement, and_

from fsms import clock
from fsms.admin_views import chips
from fsms.admin_views.base import EntityView
from fsms.models import Semester
from fsms.reports import school_year


def _is_now() -> ColumnElement[bool]:
    return and_(Semester.start_date <= clock.today(), Semester.end_date >= clock.today())


class SemesterView(EntityView):
    """The halves of the school years. A date belongs to one of them at most."""

    title_column = "semester_code"
    create_title = _("Add a semester")
    column_list = ("semester_code", "semester", "school_year", "start_date", "end_date")
    column_details_list = (
        "semester_id",
        "semester_code",
        "semester",
        "school_year",
        "start_date",
        "end_date",
        "created_at",
        "updated_at",
    )
    column_searchable_list = ("semester_code", "semester")
    column_sortable_list = (
        "semester_code",
        "semester",
        ("school_year", "school_year.school_year_code"),
        "start_date",
        "end_date",
    )
    column_default_sort = ("start_date", True)
    column_filters = ("semester_code", "school_year.school_year_code", "start_date", "end_date")
    quick_filters = (
        chips.toggle("now", _("Now"), _is_now),
        chips.toggle("year", _("This year"), lambda: Semester.school_year_id == school_year.present(clock.today())),
        chips.toggle("undated", _("Without dates"), lambda: Semester.start_date.is_(None)),
    )
    column_further_list = ("updated_at",)
    column_labels: ClassVar[dict[str, Any]] = {
        "semester_id": _("Semester number"),
        "semester_code": _("Code"),
        "semester": _("Semester"),
        "school_year": _("School year"),
        "school_year.school_year_code": _("School year"),
        "start_date": _("First day"),
        "end_date": _("Last day"),
        "created_at": _("Created"),
        "updated_at": _("Last saved"),
    }
    column_descriptions: ClassVar[dict[str, Any]] = {"semester_code": _("As S1-2025.")}
    form_columns = ("semester", "semester_code", "school_year", "start_date", "end_date")
