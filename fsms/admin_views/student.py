"""The page of the pupils, with guardians, family and scholarships inside the form."""

from typing import Any, ClassVar

from flask import request
from flask_babel import gettext
from flask_babel import lazy_gettext as _

from fsms import clock, policy
from fsms.admin_views import formatters, photographs, pupil_page, scheme
from fsms.admin_views.base import EntityView
from fsms.admin_views.by_role import reader
from fsms.admin_views.familyinfo import FAMILY_FIELDS, FAMILY_LABELS
from fsms.admin_views.guardian import CHILDREN, GUARDIAN_FIELDS, GUARDIAN_LABELS
from fsms.admin_views.inlines import Inline
from fsms.admin_views.lookups import record_id
from fsms.admin_views.registration import Registration
from fsms.admin_views.scholarship import SCHOLARSHIP_LABELS
from fsms.admin_views.theme import Section
from fsms.database import db
from fsms.models import FamilyInfo, Guardian, Scholarship, Student
from fsms.policy import Verb
from fsms.reports import pupil
from fsms.vocabulary import Relation, label_of

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


class StudentView(Registration, EntityView):
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
    column_labels: ClassVar[dict[str, Any]] = STUDENT_LABELS
    column_formatters = {"phone": formatters.phone}
    column_formatters_detail = {
        "photo": photographs.in_details,
        "phone": formatters.phone,
        "emergency_contact": formatters.phone,
    } | dict.fromkeys(("guardians", "scholarships", "family"), formatters.listed)
    inline_models = (GuardianRows(Guardian), FamilyRow(FamilyInfo), ScholarshipRows(Scholarship))
    form_overrides = {"photo": photographs.PhotoField}
    long_texts = ("health", "transferReason")
    form_columns = (*PUPIL, *ADDRESS, *HISTORY, *NEEDS)
    create_template = "admin/pupil_form_new.html"
    edit_template = "admin/pupil_form.html"
    form_create_rules = (Section((*PUPIL[:4], "course", *PUPIL[4:]), _("Pupil")), *FAMILY_AND_NEEDS)
    form_edit_rules = (Section(PUPIL, _("Pupil")), *FAMILY_AND_NEEDS)

    details_template = "admin/pupil.html"
    # The sections of the page. Photograph, guardians, family and scholarships have places of their own there.
    details_sections = (
        (_("Pupil"), tuple(name for name in PUPIL if name != "photo")),
        (_("Address"), tuple(name for name in ADDRESS if name not in ("phone", "emergency_contact"))),
        (_("Needs"), NEEDS),
        (_("School history"), HISTORY),
        (None, ("photo", "student_id", "phone", "emergency_contact", "guardians", "family", "scholarships")),
    )

    def render(self, template: str, **kwargs: Any) -> str:
        """Tell on the page of a pupil what other records say of the pupil."""
        if template == self.details_template:
            kwargs |= _told_of(kwargs["model"])
            kwargs["sections"] = pupil_page.sections(self._details_columns, self.details_sections)
        return super().render(template, **kwargs)


def _told_of(student: Student) -> dict[str, Any]:
    """Read what the page shows beside the record, in the words of the page."""
    told = pupil.read(
        db.session,
        student,
        scheme.in_use(),
        today=clock.today(),
        course_id=record_id(request.args.get("course")),
    )
    private = policy.may(reader(), Verb.VIEW, FamilyInfo)
    family = student.family if private else None
    return {
        "pupil": told,
        "warnings": pupil_page.warnings(told),
        "tables": pupil_page.marks_tables(told.marks),
        "of_year": pupil_page.year_of(told.marks) if told.marks else None,
        "age": pupil_page.age(student.dob, clock.today()),
        "day": pupil_page.day,
        "dialled": formatters.dialled,
        "relation": lambda guardian: gettext(label_of(Relation, guardian.relation)),
        "private": private,
        "family": list(pupil_page.facts_of(family, FAMILY_FIELDS, FAMILY_LABELS)) if family else [],
        "amount": lambda row: dict(pupil_page.facts_of(row, ("amount",), {"amount": "amount"}))["amount"],
    }
