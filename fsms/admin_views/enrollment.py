"""The page of the enrolments, one by one."""

from typing import Any, ClassVar

from flask_babel import lazy_gettext as _

from fsms.admin_views.base import EntityView


class EnrollmentView(EntityView):
    """Pupils' places in courses, with drops."""

    title_column = "student"
    create_title = _("Enrol a pupil")
    column_list = ("student", "course", "drop", "drop_semester", "drop_date", "drop_reason")
    column_details_list = (
        "enrollment_id",
        "student",
        "course",
        "enrolled_on",
        "drop",
        "drop_semester",
        "drop_date",
        "drop_reason",
        "created_at",
        "updated_at",
    )
    column_searchable_list = ("student.last_name", "student.first_name", "student.student_id", "drop_reason")
    column_sortable_list = (
        ("student", ("student.last_name", "student.first_name")),
        ("course", ("course.level", "course.section")),
        "drop",
        "drop_date",
    )
    column_default_sort = ("enrollment_id", True)
    column_filters = (
        "course.school_year.school_year_code",
        "course.grade",
        "course.section",
        "drop",
        "drop_date",
        "drop_semester.semester_code",
        "drop_reason",
    )
    column_labels: ClassVar[dict[str, Any]] = {
        "enrollment_id": _("Enrolment number"),
        "student": _("Pupil"),
        "course": _("Course"),
        "enrolled_on": _("First day in the class"),
        "drop": _("Dropped"),
        "drop_semester": _("Dropped in semester"),
        "drop_date": _("Dropped on"),
        "drop_reason": _("Reason"),
        "course.school_year.school_year_code": _("School year"),
        "course.grade": _("Grade level"),
        "course.section": _("Section"),
        "drop_semester.semester_code": _("Dropped in semester"),
        "created_at": _("Created"),
        "updated_at": _("Last saved"),
    }
    form_columns = ("student", "course", "enrolled_on", "drop", "drop_semester", "drop_date", "drop_reason")
