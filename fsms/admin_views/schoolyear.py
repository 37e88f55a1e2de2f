"""The page of the school years."""

from typing import Any, ClassVar

from flask_babel import lazy_gettext as _

from fsms.admin_views.base import EntityView


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
    column_labels: ClassVar[dict[str, Any]] = {
        "school_year_id": _("Year number"),
        "school_year_code": _("School year"),
        "created_at": _("Created"),
        "updated_at": _("Last saved"),
    }
    column_descriptions: ClassVar[dict[str, Any]] = {"school_year_code": _("Two years in a row, as 2025-2026.")}
    form_columns = ("school_year_code",)
