"""The page of the subjects."""

from typing import Any, ClassVar

from flask_babel import lazy_gettext as _
from sqlalchemy import ColumnElement, exists, select

from fsms.admin_views import chips, everyday
from fsms.admin_views.base import EntityView
from fsms.models import Course, Grade, Subject


def _is_marked_this_year() -> ColumnElement[bool]:
    courses = select(Course.course_id).where(everyday.is_this_year())
    return exists().where(Grade.subject_id == Subject.subject_id, Grade.course_id.in_(courses))


def _is_never_marked() -> ColumnElement[bool]:
    return ~exists().where(Grade.subject_id == Subject.subject_id)


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
    quick_filters = (
        chips.toggle("marked", _("Marked this year"), _is_marked_this_year),
        chips.toggle("unmarked", _("Without marks"), _is_never_marked),
    )
    column_further_list = ("subject_id",)
    column_labels: ClassVar[dict[str, Any]] = {
        "subject_id": _("Subject number"),
        "subject_name": _("Subject"),
        "created_at": _("Created"),
        "updated_at": _("Last saved"),
    }
    form_columns = ("subject_name",)
