"""The page of the school years."""

from typing import Any, ClassVar

from flask_babel import lazy_gettext as _
from sqlalchemy import exists

from fsms import clock
from fsms.admin_views import chips
from fsms.admin_views.base import EntityView
from fsms.models import Course, SchoolYear
from fsms.reports import school_year


class SchoolYearView(EntityView):
    """Years of teaching."""

    title_column = "school_year_code"
    create_title = _("Add a school year")
    column_list = ("school_year_code", "created_at", "updated_at")
    column_details_list = ("school_year_id", "school_year_code", "created_at", "updated_at")
    column_searchable_list = ("school_year_code",)
    column_sortable_list = ("school_year_code", "created_at", "updated_at")
    column_default_sort = ("school_year_code", True)
    column_filters = ("school_year_code",)
    quick_filters = (
        chips.toggle("now", _("This year"), lambda: SchoolYear.school_year_id == school_year.present(clock.today())),
        chips.toggle(
            "empty", _("Without courses"), lambda: ~exists().where(Course.school_year_id == SchoolYear.school_year_id)
        ),
    )
    column_further_list = ("school_year_id",)
    column_labels: ClassVar[dict[str, Any]] = {
        "school_year_id": _("Year number"),
        "school_year_code": _("School year"),
        "created_at": _("Created"),
        "updated_at": _("Last saved"),
    }
    column_descriptions: ClassVar[dict[str, Any]] = {"school_year_code": _("Two years in a row, as 2025-2026.")}
    form_columns = ("school_year_code",)
