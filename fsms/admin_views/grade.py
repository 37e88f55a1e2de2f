"""The page of the marks, one by one."""

from typing import Any, ClassVar

from flask import g
from flask_babel import gettext
from flask_babel import lazy_gettext as _
from flask_login import current_user
from wtforms import Form

from fsms import clock, grading, policy
from fsms.admin_views import chips, everyday, formatters, scheme
from fsms.admin_views.base import EntityView
from fsms.admin_views.lookups import PupilOfClass, record_id
from fsms.admin_views.screen import in_digits
from fsms.database import db
from fsms.models import Base, Grade
from fsms.operations import locks

HALF = 5


def _mark(_view: Any, _context: Any, row: Grade, _name: str) -> str:
    """Show a mark, or the word where the pupil was excused from it."""
    return gettext("Excused") if row.grade is None else in_digits(grading.written(row.grade))


class GradeView(EntityView):
    """Marks: pupil, course, subject, semester, month."""

    title_column = "student"
    create_title = _("Add a mark")
    column_list = ("student", "course", "subject", "semester", "grade_date", "grade", "grade_comment", "user")
    column_details_list = (
        "grade_id",
        "student",
        "course",
        "subject",
        "semester",
        "grade_date",
        "grade",
        "excused",
        "grade_comment",
        "user",
        "last_edit",
        "created_at",
        "updated_at",
    )
    column_formatters: Any = {"grade": _mark, "grade_date": formatters.period}
    export_nothing: ClassVar[dict[str, Any]] = {"grade": _("Excused")}
    column_searchable_list = ("student.last_name", "student.first_name", "subject.subject_name", "grade_comment")
    column_sortable_list = (
        ("student", ("student.last_name", "student.first_name")),
        ("subject", "subject.subject_name"),
        ("semester", "semester.semester_code"),
        "grade_date",
        "grade",
    )
    column_default_sort = ("grade_id", True)
    column_filters = (
        "course.school_year.school_year_code",
        "course.grade",
        "course.section",
        "subject.subject_name",
        "semester.semester_code",
        "grade_date",
        "grade",
        "grade_comment",
    )
    quick_filters = (
        everyday.mine(Grade.course_id),
        everyday.this_year(Grade.course_id),
        everyday.months_in_text(Grade.grade_date),
        chips.toggle("low", _("Below 5"), lambda: Grade.grade < HALF),
        everyday.subjects(Grade.subject_id),
        everyday.levels_of_courses(Grade.course_id),
        everyday.classes(Grade.course_id),
    )
    column_further_list = (
        "course.course_name",
        "last_edit",
        "created_at",
        "updated_at",
    )
    column_labels: ClassVar[dict[str, Any]] = {
        "grade_id": _("Mark number"),
        "student": _("Pupil"),
        "course": _("Course"),
        "subject": _("Subject"),
        "semester": _("Semester"),
        "grade_date": _("Month"),
        "grade": _("Mark"),
        "excused": _("Excused"),
        "grade_comment": _("Comment"),
        "user": _("Entered by"),
        "last_edit": _("Last edited"),
        "course.school_year.school_year_code": _("School year"),
        "course.grade": _("Grade level"),
        "course.section": _("Section"),
        "course.course_name": _("Course name"),
        "subject.subject_name": _("Subject"),
        "semester.semester_code": _("Semester"),
        "created_at": _("Created"),
        "updated_at": _("Last saved"),
    }
    column_descriptions: ClassVar[dict[str, Any]] = {
        "grade_date": _("As 2025-03 or 03/25."),
        "excused": _("Instead of a mark. It counts neither for nor against the pupil."),
    }
    lookups: ClassVar[dict[str, Any]] = {"student": PupilOfClass}
    form_columns = ("student", "course", "subject", "semester", "grade_date", "grade", "excused", "grade_comment")
    form_args: ClassVar[dict[str, Any]] = {"grade": {"highest": scheme.highest_mark}}
    long_texts = ("gradeComment",)

    def get_one(self, id: Any) -> Base:
        """Say to whoever wants to change a mark of a locked semester that it is locked, and by whom."""
        key = record_id(id)
        row = db.session.get(Grade, key) if key and g.verb in policy.CHANGE else None
        if row and (locked := locks.refusal(db.session, row.course_id, row.semester_id)):
            raise locked
        return super().get_one(id)

    def on_model_change(self, form: Form, model: Grade, is_created: bool) -> None:
        """Hold the mark against the scale of its class and subject, and note who entered it and when."""
        if model.grade is not None:
            grading.check_mark(model.grade, scheme.in_use().maximum(model.course.level, model.subject.subject_name))
        model.last_edit = clock.now()
        model.user_id = current_user.user_id
