"""The page of the scholarships."""

from typing import Any, ClassVar

from flask_babel import lazy_gettext as _
from sqlalchemy import ColumnElement, select

from fsms.admin_views import chips, everyday
from fsms.admin_views.base import EntityView
from fsms.models import Scholarship, Student
from fsms.vocabulary import StudentStatus

SCHOLARSHIP_LABELS: dict[str, Any] = {
    "student": _("Pupil"),
    "type": _("Kind"),
    "amount": _("Amount (riel)"),
    "sponsor": _("Sponsor"),
    "created_at": _("Created"),
    "updated_at": _("Last saved"),
}


def _of_pupils_who_left() -> ColumnElement[bool]:
    return Scholarship.student_id.in_(select(Student.student_id).where(Student.status != StudentStatus.ACTIVE))


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
    quick_filters = (
        everyday.pupils_of_this_year(Scholarship.student_id),
        chips.toggle("unsponsored", _("Without sponsor"), lambda: Scholarship.sponsor.is_(None)),
        chips.toggle("left", _("Of pupils who left"), _of_pupils_who_left),
    )
    column_further_list = ("updated_at",)
    column_labels: ClassVar[dict[str, Any]] = SCHOLARSHIP_LABELS | {
        "student.class_": _("Pupil’s grade level"),
        "student.status": _("Pupil’s status"),
    }
    form_columns = ("student", "type", "amount", "sponsor")
