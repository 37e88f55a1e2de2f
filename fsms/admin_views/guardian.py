"""The page of the guardians."""

from decimal import Decimal
from typing import Any, ClassVar

from flask_babel import lazy_gettext as _
from sqlalchemy import ColumnElement, func

from fsms.admin_views import chips, everyday, formatters
from fsms.admin_views.base import EntityView
from fsms.models import Guardian
from fsms.vocabulary import Relation

GUARDIAN_LABELS: dict[str, Any] = {
    "full_name": _("Name"),
    "student": _("Pupil"),
    "relation": _("Relation"),
    "last_name": _("Last name"),
    "first_name": _("First name"),
    "phone": _("Phone"),
    "occupation": _("Occupation"),
    "income": _("Monthly income (riel)"),
    "children_count": _("Children in care"),
    "believe_jesus": _("Believes in Jesus"),
    "church": _("Church"),
    "house_number": _("House number"),
    "village": _("Village"),
    "commune": _("Commune"),
    "district": _("District"),
    "province": _("Province"),
    "birth_district": _("District of birth"),
    "created_at": _("Created"),
    "updated_at": _("Last saved"),
}


CHILDREN: dict[str, Any] = {"children_count": {"lowest": Decimal(0), "highest": Decimal(30)}}

# In the order of the registration form; a pupil's own form has the same fields as a row.
GUARDIAN_FIELDS = (
    "relation",
    "last_name",
    "first_name",
    "phone",
    "occupation",
    "income",
    "children_count",
    "believe_jesus",
    "church",
    "house_number",
    "village",
    "commune",
    "district",
    "province",
    "birth_district",
)


def _has_no_phone() -> ColumnElement[bool]:
    return func.coalesce(Guardian.phone, "") == ""


class GuardianView(EntityView):
    """Those who answer for the pupils."""

    title_column = "full_name"
    create_title = _("Add a guardian")
    column_list = ("full_name", "relation", "student", "phone", "occupation", "village")
    column_details_list = ("student", *GUARDIAN_FIELDS, "created_at", "updated_at")
    column_searchable_list = ("last_name", "first_name", "phone", "student.last_name", "student.first_name")
    column_sortable_list = (
        ("full_name", ("last_name", "first_name")),
        "relation",
        ("student", ("student.last_name", "student.first_name")),
        "occupation",
        "village",
    )
    column_default_sort = [("last_name", False), ("first_name", False)]
    column_filters = (
        "relation",
        "phone",
        "occupation",
        "income",
        "children_count",
        "believe_jesus",
        "village",
        "commune",
        "student.class_",
        "student.status",
    )
    quick_filters = (
        chips.toggle("unreachable", _("No phone"), _has_no_phone),
        everyday.pupils_of_this_year(Guardian.student_id),
        chips.of_choices("relation", _("Relation"), Guardian.relation, Relation),
    )
    column_further_list = (
        "income",
        "children_count",
        "believe_jesus",
        "commune",
        "district",
        "province",
        "updated_at",
    )
    column_labels: ClassVar[dict[str, Any]] = GUARDIAN_LABELS | {
        "student.class_": _("Pupil’s grade level"),
        "student.status": _("Pupil’s status"),
    }
    column_formatters = {"phone": formatters.phone}
    form_args: ClassVar[dict[str, Any]] = CHILDREN
    form_columns = ("student", *GUARDIAN_FIELDS)
