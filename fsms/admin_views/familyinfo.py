"""The page of the family records."""

from typing import Any, ClassVar

from flask_babel import lazy_gettext as _

from fsms.admin_views import chips, everyday
from fsms.admin_views.base import EntityView
from fsms.models import FamilyInfo
from fsms.vocabulary import LivingCondition, PovertyCard

FAMILY_LABELS: dict[str, Any] = {
    "student": _("Pupil"),
    "living_with": _("Lives with"),
    "living_condition": _("Living standard"),
    "own_house": _("Owns the house"),
    "duration_in_kpc": _("Years in Kampong Cham"),
    "poverty_card": _("Poverty card"),
    "organization_help": _("Helped by an organisation"),
    "know_school": _("Knows the school through"),
    "religion": _("Religion"),
    "church_name": _("Church"),
    "can_help_school": _("Can help the school"),
    "help_amount": _("Contribution (riel)"),
    "help_frequency": _("Contribution paid"),
    "created_at": _("Created"),
    "updated_at": _("Last saved"),
}

# In the order of the registration form; a pupil's own form has the same fields.
FAMILY_FIELDS = (
    "living_with",
    "living_condition",
    "own_house",
    "duration_in_kpc",
    "poverty_card",
    "organization_help",
    "know_school",
    "religion",
    "church_name",
    "can_help_school",
    "help_amount",
    "help_frequency",
)


class FamilyInfoView(EntityView):
    """How the pupils' families live; one record a pupil at most."""

    title_column = "student"
    create_title = _("Add a family record")
    column_list = ("student", "living_condition", "poverty_card", "living_with", "own_house", "help_amount")
    column_details_list = ("student", *FAMILY_FIELDS, "created_at", "updated_at")
    column_searchable_list = ("student.last_name", "student.first_name", "student.student_id", "living_with")
    column_sortable_list = (
        ("student", ("student.last_name", "student.first_name")),
        "living_condition",
        "poverty_card",
        "own_house",
        "help_amount",
    )
    column_default_sort = ("familyinfo_id", True)
    column_filters = (
        "living_condition",
        "poverty_card",
        "own_house",
        "religion",
        "can_help_school",
        "help_amount",
        "help_frequency",
        "student.class_",
        "student.status",
    )
    quick_filters = (
        everyday.pupils_of_this_year(FamilyInfo.student_id),
        chips.toggle("card", _("Poverty card"), lambda: FamilyInfo.poverty_card == PovertyCard.YES),
        chips.of_choices("living", _("Living standard"), FamilyInfo.living_condition, LivingCondition),
        chips.toggle("helps", _("Can help the school"), lambda: FamilyInfo.can_help_school.is_(True)),
    )
    column_further_list = (
        "duration_in_kpc",
        "organization_help",
        "know_school",
        "religion",
        "can_help_school",
        "help_frequency",
        "updated_at",
    )
    column_labels: ClassVar[dict[str, Any]] = FAMILY_LABELS | {
        "student.class_": _("Pupil’s grade level"),
        "student.status": _("Pupil’s status"),
    }
    form_columns = ("student", *FAMILY_FIELDS)
