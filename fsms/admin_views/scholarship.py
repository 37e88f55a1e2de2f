"""The page of the scholarships."""

from typing import Any, ClassVar

from flask_babel import lazy_gettext as _

from fsms.admin_views.base import EntityView

SCHOLARSHIP_LABELS: dict[str, Any] = {
    "student": _("Pupil"),
    "type": _("Kind"),
    "amount": _("Amount (riel)"),
    "sponsor": _("Sponsor"),
    "created_at": _("Created"),
    "updated_at": _("Last saved"),
}


class ScholarshipView(EntityView):
    """Money promised to pupils."""

    title_column = "student"
    create_title = _("Add a scholarship")
    column_list = ("student", "type", "amount", "sponsor", "created_at")
    column_details_list = ("student", "type", "amount", "sponsor", "created_at", "updated_at")
    column_searchable_list = ("student.last_name", "student.first_name", "type", "sponsor")
    column_sortable_list = (
        ("student", ("student.last_name", "student.first_name")),
        "type",
        "amount",
        "sponsor",
        "created_at",
    )
    column_default_sort = ("scholarship_id", True)
    column_filters = ("type", "amount", "sponsor", "student.class_", "student.status")
    column_labels: ClassVar[dict[str, Any]] = SCHOLARSHIP_LABELS | {
        "student.class_": _("Pupil’s grade level"),
        "student.status": _("Pupil’s status"),
    }
    form_columns = ("student", "type", "amount", "sponsor")
