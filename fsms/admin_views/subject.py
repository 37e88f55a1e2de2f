"""The page of the subjects."""

from typing import Any, ClassVar

from flask_babel import lazy_gettext as _

from fsms.admin_views.base import EntityView


class SubjectView(EntityView):
    """What is taught and marked."""

    title_column = "subject_name"
    create_title = _("Add a subject")
    column_list = ("subject_name", "created_at", "updated_at")
    column_details_list = ("subject_id", "subject_name", "created_at", "updated_at")
    column_searchable_list = ("subject_name",)
    column_sortable_list = ("subject_name", "created_at", "updated_at")
    column_default_sort = "subject_name"
    column_filters = ("subject_name",)
    column_labels: ClassVar[dict[str, Any]] = {
        "subject_id": _("Subject number"),
        "subject_name": _("Subject"),
        "created_at": _("Created"),
        "updated_at": _("Last saved"),
    }
    form_columns = ("subject_name",)
