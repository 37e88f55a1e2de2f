"""The page of the attendance records, one by one."""

from typing import Any, ClassVar

from flask_babel import lazy_gettext as _
from flask_login import current_user
from wtforms import Form

from fsms.admin_views import chips, everyday
from fsms.admin_views.base import EntityView
from fsms.admin_views.lookups import PupilOfClass
from fsms.models import Attendance
from fsms.vocabulary import AttendanceSession, AttendanceStatus


class AttendanceView(EntityView):
    """What was seen of each pupil in each session."""

    title_column = "student"
    create_title = _("Add an attendance record")
    column_list = ("attendance_date", "session", "student", "course", "status", "reason", "recorded_by")
    column_details_list = (
        "attendance_id",
        "attendance_date",
        "session",
        "student",
        "course",
        "status",
        "reason",
        "recorded_by",
        "semester",
        "school_year",
        "created_at",
        "updated_at",
    )
    column_searchable_list = ("student.last_name", "student.first_name", "student.student_id", "reason")
    column_sortable_list = ("attendance_date", "session", "status")
    column_default_sort = ("attendance_date", True)
    column_filters = (
        "attendance_date",
        "status",
        "session",
        "course.school_year.school_year_code",
        "course.grade",
        "course.section",
        "semester.semester_code",
        "reason",
        "recorded_by",
    )
    quick_filters = (
        everyday.days(Attendance.attendance_date),
        chips.Chips(
            "seen",
            _("Status"),
            chips.Chip(
                "away",
                _("Absent or excused"),
                lambda: Attendance.status.in_((AttendanceStatus.ABSENT, AttendanceStatus.EXCUSED)),
            ),
            chips.Chip("absent", _("Unexcused"), lambda: Attendance.status == AttendanceStatus.ABSENT),
            chips.Chip("excused", _("Excused"), lambda: Attendance.status == AttendanceStatus.EXCUSED),
            chips.Chip("late", _("Late"), lambda: Attendance.status == AttendanceStatus.LATE),
        ),
        everyday.this_year(Attendance.course_id),
        everyday.mine(Attendance.course_id),
        everyday.levels_of_courses(Attendance.course_id),
        everyday.classes(Attendance.course_id),
        chips.of_choices("half", _("Session"), Attendance.session, AttendanceSession, as_menu=True),
    )
    column_further_list = (
        "course.course_name",
        "semester",
        "school_year",
        "created_at",
        "updated_at",
    )
    column_labels: ClassVar[dict[str, Any]] = {
        "attendance_id": _("Record number"),
        "attendance_date": _("Date"),
        "session": _("Session"),
        "student": _("Pupil"),
        "course": _("Course"),
        "status": _("Status"),
        "reason": _("Reason"),
        "recorded_by": _("Recorded by"),
        "semester": _("Semester"),
        "school_year": _("School year"),
        "course.school_year.school_year_code": _("School year"),
        "course.grade": _("Grade level"),
        "course.section": _("Section"),
        "course.course_name": _("Course name"),
        "semester.semester_code": _("Semester"),
        "created_at": _("Created"),
        "updated_at": _("Last saved"),
    }
    lookups: ClassVar[dict[str, Any]] = {"student": PupilOfClass}
    form_columns = ("student", "course", "attendance_date", "session", "status", "reason", "semester", "school_year")

    def on_model_change(self, form: Form, model: Attendance, is_created: bool) -> None:
        """Note who recorded it."""
        model.recorded_by = current_user.full_name
