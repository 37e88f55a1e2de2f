"""The page of the activity log: read only, for everybody."""

from typing import Any, ClassVar

from flask_babel import lazy_gettext as _

from fsms.admin_views.base import EntityView


class ActivityLogView(EntityView):
    """Who did what, when, to which record."""

    column_list = ("timestamp", "user", "action", "entity", "entity_id")
    column_details_list = ("id", "timestamp", "user", "action", "entity", "entity_id", "batch", "details")
    column_searchable_list = ("action", "entity", "user.last_name", "user.first_name", "user.username")
    column_sortable_list = ("timestamp", "action", "entity")
    column_default_sort = ("id", True)
    column_filters = ("timestamp", "action", "entity", "entity_id", "user.username")
    column_labels: ClassVar[dict[str, Any]] = {
        "id": _("Entry number"),
        "timestamp": _("When"),
        "user": _("Who"),
        "user.username": _("User name"),
        "action": _("Action"),
        "entity": _("Entity"),
        "entity_id": _("Record number"),
        "batch": _("Batch"),
        "details": _("Details"),
    }
    form_columns = ()
