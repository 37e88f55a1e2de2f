"""The page of the pupils, with guardians, family and scholarships inside the form."""

from typing import Any, ClassVar

from flask_babel import lazy_gettext as _
from sqlalchemy import ColumnElement, func, select

from fsms.admin_views import chips, everyday, filters, formatters, photographs
from fsms.admin_views.base import EntityView
from fsms.admin_views.bulk import Act
from fsms.admin_views.familyinfo import FAMILY_FIELDS, FAMILY_LABELS
from fsms.admin_views.guardian import CHILDREN, GUARDIAN_FIELDS, GUARDIAN_LABELS
from fsms.admin_views.inlines import Inline
from fsms.admin_views.pupil_page import PupilPage
from fsms.admin_views.registration import Registration
from fsms.admin_views.scholarship import SCHOLARSHIP_LABELS
from fsms.admin_views.sections import Section
from fsms.models import Enrollment, FamilyInfo, Guardian, Scholarship, Student
from fsms.reports import school_year
from fsms.vocabulary import PovertyCard, StudentStatus

STUDENT_LABELS: dict[str, Any] = {
    "student_id": _("Pupil number"),
    "photo": _("Photograph"),
    "full_name": _("Name"),
    "last_name": _("Last name"),
    "first_name": _("First name"),
    "gender": _("Sex"),
    "dob": _("Date of birth"),
    "class_": _("Grade level"),
    "phone": _("Phone"),
    "registration_date": _("Registered on"),
    "status": _("Status"),
    "religion": _("Religion"),
    "health": _("Health"),
    "emergency_contact": _("Emergency contact"),
    "needs_clothes": _("Lacks clothes"),
    "needs_materials": _("Lacks study materials"),
    "needs_transport": _("Needs transport"),
    "previous_school": _("Previous school"),
    "register_to_study": _("Registered to study"),
    "student_birth_district": _("District of birth"),
    "student_house_number": _("House number"),
    "student_village": _("Village"),
    "student_commune": _("Commune"),
    "student_district": _("District"),
    "student_province": _("Province"),
    "transfer_reason": _("Reason for transfer"),
    "vaccinated": _("Vaccinated"),
    "school_year": _("School year"),
    "guardians": _("Guardians"),
    "family": _("Family"),
    "scholarships": _("Scholarships"),
    "created_at": _("Created"),
    "updated_at": _("Last saved"),
}

# The sections of the registration form.
PUPIL = (
    "last_name",
    "first_name",
    "gender",
    "dob",
    "class_",
    "school_year",
    "status",
    "registration_date",
    "photo",
)
ADDRESS = (
    "phone",
    "emergency_contact",
    "student_house_number",
    "student_village",
    "student_commune",
    "student_district",
    "student_province",
    "student_birth_district",
)
HISTORY = ("previous_school", "transfer_reason", "register_to_study")
NEEDS = ("religion", "health", "vaccinated", "needs_clothes", "needs_materials", "needs_transport")


class GuardianRows(Inline):
    """Those who answer for the pupil."""

    form_label = _("Guardians")
    column_labels = GUARDIAN_LABELS
    form_args: ClassVar[dict[str, Any]] = CHILDREN
    form_columns = ("guardian_id", *GUARDIAN_FIELDS)


class FamilyRow(Inline):
    """How the family lives; there may be no record."""

    form_label = _("Family")
    column_labels = FAMILY_LABELS
    form_columns = ("familyinfo_id", *FAMILY_FIELDS)


class ScholarshipRows(Inline):
    """Money promised to the pupil."""

    form_label = _("Scholarships")
    column_labels = SCHOLARSHIP_LABELS
    form_columns = ("scholarship_id", "type", "amount", "sponsor")


FAMILY_AND_NEEDS = (
    Section(ADDRESS, _("Address and contact")),
    Section(("guardians",), _("Guardians")),
    Section(("family",), _("Family")),
    Section(("scholarships",), _("Scholarships")),
    Section(HISTORY, _("School history")),
    Section(NEEDS, _("Health and needs")),
)


def _need(name: str) -> chips.Chip:
    column: Any = getattr(Student, name)
    return chips.Chip(name.removeprefix("needs_"), STUDENT_LABELS[name], lambda: column.is_(True))


def _has_scholarship() -> ColumnElement[bool]:
    return Student.student_id.in_(select(Scholarship.student_id))


def _has_poverty_card() -> ColumnElement[bool]:
    return Student.student_id.in_(select(FamilyInfo.student_id).where(FamilyInfo.poverty_card == PovertyCard.YES))


def _dropped_this_year() -> ColumnElement[bool]:
    return Student.student_id.in_(school_year.pupils_of(everyday.is_this_year(), Enrollment.drop.is_(True)))


def _no_guardian_answers() -> ColumnElement[bool]:
    reachable = select(Guardian.student_id).where(func.coalesce(Guardian.phone, "") != "")
    return Student.student_id.not_in(reachable)


NEEDS_CHOICES: tuple[tuple[str, Any], ...] = (
    ("needs_clothes=1", _("Lacks clothes")),
    ("needs_clothes=0", _("Lacks no clothes any more")),
    ("needs_materials=1", _("Lacks study materials")),
    ("needs_materials=0", _("Lacks no study materials any more")),
    ("needs_transport=1", _("Needs transport")),
    ("needs_transport=0", _("Needs no transport any more")),
)


def _set_status(choice: str, pupil: Student) -> None:
    pupil.status = choice


def _set_need(choice: str, pupil: Student) -> None:
    name, _is, ticked = choice.partition("=")
    setattr(pupil, name, ticked == "1")


class StudentView(PupilPage, Registration, EntityView):
    """Pupils as registered."""

    title_column = "full_name"
    create_title = _("Add a pupil")
    column_list = ("student_id", "full_name", "gender", "dob", "class_", "school_year", "phone", "status")
    column_details_list = (
        "student_id",
        *PUPIL,
        *ADDRESS,
        *HISTORY,
        *NEEDS,
        "guardians",
        "family",
        "scholarships",
        "created_at",
        "updated_at",
    )
    column_searchable_list = ("last_name", "first_name", "student_id", "phone")
    column_sortable_list = (
        "student_id",
        ("full_name", ("last_name", "first_name")),
        "gender",
        "dob",
        ("class_", ("level",)),
        "school_year",
        "status",
    )
    column_default_sort = ("student_id", True)
    column_filters = (
        "status",
        "gender",
        "class_",
        "school_year",
        "dob",
        "needs_clothes",
        "needs_materials",
        "needs_transport",
        "vaccinated",
        "religion",
        "student_village",
        "student_commune",
        "registration_date",
        "phone",
    )
    quick_filters = (
        everyday.pupils_of_this_year(Student.student_id),
        chips.of_choices("status", _("Status"), Student.status, StudentStatus),
        everyday.levels(Student.class_),
        everyday.classes_of_pupils(Student.student_id),
        chips.Chips(
            "needs",
            _("Needs"),
            *(_need(name) for name in ("needs_clothes", "needs_materials", "needs_transport")),
            as_menu=True,
        ),
        chips.toggle("scholarship", _("Scholarship"), _has_scholarship, reads="scholarships"),
        chips.toggle("card", _("Poverty card"), _has_poverty_card, reads="family.poverty_card"),
        chips.toggle("dropped", _("Dropped this year"), _dropped_this_year),
        chips.toggle("unreachable", _("No guardian’s phone"), _no_guardian_answers),
    )
    bulk_acts = (
        Act("status", _("Set status"), changes=_set_status, choices=lambda: filters.choice_options(StudentStatus)),
        Act("needs", _("Set a need"), changes=_set_need, choices=lambda: list(NEEDS_CHOICES)),
    )
    column_further_list = (
        "emergency_contact",
        "religion",
        "health",
        "vaccinated",
        "needs_clothes",
        "needs_materials",
        "needs_transport",
        "previous_school",
        "student_village",
        "student_commune",
        "student_district",
        "student_province",
        "registration_date",
        "updated_at",
    )
    column_labels: ClassVar[dict[str, Any]] = STUDENT_LABELS
    column_formatters = {"phone": formatters.phone}
    column_formatters_detail = {
        "photo": photographs.in_details,
        "phone": formatters.phone,
        "emergency_contact": formatters.phone,
    } | dict.fromkeys(("guardians", "scholarships", "family"), formatters.listed)
    inline_models = (GuardianRows(Guardian), FamilyRow(FamilyInfo), ScholarshipRows(Scholarship))
    column_descriptions: ClassVar[dict[str, Any]] = {
        "phone": _("As 012 345 678; several with a slash between them."),
        "school_year": _("Two years in a row, as 2025-2026."),
        "health": _("Stands at the top of the pupil’s page, for teachers too."),
    }
    form_overrides = {"photo": photographs.PhotoField}
    form_scripts = ("family",)
    long_texts = ("health", "transferReason")
    form_columns = (*PUPIL, *ADDRESS, *HISTORY, *NEEDS)
    create_template = "admin/pupil_form_new.html"
    edit_template = "admin/pupil_form.html"
    deletion_template = "admin/pupil_deletion.html"
    form_create_rules = (Section((*PUPIL[:4], "course", *PUPIL[4:]), _("Pupil")), *FAMILY_AND_NEEDS)
    form_edit_rules = (Section(PUPIL, _("Pupil")), *FAMILY_AND_NEEDS)

    # The sections of the page. Photograph, guardians, family and scholarships have places of their own there.
    details_sections = (
        (_("Pupil"), tuple(name for name in PUPIL if name != "photo")),
        (_("Address"), tuple(name for name in ADDRESS if name not in ("phone", "emergency_contact"))),
        (_("Needs"), NEEDS),
        (_("School history"), HISTORY),
        (None, ("photo", "student_id", "phone", "emergency_contact", "guardians", "family", "scholarships")),
    )
